// Arithmetic of shapes as exporters write it: all of it is folded away.

import test from 'ava';
import { DataType, float, int64, type ModelSpec, node, tensor } from '../helpers/onnx';
import { agrees, clearAgrees, coreOps } from './oracle';

const scalars = { i0: int64([0], []), i1: int64([1], []), i2: int64([2], []), i3: int64([3], []) };
const lists = { l0: int64([0]), l1: int64([1]), l2: int64([2]), l3: int64([3]), lm: int64([-1]) };

function idiom(
  x: number[],
  y: number[],
  nodes: ModelSpec['nodes'],
  more: ModelSpec['initializers'] = {},
  opset: number = 13,
) {
  const initializers = { ...scalars, ...lists, ...more };
  return { inputs: { x }, outputs: { y }, nodes, initializers, opset };
}

test('torch: view and flatten by sizes', async (t) => {
  const nodes = [
    node('Shape', ['x'], ['s']),
    node('Gather', ['s', 'i0'], ['n'], { axis: 0 }),
    node('Shape', ['x'], ['s2']),
    node('Gather', ['s2', 'i1'], ['c'], { axis: 0 }),
    node('Constant', [], ['two'], { value_int: 2 }),
    node('Div', ['c', 'two'], ['half']),
    node('Cast', ['half'], ['half1'], { to: 7 }),
    node('Cast', ['half1'], ['half2'], { to: 7 }),
    node('Unsqueeze', ['n', 'l0'], ['a']),
    node('Unsqueeze', ['half2', 'l0'], ['b']),
    node('Constant', [], ['two1'], { value_ints: [2] }),
    node('Concat', ['a', 'b', 'two1', 'lm'], ['to'], { axis: 0 }),
    node('Reshape', ['x', 'to'], ['y'], { allowzero: 0 }),
  ];
  t.deepEqual(coreOps(await agrees(t, idiom([2, 6, 5], [2, 3, 2, 5], nodes, {}, 14))), ['reshape']);
});

test('torch: expand to a shape with -1, by ConstantOfShape, Equal and Where', async (t) => {
  const nodes = [
    node('Concat', ['l2', 'lm', 'l3'], ['to'], { axis: 0 }),
    node('Shape', ['to'], ['rank']),
    node('ConstantOfShape', ['rank'], ['ones'], { value: int64([1]) }),
    node('Mul', ['ones', 'minus'], ['free']),
    node('Equal', ['to', 'free'], ['where']),
    node('Where', ['where', 'ones', 'to'], ['shape']),
    node('Expand', ['x', 'shape'], ['y']),
  ];
  const r = await clearAgrees(t, idiom([4, 1], [2, 4, 3], nodes, { minus: int64([-1], []) }));
  t.deepEqual(coreOps(r), ['move']);
});

test('torch: interpolate by a factor of the sizes', async (t) => {
  const nodes = [
    node('Shape', ['x'], ['s']),
    node('Slice', ['s', 'l2', 'l4', 'l0'], ['hw']),
    node('Cast', ['hw'], ['f'], { to: 1 }),
    node('Constant', [], ['factor'], { value_float: float(1.5) }),
    node('Mul', ['f', 'factor'], ['scaled']),
    node('Floor', ['scaled'], ['floor']),
    node('Ceil', ['floor'], ['ceil']),
    node('Cast', ['ceil'], ['to'], { to: 7 }),
    node('Slice', ['s', 'l0', 'l2', 'l0'], ['nc']),
    node('Concat', ['nc', 'to'], ['sizes'], { axis: 0 }),
    node('Resize', ['x', '', '', 'sizes'], ['y'], {
      mode: 'nearest',
      nearest_mode: 'floor',
      coordinate_transformation_mode: 'asymmetric',
    }),
  ];
  const r = await clearAgrees(t, idiom([1, 2, 3, 5], [1, 2, 4, 7], nodes, { l4: int64([4]) }));
  t.deepEqual(coreOps(r), ['move']);
});

