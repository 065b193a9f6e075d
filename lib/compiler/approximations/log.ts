// log(x) for positive x. Operands below the domain count as its lower end.

import { type Domain, defineFunction, type ScalarFunction } from './registry';

/** Operands that are computed where nothing is known of them. */
export const LOG_DOMAIN: Domain = { lo: 2 ** -16, hi: 2 ** 14 };

export const log: ScalarFunction = defineFunction({
  name: 'log',
  relative: false,
  // Errors are measured against |log| at the ends of a wide domain.
  precision: 2 ** -4,
  of: () => Math.log,
  domain: () => LOG_DOMAIN,
  exists: () => ({ lo: 0, hi: Number.POSITIVE_INFINITY }),
  origin: () => 0,
});
