// One model of many operators, in the forms that they have in the first and in the last operator set.

import test from 'ava';
import { DataType, int64, node, tensor } from '../helpers/onnx';
import { agrees, weights } from './oracle';

const x = [3, 4];
const bool = { shape: x, type: DataType.BOOL };

function everything(opset: number) {
  const nodes = [
    ...['Less', 'Greater', 'Equal'].map((op) => node(op, ['a', 'b'], [op])),
    ...(opset < 12 ? [] : ['LessOrEqual', 'GreaterOrEqual'].map((op) => node(op, ['a', 'b'], [op]))),
    node('And', ['Less', 'c'], ['And']),
    node('Or', ['Less', 'c'], ['Or']),
    node('Xor', ['Less', 'c'], ['Xor']),
    node('Not', ['c'], ['Not']),
    node('Where', ['c', 'a', 'b'], ['Where']),
    node('Cast', ['c'], ['Cast'], { to: 1 }),
    ...['Min', 'Max', 'Sum', 'Mean'].map((op) => node(op, ['a', 'b', 'k'], [op])),
    ...['Abs', 'Sign', 'HardSigmoid', 'ThresholdedRelu'].map((op) => node(op, ['a'], [op])),
    ...(opset < 14 ? [] : [node('HardSwish', ['a'], ['HardSwish'])]),
    node('PRelu', ['a', 's'], ['PRelu']),
  ];
  const truths = new Set([
    'Less',
    'Greater',
    'Equal',
    'LessOrEqual',
    'GreaterOrEqual',
    'And',
    'Or',
    'Xor',
    'Not',
  ]);
  const outputs = Object.fromEntries(nodes.map((n) => [n.output[0]!, truths.has(n.opType) ? bool : x]));
  const initializers = { k: tensor([], [0.25]), s: weights([4]) };
  return { inputs: { a: x, b: x, c: bool }, outputs, nodes, initializers, opset };
}

function reductions(opset: number) {
  const ops = ['ReduceMax', 'ReduceMin', 'ReduceL1', 'ReduceSumSquare'];
  const index = { shape: [3, 1], type: DataType.INT64 };
  const nodes = [
    ...ops.map((op) => (opset < 18 ? node(op, ['a'], [op], { axes: [1] }) : node(op, ['a', 'axes'], [op]))),
    node('ArgMax', ['a'], ['ArgMax'], { axis: 1 }),
    node('ArgMin', ['a'], ['ArgMin'], { axis: 1 }),
    node('TopK', ['a', 'two'], ['values', 'indices']),
    node('Reshape', ['a', 'image'], ['i']),
    node('GlobalMaxPool', ['i'], ['pool']),
  ];
  const outputs = {
    ...Object.fromEntries(ops.map((op) => [op, [3, 1]])),
    ArgMax: index,
    ArgMin: index,
    values: [3, 2],
    indices: { shape: [3, 2], type: DataType.INT64 },
    pool: [1, 3, 1, 1],
  };
  const initializers = {
    ...(opset < 18 ? {} : { axes: int64([1]) }),
    two: int64([2]),
    image: int64([1, 3, 2, 2]),
  };
  return { inputs: { a: x }, outputs, nodes, initializers, opset };
}

for (const opset of [11, 13, 23]) {
  test(`comparisons, logic and piecewise functions of opset ${opset}`, async (t) => {
    await agrees(t, everything(opset), 3, { owners: { b: 1, c: 'secret' } });
  });

  test(`extrema of opset ${opset}`, async (t) => {
    await agrees(t, reductions(opset), 3, { whole: true });
  });
}
