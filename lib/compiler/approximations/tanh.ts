// tanh(x). At the ends of the domain it is 1.1e-3 from -1 and from 1, and stays there beyond.

import { defineFunction, type ScalarFunction } from './registry';

export const tanh: ScalarFunction = defineFunction({
  name: 'tanh',
  relative: false,
  of: () => Math.tanh,
  domain: () => ({ lo: -3.75, hi: 3.75 }),
  exists: () => ({ lo: Number.NEGATIVE_INFINITY, hi: Number.POSITIVE_INFINITY }),
  saturates: { lo: true, hi: true },
});
