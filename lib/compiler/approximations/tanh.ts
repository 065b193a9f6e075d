// tanh(x). At the ends of the domain it is 3.3e-5 from -1 and from 1.

import { defineFunction, type ScalarFunction } from './registry';

export const tanh: ScalarFunction = defineFunction({
  name: 'tanh',
  relative: false,
  of: () => Math.tanh,
  domain: () => ({ lo: -5.5, hi: 5.5 }),
  exists: () => ({ lo: Number.NEGATIVE_INFINITY, hi: Number.POSITIVE_INFINITY }),
  tails: { lo: 0, hi: 0 },
});
