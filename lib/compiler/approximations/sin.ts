// sin(x) and cos(x), Fourier series of one frequency: from one opening modulo a turn, in one round, for operands of any size.
//
// 1 / (2 pi) is rounded, so that the angle is off in proportion to |x|: with what is known of the operand, or up to DOMAIN
// where nothing is, the result is off by less than a quarter of the tolerance for it.

import type { Value } from '../ir/graph';
import type { FourierSeries } from '../ops/fourier';
import type { FunctionBuilder } from './builder';
import { defineApproximation, defineFitted, defineFunction, type ScalarFunction } from './registry';

/** Operands up to which results are as exact as others, where nothing is known of them. */
export const DOMAIN: number = 2 ** 10;
/** And where they are known: a bit more of the factor, and of the opening, each time that it doubles. */
const REACH = 2 ** 24;
/** Part of the tolerance that the series takes. */
const AIM = 1 / 4;

function periodic(name: string, of: (x: number) => number, sine: number): ScalarFunction {
  const series: FourierSeries = {
    period: 2 * Math.PI,
    constant: 0,
    sine: Float64Array.of(sine),
    cosine: Float64Array.of(1 - sine),
  };
  defineFitted({
    name: 'sine',
    of: name,
    knobs: {},
    propose({ tolerance, domain }) {
      const error = tolerance * AIM;
      return { name: 'Fourier series', error, build: (g, x) => g.fourier(x, series, domain, error) };
    },
  });
  return defineFunction({
    name,
    relative: false,
    unit: 1,
    of: () => of,
    domain: () => ({ lo: -DOMAIN, hi: DOMAIN }),
    reach: { lo: -REACH, hi: REACH },
    exists: () => ({ lo: Number.NEGATIVE_INFINITY, hi: Number.POSITIVE_INFINITY }),
  });
}

export const sin: ScalarFunction = periodic('sin', Math.sin, 1);
export const cos: ScalarFunction = periodic('cos', Math.cos, 0);

/** exp(i x) = (1 + i x / 2^10)^(2^10), by squarings. */
const SQUARINGS = 10;
/** Real and imaginary parts are computed times this, since what rounds a factor is doubled by every squaring. */
const GUARD = 2 ** 6;

function unitCircle(g: FunctionBuilder, x: Value): { cos: Value; sin: Value } {
  const product = (a: Value, b: Value) => g.mul(g.mul(a, b), 1 / GUARD);
  // The first real part is 1.
  const first = g.mul(x, GUARD * 2 ** -SQUARINGS);
  let re = g.add(g.neg(product(first, first)), GUARD);
  let im = g.mul(first, 2);
  for (let i = 1; i < SQUARINGS; i++)
    [re, im] = [g.sub(product(re, re), product(im, im)), g.mul(product(re, im), 2)];
  return { cos: g.mul(re, 1 / GUARD), sin: g.mul(im, 1 / GUARD) };
}

for (const of of ['sin', 'cos'] as const) {
  defineApproximation({
    name: 'crypten',
    of,
    source: 'Knott et al., CrypTen, NeurIPS 2021: limit of (1 + i x / 2^k)^(2^k)',
    // It grows by exp(x^2 / 2^11).
    domain: { lo: -(2 ** 6), hi: 2 ** 6 },
    build: (g, x) => unitCircle(g, x)[of],
  });
}
