// 1 / (1 + exp(-x)). At the ends of the domain it is 1.7e-5 from 0 and from 1.

import { defineFunction, type ScalarFunction } from './registry';

export const sigmoid: ScalarFunction = defineFunction({
  name: 'sigmoid',
  relative: false,
  of: () => (x) => 1 / (1 + Math.exp(-x)),
  domain: () => ({ lo: -11, hi: 11 }),
  exists: () => ({ lo: Number.NEGATIVE_INFINITY, hi: Number.POSITIVE_INFINITY }),
  tails: { lo: 0, hi: 0 },
});
