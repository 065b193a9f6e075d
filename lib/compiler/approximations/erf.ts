// erf(x), the error function. Beyond its domain it is -1 or 1 to 2e-8.

import type { Value } from '../ir/graph';
import type { FunctionBuilder } from './builder';
import { odd } from './pieces';
import { defineApproximation, defineFunction, type ScalarFunction } from './registry';

/**
 * On doubles, to a few units of the last place: 2 / sqrt(pi) exp(-x^2) sum of 2^k x^(2k + 1) / (2k + 1)!!, whose terms have one
 * sign (Abramowitz, Stegun, 7.1.6).
 */
export function errorFunction(x: number): number {
  if (Math.abs(x) > 6) return Math.sign(x);
  let [term, sum] = [x, x];
  for (let k = 1; Math.abs(term) > 1e-17 * Math.abs(sum); k++) {
    term *= (2 * x * x) / (2 * k + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}

export const erf: ScalarFunction = defineFunction({
  name: 'erf',
  relative: false,
  of: () => errorFunction,
  domain: () => ({ lo: -4, hi: 4 }),
  exists: () => ({ lo: Number.NEGATIVE_INFINITY, hi: Number.POSITIVE_INFINITY }),
  tails: { lo: 0, hi: 0 },
});

/**
 * 2 / sqrt(pi) times the sum over n <= 8 of (-1)^n x^(2n + 1) / (n! (2n + 1)), as x times a polynomial of (x / 2)^2: on
 * [-2, 2] its coefficients are large enough to be written.
 */
export function erfTaylor(g: FunctionBuilder, x: Value): Value {
  let power = 1;
  const coefficients = Array.from({ length: 9 }, (_, n) => {
    if (n > 0) power *= -4 / n;
    return ((2 / Math.sqrt(Math.PI)) * power) / (2 * n + 1);
  });
  return g.mul(g.horner(g.square(g.mul(x, 0.5)), coefficients), x);
}

defineApproximation({
  name: 'crypten',
  of: 'erf',
  source:
    'Knott et al., CrypTen, NeurIPS 2021: Taylor series, as the paper has it (its released code takes other powers)',
  domain: { lo: -2, hi: 2 },
  build: erfTaylor,
});

defineApproximation({
  name: 'cryptorch',
  of: 'erf',
  source: 'CrypTorch: degree 5',
  build: (g, x) =>
    odd(g, x, 2.33, [-0.00110125, 1.14406185, -0.01156898, -0.48940134, 0.23409163, -0.03364417], 1),
});
