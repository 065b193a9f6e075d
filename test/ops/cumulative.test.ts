import test from 'ava';
import { int64, node, one } from '../helpers/onnx';
import { agrees, clearAgrees, coreOps, refuses } from './oracle';

test('CumSum in both directions, with and without its own element', async (t) => {
  const nodes = [
    node('CumSum', ['x', 'one'], ['a']),
    node('CumSum', ['x', 'one'], ['b'], { reverse: 1 }),
    node('CumSum', ['x', 'last'], ['c'], { exclusive: 1 }),
    node('CumSum', ['x', 'zero'], ['d'], { exclusive: 1, reverse: 1 }),
  ];
  const initializers = { zero: int64([0], []), one: int64([1]), last: int64([-1], []) };
  const shape = [3, 4, 5];
  const outputs = { a: shape, b: shape, c: shape, d: shape };
  const r = await agrees(t, { inputs: { x: shape }, outputs, nodes, initializers });
  t.false(coreOps(r).some((op) => ['matmul', 'mul', 'rescale'].includes(op)));
  await clearAgrees(t, one('CumSum', [1, 3], [1, 3], { exclusive: 1 }, { axis: int64([0], []) }, 14));
  refuses(t, one('CumSum', [2, 3], [2, 3], {}, { axis: int64([2], []) }), 'INVALID_SHAPE', 'it', 'axis 2');
});

test('Trilu: upper and lower, at any diagonal, batches', async (t) => {
  const nodes = [
    node('Trilu', ['x'], ['a']),
    node('Trilu', ['x', 'k'], ['b'], { upper: 0 }),
    node('Trilu', ['x', 'm'], ['c']),
  ];
  const initializers = { k: int64([1], []), m: int64([-2], []) };
  const shape = [2, 4, 3];
  const outputs = { a: shape, b: shape, c: shape };
  await agrees(t, { inputs: { x: shape }, outputs, nodes, initializers, opset: 14 });
  refuses(t, one('Trilu', [3, 3], [3, 3]), 'UNSUPPORTED_OPSET', 'it', 'from opset 14');
  refuses(t, one('Trilu', [3], [3], {}, {}, 14), 'INVALID_SHAPE', 'it', '[3]');
});
