import test from 'ava';
import { readNpy, writeNpy } from '../../lib/model/npy';
import { type TensorDtype, tensor } from '../../lib/tensor';
import { coded } from '../helpers/errors';

/** Files that numpy 1.24 wrote. */
const numpy = {
  // numpy.arange(6, dtype='<f4').reshape(2, 3) / 2
  floats:
    'k05VTVBZAQB2AHsnZGVzY3InOiAnPGY0JywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDIsIDMpLCB9ICAgICAg' +
    'ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAAAAAAAAAPwAAgD8AAMA/AAAAQAAA' +
    'IEA=',
  // numpy.array([-1, 2**62], dtype='<i8')
  integers:
    'k05VTVBZAQB2AHsnZGVzY3InOiAnPGk4JywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDIsKSwgfSAgICAgICAg' +
    'ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAr//////////wAAAAAAAABA',
  // numpy.array(3.5)
  scalar:
    'k05VTVBZAQB2AHsnZGVzY3InOiAnPGY4JywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKCksIH0gICAgICAgICAg' +
    'ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAAAAAAAAMQA==',
};

/** A file with a header of one's own making. */
function file(header: string, data: Uint8Array = new Uint8Array(0), version: number = 1): Uint8Array {
  const length = Buffer.alloc(version === 1 ? 2 : 4);
  if (version === 1) length.writeUInt16LE(header.length);
  else length.writeUInt32LE(header.length);
  return Buffer.concat([
    Buffer.from(`\x93NUMPY${String.fromCharCode(version)}\0`, 'latin1'),
    length,
    Buffer.from(header),
    data,
  ]);
}

function header(descr: string, shape: string, order: string = 'False'): string {
  return `{'descr': ${descr}, 'fortran_order': ${order}, 'shape': ${shape}, }\n`;
}

test("reads numpy's files and writes the same bytes", (t) => {
  const expected = {
    floats: tensor([0, 0.5, 1, 1.5, 2, 2.5], [2, 3]),
    integers: tensor(BigInt64Array.of(-1n, 2n ** 62n)),
    scalar: tensor([3.5], [], 'float64'),
  };
  for (const name of ['floats', 'integers', 'scalar'] as const) {
    const bytes = Buffer.from(numpy[name], 'base64');
    t.deepEqual(readNpy(bytes), expected[name], name);
    t.deepEqual(Buffer.from(writeNpy(expected[name])), bytes, name);
  }
});

test('every element type comes back as it was, at any alignment and from a view', (t) => {
  const dtypes: TensorDtype[] = [
    'float32',
    'float64',
    'int8',
    'int16',
    'int32',
    'int64',
    'uint8',
    'uint16',
    'uint32',
    'uint64',
  ];
  for (const dtype of [...dtypes, 'bool' as const]) {
    const value = tensor([1, 0, 1], [3, 1], dtype);
    const bytes = writeNpy(value);
    t.deepEqual(readNpy(bytes), value, dtype);
    const shifted = new Uint8Array(bytes.length + 2).subarray(1, -1);
    shifted.set(bytes);
    t.deepEqual(readNpy(shifted), value, dtype);
  }
  const part = tensor(Float32Array.of(9, 1, 2, 9).subarray(1, 3));
  t.deepEqual(readNpy(writeNpy(part)).data, Float32Array.of(1, 2));
  t.deepEqual(readNpy(writeNpy(tensor([], [0, 3]))).shape, [0, 3]);
});

test('half precision widens', (t) => {
  const halves = Uint16Array.of(0x3c00, 0xc000, 0x0001, 0x7bff, 0x3555);
  const read = readNpy(file(header("'<f2'", '(5,)'), new Uint8Array(halves.buffer)));
  t.deepEqual(read.data, Float32Array.of(1, -2, 2 ** -24, 65504, 0.333251953125));
});

test('versions 2 and 3 differ in the length of their header only', (t) => {
  for (const version of [2, 3]) {
    t.deepEqual(
      readNpy(file(header("'|u1'", '(2,)'), Uint8Array.of(5, 6), version)).data,
      Uint8Array.of(5, 6),
    );
  }
});

test('what is not a plain little-endian array in C order is refused by name', (t) => {
  const four = new Uint8Array(4);
  const wrong: [Uint8Array, RegExp][] = [
    [Buffer.from('PK\x03\x04 and so on and so on'), /not an npy file/],
    [file(header("'<f4'", '(1,)'), four, 4), /format version 4/],
    [file(header("'>f4'", '(1,)'), four), /big-endian/],
    [file(header("'<f4'", '(1,)', 'True'), four), /Fortran order/],
    [file(header("'|O'", '(1,)'), four), /Python objects/],
    [file(header("'<c8'", '(1,)'), four), /type '<c8'/],
    [file(header("'<U1'", '(1,)'), four), /type '<U1'/],
    [file(header("'<M8[ns]'", '(1,)'), four), /type '<M8\[ns\]'/],
    [file(header("[('a', '<f4')]", '(1,)'), four), /structured/],
    [file(header("'<f4'", '(2,)'), four), /needs 8 bytes of data, but 4 are there/],
    [file(header("'<f4'", '(1,)'), new Uint8Array(5)), /needs 4 bytes of data, but 5 are there/],
    [file(header("'<f4'", '(-1,)'), four), /header is damaged/],
    [file(header("'<f4'", '(1 2,)'), four), /shape is damaged/],
    [file(header("'<f4'", '(1,,)'), four), /shape is damaged/],
    [file(header("'<f4'", '(99999999999, 99999999999)'), four), /too large/],
    [file(header("'<f4'", '(999999999999999999999,)'), four), /shape is damaged/],
    [file(header("'<f4'", `(${'1,'.repeat(40)})`), four), /40 dimensions/],
    [file(header("'|b1'", '(4,)'), Uint8Array.of(0, 1, 2, 0)), /neither 0 nor 1/],
    [file("{'descr': '<f4', 'shape': (1,)}", four), /header is damaged/],
    [file("{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (1,)}", four), /damaged/],
    [file(' '.repeat(60000), four), /header is damaged/],
    [file(' '.repeat(70000), four, 2), /70000 bytes, more than/],
  ];
  for (const [bytes, message] of wrong)
    t.throws(() => readNpy(bytes, 'x.npy'), coded('INVALID_NPY', message), String(message));
  t.throws(() => readNpy(new Uint8Array(0), 'x.npy'), coded('INVALID_NPY', /x\.npy: it is truncated/));
  t.throws(() => readNpy('x.npy' as never), coded('INVALID_NPY'));
});

test('a file cut off anywhere is refused', (t) => {
  const whole = writeNpy(tensor([1, 2, 3, 4], [2, 2], 'float64'));
  for (let n = 0; n < whole.length; n++)
    t.throws(() => readNpy(whole.subarray(0, n)), coded('INVALID_NPY'), `${n} bytes`);
});
