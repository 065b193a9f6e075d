import test from 'ava';
import { int64, type ModelSpec, node, one, tensor } from '../helpers/onnx';
import { agrees, clearAgrees, coreOps } from './oracle';

test('Log over its whole domain takes segments, over a narrow interval none', async (t) => {
  const x = Array.from({ length: 64 }, (_, i) => 2 ** (-11 + (i * 24.9) / 63));
  const nodes = [
    node('Mul', ['x', 'zero'], ['z']),
    node('Add', ['z', 'all'], ['a']),
    node('Log', ['a'], ['y']),
  ];
  const initializers = { zero: tensor([], [0]), all: tensor([64], x) };
  const wide = await agrees(t, { inputs: { x: [64] }, outputs: { y: [64] }, nodes, initializers });
  t.true(coreOps(wide).includes('spline'));
  const moved = [node('Add', ['x', 'c'], ['z']), node('Log', ['z'], ['y'])];
  const narrow: ModelSpec = { ...one('Log', [7], [7]), nodes: moved, initializers: { c: tensor([], [2]) } };
  const r = await agrees(t, narrow, 3, { magnitude: 0.5, ranges: { x: [-0.5, 0.5] } });
  t.true(coreOps(r).includes('polynomial'));
});

test('LogSoftmax along every axis, and over all axes from one before operator set 13', async (t) => {
  for (const [opset, axis] of [
    [13, 0],
    [13, 1],
    [13, -1],
    [11, 1],
  ] as const) {
    const spec = one('LogSoftmax', [2, 3, 4], [2, 3, 4], { axis }, {}, opset);
    await (axis === 1 ? agrees : clearAgrees)(t, spec, 3, { magnitude: 5 });
  }
});

test('a largest element that is added again stays, however narrow the range', async (t) => {
  const ranges = { x: [-1, 1] as const };
  const axes = { c: int64([1]) };
  const sum: ModelSpec = { ...one('ReduceLogSumExp', [3, 5], [3, 1], { keepdims: 1 }, axes, 18) };
  await agrees(t, sum, 3, { magnitude: 1, ranges });
  // A Softmax beside it has its own terms, and may take the same maximum.
  const both = [...sum.nodes, node('Softmax', ['x'], ['s'])];
  await clearAgrees(t, { ...sum, nodes: both, outputs: { ...sum.outputs, s: [3, 5] } }, 3, {
    magnitude: 1,
    ranges,
  });
});

test('LogSoftmax of many classes: those that are next to nothing keep their distance', async (t) => {
  await agrees(t, one('LogSoftmax', [2, 130], [2, 130]), 3, { magnitude: 40 });
});

for (const [op, magnitude] of [
  ['ReduceLogSumExp', 30],
  ['ReduceLogSum', 3],
] as const) {
  const before = [node(op === 'ReduceLogSum' ? 'Abs' : 'Identity', ['x'], ['z'])];
  const x = [2, 3, 4];

  test(`${op} along some axes and all`, async (t) => {
    for (const [attrs, y] of [
      [{ axes: [1], keepdims: 1 }, [2, 1, 4]],
      [{ axes: [0, 2], keepdims: 0 }, [3]],
      [{ keepdims: 0 }, []],
    ] as const) {
      const nodes = [...before, node(op, ['z'], ['y'], attrs)];
      await agrees(t, { inputs: { x }, outputs: { y: [...y] }, nodes }, 3, { magnitude });
    }
  });

  test(`${op}: axes as an input from operator set 18 on`, async (t) => {
    const spec = (axes: readonly number[], y: readonly number[], attrs: object = {}): ModelSpec => ({
      inputs: { x },
      outputs: { y },
      nodes: [...before, node(op, ['z', 'axes'], ['y'], { ...attrs })],
      initializers: { axes: int64(axes) },
      opset: 18,
    });
    await clearAgrees(t, spec([-1], [2, 3, 1]), 3, { magnitude });
    await clearAgrees(t, spec([], [1, 1, 1]), 3, { magnitude });
    await clearAgrees(t, spec([], x, { noop_with_empty_axes: 1 }), 3, { magnitude });
  });
}
