// mish(x) = x tanh(log(1 + exp(x))) (Misra 2019). Beyond its domain it is max(x, 0) to 2e-6.

import { defineFunction, type ScalarFunction } from './registry';
import { exactSoftplus } from './softplus';

export const mish: ScalarFunction = defineFunction({
  name: 'mish',
  relative: false,
  unit: 1,
  of: () => (x) => x * Math.tanh(exactSoftplus(x)),
  domain: () => ({ lo: -16, hi: 8 }),
  exists: () => ({ lo: Number.NEGATIVE_INFINITY, hi: Number.POSITIVE_INFINITY }),
  tails: { lo: 0, hi: 1 },
});
