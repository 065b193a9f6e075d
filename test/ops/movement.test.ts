import test from 'ava';
import { type Attributes, DataType, int64, node, one, tensor } from '../helpers/onnx';
import { agrees, coreOps, refuses, weights } from './oracle';

test('Transpose', async (t) => {
  await agrees(t, one('Transpose', [2, 3, 4], [4, 3, 2]));
  await agrees(t, one('Transpose', [2, 3, 4], [3, 4, 2], { perm: [1, 2, 0] }));
  t.deepEqual(coreOps(await agrees(t, one('Transpose', [2, 1, 4], [2, 4, 1], { perm: [0, 2, 1] }))), [
    'reshape',
  ]);
  refuses(t, one('Transpose', [2, 3, 4], [2, 3], { perm: [0, 1] }), 'INVALID_SHAPE', 'it', '[0, 1]');
  refuses(t, one('Transpose', [2, 3], [2, 3], { perm: [0, 0] }), 'INVALID_SHAPE', 'it', '[0, 0]');
});

test('Flatten at every axis', async (t) => {
  await agrees(t, one('Flatten', [2, 3, 4], [2, 12]));
  await agrees(t, one('Flatten', [2, 3, 4], [1, 24], { axis: 0 }));
  await agrees(t, one('Flatten', [2, 3, 4], [6, 4], { axis: -1 }));
  await agrees(t, one('Flatten', [2, 3, 4], [24, 1], { axis: 3 }));
  refuses(t, one('Flatten', [2, 3], [2, 3], { axis: 4 }), 'INVALID_SHAPE', 'it', 'axis 4');
});

test('Reshape: 0, -1, allowzero', async (t) => {
  await agrees(t, one('Reshape', [2, 3, 4], [2, 12], {}, { s: int64([0, -1]) }));
  await agrees(t, one('Reshape', [2, 3, 4], [4, 3, 2], {}, { s: int64([-1, 0, 2]) }));
  await agrees(t, one('Reshape', [2, 3], [6], { allowzero: 1 }, { s: int64([6]) }, 14));
  const wrong = (s: number[]) => one('Reshape', [2, 3, 4], [5, 5], {}, { s: int64(s) });
  refuses(t, wrong([5, 5]), 'INVALID_SHAPE', 'it', '[2, 3, 4]', '[5, 5]');
  refuses(t, wrong([-1, -1]), 'INVALID_SHAPE', 'it');
  refuses(t, wrong([7, -1]), 'INVALID_SHAPE', 'it', '[7, -1]');
  const secret = {
    inputs: { x: [2, 3], s: { shape: [2], type: DataType.INT64 } },
    outputs: { y: [6] },
    nodes: [node('Reshape', ['x', 's'], ['y'], {}, 'it')],
  };
  refuses(t, secret, 'UNSUPPORTED_ATTRIBUTE', 'it', 'Reshape', 'shape');
});

test('reshapes in a row are one', async (t) => {
  const nodes = [
    node('Flatten', ['x'], ['a']),
    node('Unsqueeze', ['a'], ['b'], { axes: [0] }),
    node('Squeeze', ['b'], ['y']),
  ];
  t.deepEqual(
    coreOps(await agrees(t, { inputs: { x: [2, 3, 4] }, outputs: { y: [2, 12] }, nodes, opset: 11 })),
    ['reshape'],
  );
});

test('Squeeze and Unsqueeze: attribute, input, negative axes', async (t) => {
  await agrees(t, one('Squeeze', [1, 3, 1, 4], [3, 4], {}, {}, 11));
  await agrees(t, one('Squeeze', [1, 3, 1, 4], [1, 3, 4], { axes: [-2] }, {}, 11));
  await agrees(t, one('Squeeze', [1, 3, 1, 4], [3, 1, 4], {}, { axes: int64([0]) }));
  await agrees(t, one('Unsqueeze', [3, 4], [1, 3, 4, 1], { axes: [0, -1] }, {}, 11));
  await agrees(t, one('Unsqueeze', [3, 4], [3, 1, 1, 4], {}, { axes: int64([2, 1]) }));
  refuses(t, one('Squeeze', [2, 3], [3], {}, { axes: int64([0]) }), 'INVALID_SHAPE', 'it', '[2, 3]');
  refuses(t, one('Unsqueeze', [2, 3], [3], {}, { axes: int64([5]) }), 'INVALID_SHAPE', 'it', 'axis 5');
});

