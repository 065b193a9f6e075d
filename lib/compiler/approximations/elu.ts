// x for x >= 0, below alpha (exp(x / width) - 1). Parameters: alpha, width; of Elu the width is 1, of Celu it is alpha. Below its
// domain it is -alpha to 1e-6 alpha; above it is exact, and the kink at 0 lies at its end.

import { defineFunction, type ScalarFunction } from './registry';

export const elu: ScalarFunction = defineFunction({
  name: 'elu',
  examples: [[1, 1]],
  relative: false,
  unit: 1,
  of: ([alpha, width]) => {
    return (x) => (x < 0 ? alpha! * Math.expm1(x / width!) : x);
  },
  within: ([alpha, width]) => {
    return (x) => alpha! * Math.expm1(x / width!);
  },
  domain: ([, width]) => ({ lo: -14 * width!, hi: 0 }),
  exists: () => ({ lo: Number.NEGATIVE_INFINITY, hi: Number.POSITIVE_INFINITY }),
  tails: { lo: 0, hi: 1 },
});
