import test from 'ava';
import { node, tensor } from '../helpers/onnx';
import { agrees, coreOps, randoms, refuses, weights } from './oracle';

/** Parameters of a normalisation of c channels; variances are positive. */
function parameters(c: number) {
  const variance = randoms(c, 23).map((v) => 0.5 + v * v);
  return { s: weights([c], 21), o: weights([c], 22), m: weights([c], 24), v: tensor([c], variance) };
}

const norm = (x: string, y: string, name: string = 'norm') =>
  node('BatchNormalization', [x, 's', 'o', 'm', 'v'], [y], { epsilon: 0.001 }, name);

test('BatchNormalization alone: a product and a sum with private constants', async (t) => {
  for (const x of [
    [2, 3],
    [2, 3, 5],
    [2, 3, 4, 5],
  ]) {
    const r = await agrees(t, {
      inputs: { x },
      outputs: { y: x },
      nodes: [norm('x', 'y')],
      initializers: parameters(3),
    });
    t.deepEqual(coreOps(r), ['mul', 'add']);
  }
});

test('BatchNormalization of one channel has public parameters', async (t) => {
  const x = [2, 1, 3, 3];
  const r = await agrees(t, {
    inputs: { x },
    outputs: { y: x },
    nodes: [norm('x', 'y')],
    initializers: parameters(1),
  });
  t.deepEqual(coreOps(r), ['mul_const', 'add_const']);
});

test('BatchNormalization is folded into Conv, with and without a bias', async (t) => {
  for (const inputs of [
    ['x', 'w'],
    ['x', 'w', 'b'],
  ]) {
    const r = await agrees(t, {
      inputs: { x: [1, 2, 5, 5] },
      outputs: { y: [1, 4, 5, 5] },
      nodes: [node('Conv', inputs, ['h'], { pads: [1, 1, 1, 1], group: 2 }), norm('h', 'y')],
      initializers: {
        ...parameters(4),
        w: weights([4, 1, 3, 3]),
        ...(inputs.length === 3 && { b: weights([4]) }),
      },
    });
    t.deepEqual(coreOps(r), ['conv2d', 'add']);
  }
});

test('BatchNormalization is folded into Gemm, MatMul and MatMul with Add', async (t) => {
  const base = { inputs: { x: [3, 5] }, outputs: { y: [3, 4] } };
  for (const transB of [0, 1]) {
    const gemm = node('Gemm', ['x', 'w', 'b'], ['h'], { transB, alpha: 0.5, beta: 1.5 });
    const initializers = { ...parameters(4), w: weights(transB ? [4, 5] : [5, 4]), b: tensor([1], [0.5]) };
    const r = await agrees(t, { ...base, nodes: [gemm, norm('h', 'y')], initializers });
    t.deepEqual(coreOps(r), ['matmul', 'add']);
  }
  const initializers = { ...parameters(4), w: weights([5, 4]), b: weights([4]) };
  const plain = [node('MatMul', ['x', 'w'], ['h']), norm('h', 'y')];
  t.deepEqual(coreOps(await agrees(t, { ...base, nodes: plain, initializers })), ['matmul', 'add']);
  const biased = [node('MatMul', ['x', 'w'], ['p']), node('Add', ['b', 'p'], ['h']), norm('h', 'y')];
  t.deepEqual(coreOps(await agrees(t, { ...base, nodes: biased, initializers })), ['matmul', 'add']);
});

test('BatchNormalization stays where its input is used elsewhere', async (t) => {
  const r = await agrees(t, {
    inputs: { x: [3, 5] },
    outputs: { y: [3, 4], h: [3, 4] },
    nodes: [node('Gemm', ['x', 'w'], ['h']), norm('h', 'y')],
    initializers: { ...parameters(4), w: weights([5, 4]) },
  });
  // The rescale of h is that of an output.
  t.deepEqual(coreOps(r), ['matmul', 'mul', 'add']);
});

test('BatchNormalization: what is refused', (t) => {
  const base = { inputs: { x: [2, 3, 4] }, outputs: { y: [2, 3, 4] }, nodes: [norm('x', 'y')] };
  refuses(t, { ...base, initializers: parameters(4) }, 'INVALID_SHAPE', 'norm', '[2, 3, 4]', '[4]');
  const { s, ...rest } = parameters(3);
  refuses(
    t,
    { ...base, inputs: { ...base.inputs, s: [3] }, initializers: rest },
    'UNSUPPORTED_ATTRIBUTE',
    'norm',
    'scale',
  );
  const training = [
    node('BatchNormalization', ['x', 's', 'o', 'm', 'v'], ['y'], { training_mode: 1 }, 'norm'),
  ];
  refuses(
    t,
    { ...base, nodes: training, initializers: { ...rest, s }, opset: 15 },
    'UNSUPPORTED_ATTRIBUTE',
    'norm',
    'training',
  );
});
