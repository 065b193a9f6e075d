// 1 / (1 + exp(-x)). At the ends of the domain it is 5.5e-4 from 0 and from 1, and stays there beyond.

import { defineFunction, type ScalarFunction } from './registry';

export const sigmoid: ScalarFunction = defineFunction({
  name: 'sigmoid',
  relative: false,
  of: () => (x) => 1 / (1 + Math.exp(-x)),
  domain: () => ({ lo: -7.5, hi: 7.5 }),
  exists: () => ({ lo: Number.NEGATIVE_INFINITY, hi: Number.POSITIVE_INFINITY }),
  saturates: { lo: true, hi: true },
});
