// Normalisation to mean 0 and variance 1 over some axes, as several operators share it: (x - mean) (variance + epsilon)^-1/2.
//
// The mean is a local sum. One opening of x - mean gives its squares, whose mean is local again; the power of the variance
// is one function of one number, computed once for all elements that are normalised together.

import type { Value } from '../ir/graph';
import { type FloatTensor, map, reduce, zip } from './array';
import type { LowerContext } from './context';
import { scaled, shifted } from './operands';

function countOf(shape: readonly number[], axes: readonly number[]): number {
  return axes.reduce((n, a) => n * shape[a]!, 1);
}

/** The mean over axes, which stay with size 1. */
function mean(c: LowerContext, x: Value, axes: readonly number[]): Value {
  return scaled(c, c.core.sum(x, axes, true), 1 / countOf(x.type.shape, axes));
}

const RECIPROCAL_ROOT = [-0.5, 1, 0];

/** x - mean, and the reciprocal of the standard deviation, of size 1 along the axes. */
export function normaliser(
  c: LowerContext,
  x: Value,
  axes: readonly number[],
  epsilon: number,
): { centred: Value; factor: Value } {
  const centred = c.core.sub(x, mean(c, x, axes));
  const variance = shifted(c, mean(c, c.core.mul(centred, centred), axes), epsilon);
  return { centred, factor: c.core.approximate(variance, 'power', RECIPROCAL_ROOT) };
}

/** The same on doubles: (x - mean) / sqrt(variance + epsilon). */
export function normalised(x: FloatTensor, axes: readonly number[], epsilon: number): FloatTensor {
  const count = countOf(x.shape, axes);
  const average = (t: FloatTensor) =>
    map(
      reduce(t, axes, true, 0, (a, v) => a + v),
      (v) => v / count,
    );
  const centred = zip(x, average(x), (v, m) => v - m);
  const variance = average(map(centred, (v) => v * v));
  return zip(centred, variance, (v, s) => v / Math.sqrt(s + epsilon));
}
