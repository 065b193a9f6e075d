// swish(x) = x / (1 + exp(-alpha x)) for a positive alpha, the parameter (Ramachandran et al. 2017); with 1.702 it stands for a
// GELU, and with 1 it is silu. Beyond its domain it is max(x, 0) to 2e-6 / alpha.

import { defineFunction, type ScalarFunction } from './registry';

export const swish: ScalarFunction = defineFunction({
  name: 'swish',
  examples: [[1.702]],
  relative: false,
  unit: 1,
  of: ([alpha]) => {
    return (x) => x / (1 + Math.exp(-alpha! * x));
  },
  domain: ([alpha]) => ({ lo: -16 / alpha!, hi: 16 / alpha! }),
  exists: () => ({ lo: Number.NEGATIVE_INFINITY, hi: Number.POSITIVE_INFINITY }),
  tails: { lo: 0, hi: 1 },
});
