// Chebyshev series: coefficients of a function on [-1, 1], and odd series of a shared operand.

import type { Value } from '../ir/graph';
import type { FunctionBuilder } from './builder';

/** Coefficients of T_1, T_3, ... of an odd function on [-1, 1], by interpolation in `terms` points. */
export function chebyshevSeries(fn: (x: number) => number, terms: number): number[] {
  const angles = Array.from({ length: terms }, (_, i) => (Math.PI * (i + 0.5)) / terms);
  const coefficient = (k: number): number =>
    (2 / terms) * angles.reduce((sum, a) => sum + fn(Math.cos(a)) * Math.cos(k * a), 0);
  return Array.from({ length: Math.floor(terms / 2) }, (_, i) => coefficient(2 * i + 1));
}

/** What shares cannot tell from zero. */
const NOTHING = 2 ** -18;

/** The sum of coefficients[i] T_(2i + 1)(x): T_(n + 2) = 2 T_2 T_n - T_(n - 2), one product a term. */
export function oddChebyshev(g: FunctionBuilder, x: Value, coefficients: readonly number[]): Value {
  const used = coefficients.slice(0, coefficients.findLastIndex((c) => Math.abs(c) >= NOTHING) + 1);
  const twice = g.add(g.mul(g.square(x), 4), -2);
  // T_(-1) is T_1.
  let [before, now] = [x, x];
  let sum = g.mul(x, used[0]!);
  for (const c of used.slice(1)) {
    [before, now] = [now, g.sub(g.mul(twice, now), before)];
    sum = g.add(sum, g.mul(now, c));
  }
  return sum;
}
