// A small model for every operator: what the table of costs (docs/operators.md) is read off, and what tests compare
// with onnxruntime. An operator without an entry here is tried on one input, then on two.

import { DataType, int64, type ModelSpec, node, tensor } from '../helpers/onnx';
import { weights } from './oracle';

type Attributes = NonNullable<Parameters<typeof node>[3]>;
type Constants = NonNullable<ModelSpec['initializers']>;

interface Example {
  /** Shapes of the secret inputs, x0, x1, ... */
  readonly inputs: readonly (readonly number[])[];
  /** Constant inputs by position; others before them that are not secret are left out. */
  readonly constants?: Readonly<Record<number, Constants[string]>>;
  readonly attributes?: Attributes;
  readonly outputs?: number;
  /** Which of the secret inputs are booleans. */
  readonly booleans?: readonly number[];
}

const VECTOR: readonly number[] = [2, 8];
const IMAGE: readonly number[] = [1, 4, 8, 8];

const positive = (shape: readonly number[]): Constants[string] =>
  tensor(
    shape,
    Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => 0.5 + (i % 5) / 4),
  );
const scalar = (x: number): Constants[string] => tensor([], [x]);
const count = (n: number): Constants[string] => int64([n], []);

const window: Attributes = { kernel_shape: [2, 2], strides: [2, 2] };

const EXAMPLES: Readonly<Record<string, Example>> = {
  ...each(
    [
      'ReduceMean',
      'ReduceSum',
      'ReduceMax',
      'ReduceMin',
      'ReduceL1',
      'ReduceL2',
      'ReduceSumSquare',
      'ReduceProd',
      'ReduceLogSum',
      'ReduceLogSumExp',
    ],
    {
      inputs: [VECTOR],
      constants: { 1: int64([-1]) },
    },
  ),
  ...each(
    [
      'Add',
      'Sub',
      'Mul',
      'Div',
      'Max',
      'Min',
      'Equal',
      'Greater',
      'GreaterOrEqual',
      'Less',
      'LessOrEqual',
      'Mean',
      'Sum',
      'Mod',
    ],
    {
      inputs: [VECTOR, VECTOR],
    },
  ),
  ...each(['GlobalAveragePool', 'GlobalMaxPool', 'GlobalLpPool', 'MeanVarianceNormalization'], {
    inputs: [IMAGE],
  }),
  ...each(['MaxPool', 'AveragePool', 'LpPool'], { inputs: [IMAGE], attributes: window }),
  ...each(['ArgMax', 'ArgMin'], { inputs: [VECTOR], attributes: { axis: -1 } }),
  AffineGrid: { inputs: [[1, 2, 3]], constants: { 1: int64([1, 1, 4, 4]) } },
  Attention: {
    inputs: [
      [1, 2, 4, 8],
      [1, 2, 4, 8],
      [1, 2, 4, 8],
    ],
  },
  BatchNormalization: {
    inputs: [IMAGE],
    constants: { 1: weights([4]), 2: weights([4]), 3: weights([4]), 4: positive([4]) },
  },
  Cast: { inputs: [VECTOR], attributes: { to: DataType.DOUBLE } },
  CastLike: { inputs: [VECTOR], constants: { 1: tensor([1], [1], DataType.DOUBLE) } },
  CenterCropPad: { inputs: [IMAGE], constants: { 1: int64([4, 4]) }, attributes: { axes: [2, 3] } },
  Clip: { inputs: [VECTOR], constants: { 1: scalar(0), 2: scalar(6) } },
  Col2Im: {
    inputs: [[1, 8, 4]],
    constants: { 1: int64([4, 4]), 2: int64([2, 2]) },
    attributes: { strides: [2, 2] },
  },
  Compress: {
    inputs: [VECTOR],
    constants: { 1: tensor([2], [0, 1], DataType.BOOL) },
    attributes: { axis: 0 },
  },
  Concat: { inputs: [VECTOR, VECTOR], attributes: { axis: 0 } },
  Conv: {
    inputs: [IMAGE],
    constants: { 1: weights([4, 4, 3, 3]), 2: weights([4]) },
    attributes: { pads: [1, 1, 1, 1] },
  },
  ConvTranspose: {
    inputs: [IMAGE],
    constants: { 1: weights([4, 4, 2, 2]) },
    attributes: { strides: [2, 2] },
  },
  CumSum: { inputs: [VECTOR], constants: { 1: count(1) } },
  DepthToSpace: { inputs: [IMAGE], attributes: { blocksize: 2 } },
  Einsum: {
    inputs: [
      [2, 4],
      [4, 8],
    ],
    attributes: { equation: 'ij,jk->ik' },
  },
  Expand: { inputs: [[1, 8]], constants: { 1: int64([4, 8]) } },
  Gather: { inputs: [VECTOR], constants: { 1: int64([1, 0, 1]) } },
  GatherElements: {
    inputs: [VECTOR],
    constants: { 1: int64([0, 1, 1, 0], [2, 2]) },
    attributes: { axis: 1 },
  },
  GatherND: { inputs: [VECTOR], constants: { 1: int64([0, 1, 1, 0], [2, 2]) } },
  Gemm: { inputs: [VECTOR], constants: { 1: weights([4, 8]), 2: weights([4]) }, attributes: { transB: 1 } },
  GridSample: {
    inputs: [IMAGE],
    constants: { 1: tensor([1, 2, 2, 2], [-0.5, 0, 0.5, 0, 0, 0.5, 0.25, -0.25]) },
  },
  GroupNormalization: {
    inputs: [IMAGE],
    constants: { 1: weights([4]), 2: weights([4]) },
    attributes: { num_groups: 2 },
  },
  InstanceNormalization: { inputs: [IMAGE], constants: { 1: weights([4]), 2: weights([4]) } },
  LayerNormalization: { inputs: [VECTOR], constants: { 1: weights([8]), 2: weights([8]) } },
  LRN: { inputs: [IMAGE], attributes: { size: 3 } },
  MatMul: { inputs: [VECTOR], constants: { 1: weights([8, 4]) } },
  OneHot: { inputs: [[2]], constants: { 0: int64([1, 3]), 1: count(4) } },
  Pad: { inputs: [VECTOR], constants: { 1: int64([0, 1, 0, 1]) } },
  Pow: { inputs: [VECTOR], constants: { 1: scalar(2) } },
  PRelu: { inputs: [VECTOR], constants: { 1: weights([8]) } },
  RMSNormalization: { inputs: [VECTOR], constants: { 1: weights([8]) } },
  Reshape: { inputs: [VECTOR], constants: { 1: int64([4, 4]) } },
  Resize: { inputs: [IMAGE], constants: { 2: tensor([4], [1, 1, 2, 2]) }, attributes: { mode: 'linear' } },
  ReverseSequence: {
    inputs: [VECTOR],
    constants: { 1: int64([2, 8]) },
    attributes: { batch_axis: 0, time_axis: 1 },
  },
  RotaryEmbedding: { inputs: [[1, 2, 4, 8]], constants: { 1: weights([1, 4, 4]), 2: weights([1, 4, 4]) } },
  ScatterElements: { inputs: [VECTOR, [1, 2]], constants: { 1: int64([0, 1], [1, 2]) } },
  ScatterND: { inputs: [VECTOR, [1, 8]], constants: { 1: int64([1], [1, 1]) } },
  Slice: { inputs: [VECTOR], constants: { 1: int64([1]), 2: int64([6]), 3: int64([1]) } },
  SpaceToDepth: { inputs: [IMAGE], attributes: { blocksize: 2 } },
  Split: { inputs: [VECTOR], attributes: { axis: 1, num_outputs: 2 }, outputs: 2 },
  Squeeze: { inputs: [[1, 8]], constants: { 1: int64([0]) } },
  Tile: { inputs: [VECTOR], constants: { 1: int64([1, 2]) } },
  TopK: { inputs: [VECTOR], constants: { 1: int64([2]) }, outputs: 2 },
  Unsqueeze: { inputs: [VECTOR], constants: { 1: int64([0]) } },
  ...each(['And', 'Or', 'Xor'], { inputs: [VECTOR, VECTOR], booleans: [0, 1] }),
  Not: { inputs: [VECTOR], booleans: [0] },
  Where: { inputs: [VECTOR, VECTOR, VECTOR], booleans: [0] },
};

