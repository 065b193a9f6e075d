// Bounds of a polynomial on an interval: its range, and how steep it is.
//
// Between two samples a distance h apart it stays within max |p''| h^2 / 8 of the line through them; |p''| is bounded by
// the sum of its terms about the middle of the interval. With enough samples that is next to nothing, and still a bound.

import type { Polynomial } from './minimax';

const SAMPLES = 1024;

export interface Interval {
  readonly lo: number;
  readonly hi: number;
}

/** Coefficients about another centre: repeated synthetic division. */
export function recentred({ centre, coefficients }: Polynomial, to: number): Polynomial {
  const c = Float64Array.from(coefficients);
  for (let k = 0; k < c.length - 1; k++)
    for (let j = c.length - 2; j >= k; j--) c[j]! += (to - centre) * c[j + 1]!;
  return { centre: to, coefficients: c };
}

function derivative({ centre, coefficients }: Polynomial): Polynomial {
  return {
    centre,
    coefficients:
      coefficients.length < 2 ? new Float64Array(1) : coefficients.slice(1).map((c, k) => c * (k + 1)),
  };
}

/** The range of p on [lo, hi], and at most a little more. */
export function rangeOnInterval(p: Polynomial, { lo, hi }: Interval): Interval {
  const middle = recentred(p, (lo + hi) / 2);
  const half = (hi - lo) / 2;
  let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let i = 0; i <= SAMPLES; i++) {
    const t = half * ((2 * i) / SAMPLES - 1);
    let v = 0;
    for (let k = middle.coefficients.length - 1; k >= 0; k--) v = v * t + middle.coefficients[k]!;
    [least, most] = [Math.min(least, v), Math.max(most, v)];
  }
  const bend = derivative(derivative(middle)).coefficients.reduce(
    (s, c, k) => s + Math.abs(c) * half ** k,
    0,
  );
  const between = (bend * ((2 * half) / SAMPLES) ** 2) / 8;
  return { lo: least - between, hi: most + between };
}

/** A bound of |p'| on the interval. */
export function steepest(p: Polynomial, interval: Interval): number {
  const { lo, hi } = rangeOnInterval(derivative(p), interval);
  return Math.max(Math.abs(lo), Math.abs(hi));
}
