import test from 'ava';
import { float, node, tensor } from '../helpers/onnx';
import { agrees, coreOps, refuses, weights } from './oracle';

test('Gemm and Relu: one product, one opening', async (t) => {
  const r = await agrees(t, {
    inputs: { x: [5, 7] },
    outputs: { y: [5, 3] },
    nodes: [node('Gemm', ['x', 'w', 'b'], ['h']), node('Relu', ['h'], ['y'])],
    initializers: { w: weights([7, 3]), b: weights([3]) },
  });
  t.deepEqual(coreOps(r), ['matmul', 'add', 'relu']);
  t.is(r.optimized.slack.get('y'), 2 ** -16);
});

for (const transA of [0, 1]) {
  for (const transB of [0, 1]) {
    test(`Gemm: transA ${transA}, transB ${transB}, alpha, beta, bias that broadcasts`, async (t) => {
      await agrees(t, {
        inputs: { x: transA ? [7, 5] : [5, 7] },
        outputs: { y: [5, 3] },
        nodes: [node('Gemm', ['x', 'w', 'b'], ['y'], { transA, transB, alpha: 0.7, beta: 1.3 })],
        initializers: { w: weights(transB ? [3, 7] : [7, 3]), b: weights([5, 1], 9) },
      });
    });
  }
}

test('Gemm: both factors and the bias are inputs', async (t) => {
  await agrees(t, {
    inputs: { x: [2, 3], w: [4, 3], b: [4] },
    outputs: { y: [2, 4] },
    nodes: [node('Gemm', ['x', 'w', 'b'], ['y'], { transB: 1, alpha: 0.5, beta: float(2) })],
  });
});

test('Gemm: public scalar bias, and no bias', async (t) => {
  await agrees(t, {
    inputs: { x: [2, 3] },
    outputs: { y: [2, 4], z: [2, 4] },
    nodes: [node('Gemm', ['x', 'w', 'b'], ['y']), node('Gemm', ['x', 'w'], ['z'], { alpha: float(2) })],
    initializers: { w: weights([3, 4]), b: tensor([1], [0.25]) },
  });
});

const products: [string, number[], number[], number[]][] = [
  ['matrices', [4, 5], [5, 3], [4, 3]],
  ['batches', [2, 3, 4, 5], [2, 3, 5, 2], [2, 3, 4, 2]],
  ['batches that broadcast', [2, 1, 4, 5], [3, 5, 2], [2, 3, 4, 2]],
  ['a batch and a matrix', [3, 4, 5], [5, 2], [3, 4, 2]],
  ['a vector on the left', [5], [5, 3], [3]],
  ['a vector on the right', [2, 4, 5], [5], [2, 4]],
  ['two vectors', [5], [5], []],
];

for (const [what, a, b, y] of products) {
  test(`MatMul of ${what}: weights right, weights left, both secret`, async (t) => {
    const nodes = [node('MatMul', ['a', 'b'], ['y'])];
    await agrees(t, { inputs: { a }, outputs: { y }, nodes, initializers: { b: weights(b) } });
    await agrees(t, { inputs: { b }, outputs: { y }, nodes, initializers: { a: weights(a) } });
    await agrees(t, { inputs: { a, b }, outputs: { y }, nodes });
  });
}

test('a chain of products is rescaled between them', async (t) => {
  const r = await agrees(t, {
    inputs: { x: [2, 6] },
    outputs: { y: [2, 3] },
    nodes: [node('MatMul', ['x', 'v'], ['h']), node('MatMul', ['h', 'w'], ['y'])],
    initializers: { v: weights([6, 4]), w: weights([4, 3], 11) },
  });
  t.deepEqual(coreOps(r), ['matmul', 'rescale', 'matmul']);
});

test('inconsistent shapes name the node and both shapes', (t) => {
  const base = { inputs: { x: [2, 3] }, outputs: { y: [2, 4] } };
  const initializers = { w: weights([4, 4]) };
  for (const op of ['Gemm', 'MatMul']) {
    const nodes = [node(op, ['x', 'w'], ['y'], {}, 'dense')];
    refuses(t, { ...base, nodes, initializers }, 'INVALID_SHAPE', 'dense', op, '[2, 3]', '[4, 4]');
  }
  const biased = { nodes: [node('Gemm', ['x', 'w', 'b'], ['y'], {}, 'dense')] };
  const wrong = { w: weights([3, 4]), b: weights([5]) };
  refuses(t, { ...base, ...biased, initializers: wrong }, 'INVALID_SHAPE', 'dense', '[5]', '[2, 4]');
});
