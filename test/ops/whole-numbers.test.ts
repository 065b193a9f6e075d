// Integers and booleans that became real numbers have no fractional bits; constants beside them keep theirs.

import test from 'ava';
import { DataType, int64, node, tensor } from '../helpers/onnx';
import { agrees, clearAgrees, weights } from './oracle';

const one = (x: number): ReturnType<typeof tensor> => tensor([], [x]);
const sign = node('Sign', ['x'], ['s']);
const shape = { inputs: { x: [7] }, outputs: { y: [7] } };

test('sums, bounds and factors of signs', async (t) => {
  await agrees(
    t,
    { ...shape, nodes: [sign, node('Add', ['s', 'c'], ['y'])], initializers: { c: one(0.3) } },
    3,
    { whole: true },
  );
  await clearAgrees(t, {
    ...shape,
    nodes: [sign, node('Clip', ['s', 'lo', 'hi'], ['y'])],
    initializers: { lo: one(-0.4), hi: one(0.4) },
  });
  await clearAgrees(t, {
    ...shape,
    nodes: [sign, node('Add', ['s', 'w'], ['y'])],
    initializers: { w: weights([7]) },
  });
  await clearAgrees(t, { ...shape, nodes: [sign, node('Sigmoid', ['s'], ['y'])] });
  await clearAgrees(t, {
    ...shape,
    outputs: { y: [9] },
    nodes: [sign, node('Pad', ['s', 'p', 'c'], ['y'])],
    initializers: { p: int64([1, 1]), c: one(0.3) },
  });
});

test('comparisons of signs and casts with bounds between whole numbers', async (t) => {
  const outputs = { y: { shape: [7], type: DataType.BOOL } };
  const nodes = [sign, node('GreaterOrEqual', ['s', 'c'], ['y'])];
  await agrees(t, { ...shape, outputs, nodes, initializers: { c: one(0.3) } }, 3, { whole: true });
  const cast = [node('Cast', ['x'], ['s'], { to: DataType.FLOAT }), node('Equal', ['s', 'c'], ['y'])];
  const inputs = { x: { shape: [7], type: DataType.INT64 } };
  await clearAgrees(t, { inputs, outputs, nodes: cast, initializers: { c: one(0.5) } });
});

test('what a condition chooses from keeps its fractional bits, also where the difference is whole', async (t) => {
  for (const [a, b] of [
    [1.5, 0.5],
    [2.25, -0.3],
  ] as const) {
    const nodes = [node('Greater', ['x', 'z'], ['c']), node('Where', ['c', 'a', 'b'], ['y'])];
    const initializers = { z: one(0), a: one(a), b: one(b) };
    await agrees(t, { ...shape, nodes, initializers }, 3, { whole: true });
  }
});

test('casts of indices and of integer inputs take fractions', async (t) => {
  const cast = (x: string) => [
    node('Cast', [x], ['s'], { to: DataType.FLOAT }),
    node('Add', ['s', 'c'], ['y']),
  ];
  const initializers = { c: one(0.25) };
  const inputs = { x: { shape: [7], type: DataType.INT64 } };
  await agrees(t, { inputs, outputs: { y: [7] }, nodes: cast('x'), initializers });
  const arg = node('ArgMax', ['x'], ['a'], { axis: 1, keepdims: 0 });
  await clearAgrees(t, {
    inputs: { x: [3, 5] },
    outputs: { y: [3] },
    nodes: [arg, ...cast('a')],
    initializers,
  });
});
