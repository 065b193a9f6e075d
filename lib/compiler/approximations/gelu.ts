// gelu(x) = x (1 + erf(x / sqrt 2)) / 2 (Hendrycks, Gimpel 2016). Beyond its domain it is max(x, 0) to 2e-6.

import { erfTaylor, errorFunction } from './erf';
import { defineApproximation, defineFunction, type ScalarFunction } from './registry';

export const gelu: ScalarFunction = defineFunction({
  name: 'gelu',
  relative: false,
  unit: 1,
  of: () => (x) => (x * (1 + errorFunction(x / Math.SQRT2))) / 2,
  domain: () => ({ lo: -5, hi: 5 }),
  exists: () => ({ lo: Number.NEGATIVE_INFINITY, hi: Number.POSITIVE_INFINITY }),
  tails: { lo: 0, hi: 1 },
});

defineApproximation({
  name: 'crypten',
  of: 'gelu',
  source: 'Knott et al., CrypTen, NeurIPS 2021: by the Taylor series of erf',
  domain: { lo: -2 * Math.SQRT2, hi: 2 * Math.SQRT2 },
  build: (g, x) => g.mul(g.add(erfTaylor(g, g.mul(x, Math.SQRT1_2)), 1), g.mul(x, 0.5)),
});
