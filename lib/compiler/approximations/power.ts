// (offset + factor x)^exponent for a positive base: reciprocals, roots, their reciprocals, and the divisor of a local
// response normalisation. Parameters: exponent, factor, offset. Reciprocals exist for negative bases too.

import { type Domain, defineFunction, type ScalarFunction } from './registry';

/** Bases that are computed where nothing is known of them; of roots, smaller ones too. */
export const POWER_DOMAIN: Domain = { lo: 2 ** -10, hi: 2 ** 14 };
export const ROOT_DOMAIN: Domain = { lo: 2 ** -18, hi: 2 ** 14 };

/** For restrictions of operators. */
export function unlessKnown({ lo, hi }: Domain): string {
  return `in [2^${Math.log2(lo)}, 2^${Math.log2(hi)}] unless calibrated`;
}

/** For restrictions of operators that divide. */
export const DIVISOR: string = `at least 2^${Math.log2(POWER_DOMAIN.lo)} and at most 2^${Math.log2(POWER_DOMAIN.hi)} in magnitude unless calibrated`;

/** Results span up to 24 bits: what is left of the domain for exponents beyond -1 and 3/4. */
function basesFor(exponent: number): Domain {
  const { lo, hi } = exponent > 0 ? ROOT_DOMAIN : POWER_DOMAIN;
  const part = Math.min(1, 24 / (Math.abs(exponent) * Math.log2(hi / lo)));
  return { lo: lo ** part, hi: hi ** part };
}

/** The reciprocal of an odd power. */
function isReciprocal(exponent: number): boolean {
  return exponent < 0 && Math.abs(exponent % 2) === 1;
}

/** Bases of a power where nothing is known of them, of either sign if it exists for both. */
export function anyBases(exponent: number): Domain {
  const { lo, hi } = basesFor(exponent);
  return isReciprocal(exponent) ? { lo: -hi, hi } : { lo, hi };
}

/** Exponents whose powers have names of their own. */
const SPECIAL: ReadonlyMap<number, string> = new Map([
  [-1, 'reciprocal'],
  [-0.5, 'rsqrt'],
  [0.5, 'sqrt'],
]);

export const power: ScalarFunction = defineFunction({
  name: 'power',
  relative: true,
  of: ([exponent, factor, offset]) => {
    return (x) => (offset! + factor! * x) ** exponent!;
  },
  domain: ([exponent, factor, offset]) => {
    const { lo, hi } = basesFor(exponent!);
    return { lo: (lo - offset!) / factor!, hi: (hi - offset!) / factor! };
  },
  exists: ([exponent, factor, offset]) => {
    const lo = isReciprocal(exponent!) ? Number.NEGATIVE_INFINITY : -offset! / factor!;
    return { lo, hi: Number.POSITIVE_INFINITY };
  },
  odd: ([exponent, factor, offset]) => (isReciprocal(exponent!) ? -offset! / factor! : undefined),
  examples: [
    [-1, 1, 0],
    [-0.5, 1, 0],
    [0.5, 1, 0],
    [-0.75, 1, 0],
  ],
  origin: ([, factor, offset]) => -offset! / factor!,
  special: ([exponent, factor, offset]) => {
    const name = SPECIAL.get(exponent!);
    return name === undefined ? undefined : { name, factor: factor!, offset: offset! };
  },
});