const largest = 9223372036854775807n;
const ints = (values: (number | bigint)[]) => tensor([values.length], values.map(BigInt), DataType.INT64);

const slices: [string, number[], number[], (number | bigint)[][]][] = [
  [
    'two axes',
    [5, 6],
    [2, 3],
    [
      [1, 2],
      [3, 5],
    ],
  ],
  ['to the end', [5, 6], [3, 6], [[2], [largest]]],
  ['negative indices and axes', [5, 6], [5, 2], [[-3], [-1], [-1]]],
  ['a step', [7, 5], [3, 5], [[1], [7], [0], [2]]],
  ['backwards', [7, 5], [7, 3], [[-1], [-largest], [1], [-2]]],
  ['backwards from beyond the end', [4, 5], [3, 5], [[100], [0], [0], [-1]]],
  [
    'bounds beyond the shape',
    [4, 5],
    [4, 5],
    [
      [-100, 0],
      [100, 100],
      [0, 1],
    ],
  ],
];

for (const [what, x, y, lists] of slices) {
  test(`Slice: ${what}`, async (t) => {
    const constants = Object.fromEntries(
      lists.map((l, i) => [['starts', 'ends', 'axes', 'steps'][i]!, ints(l)]),
    );
    await agrees(t, one('Slice', x, y, {}, constants));
  });
}

test('Slice: a step beyond the axis takes one element', async (t) => {
  const by = (start: bigint, end: bigint, step: bigint) => {
    const constants = { s: [start], e: [end], a: [1n], t: [step] };
    const given = Object.entries(constants).map(([k, v]) => [k, tensor([1], v, DataType.INT64)] as const);
    return one('Slice', [4, 5], [4, 1], {}, Object.fromEntries(given));
  };
  const most = 2n ** 63n - 1n;
  await agrees(t, by(1n, 5n, most));
  await agrees(t, by(3n, -most, -most - 1n));
});

test('Slice: what is refused', (t) => {
  for (const axes of [
    [0, 0],
    [0, -2],
  ]) {
    const twice = { starts: ints([0, 1]), ends: ints([2, 3]), axes: ints(axes) };
    refuses(
      t,
      one('Slice', [4, 5], [2, 5], {}, twice),
      'INVALID_SHAPE',
      'it',
      'an axis twice',
      `${axes[1]}]`,
    );
  }
  const bad = { starts: ints([0]), ends: ints([2, 3]) };
  refuses(t, one('Slice', [4, 5], [2, 3], {}, bad), 'INVALID_SHAPE', 'it', '[2, 3]');
  const zero = { starts: ints([0]), ends: ints([2]), axes: ints([0]), steps: ints([0]) };
  refuses(t, one('Slice', [4, 5], [2, 5], {}, zero), 'INVALID_SHAPE', 'it', 'steps');
});

test('Concat: values, weights and public constants', async (t) => {
  const nodes = [node('Concat', ['x', 'w', 'z'], ['y'], { axis: -1 }, 'it')];
  await agrees(t, {
    inputs: { x: [2, 3], z: [2, 1] },
    outputs: { y: [2, 6] },
    nodes,
    initializers: { w: weights([2, 2]) },
  });
  await agrees(t, { inputs: { x: [2, 3], w: [2, 4], z: [2, 1] }, outputs: { y: [2, 8] }, nodes });
  const cast = (name: string, from: string) => node('Cast', [from], [name], { to: 1 });
  for (const data of [
    [3, 3, 3, 3],
    [1, 2, -3, 4],
  ]) {
    const r = await agrees(t, {
      inputs: { x: [2, 3], z: [2, 1] },
      outputs: { y: [2, 6] },
      nodes: [cast('w', 'i'), ...nodes],
      initializers: { i: tensor([2, 2], data.map(BigInt), DataType.INT64) },
    });
    t.deepEqual(coreOps(r), data[0] === 3 ? ['move'] : ['move', 'add_const']);
  }
  const wrong = { inputs: { x: [2, 3], w: [3, 3], z: [2, 1] }, outputs: { y: [2, 6] }, nodes };
  refuses(t, wrong, 'INVALID_SHAPE', 'it', '[2, 3]', '[3, 3]');
});

test('Concat of values at different scales aligns them', async (t) => {
  const nodes = [node('Mul', ['x', 'x'], ['h']), node('Concat', ['h', 'x'], ['y'], { axis: 0 })];
  const r = await agrees(t, { inputs: { x: [2, 3] }, outputs: { y: [4, 3] }, nodes });
  t.deepEqual(coreOps(r), ['mul', 'shift_left', 'move']);
});

