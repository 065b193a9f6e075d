import test from 'ava';
import { nodeCost } from '../../lib/compiler/node-cost';
import { optimize } from '../../lib/compiler/passes/pipeline';
import { importOnnx } from '../../lib/model/onnx/import';
import { int64, type ModelSpec, model, node, tensor } from '../helpers/onnx';
import { operations } from './oracle';

/** Linear operators on one input, every one an output. */
const nodes: ModelSpec['nodes'] = [
  node('Pad', ['x', 'pads'], ['pad'], { mode: 'reflect' }),
  node('Split', ['x'], ['split0', 'split1'], { axis: 2 }),
  node('Tile', ['x', 'repeats'], ['tile']),
  node('GatherElements', ['x', 'indices'], ['elements'], { axis: 3 }),
  node('ScatterElements', ['x', 'indices', 'split0'], ['scatter'], { axis: 3, reduction: 'add' }),
  node('DepthToSpace', ['x'], ['space'], { blocksize: 2 }),
  node('Resize', ['x', '', 'scales'], ['linear'], { mode: 'linear' }),
  node('Resize', ['x', '', 'third'], ['cubic'], { mode: 'cubic' }),
  node('CumSum', ['x', 'axis'], ['sums'], { exclusive: 1 }),
  node('Trilu', ['x'], ['upper']),
  node('Einsum', ['x'], ['diagonal'], { equation: 'nchw->nwc' }),
  node('Mean', ['x', 'half'], ['mean']),
  node('AveragePool', ['x'], ['pool'], { kernel_shape: [2, 2] }),
];

const spec: ModelSpec = {
  inputs: { x: [1, 4, 4, 3] },
  outputs: Object.fromEntries(nodes.flatMap((n) => n.output.map((name) => [name, [null, null, null, null]]))),
  nodes,
  initializers: {
    pads: int64([0, 0, 1, 1, 0, 0, 1, 1]),
    repeats: int64([1, 1, 2, 1]),
    indices: int64(
      new Array(24).fill(0).map((_, i) => i % 3),
      [1, 4, 2, 3],
    ),
    scales: tensor([4], [1, 1, 2, 2]),
    third: tensor([4], [1, 1, 1.3, 1.7]),
    axis: int64([2], []),
    half: tensor([], [0.5]),
  },
  opset: 16,
  edit: (m) => {
    for (const output of m.graph!.output) output.type = undefined;
  },
};

test('linear operators on what one party holds are computed by that party', (t) => {
  const { graph } = optimize(importOnnx(model(spec)).graph, { fractionalBits: 16 });
  // A public term makes a result that exists as shares only, and so does a rescale before an output is revealed.
  const isShared = (op: string) => op === 'rescale' || op === 'add_const';
  for (const { op, name, outputs } of graph.nodes) {
    if (!isShared(op) && name !== 'Mean_11') t.is(outputs[0]!.type.owner, 0, `${name}: ${op}`);
  }
});

test('linear operators send nothing, and need no rescale but that of an output', (t) => {
  const { graph } = optimize(importOnnx(model(spec), { owners: { x: 'secret' } }).graph, {
    fractionalBits: 16,
  });
  t.false(operations(graph).includes('rescale'));
  for (const node of graph.nodes.filter(({ op }) => op !== 'rescale')) {
    const { communication } = nodeCost(node, { parties: 3, constants: graph.constants });
    for (const { rounds, bytes } of Object.values(communication)) {
      t.deepEqual([rounds, bytes], [0, 0], `${node.name}: ${node.op}`);
    }
  }
});
