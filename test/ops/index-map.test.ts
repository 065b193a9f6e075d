import test from 'ava';
import { type Attributes, DataType, int64, node, one, tensor } from '../helpers/onnx';
import { agrees, clearAgrees, coreOps, refuses, weights } from './oracle';

test('GatherElements, GatherND with batches, ReverseSequence', async (t) => {
  const nodes = [
    node('GatherElements', ['x', 'e'], ['a'], { axis: 1 }),
    node('GatherElements', ['x', 'f'], ['b'], { axis: -3 }),
    node('GatherND', ['x', 'g'], ['c']),
    node('GatherND', ['x', 'h'], ['d'], { batch_dims: 1 }),
    node('ReverseSequence', ['x', 'l'], ['r'], { time_axis: 1, batch_axis: 0 }),
    node('ReverseSequence', ['x', 'k'], ['s'], { time_axis: 0, batch_axis: 1 }),
  ];
  const initializers = {
    e: int64([2, -1, 0, 0, 1, 2, 0, 1], [2, 2, 2]),
    f: int64([1, -2, 0, 1], [1, 2, 2]),
    g: int64([1, 0, 0, -1], [2, 2]),
    h: int64([2, 0, -3, 1, 0, 3, 1, 1], [2, 2, 2]),
    l: int64([2, 3]),
    k: int64([1, 2, 1]),
  };
  const outputs = { a: [2, 2, 2], b: [1, 2, 2], c: [2, 4], d: [2, 2], r: [2, 3, 4], s: [2, 3, 4] };
  const r = await agrees(t, { inputs: { x: [2, 3, 4] }, outputs, nodes, initializers, opset: 12 });
  t.deepEqual(coreOps(r), ['move', 'move', 'move', 'move', 'move', 'move']);
});

test('moves by single indices: what is refused', (t) => {
  const elements = (indices: number[], shape: number[]) =>
    one('GatherElements', [2, 3], shape, { axis: 1 }, { i: int64(indices, shape) });
  refuses(t, elements([3, 0], [2, 1]), 'INVALID_SHAPE', 'it', 'index 3');
  refuses(t, elements([0, 0, 0], [3, 1]), 'INVALID_SHAPE', 'it', '[3, 1]');
  refuses(t, one('GatherND', [2, 3], [1], {}, { i: int64([0, 3], [1, 2]) }), 'INVALID_SHAPE', 'index 3');
  refuses(t, one('GatherND', [2], [1], {}, { i: int64([0, 0], [1, 2]) }), 'INVALID_SHAPE', 'it', '[1, 2]');
  const reverse = one('ReverseSequence', [2, 3], [2, 3], {}, { l: int64([2, 3, 1]) });
  refuses(t, reverse, 'INVALID_SHAPE', 'it', '[2, 3, 1]');
});

test('OneHot of known indices, and of a secret value at them', async (t) => {
  const nodes = [
    node('OneHot', ['i', 'depth', 'values'], ['h'], { axis: 0 }),
    node('Mul', ['x', 'h'], ['a']),
    node('OneHot', ['i', 'depth', 'x1'], ['b']),
  ];
  const initializers = {
    i: int64([2, -1, 0, 7, 1, 1], [2, 3]),
    depth: int64([4]),
    values: tensor([2], [0.5, 2]),
  };
  const inputs = { x: [4, 2, 3], x1: [2] };
  await agrees(t, { inputs, outputs: { a: [4, 2, 3], b: [2, 3, 4] }, nodes, initializers });
});

const scatters: [string, string, number[], Attributes, ReturnType<typeof int64>, number[]][] = [
  ['rows', 'ScatterND', [4, 3], {}, int64([2, -4], [2, 1]), [2, 3]],
  ['single elements', 'ScatterND', [4, 3], {}, int64([2, 0, 1, -1], [2, 2]), [2]],
  ['along an axis', 'ScatterElements', [4, 3], { axis: 1 }, int64([2, 0, 1, -3], [2, 2]), [2, 2]],
];

for (const [what, op, x, attrs, indices, updates] of scatters) {
  test(`${op}: ${what}`, async (t) => {
    const spec = (data: string, update: string, more: Attributes, opset: number) => ({
      inputs: { ...(data === 'x' && { x }), ...(update === 'u' && { u: updates }) },
      outputs: { y: x },
      nodes: [node(op, [data, 'i', update], ['y'], { ...attrs, ...more }, 'it')],
      initializers: {
        i: indices,
        w: weights(x),
        v: weights(updates),
        none: tensor(x, new Array(12).fill(0)),
      },
      opset,
    });
    const r = await agrees(t, spec('x', 'u', {}, 11));
    t.deepEqual(coreOps(r), ['move']);
    await clearAgrees(t, spec('x', 'v', {}, 13));
    await clearAgrees(t, spec('w', 'u', {}, 16));
    await agrees(t, spec('x', 'u', { reduction: 'add' }, 16));
    await clearAgrees(t, spec('x', 'v', { reduction: 'add' }, 18));
    await clearAgrees(t, spec('w', 'u', { reduction: 'add' }, 18));
    refuses(t, spec('x', 'u', { reduction: 'max' }, 18), 'UNSUPPORTED_ATTRIBUTE', 'it', 'max', 'none or add');
  });
}

test('scatters into public constants fill or add; with "add", a place may be named several times', async (t) => {
  const public_ = (data: number[]) => tensor([4], data.map(BigInt), DataType.INT64);
  const nodes = [
    node('Cast', ['i3'], ['threes'], { to: 1 }),
    node('Cast', ['i4'], ['counts'], { to: 1 }),
    node('ScatterND', ['threes', 'i', 'u'], ['a']),
    node('ScatterND', ['counts', 'i', 'u'], ['b']),
    node('ScatterND', ['counts', 'twice', 'u'], ['c'], { reduction: 'add' }),
  ];
  const initializers = {
    i3: public_([3, 3, 3, 3]),
    i4: public_([1, 2, 3, 4]),
    i: int64([3, 1], [2, 1]),
    twice: int64([2, 2], [2, 1]),
  };
  const outputs = { a: [4], b: [4], c: [4] };
  const r = await agrees(t, { inputs: { u: [2] }, outputs, nodes, initializers, opset: 16 });
  t.deepEqual(coreOps(r), ['move', 'move', 'add_const', 'move', 'move', 'add', 'add_const']);
});
