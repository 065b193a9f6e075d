import test from 'ava';
import { node, one, tensor } from '../helpers/onnx';
import { agrees, coreOps, randoms, refuses } from './oracle';

function parameters(count: number) {
  return { s: tensor([count], randoms(count, 31, 2)), b: tensor([count], randoms(count, 32)) };
}

const of = (op: string, inputs: readonly string[], attrs: object = {}) =>
  node(op, inputs, ['y'], { ...attrs }, 'norm');

test('InstanceNormalization, with one to three spatial dimensions', async (t) => {
  for (const x of [
    [2, 3, 7],
    [1, 4, 3, 5],
    [1, 2, 2, 3, 3],
  ]) {
    const nodes = [of('InstanceNormalization', ['x', 's', 'b'], { epsilon: 0.001 })];
    const r = await agrees(t, { inputs: { x }, outputs: { y: x }, nodes, initializers: parameters(x[1]!) });
    t.is(coreOps(r).filter((op) => op === 'spline').length, 1);
  }
});

test('InstanceNormalization of channels that are constant is the bias', async (t) => {
  const nodes = [
    node('Mul', ['x', 'zero'], ['z']),
    of('InstanceNormalization', ['z', 's', 'b'], { epsilon: 0.001 }),
  ];
  const initializers = { ...parameters(3), zero: tensor([], [0]) };
  await agrees(t, { inputs: { x: [1, 3, 4] }, outputs: { y: [1, 3, 4] }, nodes, initializers });
});

test('LayerNormalization over one and two axes, with and without a bias', async (t) => {
  for (const [axis, inputs, shape] of [
    [-1, ['x', 's', 'b'], [5]],
    [1, ['x', 's'], [3, 5]],
  ] as const) {
    const count = shape.reduce((a, b) => a * b, 1);
    const initializers = {
      s: tensor(shape, randoms(count, 31, 2)),
      b: tensor(shape, randoms(count, 32)),
    };
    const nodes = [of('LayerNormalization', inputs, { axis })];
    await agrees(t, { inputs: { x: [2, 3, 5] }, outputs: { y: [2, 3, 5] }, nodes, initializers, opset: 17 });
  }
});

test('GroupNormalization, parameters per group', async (t) => {
  const x = [2, 6, 3, 2];
  const nodes = [of('GroupNormalization', ['x', 's', 'b'], { num_groups: 3 })];
  await agrees(t, { inputs: { x }, outputs: { y: x }, nodes, initializers: parameters(3), opset: 18 });
});

test('GroupNormalization, parameters per channel', async (t) => {
  const x = [2, 6, 3];
  const nodes = [of('GroupNormalization', ['x', 's', 'b'], { num_groups: 2 })];
  await agrees(t, { inputs: { x }, outputs: { y: x }, nodes, initializers: parameters(6), opset: 21 });
});

test('MeanVarianceNormalization', async (t) => {
  const x = [2, 3, 4, 3];
  for (const attrs of [{}, { axes: [2, 3] }])
    await agrees(t, {
      inputs: { x },
      outputs: { y: x },
      nodes: [of('MeanVarianceNormalization', ['x'], attrs)],
    });
});

test('a normalisation as exporters write it out has one reciprocal root', async (t) => {
  const x = [2, 8, 3];
  const nodes = [
    node('ReduceMean', ['x'], ['m'], { axes: [1], keepdims: 1 }),
    node('Sub', ['x', 'm'], ['d']),
    node('Pow', ['d', 'two'], ['q']),
    node('ReduceMean', ['q'], ['v'], { axes: [1], keepdims: 1 }),
    node('Add', ['v', 'eps'], ['w']),
    node('Sqrt', ['w'], ['r']),
    node('Div', ['d', 'r'], ['y']),
  ];
  const initializers = { two: tensor([], [2]), eps: tensor([], [1e-5]) };
  const r = await agrees(t, { inputs: { x }, outputs: { y: x }, nodes, initializers });
  t.is(coreOps(r).filter((op) => op === 'spline').length, 1);
});

test('normalisations: what is refused', (t) => {
  const base = (x: readonly number[]) => ({ inputs: { x }, outputs: { y: x } });
  const instance = [of('InstanceNormalization', ['x', 's', 'b'])];
  refuses(
    t,
    { ...base([2, 3]), nodes: instance, initializers: parameters(3) },
    'INVALID_SHAPE',
    'norm',
    '[2, 3]',
  );
  refuses(
    t,
    { ...base([2, 3, 4]), nodes: instance, initializers: parameters(2) },
    'INVALID_SHAPE',
    'norm',
    'channel',
  );
  const group = [of('GroupNormalization', ['x', 's', 'b'], { num_groups: 4 })];
  refuses(
    t,
    { ...base([2, 6, 3]), nodes: group, initializers: parameters(4), opset: 18 },
    'INVALID_SHAPE',
    'norm',
    '4',
  );
});

test('RMSNormalization over one and two axes', async (t) => {
  for (const [axis, shape] of [
    [-1, [5]],
    [1, [3, 5]],
    [-1, [3, 1]],
  ] as const) {
    const scale = tensor(shape, randoms(shape[0]! * (shape[1] ?? 1), 31, 2));
    const spec = one('RMSNormalization', [2, 3, 5], [2, 3, 5], { axis, epsilon: 1e-4 }, { scale }, 23);
    const r = await agrees(t, spec);
    t.is(coreOps(r).filter((op) => op === 'spline').length, 1);
  }
  const wrong = one('RMSNormalization', [2, 3], [2, 3], {}, { scale: tensor([2], [1, 2]) }, 23);
  refuses(t, wrong, 'INVALID_SHAPE', 'it', '[2, 3]', '[2]');
});
