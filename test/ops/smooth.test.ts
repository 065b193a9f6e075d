import test from 'ava';
import { node, tensor } from '../helpers/onnx';
import { agrees, clearAgrees, coreOps } from './oracle';

const x = [3, 5, 7];

test('Sigmoid, Tanh and Exp, and far beyond the domain where they saturate', async (t) => {
  for (const op of ['Sigmoid', 'Tanh', 'Exp']) {
    const spec = { inputs: { x }, outputs: { y: x }, nodes: [node(op, ['x'], ['y'])] };
    const r = await agrees(t, spec);
    t.true(coreOps(r).includes('clip'), op);
    await clearAgrees(t, spec, 3, { magnitude: op === 'Exp' ? 7 : 40 });
  }
});

test('what is known to stay in the domain is not clipped, and on a narrow one it is a polynomial', async (t) => {
  for (const op of ['Sigmoid', 'Tanh', 'Exp']) {
    for (const [magnitude, approximation] of [
      [0.5, 'polynomial'],
      [3.5, op === 'Exp' ? 'exponential' : 'fourier'],
    ] as const) {
      const spec = { inputs: { x }, outputs: { y: x }, nodes: [node(op, ['x'], ['y'])] };
      const r = await clearAgrees(t, spec, 3, { magnitude, ranges: { x: [-magnitude, magnitude] } });
      t.false(coreOps(r).includes('clip'), op);
      t.true(coreOps(r).includes(approximation), `${op}: ${coreOps(r)}`);
    }
  }
});

test('Softmax along every axis, and over all axes from one before operator set 13', async (t) => {
  for (const [opset, axis] of [
    [13, 0],
    [13, 1],
    [13, -1],
    [11, 1],
  ] as const) {
    const nodes = [node('Softmax', ['x'], ['y'], { axis })];
    const spec = { inputs: { x: [2, 3, 4] }, outputs: { y: [2, 3, 4] }, nodes, opset };
    await (axis === 1 ? agrees : clearAgrees)(t, spec, 3, { magnitude: 5 });
  }
});

test('Softmax of many classes, most of them next to nothing', async (t) => {
  const nodes = [node('Mul', ['x', 'c'], ['z']), node('Softmax', ['z'], ['y'])];
  const initializers = { c: tensor([], [4]) };
  await agrees(t, { inputs: { x: [1, 100] }, outputs: { y: [1, 100] }, nodes, initializers }, 3, {
    magnitude: 9,
  });
});
