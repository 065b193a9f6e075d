// A coarse table and one Newton step: over the whole domain about as exact as a fine table, beside the unit of an output.

import test from 'ava';
import { evaluated } from '../helpers/approximations';

// Operands with 16 fractional bits.
const operands = Array.from({ length: 2000 }, (_, i) => Math.round(2 ** (6 + (24 * i) / 1999)) / 2 ** 16);

for (const [name, exponent, error] of [
  ['reciprocal', -1, 2 ** -8],
  ['rsqrt', -0.5, 2 ** -8],
] as const) {
  test(`${name} by a table and a step`, (t) => {
    const found = evaluated('power', [exponent, 1, 0], 'newton', operands);
    for (const [i, x] of operands.entries()) {
      const exact = x ** exponent;
      t.true(
        Math.abs(found[i]! - exact) <= error * exact + 2 ** -16,
        `${x}: ${found[i]} instead of ${exact}`,
      );
    }
  });
}
