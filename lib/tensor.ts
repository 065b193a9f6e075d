// Plain tensors: what goes into a run and what comes out of it.
//
// A tensor is a shape and a typed array in row-major order. The element type is that of numpy, so that files and
// tensors correspond one to one; booleans are bytes of 0 and 1.

import { CryptorchError } from './errors';

interface Arrays {
  float32: Float32Array;
  float64: Float64Array;
  int8: Int8Array;
  int16: Int16Array;
  int32: Int32Array;
  int64: BigInt64Array;
  uint8: Uint8Array;
  uint16: Uint16Array;
  uint32: Uint32Array;
  uint64: BigUint64Array;
  bool: Uint8Array;
}

/** Element types, by the names of numpy. */
export type TensorDtype = keyof Arrays;
/** Typed array that holds the elements of a tensor. */
export type TensorData = Arrays[TensorDtype];
export type TensorArray = {
  [D in TensorDtype]: { new (length: number): Arrays[D]; readonly name: string };
}[TensorDtype];

const arrays = {
  float32: Float32Array,
  float64: Float64Array,
  int8: Int8Array,
  int16: Int16Array,
  int32: Int32Array,
  int64: BigInt64Array,
  uint8: Uint8Array,
  uint16: Uint16Array,
  uint32: Uint32Array,
  uint64: BigUint64Array,
  bool: Uint8Array,
} as const;

/** A shape and row-major elements. */
export interface Tensor {
  /** Dimensions, outermost first; empty for a scalar. */
  readonly shape: readonly number[];
  /** Element type; `data` is the typed array of it. */
  readonly dtype: TensorDtype;
  /** Row-major elements. */
  readonly data: TensorData;
}

/** Typed array class of an element type. */
export function arrayOf(dtype: TensorDtype): TensorArray {
  return arrays[dtype];
}

export function isTensorDtype(name: unknown): name is TensorDtype {
  return typeof name === 'string' && Object.hasOwn(arrays, name);
}

/** Element type of a typed array; a Uint8Array is uint8, never bool. */
export function dtypeOf(data: unknown): TensorDtype | undefined {
  for (const [name, array] of Object.entries(arrays)) {
    if (data instanceof array) return name as TensorDtype;
  }
  return undefined;
}

/**
 * A typed array of another context (node:vm, in which test runners load modules) as one of this context's classes, over
 * the same memory; anything else as it is.
 */
function ownClass(data: unknown): unknown {
  if (!ArrayBuffer.isView(data) || dtypeOf(data) !== undefined) return data;
  const { buffer, byteOffset, length, [Symbol.toStringTag]: name } = data as Uint8Array<ArrayBuffer>;
  const own = Object.values(arrays).find((array) => array.name === name);
  return own ? new own(buffer, byteOffset, length) : data;
}

/**
 * Number of elements of a shape.
 * @throws CryptorchError INVALID_INPUT where a dimension is not a non-negative integer or the product is beyond 2^53.
 */
export function checkedCount(shape: readonly number[], what: string = 'tensor'): number {
  let count = 1;
  for (const d of shape) {
    if (!Number.isSafeInteger(d) || d < 0) {
      throw new CryptorchError(
        'INVALID_INPUT',
        `The shape [${shape.join(', ')}] of ${what} is not a list of non-negative integers.`,
        { shape: [...shape] },
      );
    }
    count *= d;
  }
  if (!Number.isSafeInteger(count)) {
    throw new CryptorchError('INVALID_INPUT', `The shape [${shape.join(', ')}] of ${what} is too large.`, {
      shape: [...shape],
    });
  }
  return count;
}

/**
 * A tensor over `data` (not copied); plain number arrays become float32. The shape defaults to one dimension.
 * @throws CryptorchError INVALID_INPUT where shape, element type and length do not fit each other.
 */
export function tensor(
  data: TensorData | readonly number[],
  shape?: readonly number[],
  dtype?: TensorDtype,
): Tensor {
  const elements = Array.isArray(data)
    ? fromNumbers(data, dtype ?? 'float32')
    : (ownClass(data) as TensorData);
  return checkTensor({
    shape: shape ?? [elements.length],
    dtype: dtype ?? dtypeOf(elements)!,
    data: elements,
  });
}

function fromNumbers(values: readonly number[], dtype: TensorDtype): TensorData {
  if (dtype === 'int64') return BigInt64Array.from(values, BigInt);
  if (dtype === 'uint64') return BigUint64Array.from(values, BigInt);
  return (arrays[dtype] as Float64ArrayConstructor).from(values) as unknown as TensorData;
}

/** More are data in the place of a shape, which must not become part of a message. */
const MOST_DIMENSIONS = 64;

/**
 * Checks a tensor that came from outside; `what` names it in the error. Returns it with a copied shape.
 * @throws CryptorchError INVALID_INPUT
 */
export function checkTensor(value: unknown, what: string = 'tensor'): Tensor {
  const refuse = (why: string): never => {
    throw new CryptorchError(
      'INVALID_INPUT',
      `${what} ${why}; give {shape: number[], dtype, data: typed array}.`,
    );
  };
  if (typeof value !== 'object' || value === null) return refuse('is not a tensor');
  const { shape, dtype, data: given } = value as Partial<Record<keyof Tensor, unknown>>;
  const data = ownClass(given);
  if (!Array.isArray(shape)) return refuse('has no shape');
  if (shape.length > MOST_DIMENSIONS) return refuse(`has ${shape.length} dimensions`);
  // Data in the wrong place must not become part of a message.
  if (!isTensorDtype(dtype))
    return refuse(
      typeof dtype === 'string' && dtype.length < 20
        ? `has the element type ${dtype}`
        : 'has no element type',
    );
  const expected = arrays[dtype];
  if (!(data instanceof expected)) return refuse(`has dtype ${dtype} but its data is no ${expected.name}`);
  const count = checkedCount(shape, what);
  if (data.length !== count) {
    return refuse(
      `has shape [${shape.join(', ')}], which is ${count} elements, but ${data.length} in its data`,
    );
  }
  return { shape: [...shape], dtype, data };
}

/** The elements as doubles. Integers beyond 2^53 lose their last bits. */
export function toFloat64(t: Tensor): Float64Array {
  if (t.data instanceof Float64Array) return t.data;
  const out = new Float64Array(t.data.length);
  for (let i = 0; i < out.length; i++) out[i] = Number(t.data[i]);
  return out;
}

/** A part of the first dimension: rows `from` up to but without `to`, sharing memory. */
export function rows(t: Tensor, from: number, to: number): Tensor {
  const [n = 0, ...rest] = t.shape;
  if (!(Number.isInteger(from) && Number.isInteger(to) && 0 <= from && from <= to && to <= n)) {
    throw new CryptorchError('INVALID_INPUT', `Rows ${from} to ${to} are not inside a tensor of ${n} rows.`);
  }
  const size = rest.reduce((a, b) => a * b, 1);
  return { shape: [to - from, ...rest], dtype: t.dtype, data: t.data.subarray(from * size, to * size) };
}
