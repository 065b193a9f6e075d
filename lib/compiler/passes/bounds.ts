// Bounds on errors, kept per channel: how they travel through broadcasting, reshapes, sums and factors.
//
// A bound holds for all elements of a tensor, or for those with one index along an axis. Where an operation
// mixes the channels, or two bounds are kept along different axes, the largest holds for all. null is no
// bound at all.

import { elementCount } from '../ir/graph';
import { type FloatTensor, reduce } from '../ops/array';

/** One number for all elements, or one per index of `axis`; null is no bound. */
export type Bound = { readonly axis: number | null; readonly data: Float64Array } | null;

export const uniform = (e: number): Bound => ({ axis: null, data: Float64Array.of(e) });

export function worst(e: Bound): number {
  return e === null ? Number.POSITIVE_INFINITY : e.data.reduce((a, b) => Math.max(a, b), 0);
}

export const collapse = (e: Bound): Bound => (e === null ? null : uniform(worst(e)));

export const along = (axis: number, data: Float64Array): Bound => ({ axis, data });

export function mapBound(e: Bound, f: (x: number) => number): Bound {
  return e === null ? null : { axis: e.axis, data: e.data.map((x) => f(x)) };
}

/** The bound of a tensor that is broadcast from one shape to another. */
export function broadcastBound(e: Bound, from: readonly number[], to: readonly number[]): Bound {
  if (e === null || e.axis === null) return e;
  const axis = e.axis + to.length - from.length;
  return to[axis] === from[e.axis] ? { axis, data: e.data } : collapse(e);
}

export function sumOf(a: Bound, b: Bound): Bound {
  if (a === null || b === null) return null;
  if (a.axis === b.axis) return { axis: a.axis, data: a.data.map((x, i) => x + b.data[i]!) };
  if (b.axis === null) return mapBound(a, (x) => x + b.data[0]!);
  if (a.axis === null) return mapBound(b, (x) => x + a.data[0]!);
  return uniform(worst(a) + worst(b));
}

/**
 * A bound along an axis follows a reshape while its channels stay together, each now `repeat` times as long.
 */
export function reshapeBound(e: Bound, from: readonly number[], to: readonly number[]): Bound {
  if (e === null || e.axis === null) return e;
  const before = elementCount(from.slice(0, e.axis));
  const size = from[e.axis]!;
  for (let axis = to.length - 1; axis >= 0; axis--) {
    if (elementCount(to.slice(0, axis)) !== before || to[axis]! % size !== 0) continue;
    const repeat = to[axis]! / size;
    if (elementCount(from.slice(e.axis + 1)) !== repeat * elementCount(to.slice(axis + 1))) continue;
    const old = e.data;
    return along(
      axis,
      new Float64Array(to[axis]!).map((_, i) => old[Math.floor(i / repeat)]!),
    );
  }
  return collapse(e);
}

/** Largest magnitudes of a factor per index of an axis of the result, or over all of it. */
export function factorBound(e: Bound, c: FloatTensor, out: readonly number[]): Bound {
  if (e === null) return null;
  const lead = out.length - c.shape.length;
  const own = c.shape.findIndex((d) => d > 1);
  const axis = e.axis ?? (own < 0 ? null : own + lead);
  const maximum = (t: FloatTensor, keep: number) => {
    const axes = t.shape.map((_, i) => i).filter((i) => i !== keep);
    return reduce(t, axes, false, 0, Math.max).data;
  };
  if (axis === null) return mapBound(e, (x) => x * maximum(c, -1)[0]!);
  const factors = maximum(c, axis - lead);
  const data = new Float64Array(out[axis]!);
  return along(
    axis,
    data.map((_, i) => (e.data[i] ?? e.data[0]!) * (factors[i] ?? factors[0]!)),
  );
}
