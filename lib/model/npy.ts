// numpy's .npy files, versions 1 to 3.
//
// A file is the magic "\x93NUMPY", a version, the length of a header, the header (a Python dictionary literal with
// descr, fortran_order and shape) and the elements. Only plain numeric arrays in C order and little-endian are read;
// everything else is refused by name, since files come from outside. Format: numpy.lib.format.

import { CryptorchError } from '../errors';
import { arrayOf, checkTensor, type Tensor, type TensorData, type TensorDtype } from '../tensor';
import { halfToNumber } from './half';

const MAGIC = '\x93NUMPY';
const MAX_HEADER = 1 << 16;
const MAX_RANK = 32;

/** numpy's type codes without byte order, and the element type each is read as. */
const types: Readonly<Record<string, { dtype: TensorDtype; bytes: number }>> = {
  f2: { dtype: 'float32', bytes: 2 },
  f4: { dtype: 'float32', bytes: 4 },
  f8: { dtype: 'float64', bytes: 8 },
  i1: { dtype: 'int8', bytes: 1 },
  i2: { dtype: 'int16', bytes: 2 },
  i4: { dtype: 'int32', bytes: 4 },
  i8: { dtype: 'int64', bytes: 8 },
  u1: { dtype: 'uint8', bytes: 1 },
  u2: { dtype: 'uint16', bytes: 2 },
  u4: { dtype: 'uint32', bytes: 4 },
  u8: { dtype: 'uint64', bytes: 8 },
  b1: { dtype: 'bool', bytes: 1 },
};

const codes: Readonly<Record<TensorDtype, string>> = {
  float32: '<f4',
  float64: '<f8',
  int8: '|i1',
  int16: '<i2',
  int32: '<i4',
  int64: '<i8',
  uint8: '|u1',
  uint16: '<u2',
  uint32: '<u4',
  uint64: '<u8',
  bool: '|b1',
};

interface Header {
  readonly code: string;
  readonly shape: readonly number[];
}

/**
 * The array of a .npy file; `what` names the file in errors. Half precision is widened to float32.
 * @throws CryptorchError INVALID_NPY
 */
export function readNpy(file: Uint8Array, what: string = 'the npy file'): Tensor {
  const refuse = (why: string, remedy = 'save it again with numpy.save'): never => {
    throw new CryptorchError('INVALID_NPY', `Cannot read ${what}: ${why}; ${remedy}.`, { file: what });
  };
  if (!(file instanceof Uint8Array)) return refuse('it is not given as a Uint8Array', 'read the file first');
  if (file.length < 10) return refuse(`it is truncated (${file.length} bytes, not even a header)`);
  if (latin1(file.subarray(0, 6)) !== MAGIC)
    return refuse('it is not an npy file (no "\\x93NUMPY" at its start)');
  const version = file[6]!;
  if (version < 1 || version > 3) return refuse(`its format version ${version} is not known`);
  const start = version === 1 ? 10 : 12;
  if (file.length < start) return refuse('it is truncated in its header');
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const length = version === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  if (length > MAX_HEADER)
    return refuse(`its header claims ${length} bytes, more than the ${MAX_HEADER} allowed`);
  if (start + length > file.length) return refuse('it is truncated in its header');

  const { code, shape } = readHeader(latin1(file.subarray(start, start + length)), refuse);
  const { dtype, bytes } = types[code]!;
  const count = shape.reduce((a, b) => a * b, 1);
  const expected = count * bytes;
  const given = file.length - start - length;
  if (given !== expected) {
    return refuse(`shape (${shape.join(', ')}) needs ${expected} bytes of data, but ${given} are there`);
  }
  const data = readElements(new Uint8Array(file.subarray(start + length)), code);
  if (dtype === 'bool' && !data.every((b) => b === 0 || b === 1))
    return refuse('a boolean is neither 0 nor 1');
  return { shape, dtype, data };
}

