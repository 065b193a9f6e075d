import test from 'ava';
import { ExternalFiles } from '../../lib/model/onnx/external';
import { TensorProto_DataType as T, type TensorProto } from '../../lib/model/onnx/onnx_pb';
import { decodeTensor } from '../../lib/model/onnx/tensors';
import { coded } from '../helpers/errors';
import { tensor } from '../helpers/onnx';

const decode = (proto: TensorProto): ReturnType<typeof decodeTensor> =>
  decodeTensor(proto, 'Tensor "w"', new ExternalFiles());

test('every element type is read alike from raw data and from its typed field', (t) => {
  const cases: [T, number[], number[]][] = [
    [T.FLOAT, [0.5, -2, 3e38], [0.5, -2, Math.fround(3e38)]],
    [T.DOUBLE, [0.1, -1e300], [0.1, -1e300]],
    [T.FLOAT16, [0x3c00, 0xc100, 0x0001, 0x8000], [1, -2.5, 2 ** -24, -0]],
    [T.BFLOAT16, [0x3f80, 0xc020, 0x7f7f], [1, -2.5, 2 ** 128 - 2 ** 120]],
    [T.INT8, [-128, 127], [-128, 127]],
    [T.UINT8, [0, 255], [0, 255]],
    [T.INT16, [-32768, 32767], [-32768, 32767]],
    [T.UINT16, [0, 65535], [0, 65535]],
    [T.INT32, [-(2 ** 31), 2 ** 31 - 1], [-(2 ** 31), 2 ** 31 - 1]],
    [T.UINT32, [0, 2 ** 32 - 1], [0, 2 ** 32 - 1]],
    [T.BOOL, [0, 1, 1], [0, 1, 1]],
  ];
  for (const [type, stored, values] of cases) {
    for (const raw of [true, false]) {
      const wide = type === T.UINT32 && !raw;
      const given = wide ? stored.map(BigInt) : stored;
      const { shape, dtype, data } = decode(tensor([stored.length], given as number[], type, raw));
      t.deepEqual(shape, [stored.length]);
      t.is(
        dtype,
        type === T.BOOL
          ? 'bool'
          : [T.FLOAT, T.DOUBLE, T.FLOAT16, T.BFLOAT16].includes(type)
            ? 'fixed'
            : 'int',
      );
      t.deepEqual(Array.from(data, Number), values, `${T[type]} raw ${raw}`);
      t.is(
        data.constructor,
        dtype !== 'fixed' ? BigInt64Array : type === T.DOUBLE ? Float64Array : Float32Array,
      );
    }
  }
  const exact = [-(2n ** 63n), 2n ** 63n - 1n];
  for (const raw of [true, false])
    t.deepEqual([...decode(tensor([2], exact, T.INT64, raw)).data], exact as never);
});

test('data at odd places of the file, and in a Buffer, is copied', (t) => {
  const proto = tensor([2], [1.5, 2.5]);
  const shifted = Buffer.alloc(9);
  shifted.set(proto.rawData, 1);
  proto.rawData = shifted.subarray(1);
  const { data } = decode(proto);
  shifted.fill(0);
  t.deepEqual(data, Float32Array.of(1.5, 2.5));
});

test('scalars and empty tensors', (t) => {
  t.deepEqual(decode(tensor([], [3])).shape, []);
  t.is(decode(tensor([0, 3], [])).data.length, 0);
});

test('lengths that do not fit the shape are refused before anything is allocated', (t) => {
  const big = tensor([2 ** 40], []);
  const both = tensor([1], [1]);
  both.floatData.push(1);
  const other = tensor([1], [], T.FLOAT, false);
  other.int32Data.push(1);
  const wrong: [TensorProto, RegExp][] = [
    [big, /Tensor "w" has shape \[1099511627776\].*but its data is 0 bytes/],
    [tensor([3], [1, 2]), /3 elements of type float, but its data is 8 bytes/],
    [tensor([3], [1, 2], T.FLOAT, false), /but its data is 2 numbers/],
    [tensor([], []), /but its data is 0 bytes/],
    [tensor([-1, -2], [1, 2]), /impossible shape/],
    [tensor([2 ** 40, 2 ** 40], []), /impossible shape/],
    [tensor([0, 2 ** 40, 2 ** 40], []), /impossible shape/],
    [both, /data is there twice/],
    [other, /but its data is 1 numbers/],
    [tensor([2], [1, 300], T.UINT8, false), /element 1 is not of that type/],
    [tensor([1], [70000], T.FLOAT16, false), /element 0 is not of that type/],
  ];
  for (const [proto, message] of wrong)
    t.throws(() => decode(proto), coded('INVALID_MODEL', message), String(message));
});

test('types without a place in a private computation are refused by name', (t) => {
  const typed = (type: T): TensorProto => ({ ...tensor([1], [1]), dataType: type });
  for (const [type, name] of [
    [T.STRING, 'string'],
    [T.COMPLEX64, 'complex64'],
    [T.FLOAT8E5M2, 'float8e5m2'],
    [T.INT4, 'int4'],
    [T.UNDEFINED, 'undefined'],
    [99, 'number 99'],
  ] as const) {
    t.throws(
      () => decode(typed(type as T)),
      coded('UNSUPPORTED_DATA', new RegExp(`element type ${name}; convert`)),
    );
  }
  t.throws(
    () => decode(tensor([2], [1n, 2n ** 63n], T.UINT64)),
    coded('UNSUPPORTED_DATA', /9223372036854775808 at index 1/),
  );
});

test('NaN and infinities are refused in every floating-point type', (t) => {
  const cases: [T, number[]][] = [
    [T.FLOAT, [1, Number.NaN]],
    [T.DOUBLE, [1, Infinity]],
    [T.FLOAT16, [0, 0x7c00]],
    [T.BFLOAT16, [0, 0x7fc0]],
  ];
  for (const [type, values] of cases) {
    t.throws(() => decode(tensor([2], values, type)), coded('INVALID_WEIGHTS', /at index 1/), T[type]);
  }
});
