// Forms that operators have from some operator set on.

import test from 'ava';
import {
  type Attributes,
  DataType,
  float,
  floats,
  int64,
  type ModelSpec,
  node,
  one,
  tensor,
} from '../helpers/onnx';
import { agrees, clearAgrees, refuses, weights } from './oracle';

test('reductions take their axes as an attribute up to opset 17, then as an input', async (t) => {
  const x = [2, 3, 4];
  for (const op of ['ReduceMean', 'ReduceSum']) {
    const axes = { axes: int64([-1, 0]) };
    await agrees(t, one(op, x, [1, 3, 1], {}, axes, 18));
    await clearAgrees(t, one(op, x, [3], { keepdims: 0 }, axes, 23));
    await clearAgrees(t, one(op, x, x, { noop_with_empty_axes: 1 }, {}, 18));
    await clearAgrees(t, one(op, x, [], { keepdims: 0, noop_with_empty_axes: 0 }, {}, 18));
    await clearAgrees(t, one(op, x, [1, 1, 1], {}, { axes: int64([]) }, 18));
    await clearAgrees(t, one(op, x, x, { noop_with_empty_axes: 1 }, { axes: int64([]) }, 18));
  }
  await clearAgrees(t, one('ReduceMean', x, [2, 1, 4], { axes: [1] }, {}, 17));
});

test('Shape: start and end from either side, beyond the shape', async (t) => {
  const starts: Attributes[] = [
    {},
    { start: 1 },
    { end: -1 },
    { start: -2, end: 3 },
    { start: -9, end: 9 },
    { start: 2, end: 1 },
  ];
  const spec = (opset: number, forms: readonly Attributes[]): ModelSpec => ({
    inputs: { x: [2, 3, 4] },
    outputs: { y: [null] },
    nodes: [
      ...forms.map((attrs, i) => node('Shape', ['x'], [`s${i}`], attrs)),
      node(
        'Concat',
        forms.map((_, i) => `s${i}`),
        ['all'],
        { axis: 0 },
      ),
      node('Cast', ['all'], ['f'], { to: 1 }),
      node('ReduceSum', ['x'], ['sum'], { keepdims: 0 }),
      node('Mul', ['f', 'sum'], ['y']),
    ],
    opset,
  });
  await agrees(t, spec(15, starts));
  await clearAgrees(t, spec(23, starts));
  await clearAgrees(t, spec(13, [{}, {}]));
});

test('Reshape: 0 copies a dimension, or is one where allowzero says so', async (t) => {
  await clearAgrees(t, one('Reshape', [2, 3, 4], [2, 12], { allowzero: 0 }, { s: int64([0, -1]) }, 19));
  const none = one('Reshape', [2, 3], [0, 3], { allowzero: 1 }, { s: int64([0, 3]) }, 14);
  refuses(t, none, 'INVALID_SHAPE', 'it', '[2, 3]', '[0, 3]');
});

test('Squeeze and Unsqueeze: axes as an attribute up to opset 12, then as an input', async (t) => {
  for (const opset of [13, 21, 23]) {
    await clearAgrees(t, one('Squeeze', [1, 3, 1], [3, 1], {}, { axes: int64([0]) }, opset));
    await clearAgrees(t, one('Unsqueeze', [3], [1, 3, 1], {}, { axes: int64([-1, 0]) }, opset));
  }
  await clearAgrees(t, one('Squeeze', [1, 3, 1], [3, 1], { axes: [0] }, {}, 12));
  await clearAgrees(t, one('Unsqueeze', [3], [1, 3, 1], { axes: [0, 2] }, {}, 12));
});

test('Dropout: ratio as an attribute, then as an input', async (t) => {
  await clearAgrees(t, one('Dropout', [2, 3], [2, 3], { ratio: float(0.3) }, {}, 11));
  await clearAgrees(t, one('Dropout', [2, 3], [2, 3], {}, { ratio: tensor([], [0.3]) }, 12));
  const off = { ratio: tensor([], [0.3]), mode: tensor([], [0], DataType.BOOL) };
  await clearAgrees(t, one('Dropout', [2, 3], [2, 3], {}, off, 22));
});

test('BatchNormalization of opset 11, 14 and 15', async (t) => {
  const x = [2, 3, 2, 4];
  const parameters = {
    scale: weights([3], 1),
    b: weights([3], 2),
    mean: weights([3], 3),
    v: tensor([3], [0.5, 1, 2]),
  };
  for (const opset of [11, 14, 15])
    await clearAgrees(t, one('BatchNormalization', x, x, { epsilon: float(0.01) }, parameters, opset));
  await agrees(t, one('BatchNormalization', [4, 3], [4, 3], {}, parameters, 15));
});

test('Constant in every form', async (t) => {
  const nodes = [
    node('Constant', [], ['a'], { value: tensor([3], [1, 2, 3]) }),
    node('Constant', [], ['b'], { value_float: float(2) }),
    node('Constant', [], ['c'], { value_floats: floats([1, -1, 2]) }),
    node('Constant', [], ['i'], { value_int: 1 }),
    node('Constant', [], ['j'], { value_ints: [2, 0] }),
    node('Mul', ['x', 'a'], ['h0']),
    node('Add', ['h0', 'b'], ['h1']),
    node('Sub', ['h1', 'c'], ['h2']),
    node('Gather', ['h2', 'j'], ['h3']),
    node('Unsqueeze', ['i', 'zero'], ['i1']),
    node('Slice', ['h3', 'i1', 'two'], ['y']),
  ];
  const initializers = { zero: int64([0]), two: int64([2]) };
  const spec = { inputs: { x: [3] }, outputs: { y: [1] }, nodes, initializers };
  for (const opset of [13, 19, 23]) await clearAgrees(t, { ...spec, opset });
});

test('Cast and CastLike of later operator sets; types that are not numbers here', async (t) => {
  for (const opset of [19, 23]) {
    await clearAgrees(t, one('Cast', [2, 3], [2, 3], { to: 1 }, {}, opset));
    await clearAgrees(t, one('CastLike', [2], [2], {}, { w: weights([2]) }, opset));
  }
  for (const to of [17, 21, 23]) {
    refuses(t, one('Cast', [2], [2], { to }, {}, 23), 'UNSUPPORTED_ATTRIBUTE', 'it', `type ${to}`);
  }
});
