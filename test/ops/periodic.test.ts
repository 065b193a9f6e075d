import test from 'ava';
import { node, tensor } from '../helpers/onnx';
import { agrees, clearAgrees, coreOps } from './oracle';

const x = [3, 5, 7];

for (const op of ['Sin', 'Cos']) {
  const spec = { inputs: { x }, outputs: { y: x }, nodes: [node(op, ['x'], ['y'])] };

  test(`${op}, of large arguments too`, async (t) => {
    const r = await agrees(t, spec);
    t.deepEqual(coreOps(r), ['mul_const', 'fourier']);
    for (const magnitude of [0.3, 100, 1000]) await agrees(t, spec, 4, { magnitude });
  });

  test(`${op} of known ranges, of a product, and as a factor`, async (t) => {
    for (const magnitude of [4, 1e6])
      await agrees(t, spec, 5, { magnitude, ranges: { x: [-magnitude, magnitude] } });
    const nodes = [
      node('Mul', ['x', 'x'], ['s']),
      node(op, ['s'], ['w']),
      node('Mul', ['w', 'c'], ['v']),
      node('Mul', ['v', 'x'], ['y']),
    ];
    const initializers = { c: tensor([], [1.7]) };
    await agrees(t, { inputs: { x }, outputs: { y: x }, nodes, initializers });
    await clearAgrees(t, { inputs: { x }, outputs: { y: x }, nodes, initializers }, 6, { magnitude: 10 });
  });
}
