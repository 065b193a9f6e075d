// exp(x), in two forms: relative to the result, and for x <= 0 relative to 1, as a term of a sum that is 1 at least.
// Below their domains they keep the value that they have there.

import { defineFunction, type ScalarFunction } from './registry';

export const exp: ScalarFunction = defineFunction({
  name: 'exp',
  relative: true,
  of: () => Math.exp,
  domain: () => ({ lo: -3.75, hi: 3.75 }),
  exists: () => ({ lo: Number.NEGATIVE_INFINITY, hi: 40 }),
  tails: { lo: 0 },
});

export const decay: ScalarFunction = defineFunction({
  name: 'decay',
  relative: false,
  // Thousands of terms may be next to nothing beside one that is 1.
  precision: 2 ** -3,
  of: () => Math.exp,
  domain: () => ({ lo: -15, hi: 0 }),
  exists: () => ({ lo: Number.NEGATIVE_INFINITY, hi: 1 }),
  tails: { lo: 0 },
});
