// gelu(x) = x (1 + erf(x / sqrt 2)) / 2 (Hendrycks, Gimpel 2016). Beyond its domain it is max(x, 0) to 2e-6.

import { errorFunction } from './erf';
import { defineFunction, type ScalarFunction } from './registry';

export const gelu: ScalarFunction = defineFunction({
  name: 'gelu',
  relative: false,
  unit: 1,
  of: () => (x) => (x * (1 + errorFunction(x / Math.SQRT2))) / 2,
  domain: () => ({ lo: -5, hi: 5 }),
  exists: () => ({ lo: Number.NEGATIVE_INFINITY, hi: Number.POSITIVE_INFINITY }),
  tails: { lo: 0, hi: 1 },
});
