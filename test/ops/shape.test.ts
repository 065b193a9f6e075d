import test from 'ava';
import { int64, node, tensor } from '../helpers/onnx';
import { agrees, coreOps, refuses } from './oracle';

test('the flattening that exporters write as arithmetic of shapes is folded away', async (t) => {
  const nodes = [
    node('Shape', ['x'], ['s']),
    node('Gather', ['s', 'zero'], ['n'], { axis: 0 }),
    node('Unsqueeze', ['n', 'axes'], ['n1']),
    node('Concat', ['n1', 'minus'], ['target'], { axis: 0 }),
    node('Reshape', ['x', 'target'], ['y']),
  ];
  const initializers = { zero: int64([0], []), axes: int64([0]), minus: int64([-1]) };
  const r = await agrees(t, { inputs: { x: [2, 3, 4] }, outputs: { y: [2, 12] }, nodes, initializers });
  t.deepEqual(coreOps(r), ['reshape']);
});

test('arithmetic on shapes: Slice, Div, Mul, Cast, Floor, Range, Where, ConstantOfShape, Expand', async (t) => {
  const nodes = [
    node('Shape', ['x'], ['s'], { start: 1 }),
    node('Slice', ['s', 'zero', 'one'], ['c']),
    node('Div', ['c', 'two'], ['half']),
    node('Cast', ['half'], ['halff'], { to: 1 }),
    node('Floor', ['halff'], ['floor']),
    node('Cast', ['floor'], ['k'], { to: 7 }),
    node('Mul', ['k', 'two'], ['even']),
    node('Concat', ['minus', 'even'], ['t0'], { axis: 0 }),
    node('ConstantOfShape', ['rank'], ['ones'], { value: int64([1]) }),
    node('Mul', ['ones', 'minus'], ['negative']),
    node('Equal', ['t0', 'negative'], ['free']),
    node('Where', ['free', 'minus', 't0'], ['target']),
    node('Reshape', ['x', 'target'], ['y']),
    node('Range', ['a', 'b', 'd'], ['r']),
    node('Gather', ['y', 'r'], ['z'], { axis: 0 }),
  ];
  const initializers = {
    zero: int64([0]),
    one: int64([1]),
    two: int64([2]),
    minus: int64([-1]),
    rank: int64([2]),
    a: int64([0], []),
    b: int64([3], []),
    d: int64([2], []),
  };
  const r = await agrees(t, {
    inputs: { x: [3, 5, 4] },
    outputs: { z: [2, 4] },
    nodes,
    initializers,
    opset: 15,
  });
  t.deepEqual(coreOps(r), ['reshape', 'move']);
});

test('weights computed from weights are weights', async (t) => {
  const nodes = [
    node('Sqrt', ['w'], ['root']),
    node('Transpose', ['root'], ['wt']),
    node('Mul', ['wt', 'two'], ['w2']),
    node('MatMul', ['x', 'w2'], ['y']),
  ];
  const initializers = { w: tensor([2, 3], [1, 2, 3, 4, 5, 6]), two: tensor([], [2]) };
  const r = await agrees(t, { inputs: { x: [2, 3] }, outputs: { y: [2, 2] }, nodes, initializers });
  t.deepEqual(coreOps(r), ['matmul']);
  const [value, constant] = [...r.optimized.graph.constants][0]!;
  t.true(constant.private);
  t.is(value.type.owner, 1);
});

test('truth values, minima, powers and remainders of known values', async (t) => {
  const nodes = [
    node('Mod', ['a', 'b'], ['m']),
    node('Min', ['a', 'b'], ['lo']),
    node('Max', ['a', 'b', 'm'], ['hi']),
    node('Add', ['lo', 'hi'], ['sum']),
    node('Less', ['a', 'b'], ['less']),
    node('Greater', ['a', 'b'], ['greater']),
    node('Or', ['less', 'greater'], ['differ']),
    node('Not', ['differ'], ['same']),
    node('And', ['differ', 'less'], ['both']),
    node('Where', ['same', 'sum', 'm'], ['w0']),
    node('Where', ['both', 'w0', 'hi'], ['w1']),
    node('Cast', ['w1'], ['f'], { to: 1 }),
    node('Pow', ['f', 'p'], ['q']),
    node('Add', ['x', 'q'], ['y']),
  ];
  const initializers = { a: int64([7, -7, 3]), b: int64([3, 3, 3]), p: tensor([], [2]) };
  const r = await agrees(t, { inputs: { x: [3] }, outputs: { y: [3] }, nodes, initializers });
  t.deepEqual(coreOps(r), ['add_const']);
});

test('operators on known values are refused on secret ones, and unknown operators', (t) => {
  for (const op of ['Floor', 'LSTM']) {
    const nodes = [node(op, ['x'], ['y'], {}, 'odd')];
    refuses(t, { inputs: { x: [2] }, outputs: { y: [2] }, nodes }, 'UNSUPPORTED_OPERATOR', 'odd', op);
  }
});
