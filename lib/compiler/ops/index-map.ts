// Operators that move single elements by indices known at compile time: GatherElements, GatherND,
// ReverseSequence, OneHot.

import { elementCount } from '../ir/graph';
import { offsets, stridesOf } from './array';
import { type OpContext, show } from './context';
import { defineMove, type Moved } from './moves';
import { piecesOfMap } from './pieces';
import { knownIndices } from './take';

/** Element i of the result is element from()[i] of the input. */
function mapped(shape: readonly number[], from: () => Float64Array, input: number = 0): Moved {
  return { shape, pieces: () => piecesOfMap(from()), fill: null, lists: [elementCount(shape)], input };
}

const knownOnly = 'indices are known at compile time';

/** Offset in x of every place of `shape`, which lies within x, with index 0 along `axis`. */
export function placesWithoutAxis(
  x: readonly number[],
  shape: readonly number[],
  axis: number,
): Float64Array {
  const strides = stridesOf(x).map((s, i) => (i === axis ? 0 : s));
  return offsets(shape, strides);
}

/** Checks the indices of GatherElements and ScatterElements: as many dimensions as x, none larger than in x. */
export function elementIndices(c: OpContext): { axis: number; indices: number[]; stride: number } {
  const [x, shape] = [c.shape(0), c.shape(1)];
  const axis = c.axis(c.number('axis', 0), x.length);
  if (shape.length !== x.length || shape.some((d, i) => i !== axis && d > x[i]!))
    throw c.mismatch(0, 1, `indices along axis ${axis} must lie within the other dimensions`);
  return { axis, indices: knownIndices(c, 1, x[axis]!), stride: stridesOf(x)[axis]! };
}

defineMove({ op: 'GatherElements', opset: [11, 23], restrictions: knownOnly }, (c) => {
  const { axis, indices, stride } = elementIndices(c);
  const from = () => placesWithoutAxis(c.shape(0), c.shape(1), axis).map((p, i) => p + indices[i]! * stride);
  return [mapped(c.shape(1), from)];
});

/** Offsets of the slices that the tuples of an index tensor name, for GatherND and ScatterND. */
export function sliceOffsets(
  c: OpContext,
  batchDims: number,
): { at: number[]; size: number; rest: number[] } {
  const [x, shape] = [c.shape(0), c.shape(1)];
  const depth = shape.at(-1) ?? 0;
  const batch = x.slice(0, batchDims);
  if (batchDims + depth > x.length || show(batch) !== show(shape.slice(0, batchDims)) || depth === 0)
    throw c.mismatch(0, 1, `indices of ${depth} numbers behind ${batchDims} batch dimensions do not fit`);
  const strides = stridesOf(x);
  const given = c.known(1, 'indices');
  const perBatch = elementCount(shape.slice(batchDims, -1));
  const batchStride = elementCount(x.slice(batchDims));
  const at = Array.from({ length: given.length / depth }, (_, t) => {
    let offset = Math.floor(t / perBatch) * batchStride;
    for (let j = 0; j < depth; j++) {
      const [index, size] = [given[t * depth + j]!, x[batchDims + j]!];
      if (index < -size || index >= size)
        throw c.invalidShape(`has the index ${index} in a dimension of ${size}`, x);
      offset += (index < 0 ? index + size : index) * strides[batchDims + j]!;
    }
    return offset;
  });
  const rest = x.slice(batchDims + depth);
  return { at, size: elementCount(rest), rest };
}

defineMove({ op: 'GatherND', opset: [11, 23], restrictions: knownOnly }, (c) => {
  const batchDims = c.number('batch_dims', 0);
  const { at, size, rest } = sliceOffsets(c, batchDims);
  const from = () =>
    Float64Array.from({ length: at.length * size }, (_, i) => at[Math.floor(i / size)]! + (i % size));
  return [mapped([...c.shape(1).slice(0, -1), ...rest], from)];
});

defineMove(
  { op: 'ReverseSequence', opset: [11, 23], restrictions: 'lengths are known at compile time' },
  (c) => {
    const x = c.shape(0);
    const [time, batch] = [c.number('time_axis', 0), c.number('batch_axis', 1)];
    if (x.length < 2 || time === batch || Math.max(time, batch) > 1)
      throw c.invalidShape(`has time_axis ${time} and batch_axis ${batch} for a shape ${show(x)}`, x);
    const lengths = c.known(1, 'sequence_lens');
    if (lengths.length !== x[batch] || lengths.some((l) => l < 1 || l > x[time]!))
      throw c.invalidShape(`has lengths ${show(lengths)} for a shape ${show(x)}`, x);
    const strides = stridesOf(x);
    const from = () =>
      Float64Array.from({ length: elementCount(x) }, (_, i) => {
        const t = Math.floor(i / strides[time]!) % x[time]!;
        const length = lengths[Math.floor(i / strides[batch]!) % x[batch]!]!;
        return t < length ? i + (length - 1 - 2 * t) * strides[time]! : i;
      });
    return [mapped(x, from)];
  },
);

defineMove(
  { op: 'OneHot', opset: [11, 23], restrictions: 'indices and depth are known at compile time' },
  (c) => {
    const depth = c.known(1, 'depth')[0] ?? 0;
    if (!(depth >= 1)) throw c.invalidShape(`has depth ${depth}`);
    const given = c.shape(0);
    const axis = c.axis(c.number('axis', -1), given.length + 1);
    const indices = c.known(0, 'indices').map((v) => (v < 0 ? v + depth : v));
    const inner = elementCount(given.slice(axis));
    const shape = [...given.slice(0, axis), depth, ...given.slice(axis)];
    // The values are [off, on].
    const from = () =>
      Float64Array.from({ length: elementCount(shape) }, (_, i) => {
        const [outer, class_] = [Math.floor(i / (depth * inner)), Math.floor(i / inner) % depth];
        return Number(indices[outer * inner + (i % inner)] === class_);
      });
    return [mapped(shape, from, 2)];
  },
);
