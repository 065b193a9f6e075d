// TensorProto -> elements of a constant.
//
// Elements are in raw_data (little-endian) or in the typed field of the element type; either must hold exactly as
// many as the shape says; or in a file beside the model (./external.ts), and then they are read when they are asked
// for, unless they are few. Floating point becomes Float32Array (or Float64Array for doubles), integers and booleans
// become BigInt64Array. NaN and infinities are refused: they have no fixed-point value.

import type { ConstantData, Dtype } from '../../compiler/ir/graph';
import { CryptorchError } from '../../errors';
import { type ElementType, elementType, elementTypeName, READABLE_TYPES } from './element-types';
import { type ExternalFiles, isExternal } from './external';
import type { TensorProto } from './onnx_pb';
import { invalidModel } from './reader';

export interface DecodedTensor {
  readonly shape: readonly number[];
  readonly dtype: Dtype;
  readonly data: ConstantData;
  /** The elements are external and many: `data` reads them from their file at every access. */
  readonly deferred?: boolean;
}

/** External data up to this size is read with the model: what steers operators is small, and asked for often. */
const AT_ONCE = 2 ** 16;

const INT64_MAX = 2n ** 63n - 1n;

/**
 * The elements of a tensor; `what` names it in errors.
 * @throws CryptorchError INVALID_MODEL, UNSUPPORTED_DATA, INVALID_WEIGHTS, FILE; the last two also at an access to `data`
 */
export function decodeTensor(proto: TensorProto, what: string, files: ExternalFiles): DecodedTensor {
  const type = elementType(proto.dataType);
  if (!type) {
    const message = `${what} has element type ${elementTypeName(proto.dataType)}; convert it to one of ${READABLE_TYPES}.`;
    throw new CryptorchError('UNSUPPORTED_DATA', message, { tensor: proto.name });
  }
  if (proto.segment) {
    const message = `${what} is stored in segments; save the model again with onnx.save.`;
    throw new CryptorchError('UNSUPPORTED_DATA', message, { tensor: proto.name });
  }
  const shape = dimensions(proto.dims, what);
  const count = shape.reduce((a, b) => a * b, 1);
  const { dtype } = type;
  if (!isExternal(proto)) {
    return { shape, dtype, data: finite(elements(proto, type, count, what, shape), proto.name, what) };
  }
  const { name } = proto;
  const bytes = count * type.bytes;
  const read = files.open(proto, bytes, what);
  const load = (): ConstantData => finite(fromOwn(read(), type, count, what), name, what);
  if (bytes <= AT_ONCE) return { shape, dtype, data: load() };
  return {
    shape,
    dtype,
    deferred: true,
    get data() {
      return load();
    },
  };
}

function dimensions(dims: readonly bigint[], what: string): number[] {
  const shape = dims.map(Number);
  const product = shape.reduce((a, b) => a * Math.max(b, 1), 1);
  if (shape.some((d) => d < 0) || !Number.isSafeInteger(product)) {
    throw invalidModel(`${what} has the impossible shape [${shape.join(', ')}]. Export the model again.`, {
      shape,
    });
  }
  return shape;
}

function elements(
  proto: TensorProto,
  type: ElementType,
  count: number,
  what: string,
  shape: readonly number[],
): ConstantData {
  const wrong = (found: string): CryptorchError =>
    invalidModel(
      `${what} has shape [${shape.join(', ')}], which is ${count} elements of type ${type.name}, but ${found}. ` +
        'The file is damaged: export the model again.',
      { tensor: proto.name, shape },
    );
  const raw = proto.rawData;
  const typed: readonly (number | bigint)[] = proto[type.field];
  const stored = [
    proto.floatData,
    proto.doubleData,
    proto.int32Data,
    proto.int64Data,
    proto.uint64Data,
    proto.stringData,
  ];
  const given = stored.reduce((sum, list) => sum + list.length, 0);
  if (raw.length > 0 && given > 0) throw wrong('its data is there twice');
  if (raw.length > 0 || given === 0) {
    if (raw.length !== count * type.bytes) throw wrong(`its data is ${raw.length} bytes`);
    return fromRaw(raw, type, count, what);
  }
  if (typed.length !== count || given !== count) throw wrong(`its data is ${given} numbers`);
  if (type.range) {
    const [lo, hi] = type.range;
    const bad = typed.findIndex((v) => v < lo || v > hi);
    if (bad >= 0) throw wrong(`element ${bad} is not of that type`);
  }
  return convert(type, count, what, (i) => (type.pattern ? type.pattern(typed[i] as number) : typed[i]!));
}

/** Types whose elements are stored as they are kept here. */
const SAME: ReadonlySet<string> = new Set(['float', 'double', 'int64']);

/** Copies, since raw data lies in the file at any alignment (and slices of a Buffer are no copies). */
function fromRaw(raw: Uint8Array, type: ElementType, count: number, what: string): ConstantData {
  return fromOwn(SAME.has(type.name) ? new Uint8Array(raw) : raw, type, count, what);
}

/** Elements from bytes; where these have the form that is kept they become part of the result. */
function fromOwn(raw: Uint8Array, type: ElementType, count: number, what: string): ConstantData {
  if (type.name === 'float') return new Float32Array(raw.buffer as ArrayBuffer, 0, count);
  if (type.name === 'double') return new Float64Array(raw.buffer as ArrayBuffer, 0, count);
  if (type.name === 'int64') return new BigInt64Array(raw.buffer as ArrayBuffer, 0, count);
  const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
  return convert(type, count, what, (i) => type.raw(view, i * type.bytes));
}

function convert(
  type: ElementType,
  count: number,
  what: string,
  at: (i: number) => number | bigint,
): ConstantData {
  if (type.dtype === 'fixed') {
    const data = type.name === 'double' ? new Float64Array(count) : new Float32Array(count);
    for (let i = 0; i < count; i++) data[i] = at(i) as number;
    return data;
  }
  const data = new BigInt64Array(count);
  for (let i = 0; i < count; i++) {
    const v = BigInt(at(i));
    if (v > INT64_MAX) {
      const message = `${what} holds ${v} at index ${i}; integers beyond 2^63 - 1 cannot be read: convert it to int64.`;
      throw new CryptorchError('UNSUPPORTED_DATA', message, { index: i });
    }
    data[i] = type.dtype === 'bool' && v !== 0n ? 1n : v;
  }
  return data;
}

function finite(data: ConstantData, name: string, what: string): ConstantData {
  if (data instanceof BigInt64Array) return data;
  // A loop, since findIndex calls a function for each of maybe 1e9 elements.
  let bad = 0;
  while (bad < data.length && Number.isFinite(data[bad])) bad++;
  if (bad === data.length) return data;
  const message = `${what} is ${Number.isNaN(data[bad]) ? 'NaN' : 'infinite'} at index ${bad} (row-major). Correct the weights.`;
  throw new CryptorchError('INVALID_WEIGHTS', message, { tensor: name, index: bad });
}
