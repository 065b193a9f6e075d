import test from 'ava';
import { type Attributes, DataType, int64, node, one, tensor } from '../helpers/onnx';
import { agrees, clearAgrees, coreOps, refuses } from './oracle';

const bools = (values: number[]) => tensor([values.length], values, DataType.BOOL);

test('Gather: negative, repeated and nested indices along any axis', async (t) => {
  const nodes = [
    node('Gather', ['x', 'i'], ['a'], { axis: 1 }),
    node('Gather', ['x', 'j'], ['b']),
    node('Gather', ['x', 'k'], ['c'], { axis: -1 }),
  ];
  const initializers = { i: int64([4, 0, -2, 4]), j: int64([3, 1, 1, -4, 0, 2], [2, 3]), k: int64([2], []) };
  const outputs = { a: [4, 4, 3], b: [2, 3, 5, 3], c: [4, 5] };
  await agrees(t, { inputs: { x: [4, 5, 3] }, outputs, nodes, initializers });
  refuses(t, one('Gather', [4, 5], [1, 5], {}, { i: int64([4]) }), 'INVALID_SHAPE', 'it', '4');
  const secret = {
    inputs: { x: [4], i: { shape: [2], type: DataType.INT64 } },
    outputs: { y: [2] },
    nodes: [node('Gather', ['x', 'i'], ['y'], {}, 'it')],
  };
  refuses(t, secret, 'UNSUPPORTED_ATTRIBUTE', 'it', 'indices', 'Export the model');
});

test('Gather of all elements in order is a reshape', async (t) => {
  const r = await clearAgrees(t, one('Gather', [4, 5], [2, 2, 5], {}, { i: int64([0, 1, 2, 3], [2, 2]) }));
  t.deepEqual(coreOps(r), ['reshape']);
});

test('Split: equal parts, sizes as attribute, as input, and a number of outputs', async (t) => {
  const shapes = { a: [2, 2], b: [2, 3], c: [2, 1] };
  const split = (inputs: string[], attrs: Attributes, opset: number) => ({
    inputs: { x: [2, 6] },
    outputs: shapes,
    nodes: [node('Split', inputs, ['a', 'b', 'c'], { axis: -1, ...attrs }, 'it')],
    initializers: { s: int64([2, 3, 1]) },
    opset,
  });
  await agrees(t, split(['x', 's'], {}, 13));
  await clearAgrees(t, split(['x'], { split: [2, 3, 1] }, 11));
  await clearAgrees(t, split(['x', 's'], {}, 18));
  const equal = (x: number[], attrs: Attributes, outputs: Record<string, number[]>, opset: number) => ({
    inputs: { x },
    outputs,
    nodes: [node('Split', ['x'], Object.keys(outputs), attrs, 'it')],
    opset,
  });
  await clearAgrees(t, equal([6, 2], {}, { a: [2, 2], b: [2, 2], c: [2, 2] }, 13));
  await clearAgrees(t, equal([7, 2], { num_outputs: 3 }, { a: [3, 2], b: [3, 2], c: [1, 2] }, 18));
  await clearAgrees(t, equal([5, 2], { num_outputs: 2 }, { a: [3, 2], b: [2, 2] }, 23));
  const wrong = equal([5, 2], {}, { a: [3, 2], b: [2, 2] }, 13);
  refuses(t, wrong, 'INVALID_SHAPE', 'it', 'a dimension of 5 into 2');
  refuses(t, split(['x'], { split: [2, 3, 2] }, 11), 'INVALID_SHAPE', 'it', '[2, 3, 2]');
});

test('Tile, Compress along an axis and of everything, CenterCropPad', async (t) => {
  const nodes = [
    node('Tile', ['x', 'r'], ['a']),
    node('Compress', ['x', 'c'], ['b'], { axis: 1 }),
    node('Compress', ['x', 'f'], ['c1']),
    node('CenterCropPad', ['x', 's'], ['d']),
    node('CenterCropPad', ['x', 'w'], ['e'], { axes: [-1] }),
  ];
  const initializers = {
    r: int64([2, 3]),
    c: bools([1, 0, 1]),
    f: bools([0, 1, 1, 0, 0, 1]),
    s: int64([1, 8]),
    w: int64([2]),
  };
  const outputs = { a: [6, 15], b: [3, 2], c1: [3], d: [1, 8], e: [3, 2] };
  await agrees(t, { inputs: { x: [3, 5] }, outputs, nodes, initializers, opset: 18 });
  refuses(t, one('Tile', [2, 3], [2, 3], {}, { r: int64([2]) }), 'INVALID_SHAPE', 'it', '[2]');
  const many = { c: bools([1, 0, 1, 1]) };
  refuses(t, one('Compress', [2, 3], [3, 3], { axis: 0 }, many), 'INVALID_SHAPE', 'it', '4 conditions');
});

