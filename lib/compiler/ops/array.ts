// Dense arrays of doubles, as far as reference semantics need them.
//
// Everything here is row-major and addressed through strides: a broadcast dimension has stride 0, a
// transposed or reversed one has the stride that takes it there. Nothing is fast on purpose; the private
// computation never comes through here, only constant folding, float references and bounds do.

import { elementCount } from '../ir/graph';

export interface FloatTensor {
  readonly shape: readonly number[];
  readonly data: Float64Array;
}

export function tensorOf(shape: readonly number[], data: ArrayLike<number>): FloatTensor {
  return { shape, data: data instanceof Float64Array ? data : Float64Array.from(data) };
}

export function filled(shape: readonly number[], value: number): FloatTensor {
  return { shape, data: new Float64Array(elementCount(shape)).fill(value) };
}

/** Row-major strides of a shape, in elements. */
export function stridesOf(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length);
  let step = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    strides[i] = step;
    step *= shape[i]!;
  }
  return strides;
}

export function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((d, i) => d === b[i]);
}

/** numpy's broadcast of two shapes, or undefined where they do not fit each other. */
export function broadcastShapes(a: readonly number[], b: readonly number[]): number[] | undefined {
  const rank = Math.max(a.length, b.length);
  const out = new Array<number>(rank);
  for (let i = 0; i < rank; i++) {
    const x = a[i - rank + a.length] ?? 1;
    const y = b[i - rank + b.length] ?? 1;
    if (x !== y && x !== 1 && y !== 1) return undefined;
    out[i] = x === 1 ? y : x;
  }
  return out;
}

/** Strides with which a row-major tensor of `shape` is read as if it had the shape `out`. */
export function broadcastStrides(shape: readonly number[], out: readonly number[]): number[] {
  const own = stridesOf(shape);
  return out.map((_, i) => {
    const j = i - out.length + shape.length;
    return j < 0 || shape[j] === 1 ? 0 : own[j]!;
  });
}

/** Offset of every element of a strided view, in row-major order of the view. */
export function offsets(
  shape: readonly number[],
  strides: readonly number[],
  base: number = 0,
): Float64Array {
  const out = new Float64Array(elementCount(shape));
  if (out.length === 0) return out;
  out[0] = base;
  let filledSoFar = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const step = strides[axis]!;
    const block = filledSoFar;
    for (let i = 1; i < shape[axis]!; i++) {
      for (let j = 0; j < block; j++) out[filledSoFar++] = out[j]! + i * step;
    }
  }
  return out;
}

/** The elements of a strided view. */
export function view(
  data: Float64Array,
  shape: readonly number[],
  strides: readonly number[],
  base: number = 0,
): FloatTensor {
  return { shape, data: offsets(shape, strides, base).map((o) => data[o]!) };
}

export function expand(a: FloatTensor, shape: readonly number[]): FloatTensor {
  return sameShape(a.shape, shape) ? a : view(a.data, shape, broadcastStrides(a.shape, shape));
}

export function map(a: FloatTensor, f: (x: number) => number): FloatTensor {
  return { shape: a.shape, data: a.data.map((x) => f(x)) };
}

/** f of two tensors, element by element, with numpy's broadcasting. */
export function zip(a: FloatTensor, b: FloatTensor, f: (x: number, y: number) => number): FloatTensor {
  const shape = broadcastShapes(a.shape, b.shape)!;
  const x = expand(a, shape).data;
  const y = expand(b, shape).data;
  return { shape, data: x.map((v, i) => f(v, y[i]!)) };
}

/** Rows and columns of op(a): the last two dimensions, exchanged where transposed. */
export function matrixDims(shape: readonly number[], trans: boolean): [number, number] {
  const r = shape[shape.length - 2]!;
  const c = shape[shape.length - 1]!;
  return trans ? [c, r] : [r, c];
}

/** numpy's batched product of op(a) and op(b), both of rank 2 or more. */
export function matmul(
  a: FloatTensor,
  b: FloatTensor,
  transA: boolean = false,
  transB: boolean = false,
): FloatTensor {
  const [m, k] = matrixDims(a.shape, transA);
  const [, n] = matrixDims(b.shape, transB);
  const batchA = a.shape.slice(0, -2);
  const batchB = b.shape.slice(0, -2);
  const batch = broadcastShapes(batchA, batchB)!;
  const scaled = (shape: readonly number[], size: number) =>
    broadcastStrides(shape, batch).map((s) => s * size);
  const baseA = offsets(batch, scaled(batchA, m * k));
  const baseB = offsets(batch, scaled(batchB, k * n));
  const [ai, al] = transA ? [1, m] : [k, 1];
  const [bl, bj] = transB ? [1, k] : [n, 1];
  const data = new Float64Array(elementCount(batch) * m * n);
  for (let t = 0; t < baseA.length; t++) {
    for (let i = 0; i < m; i++) {
      const row = (t * m + i) * n;
      for (let l = 0; l < k; l++) {
        const x = a.data[baseA[t]! + i * ai + l * al]!;
        if (x === 0) continue;
        let from = baseB[t]! + l * bl;
        for (let j = 0; j < n; j++, from += bj) data[row + j]! += x * b.data[from]!;
      }
    }
  }
  return { shape: [...batch, m, n], data };
}

/**
 * Folds the given axes (sorted, non-negative) with f, starting from `start`; keeps them as 1 where
 * `keepdims`.
 */
export function reduce(
  a: FloatTensor,
  axes: readonly number[],
  keepdims: boolean,
  start: number,
  f: (acc: number, x: number) => number,
): FloatTensor {
  const kept = a.shape.map((d, i) => (axes.includes(i) ? 1 : d));
  const shape = keepdims ? kept : a.shape.filter((_, i) => !axes.includes(i));
  const data = new Float64Array(elementCount(kept)).fill(start);
  const into = offsets(a.shape, broadcastStrides(kept, a.shape));
  for (let i = 0; i < a.data.length; i++) data[into[i]!] = f(data[into[i]!]!, a.data[i]!);
  return { shape, data };
}

/** Index of the largest element along an axis, the lowest where several are equal. */
export function argMax(x: FloatTensor, axis: number, shape: readonly number[]): FloatTensor {
  const step = stridesOf(x.shape)[axis]!;
  const size = x.shape[axis]!;
  const data = new Float64Array(elementCount(shape));
  for (let i = 0; i < data.length; i++) {
    const first = Math.floor(i / step) * step * size + (i % step);
    for (let j = 1; j < size; j++) {
      if (x.data[first + j * step]! > x.data[first + data[i]! * step]!) data[i] = j;
    }
  }
  return { shape, data };
}

/** How many elements along an axis are larger than each, or equal and before it. */
export function rank(x: FloatTensor, axis: number): FloatTensor {
  const step = stridesOf(x.shape)[axis]!;
  const size = x.shape[axis]!;
  const data = x.data.map((v, i) => {
    const at = Math.floor(i / step) % size;
    let before = 0;
    for (let j = 0; j < size; j++) {
      const other = x.data[i + (j - at) * step]!;
      if (other > v || (other === v && j < at)) before++;
    }
    return before;
  });
  return { shape: x.shape, data };
}

/** x rounded to an integer, halves to the even one. */
export function roundHalfEven(x: number): number {
  const floor = Math.floor(x);
  const rest = x - floor;
  if (rest !== 0.5) return rest < 0.5 ? floor : floor + 1;
  return floor % 2 === 0 ? floor : floor + 1;
}
