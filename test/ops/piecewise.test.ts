import test from 'ava';
import { DataType, float, int64, node, tensor } from '../helpers/onnx';
import { agrees, clearAgrees, coreOps, refuses, weights } from './oracle';

const ints = (shape: number[]) => ({ shape, type: DataType.INT64 });
const x = [3, 4, 5];
const one = (op: string, attrs = {}, opset = 16) => ({
  inputs: { x },
  outputs: { y: x },
  nodes: [node(op, ['x'], ['y'], attrs)],
  opset,
});

test('Abs and Sign, of real numbers and integers, zero among them', async (t) => {
  for (const op of ['Abs', 'Sign']) {
    await agrees(t, one(op));
    await agrees(t, one(op), 3, { whole: true, owners: { x: 'secret' } });
    const nodes = [node(op, ['x'], ['y'])];
    await agrees(t, { inputs: { x: ints([4, 5]) }, outputs: { y: ints([4, 5]) }, nodes });
  }
});

test('Sign is exact, whatever was computed before it', async (t) => {
  const nodes = [node('Mul', ['x', 'x'], ['s']), node('Sub', ['s', 'c'], ['d']), node('Sign', ['d'], ['y'])];
  const initializers = { c: tensor([], [4]) };
  const r = await agrees(t, { inputs: { x }, outputs: { y: x }, nodes, initializers }, 3, { whole: true });
  t.is(r.optimized.slack.get('y'), 0);
  t.false(coreOps(r).includes('rescale'));
});

test('PRelu: one slope, one a channel, public, private and secret', async (t) => {
  const nodes = [node('PRelu', ['x', 'slope'], ['y'])];
  const spec = { inputs: { x }, outputs: { y: x }, nodes, opset: 16 };
  const single = await agrees(t, { ...spec, initializers: { slope: tensor([1], [0.25]) } });
  t.deepEqual(coreOps(single), ['leaky_relu']);
  for (const owners of [{}, { weights: 'public' }, { x: 1 }] as const) {
    await agrees(t, { ...spec, initializers: { slope: weights([4, 1]) } }, 3, { owners });
  }
  await agrees(t, { ...spec, initializers: { slope: weights(x) } });
  await agrees(t, { ...spec, initializers: { slope: tensor([5], [1, 1, 1, 1, 1]) } });
  const secret = { ...spec, inputs: { x, slope: [4, 1] } };
  await agrees(t, secret, 3, { owners: { slope: 1 } });
});

test('PRelu behind a convolution', async (t) => {
  const nodes = [node('Conv', ['x', 'w'], ['h'], { pads: [1, 1, 1, 1] }), node('PRelu', ['h', 's'], ['y'])];
  const initializers = { w: weights([3, 2, 3, 3]), s: weights([3, 1, 1], 5) };
  await agrees(t, { inputs: { x: [1, 2, 5, 5] }, outputs: { y: [1, 3, 5, 5] }, nodes, initializers });
});

test('HardSigmoid, HardSwish, ThresholdedRelu', async (t) => {
  await agrees(t, one('HardSigmoid'));
  await agrees(t, one('HardSigmoid', { alpha: 0.5, beta: float(-0.25) }));
  await agrees(t, one('HardSwish'));
  await agrees(t, one('ThresholdedRelu'), 3, { whole: true });
  const r = await agrees(t, one('ThresholdedRelu', { alpha: float(-0.5) }));
  t.deepEqual(coreOps(r), ['step', 'mul']);
});

test('Shrink, its bounds among the operands', async (t) => {
  const r = await agrees(t, one('Shrink'), 3, { whole: true });
  t.deepEqual(coreOps(r).filter((op) => op === 'step').length, 2);
  await agrees(t, one('Shrink', { bias: float(0.25), lambd: float(1) }), 3, { whole: true });
  await clearAgrees(t, one('Shrink', { bias: float(-1), lambd: float(0) }));
  refuses(t, one('Shrink', { lambd: float(-1) }), 'UNSUPPORTED_ATTRIBUTE', 'lambd = -1');
});

test('ReduceSumSquare', async (t) => {
  for (const [axes, keepdims, y] of [
    [[1], 1, [3, 1, 5]],
    [[0, -1], 0, [4]],
  ] as const) {
    const base = { inputs: { x }, outputs: { y: [...y] } };
    await agrees(t, { ...base, nodes: [node('ReduceSumSquare', ['x'], ['y'], { axes, keepdims })] });
    const nodes = [node('ReduceSumSquare', ['x', 'a'], ['y'], { keepdims })];
    await clearAgrees(t, { ...base, nodes, initializers: { a: int64(axes) }, opset: 18 });
  }
});

test('piecewise functions: what is refused', (t) => {
  const nodes = [node('PRelu', ['x', 's'], ['y'], {}, 'act')];
  const spec = { inputs: { x: [3], s: [2, 3] }, outputs: { y: [2, 3] }, nodes };
  refuses(t, spec, 'INVALID_SHAPE', 'act', 'slope');
});
