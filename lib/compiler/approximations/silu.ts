// silu(x) = x / (1 + exp(-x)), also called swish. Beyond its domain it is max(x, 0) to 2e-6.

import { defineFunction, type ScalarFunction } from './registry';

export const silu: ScalarFunction = defineFunction({
  name: 'silu',
  relative: false,
  unit: 1,
  of: () => (x) => x / (1 + Math.exp(-x)),
  domain: () => ({ lo: -16, hi: 16 }),
  exists: () => ({ lo: Number.NEGATIVE_INFINITY, hi: Number.POSITIVE_INFINITY }),
  tails: { lo: 0, hi: 1 },
});