test('Pad: value, negative pads, axes, attribute form', async (t) => {
  await agrees(t, one('Pad', [2, 3], [5, 4], {}, { pads: int64([1, 0, 2, 1]) }));
  const v = { pads: int64([1, 0, 1, 2]), v: tensor([], [-1.5]) };
  await agrees(t, one('Pad', [2, 3], [4, 5], { mode: 'constant' }, v));
  await clearAgrees(t, one('Pad', [4, 5], [3, 4], {}, { pads: int64([-2, 0, 1, -1]) }));
  const axes = { pads: int64([1, 2, 3, 4]), v: tensor([], [2]), axes: int64([-1, 0]) };
  await clearAgrees(t, one('Pad', [2, 3, 4], [8, 3, 8], {}, axes, 18));
  refuses(t, one('Pad', [2, 3], [4, 3], {}, { pads: int64([1, 0, 1]) }), 'INVALID_SHAPE', 'it', '[1, 0, 1]');
  const cut = { pads: int64([-1, 0, -2, 0]) };
  refuses(t, one('Pad', [2, 3], [1, 3], {}, cut), 'INVALID_SHAPE', 'it', '[2, 3]');
});

test('Pad: reflect, edge, wrap', async (t) => {
  const pads = { pads: int64([0, 1, 2, 0, 2, 1]) };
  const nodes = (modes: string[]) => modes.map((mode) => node('Pad', ['x', 'pads'], [mode], { mode }));
  const shape = [2, 6, 7];
  const outputs = { reflect: shape, edge: shape, wrap: shape };
  const spec = { inputs: { x: [2, 3, 4] }, initializers: pads };
  const r = await agrees(t, { ...spec, outputs, nodes: nodes(['reflect', 'edge', 'wrap']), opset: 19 });
  t.deepEqual(coreOps(r), ['move', 'move', 'move']);
  await clearAgrees(t, {
    ...spec,
    outputs: { reflect: shape, edge: shape },
    nodes: nodes(['reflect', 'edge']),
    opset: 11,
  });
  for (const mode of ['reflect', 'edge']) {
    const cut = { pads: int64([-1, 2, 1, -1]) };
    await clearAgrees(t, one('Pad', [4, 5], [4, 6], { mode }, cut, 18));
  }
  refuses(t, one('Pad', [2], [4], { mode: 'soft' }, { p: int64([1, 1]) }), 'UNSUPPORTED_ATTRIBUTE', 'soft');
});

test('Pad by other than zeros is not taken over by a convolution', async (t) => {
  const nodes = [
    node('Pad', ['x', 'p'], ['h'], { mode: 'reflect' }),
    node('Conv', ['h', 'w'], ['y'], { kernel_shape: [2, 2] }),
  ];
  const initializers = { p: int64([0, 0, 1, 1, 0, 0, 1, 1]), w: tensor([1, 1, 2, 2], [1, 0.5, -1, 0.25]) };
  const r = await clearAgrees(t, {
    inputs: { x: [1, 1, 3, 4] },
    outputs: { y: [1, 1, 4, 5] },
    nodes,
    initializers,
  });
  t.deepEqual(coreOps(r), ['move', 'conv2d']);
});

test('a move in more runs than its kernel takes is refused', (t) => {
  // Squares modulo a prime: no three in a row advance by one step.
  const [count, prime] = [140_000, 140_009];
  const i = int64(Array.from({ length: count }, (_, k) => Number((BigInt(k) * BigInt(k)) % BigInt(prime))));
  refuses(
    t,
    one('Gather', [prime], [count], {}, { i }),
    'UNSUPPORTED_ATTRIBUTE',
    'it',
    '70000 runs',
    '65536',
  );
});

test('results that cannot be held are refused before anything is made of them', (t) => {
  const most = 'The most are';
  const tile = one('Tile', [2, 3], [2, 3], {}, { r: int64([1e9, 1e9]) });
  refuses(t, tile, 'UNSUPPORTED_ATTRIBUTE', 'it', '6000000000000000000 elements', most);
  const pad = one('Pad', [2, 3], [2, 3], {}, { p: int64([1e12, 0, 0, 0]) });
  refuses(t, pad, 'UNSUPPORTED_ATTRIBUTE', 'it', '[1000000000002, 3]', most);
  const crop = one('CenterCropPad', [2, 3], [2, 3], {}, { s: int64([1e9, 1e9]) }, 18);
  refuses(t, crop, 'UNSUPPORTED_ATTRIBUTE', 'it', most);
  const split = one('Split', [2, 3], [2, 3], { num_outputs: 1e12 }, {}, 18);
  refuses(t, split, 'INVALID_SHAPE', 'it', '1000000000000 parts');
  const range = { a: int64([0], []), b: int64([1e12], []), d: int64([1], []) };
  const nodes = [node('Range', ['a', 'b', 'd'], ['r'], {}, 'it'), node('Mul', ['x', 'r'], ['y'])];
  const spec = { inputs: { x: [1] }, outputs: { y: [1] }, nodes, initializers: range };
  refuses(t, spec, 'UNSUPPORTED_ATTRIBUTE', 'it', most);
});