test('torch: assignment to a slice, by Range, Expand and ScatterND', async (t) => {
  const nodes = [
    node('Shape', ['x'], ['s'], { start: 1, end: -1 }),
    node('Squeeze', ['s', 'l0'], ['rows']),
    node('Range', ['i0', 'rows', 'i2'], ['r']),
    node('Unsqueeze', ['r', 'l1'], ['r1']),
    node('Constant', [], ['zero'], { value: int64([0], []) }),
    node('Add', ['r1', 'zero'], ['r2']),
    node('Transpose', ['x'], ['x1'], { perm: [1, 0, 2] }),
    node('Gather', ['x1', 'r'], ['picked']),
    node('Neg', ['picked'], ['update']),
    node('ScatterND', ['x1', 'r2', 'update'], ['y']),
  ];
  const r = await agrees(t, idiom([2, 5, 3], [5, 2, 3], nodes, {}, 15));
  t.deepEqual(coreOps(r), ['move', 'move', 'neg', 'move']);
});

test('torch: a known mask by NonZero, as indices of GatherND; EyeLike as a mask', async (t) => {
  const nodes = [
    node('NonZero', ['mask'], ['where']),
    node('Transpose', ['where'], ['indices']),
    node('GatherND', ['x', 'indices'], ['picked']),
    node('EyeLike', ['x'], ['eye'], { k: 1, dtype: 1 }),
    node('Mul', ['x', 'eye'], ['upper']),
    node('ReduceSum', ['upper'], ['sum'], { keepdims: 0 }),
    node('Add', ['picked', 'sum'], ['y']),
  ];
  const mask = tensor([3, 4], [0, 1, 1, 0, 0, 0, 0, 1, 1, 0, 0, 1], DataType.BOOL);
  await agrees(t, idiom([3, 4], [5], nodes, { mask }));
});

test('tf2onnx: strided slices of shapes, products of sizes, casts in between', async (t) => {
  const nodes = [
    node('Shape', ['x'], ['s']),
    node('Cast', ['s'], ['s32'], { to: 6 }),
    node('Slice', ['s32', 'l1', 'l3', 'l0'], ['inner']),
    node('ReduceProd', ['inner'], ['count'], { axes: [0], keepdims: 0 }),
    node('Slice', ['s32', 'l0', 'l1', 'l0'], ['n']),
    node('Squeeze', ['n', 'l0'], ['n0']),
    node('Unsqueeze', ['n0', 'l0'], ['n1']),
    node('Unsqueeze', ['count', 'l0'], ['c1']),
    node('Concat', ['n1', 'c1'], ['to32'], { axis: 0 }),
    node('Cast', ['to32'], ['to'], { to: 7 }),
    node('Reshape', ['x', 'to'], ['h']),
    node('Tile', ['h', 'repeats'], ['y']),
  ];
  const r = await clearAgrees(t, idiom([2, 3, 4], [2, 24], nodes, { repeats: int64([1, 2]) }));
  t.deepEqual(coreOps(r), ['reshape', 'move']);
});

test('sizes that are computed with: Size, Mod, Min, Max, Pow, Sub, Where', async (t) => {
  const nodes = [
    node('Size', ['x'], ['count']),
    node('Mod', ['count', 'i3'], ['rest']),
    node('Sub', ['i3', 'rest'], ['missing']),
    node('Mod', ['missing', 'i3'], ['pad']),
    node('Max', ['pad', 'i0'], ['most']),
    node('Min', ['most', 'i2'], ['least']),
    node('Unsqueeze', ['least', 'l0'], ['end']),
    node('Concat', ['l0', 'end'], ['pads'], { axis: 0 }),
    node('Pad', ['x', 'pads'], ['p']),
    node('Reshape', ['p', 'to'], ['y']),
  ];
  const r = await clearAgrees(t, idiom([7], [3, 3], nodes, { to: int64([-1, 3]) }));
  t.deepEqual(coreOps(r), ['move', 'reshape']);
});
