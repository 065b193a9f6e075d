import test from 'ava';
import { checkTensor, rows, type Tensor, tensor, toFloat64 } from '../lib/tensor';
import { coded } from './helpers/errors';

test('a tensor takes its shape and element type from its data unless told', (t) => {
  t.deepEqual(tensor([1, 2, 3]), { shape: [3], dtype: 'float32', data: Float32Array.of(1, 2, 3) });
  t.deepEqual(tensor([1, 2], [2, 1], 'int64'), {
    shape: [2, 1],
    dtype: 'int64',
    data: BigInt64Array.of(1n, 2n),
  });
  t.is(tensor(new Uint8Array(4), [2, 2]).dtype, 'uint8');
  t.is(tensor(new Uint8Array(4), [2, 2], 'bool').dtype, 'bool');
  t.deepEqual(tensor([7], []).shape, []);
});

test('shape, element type and length must fit each other', (t) => {
  const data = new Float32Array(6);
  const wrong: [unknown, RegExp][] = [
    [undefined, /x is not a tensor/],
    [{ dtype: 'float32', data }, /has no shape/],
    [{ shape: [6], dtype: 'float16', data }, /element type float16/],
    [{ shape: [6], dtype: 'constructor', data }, /element type constructor/],
    [{ shape: [6], dtype: [0.25, 0.5], data }, /^[^.]* has no element type;/],
    [{ shape: Array(100).fill(7), dtype: 'float32', data }, /^[^7]* has 100 dimensions;/],
    [{ shape: [6], dtype: 'float64', data }, /no Float64Array/],
    [{ shape: [6], dtype: 'float32', data: [1, 2, 3, 4, 5, 6] }, /no Float32Array/],
    [{ shape: [2, 2], dtype: 'float32', data }, /4 elements, but 6/],
    [{ shape: [-1, -6], dtype: 'float32', data }, /non-negative integers/],
    [{ shape: [1.5, 4], dtype: 'float32', data }, /non-negative integers/],
    [{ shape: ['6'], dtype: 'float32', data }, /non-negative integers/],
    [{ shape: [2 ** 30, 2 ** 30], dtype: 'float32', data }, /too large/],
  ];
  for (const [value, message] of wrong)
    t.throws(() => checkTensor(value, 'x'), coded('INVALID_INPUT', message));
});

test('a checked tensor does not follow later changes of the caller’s shape', (t) => {
  const shape = [2, 3];
  const checked = checkTensor({ shape, dtype: 'float32', data: new Float32Array(6) });
  shape[0] = 100;
  t.deepEqual(checked.shape, [2, 3]);
});

test('rows share memory and stay inside', (t) => {
  const all: Tensor = tensor([0, 1, 2, 3, 4, 5], [3, 2]);
  const middle = rows(all, 1, 2);
  t.deepEqual(middle, { shape: [1, 2], dtype: 'float32', data: Float32Array.of(2, 3) });
  t.is(middle.data.buffer, all.data.buffer);
  t.throws(() => rows(all, 2, 4), coded('INVALID_INPUT'));
});

test('elements as doubles', (t) => {
  t.deepEqual(toFloat64(tensor([1, -2], [2], 'int64')), Float64Array.of(1, -2));
  t.deepEqual(toFloat64(tensor(Float32Array.of(0.5))), Float64Array.of(0.5));
});