/** Where the operator stands for a pair of operands and takes a constant in one place only. */
const WITH_CONSTANT: Readonly<Record<string, Example>> = {
  Div: { inputs: [VECTOR], constants: { 1: positive([8]) } },
};

function each(ops: readonly string[], example: Example): Record<string, Example> {
  return Object.fromEntries(ops.map((op) => [op, example]));
}

/** Operators that cost what is inside of them. */
export const WITHOUT_EXAMPLE: ReadonlySet<string> = new Set(['If']);

/** Models to try for an operator, the first that can be computed is its example; in operator set 23. */
export function examplesOf(op: string): ModelSpec[] {
  const known = [EXAMPLES[op], WITH_CONSTANT[op]].filter((e) => e !== undefined);
  const tried =
    known.length > 0 ? known : [{ inputs: [VECTOR] }, { inputs: [IMAGE] }, { inputs: [VECTOR, VECTOR] }];
  return tried.map((example) => specOf(op, example));
}

const TRUTHS: ReadonlySet<string> = new Set([
  'And',
  'Equal',
  'Greater',
  'GreaterOrEqual',
  'Less',
  'LessOrEqual',
  'Not',
  'Or',
  'Xor',
]);

function specOf(op: string, example: Example): ModelSpec {
  const { inputs, constants = {}, attributes = {}, outputs = 1, booleans = [] } = example;
  const names: string[] = [];
  const initializers: Record<string, Constants[string]> = {};
  for (const [position, t] of Object.entries(constants)) {
    names[Number(position)] = `c${position}`;
    initializers[`c${position}`] = t;
  }
  inputs.forEach((_, i) => {
    let at = 0;
    while (names[at] !== undefined) at++;
    names[at] = `x${i}`;
  });
  const filled = Array.from(names, (name) => name ?? '');
  const results = Array.from({ length: outputs }, (_, i) => `y${i}`);
  return {
    opset: 23,
    inputs: Object.fromEntries(
      inputs.map((shape, i) => [`x${i}`, booleans.includes(i) ? { shape, type: DataType.BOOL } : shape]),
    ),
    outputs: Object.fromEntries(results.map((name) => [name, []])),
    nodes: [node(op, filled, results, attributes, op)],
    initializers,
    // Shapes of the results follow; element types too, for all but onnxruntime.
    edit(m) {
      for (const output of m.graph!.output) {
        const { value } = output.type!;
        if (value.case !== 'tensorType') continue;
        delete value.value.shape;
        if (op === 'ArgMax' || op === 'ArgMin' || (op === 'TopK' && output.name === 'y1')) {
          value.value.elemType = DataType.INT64;
        }
        if (TRUTHS.has(op)) value.value.elemType = DataType.BOOL;
        if (op === 'Cast' || op === 'CastLike') value.value.elemType = DataType.DOUBLE;
      }
    },
  };
}