test('lists of places that are too long are refused before they are made', (t) => {
  const [x, y] = [[1], [null]];
  const places = 'along one axis';
  refuses(
    t,
    one('Tile', x, y, {}, { r: int64([2 ** 31]) }),
    'UNSUPPORTED_ATTRIBUTE',
    'it',
    places,
    '16777216',
  );
  refuses(t, one('Pad', x, y, {}, { p: int64([0, 2 ** 30]) }), 'UNSUPPORTED_ATTRIBUTE', 'it', places);
  const crop = one('CenterCropPad', x, y, {}, { s: int64([2 ** 30]) }, 18);
  refuses(t, crop, 'UNSUPPORTED_ATTRIBUTE', 'it', places);
  refuses(t, one('Split', [2 ** 30], y, {}), 'UNSUPPORTED_ATTRIBUTE', 'it', places);
  const d = int64([2 ** 30], []);
  const nodes = [node('OneHot', ['i', 'd', 'v'], ['y'], {}, 'it')];
  const hot = { inputs: { v: [2] }, outputs: { y: [null, null] }, nodes };
  refuses(t, { ...hot, initializers: { i: int64([0]), d } }, 'UNSUPPORTED_ATTRIBUTE', 'it', places);
});

test('an output without elements is refused', (t) => {
  const empty = (op: string, constants: Parameters<typeof one>[4], opset?: number) =>
    refuses(t, one(op, [4], [null], {}, constants, opset), 'INVALID_SHAPE', 'it', 'Output "y"', 'is empty');
  empty('Slice', { s: int64([2]), e: int64([2]) });
  empty('Tile', { r: int64([0]) });
  empty('Compress', { c: bools([0, 0]) });
  empty('Pad', { p: int64([-2, -2]) });
  const nodes = [node('Split', ['x', 's'], ['y', 'z'], {}, 'it')];
  const spec = {
    inputs: { x: [4] },
    outputs: { y: [4], z: [null] },
    nodes,
    initializers: { s: int64([4, 0]) },
  };
  refuses(t, spec, 'INVALID_SHAPE', 'it', 'Output "z"', 'is empty');
});

test('Pad, CenterCropPad: modes, values and axes that are refused', (t) => {
  const pads = { p: int64([1, 1]) };
  const inherited = one('Pad', [2], [4], { mode: 'constructor' }, pads);
  refuses(t, inherited, 'UNSUPPORTED_ATTRIBUTE', 'it', 'mode constructor', 'reflect');
  const turns = one('Pad', [3], [null], { mode: 'reflect' }, { p: int64([0, 2 ** 22]) });
  refuses(t, turns, 'UNSUPPORTED_ATTRIBUTE', 'it', '2097152 runs', '65536');
  const two = one('Pad', [2], [4], {}, { ...pads, v: tensor([2], [1, 2]) });
  refuses(t, two, 'INVALID_SHAPE', 'it', 'constant_value of shape [2]');
  const crop = one('CenterCropPad', [2, 3], [2, 3], { axes: [1, -1] }, { s: int64([2, 2]) }, 18);
  refuses(t, crop, 'INVALID_SHAPE', 'it', 'an axis twice: [1, -1]');
  const twice = { p: int64([1, 1, 1, 1]), v: tensor([], [0]), a: int64([0, -2]) };
  refuses(t, one('Pad', [2, 3], [4, 3], {}, twice, 18), 'INVALID_SHAPE', 'it', 'an axis twice: [0, -2]');
});

test('an operator that the operator set does not have yet is refused', (t) => {
  const early = one('CenterCropPad', [3], [2], {}, { s: int64([2]) }, 17);
  refuses(t, early, 'UNSUPPORTED_OPSET', 'it', 'CenterCropPad', 'from opset 18', 'opset 17', 'opset_version');
});

test('parts without elements are no operands', async (t) => {
  const nodes = [
    node('Slice', ['x', 'two', 'two'], ['none']),
    node('Concat', ['none', 'x', 'none'], ['h'], { axis: 0 }),
    node('Mul', ['h', 'h2'], ['y']),
  ];
  const initializers = { two: int64([2]), h2: tensor([], [2]) };
  const r = await agrees(t, { inputs: { x: [2, 3] }, outputs: { y: [2, 3] }, nodes, initializers });
  t.deepEqual(coreOps(r), ['move', 'mul_const']);
});
