// exp(x), in two forms: relative to the result, and for x <= 0 (`decay`) relative to 1, as a term of a sum that is 1 at least.
// Below their domains they keep the value that they have there.
//
// Relative to the result it is the square of exp(x / 2), whose results span half as many bits.

import type { Value } from '../ir/graph';
import type { FunctionBuilder } from './builder';
import { defineApproximation, defineFitted, defineFunction, type ScalarFunction } from './registry';
import { splineFor } from './spline';

export const exp: ScalarFunction = defineFunction({
  name: 'exp',
  relative: true,
  precision: 2 ** -2,
  of: () => Math.exp,
  domain: () => ({ lo: -10, hi: 8 }),
  exists: () => ({ lo: Number.NEGATIVE_INFINITY, hi: 40 }),
  tails: { lo: 0 },
});

export const decay: ScalarFunction = defineFunction({
  name: 'decay',
  relative: false,
  // Thousands of terms may be next to nothing beside one that is 1.
  precision: 2 ** -4,
  summed: true,
  // 16 cells of 4, but for the lowest one.
  reach: { lo: -59 },
  of: () => Math.exp,
  domain: () => ({ lo: -13.75, hi: 0 }),
  exists: () => ({ lo: Number.NEGATIVE_INFINITY, hi: 1 }),
  tails: { lo: 0 },
});

defineFitted({
  name: 'square of a spline',
  of: 'exp',
  knobs: {},
  propose(request) {
    const root = splineFor({
      ...request,
      fn: (x) => Math.exp(x / 2),
      tolerance: request.tolerance / 2.1,
    });
    return (
      root && {
        name: `square of a ${root.name}`,
        error: 2 * root.error + root.error ** 2,
        build: (g, x) => g.square(root.build(g, x)),
      }
    );
  },
});

/** (1 + x / 2^bits)^(2^bits), by squarings. */
export function limit(g: FunctionBuilder, x: Value, bits: number): Value {
  return g.squareRepeatedly(g.add(g.mul(x, 2 ** -bits), 1), bits);
}

for (const of of ['exp', 'decay']) {
  defineApproximation({
    name: 'crypten',
    of,
    source: 'Knott et al., CrypTen, NeurIPS 2021: limit approximation',
    // The base is in [-1, 1] on one side, and what it is raised to fits on the other.
    domain: { lo: -(2 ** 9), hi: 16 },
    build: (g, x) => limit(g, x, 8),
  });
  defineApproximation({
    name: 'cryptorch',
    of,
    source: 'CrypTorch: limit approximation whose base is 0 for x <= -2^bits',
    knobs: { bits: [8, 7, 6, 5, 4, 3, 2, 1, 0], clamp: [true, false] },
    domain: ({ bits, clamp }) => ({ lo: clamp ? Number.NEGATIVE_INFINITY : -(2 ** (bits + 1)), hi: 16 }),
    build: (g, x, { bits, clamp }) => limit(g, clamp ? g.clip(x, -(2 ** bits), null) : x, bits),
  });
  defineApproximation({
    name: 'puma',
    of,
    source: 'Dong et al., PUMA, 2023, section 4.2; SecretFlow SPU',
    domain: { lo: Number.NEGATIVE_INFINITY, hi: 0 },
    build: (g, x) => g.mul(limit(g, g.clip(x, -(2 ** 5), null), 5), g.atLeast(x, -14)),
  });
}

/** Bits of the index of a table, and fractional bits of an operand below 16 that both tables have together. */
const TABLE = 8;
const FRACTION = 2 * TABLE - 4;

/** exp(x) for x <= 0 as a product of two entries: by the leading and by the next bits of -x, which is cut off at 16. */
export function byTwoTables(g: FunctionBuilder, x: Value): Value {
  const size = 2 ** TABLE;
  const [high, low] = [2 ** (TABLE - FRACTION), 2 ** -FRACTION];
  const positive = g.clip(g.neg(x), 0, 16 - low);
  const table = (width: number, start: number) =>
    g.lookup(
      positive,
      Array.from({ length: size }, (_, i) => Math.exp(-(i + start) * width)),
      { lo: 0, hi: size * width },
      true,
    );
  // The low bits are cut off, so that their middle counts.
  return g.mul(table(high, 0), table(low, 0.5));
}

defineApproximation({
  name: 'sigma',
  of: 'decay',
  source: 'Gupta et al., SIGMA, PETS 2024: two tables of 256 entries',
  domain: { lo: Number.NEGATIVE_INFINITY, hi: 0 },
  build: (g, x) => byTwoTables(g, x),
});
