// x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2, which stands for gelu(x) and is 4.8e-4 from it at most (Hendrycks, Gimpel
// 2016). Beyond its domain it is max(x, 0) to 1e-6. Approximations of gelu serve it too.

import { defineFunction, type ScalarFunction } from './registry';

/** Of x, and of its cube. */
export const GELU_TANH: readonly [number, number] = [
  Math.sqrt(2 / Math.PI),
  0.044715 * Math.sqrt(2 / Math.PI),
];

export const geluTanh: ScalarFunction = defineFunction({
  name: 'gelu-tanh',
  relative: false,
  unit: 1,
  of: () => (x) => (x * (1 + Math.tanh(GELU_TANH[0] * x + GELU_TANH[1] * x ** 3))) / 2,
  domain: () => ({ lo: -5, hi: 5 }),
  exists: () => ({ lo: Number.NEGATIVE_INFINITY, hi: Number.POSITIVE_INFINITY }),
  tails: { lo: 0, hi: 1 },
  special: () => ({ name: 'gelu', factor: 1, offset: 0 }),
});