test('Expand', async (t) => {
  await agrees(t, one('Expand', [3, 1], [2, 3, 4], {}, { s: int64([2, 1, 4]) }));
  refuses(
    t,
    one('Expand', [3, 2], [2, 3, 4], {}, { s: int64([3, 4]) }),
    'INVALID_SHAPE',
    'it',
    '[3, 2]',
    '[3, 4]',
  );
});

test('DepthToSpace in both orders and SpaceToDepth', async (t) => {
  const nodes = [
    node('DepthToSpace', ['x'], ['a'], { blocksize: 2 }),
    node('DepthToSpace', ['x'], ['b'], { blocksize: 2, mode: 'CRD' }),
    node('SpaceToDepth', ['b'], ['c'], { blocksize: 3 }),
  ];
  const outputs = { a: [2, 3, 6, 12], b: [2, 3, 6, 12], c: [2, 27, 2, 4] };
  const r = await agrees(t, { inputs: { x: [2, 12, 3, 6] }, outputs, nodes });
  t.deepEqual(coreOps(r), ['move', 'reshape', 'move', 'reshape', 'move', 'reshape']);
  const depth = (x: number[], attrs: Attributes) => one('DepthToSpace', x, [1, 1, 2, 2], attrs);
  refuses(t, depth([1, 6, 2, 2], { blocksize: 2 }), 'INVALID_SHAPE', 'it', '6 channels');
  refuses(t, depth([1, 4, 2, 2], { blocksize: 2, mode: 'X' }), 'UNSUPPORTED_ATTRIBUTE', 'it', 'DCR');
  refuses(t, depth([4, 2, 2], { blocksize: 2 }), 'UNSUPPORTED_ATTRIBUTE', 'it', '[4, 2, 2]');
  const space = one('SpaceToDepth', [1, 1, 3, 4], [1, 4, 1, 2], { blocksize: 2 });
  refuses(t, space, 'INVALID_SHAPE', 'it', '3 x 4');
});

test('Identity, Dropout, Cast between floating-point types, as outputs and in between', async (t) => {
  const nodes = [
    node('Identity', ['x'], ['a']),
    node('Dropout', ['a'], ['b', 'mask']),
    node('Relu', ['b'], ['y']),
    node('Identity', ['y'], ['z']),
    node('Cast', ['x'], ['w'], { to: 1 }),
  ];
  const shape = [2, 3];
  const r = await agrees(t, { inputs: { x: shape }, outputs: { y: shape, z: shape, w: shape }, nodes });
  t.deepEqual(coreOps(r), ['relu', 'reshape', 'reshape']);
});

test('Cast and Dropout: what is refused', (t) => {
  const toInt = one('Cast', [2, 3], [2, 3], { to: 7 });
  refuses(t, toInt, 'UNSUPPORTED_ATTRIBUTE', 'it', 'Cast', 'secret floating-point value to integer');
  refuses(t, one('Cast', [2, 3], [2, 3], { to: 8 }), 'UNSUPPORTED_ATTRIBUTE', 'it', '8');
  const training = { ratio: tensor([], [0.5]), mode: tensor([], [1], DataType.BOOL) };
  refuses(t, one('Dropout', [2, 3], [2, 3], {}, training), 'UNSUPPORTED_ATTRIBUTE', 'it', 'training');
});

test('Cast and CastLike of a secret index to a number; constants cast like a secret value', async (t) => {
  const nodes = [
    node('ArgMax', ['x'], ['i'], { axis: 1 }),
    node('Cast', ['i'], ['f'], { to: 1 }),
    node('CastLike', ['i', 'x'], ['g']),
    node('CastLike', ['three', 'x'], ['h']),
    node('Mul', ['f', 'h'], ['k']),
    node('Add', ['k', 'g'], ['y']),
  ];
  const initializers = { three: int64([3], []) };
  await agrees(t, { inputs: { x: [4, 5] }, outputs: { y: [4, 1] }, nodes, initializers, opset: 15 });
  const truth = [node('ArgMax', ['x'], ['i']), node('Cast', ['i'], ['y'], { to: 9 })];
  const outputs = { y: { shape: [1, 2], type: DataType.BOOL } };
  await agrees(t, { inputs: { x: [2, 2] }, outputs, nodes: truth });
});