function readHeader(text: string, refuse: (why: string, remedy?: string) => never): Header {
  const fields = /^\s*\{(.*)\}\s*$/s.exec(text)?.[1];
  if (fields === undefined) return refuse('its header is damaged');
  const descr = /^\s*'([^']*)'\s*$/.exec(field(fields, 'descr') ?? '')?.[1];
  const order = /^\s*(True|False)\s*$/.exec(field(fields, 'fortran_order') ?? '')?.[1];
  const dims = /^\s*\(([\d\sL,]*)\)\s*$/.exec(field(fields, 'shape') ?? '')?.[1];
  if (descr === undefined) {
    return refuse(
      'its elements are not plain numbers (structured or damaged type)',
      'save one numeric array',
    );
  }
  if (order === undefined || dims === undefined) return refuse('its header is damaged');
  const match = /^([<>=|])([a-zA-Z]\d*)$/.exec(descr);
  const code = match?.[2] ?? '';
  if (!Object.hasOwn(types, code)) {
    const kind = code.startsWith('O') ? 'Python objects' : `elements of type '${descr.slice(0, 20)}'`;
    return refuse(`it holds ${kind}`, `convert it to one of ${Object.keys(types).join(', ')}`);
  }
  if (match![1] === '>')
    return refuse('it is big-endian', "convert it with a.astype(a.dtype.newbyteorder('<'))");
  if (order === 'True') return refuse('it is in Fortran order', 'convert it with numpy.ascontiguousarray');
  const parts = dims.split(',').map((d) => d.trim());
  if (parts.at(-1) === '') parts.pop();
  if (!parts.every((d) => /^\d{1,15}L?$/.test(d))) return refuse('its shape is damaged');
  const shape = parts.map((d) => Number.parseInt(d, 10));
  if (shape.length > MAX_RANK) return refuse(`it has ${shape.length} dimensions, more than ${MAX_RANK}`);
  if (!Number.isSafeInteger(shape.reduce((a, b) => a * b, 8))) {
    return refuse(`its shape (${shape.join(', ')}) is too large`);
  }
  return { code, shape };
}

/** Text of one field of the header's dictionary, up to the next key; undefined where it is missing or repeated. */
function field(fields: string, key: string): string | undefined {
  const parts = fields.split(/(?:^|,)\s*'(descr|fortran_order|shape)'\s*:/);
  const found: string[] = [];
  for (let i = 1; i < parts.length; i += 2) if (parts[i] === key) found.push(parts[i + 1] ?? '');
  return found.length === 1 ? found[0]!.replace(/,\s*$/, '') : undefined;
}

/** Elements of a buffer that starts aligned (a copy). */
function readElements(bytes: Uint8Array, code: string): TensorData {
  if (code === 'f2') {
    const halves = new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2);
    return Float32Array.from(halves, halfToNumber);
  }
  const { dtype, bytes: size } = types[code]!;
  const make = arrayOf(dtype) as Uint8ArrayConstructor;
  return new make(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.length / size) as TensorData;
}

/**
 * A .npy file (version 1) of a tensor.
 * @throws CryptorchError INVALID_INPUT where the tensor is not well-formed.
 */
export function writeNpy(value: Tensor): Uint8Array {
  const { shape, dtype, data } = checkTensor(value);
  const dims = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(', ')})`;
  const dictionary = `{'descr': '${codes[dtype]}', 'fortran_order': False, 'shape': ${dims}, }`;
  const prefix = 10;
  // numpy aligns the data to 64 bytes: header padded with spaces, ending in a newline.
  const header = dictionary.padEnd(Math.ceil((prefix + dictionary.length + 1) / 64) * 64 - prefix - 1, ' ');
  const out = new Uint8Array(prefix + header.length + 1 + data.byteLength);
  out.set(Buffer.from(`${MAGIC}\x01\x00`, 'latin1'));
  new DataView(out.buffer).setUint16(8, header.length + 1, true);
  out.set(Buffer.from(`${header}\n`, 'latin1'), prefix);
  out.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), prefix + header.length + 1);
  return out;
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}
