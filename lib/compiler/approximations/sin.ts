// sin(x) and cos(x), Fourier series of one frequency: from one opening modulo a turn, in one round, for operands of any size.
//
// 1 / (2 pi) is rounded, so that the angle is off in proportion to |x|: with what is known of the operand, or up to DOMAIN
// where nothing is, the result is off by less than a quarter of the tolerance for it.

import type { FourierSeries } from '../ops/fourier';
import { defineFitted, defineFunction, type ScalarFunction } from './registry';

/** Operands up to which results are as exact as others, where nothing is known of them. */
export const DOMAIN: number = 2 ** 10;
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
    name: 'fourier',
    of: name,
    knobs: {},
    propose({ tolerance, domain: { lo, hi } }) {
      const bounds = { reach: Math.max(Math.abs(lo), Math.abs(hi)), error: tolerance * AIM };
      return { name: 'Fourier series', error: bounds.error, build: (g, x) => g.fourier(x, series, bounds) };
    },
  });
  return defineFunction({
    name,
    relative: false,
    unit: 1,
    of: () => of,
    domain: () => ({ lo: -DOMAIN, hi: DOMAIN }),
    exists: () => ({ lo: Number.NEGATIVE_INFINITY, hi: Number.POSITIVE_INFINITY }),
  });
}

export const sin: ScalarFunction = periodic('sin', Math.sin, 1);
export const cos: ScalarFunction = periodic('cos', Math.cos, 0);
