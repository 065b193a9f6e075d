// Functions as they are computed within a network: what the passes make of one operator, shares in and shares out. Operands
// are those of CrypTen's figures (peers.ts).

import { type Graph, GraphBuilder, type Value } from '../lib/compiler/ir/graph';
import { CoreEmitter } from '../lib/compiler/ops/emit';
import { inFixedPoint, optimize } from '../lib/compiler/passes/pipeline';
import { importOnnx } from '../lib/model/onnx/import';
import { model, node, tensor } from '../test/helpers/onnx';
import { normals } from './networks/builder';

export interface FunctionCase {
  readonly name: string;
  readonly graph: () => Graph;
  /** Operands, from uniform numbers in [0, 1) or normal ones. */
  readonly operand: (uniform: number, normal: number) => number;
  /** What CrypTen's figures call this work, if not the same. */
  readonly peer?: string;
}

type Nodes = Parameters<typeof model>[0]['nodes'];

interface Options {
  readonly initializers?: NonNullable<Parameters<typeof model>[0]['initializers']>;
  /** Operands known to lie in an interval, which narrows what is sent. */
  readonly range?: readonly [number, number];
}

function graphOf(shape: readonly number[], nodes: Nodes, { initializers = {}, range }: Options = {}): Graph {
  const bytes = model({ inputs: { x: shape }, outputs: { y: shape }, nodes, initializers, opset: 17 });
  const imported = importOnnx(bytes, { owners: { x: 'secret' } });
  return optimize(imported.graph, { fractionalBits: 16, ...(range && { inputRanges: { x: range } }) }).graph;
}

/** A function of a product, as one comes out of a linear layer: an operand of twice as many fractional bits. */
export function ofProduct(
  shape: readonly number[],
  body: (core: CoreEmitter, product: Value) => Value,
  range?: Options['range'],
): Graph {
  const b = new GraphBuilder('product');
  const x = b.input('x', { shape, dtype: 'fixed', owner: 'secret' });
  const core = new CoreEmitter(b, { name: 'body', origin: 'body' });
  // Almost 1, so that it takes all bits of a factor.
  const product = core.mulConst(x, { shape: [], data: Float64Array.of(1 - 2 ** -16) });
  const graph = b.build([body(core, product)]);
  return inFixedPoint(graph, { fractionalBits: 16, ...(range && { inputRanges: { x: range } }) });
}

/** 1 and 0, more or less, for scale and bias. */
function parameters(count: number): NonNullable<Options['initializers']> {
  const normal = normals(5);
  const around = (mean: number) =>
    tensor(
      [count],
      Array.from({ length: count }, () => mean + normal() / 10),
    );
  return { s: around(1), b: around(0) };
}

function elementwise(
  name: string,
  op: string,
  operand: FunctionCase['operand'],
  peer?: string,
): FunctionCase {
  return {
    name: `${name} 1e5`,
    graph: () => graphOf([1e5], [node(op, ['x'], ['y'])]),
    operand,
    ...(peer !== undefined && { peer }),
  };
}

const attention = [1, 12, 128, 128];
const softmax = (options?: Options) => graphOf(attention, [node('Softmax', ['x'], ['y'])], options);

const gelu = (range?: Options['range']) =>
  ofProduct([128, 3072], (core, product) => core.approximate(product, 'gelu', []), range);

export const FUNCTIONS: readonly FunctionCase[] = [
  {
    name: 'truncation and GELU 128x3072',
    graph: () => gelu(),
    operand: (_, normal) => 3 * normal,
    peer: 'GELU 128x3072',
  },
  {
    name: 'truncation and GELU 128x3072 in [-32, 32]',
    graph: () => gelu([-32, 32]),
    operand: (_, normal) => 3 * normal,
    peer: 'GELU 128x3072',
  },
  { name: 'softmax 1x12x128x128', graph: () => softmax(), operand: (_, normal) => 3 * normal },
  {
    name: 'softmax 1x12x128x128 in [-32, 32]',
    graph: () => softmax({ range: [-32, 32] }),
    operand: (_, normal) => 3 * normal,
    peer: 'softmax 1x12x128x128',
  },
  {
    name: 'softmax 1x12x128x128 in [-4, 4]',
    graph: () => softmax({ range: [-4, 4] }),
    operand: (uniform) => 8 * uniform - 4,
    peer: 'softmax 1x12x128x128',
  },
  {
    name: 'LayerNorm 128x768',
    graph: () =>
      graphOf([128, 768], [node('LayerNormalization', ['x', 's', 'b'], ['y'])], {
        initializers: parameters(768),
      }),
    operand: (_, normal) => 2 * normal,
  },
  elementwise('exp', 'Exp', (uniform) => -10 * uniform),
  elementwise('reciprocal', 'Reciprocal', (uniform) => 0.1 + 63.9 * uniform),
  {
    name: 'inverse square root 1e5',
    graph: () => graphOf([1e5], [node('Sqrt', ['x'], ['z']), node('Reciprocal', ['z'], ['y'])]),
    operand: (uniform) => 0.1 + 63.9 * uniform,
  },
  elementwise('sigmoid', 'Sigmoid', (_, normal) => 4 * normal),
  elementwise('tanh', 'Tanh', (_, normal) => 2 * normal),
];
