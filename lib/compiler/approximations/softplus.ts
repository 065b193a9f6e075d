// softplus(x) = log(1 + exp(x)). Beyond its domain it is max(x, 0) to 1e-6.

import { defineFunction, type ScalarFunction } from './registry';

/** On doubles, for operands of any size. */
export function exactSoftplus(x: number): number {
  return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
}

export const softplus: ScalarFunction = defineFunction({
  name: 'softplus',
  relative: false,
  unit: 1,
  of: () => exactSoftplus,
  domain: () => ({ lo: -14, hi: 14 }),
  exists: () => ({ lo: Number.NEGATIVE_INFINITY, hi: Number.POSITIVE_INFINITY }),
  tails: { lo: 0, hi: 1 },
});
