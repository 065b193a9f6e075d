// (offset + factor x)^exponent for a positive base: reciprocals, roots, their reciprocals, and the divisor of a local
// response normalisation. Parameters: exponent, factor, offset.

import { type Domain, defineFunction, type ScalarFunction } from './registry';

/** Bases that are computed where nothing is known of them; of roots, smaller ones too. */
export const POWER_DOMAIN: Domain = { lo: 2 ** -10, hi: 2 ** 14 };
export const ROOT_DOMAIN: Domain = { lo: 2 ** -18, hi: 2 ** 14 };

export const power: ScalarFunction = defineFunction({
  name: 'power',
  relative: true,
  of: ([exponent, factor, offset]) => {
    return (x) => (offset! + factor! * x) ** exponent!;
  },
  domain: ([exponent, factor, offset]) => {
    const { lo, hi } = exponent! > 0 ? ROOT_DOMAIN : POWER_DOMAIN;
    return { lo: (lo - offset!) / factor!, hi: (hi - offset!) / factor! };
  },
  exists: ([, factor, offset]) => ({ lo: -offset! / factor!, hi: Number.POSITIVE_INFINITY }),
  origin: ([, factor, offset]) => -offset! / factor!,
});
