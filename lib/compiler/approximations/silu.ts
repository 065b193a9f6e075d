// silu(x) = x / (1 + exp(-x)). Beyond its domain it is max(x, 0) to 2e-6.

import { factored, likeRelu, scaledBy } from './pieces';
import { defineApproximation, defineFunction, type ScalarFunction } from './registry';

export const silu: ScalarFunction = defineFunction({
  name: 'silu',
  relative: false,
  unit: 1,
  of: () => (x) => x / (1 + Math.exp(-x)),
  domain: () => ({ lo: -16, hi: 16 }),
  exists: () => ({ lo: Number.NEGATIVE_INFINITY, hi: Number.POSITIVE_INFINITY }),
  tails: { lo: 0, hi: 1 },
});

/** By order: the end of the middle interval, and the polynomial of |x| there, without x / 2. */
const PUBLISHED = {
  2: { limit: 4.25, p: scaledBy([-0.0618242, 1.29000182, 0.89887616], 1 / 4.25) },
  4: {
    limit: 6.5,
    p: scaledBy(factored([2.26097952, -3.93715288, 3.17272507, -4.59596969, 4.50528637]), 1 / 6.5),
  },
  5: { limit: 10, p: [-0.01163368, 0.04172073, 0.26287082, -0.05580515, 0.00518035, -0.00017703] },
} as const;

defineApproximation({
  name: 'relu',
  of: 'silu',
  source: 'CrypTorch: order 0',
  build: (g, x) => g.relu(x),
});

defineApproximation({
  name: 'cryptorch',
  of: 'silu',
  source: 'CrypTorch: piecewise polynomials; order 4 is factored',
  knobs: { order: [4, 5, 2] },
  build: (g, x, { order }) => likeRelu(g, x, PUBLISHED[order].limit, PUBLISHED[order].p),
});
