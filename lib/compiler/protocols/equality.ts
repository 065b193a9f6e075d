// Equality from openings (spec/protocols.py P4): x^ = x + r mod 2^m is public, so x = 0 exactly when every digit of x^ is
// that of r. The dealer shares the digits of r one-hot, "digits are equal" (p) is an entry of them and costs no message,
// and the result is the product of the p's: one round for up to eight digits, two for up to 64.

import type { Joint, Opened } from '../joint';
import type { Value } from '../program';
import { conjunctions } from './conjunction';
import { digitsOf } from './prefix-tree';
import type { ComparisonKnobs } from './protocol';

/** <x = 0> modulo 2^m for an opening of m bits, as one XOR-shared bit plane. */
export function isZero(joint: Joint, x: Opened, knobs: Pick<ComparisonKnobs, 'leaf'>): Value {
  const { elements, bits } = x.hat;
  const digits = digitsOf(0, bits, knobs.leaf);
  const flat = digits.flatMap((d) => [d.low, d.width]);
  const planes = digits.reduce((sum, d) => sum + 2 ** d.width - 1, 0);
  const oneHot = joint.deal(
    joint.derive('digits', [x.mask], [digits.length, ...flat, -1], { elements, planes }),
  );
  // Wire i: digit i is equal. "Smaller" and the sign are not wanted.
  const attr = digits.flatMap((d, i) => [d.low, d.width, -1, i]);
  const [equal] = joint.locals(
    'leaf',
    [x.hat, oneHot],
    [0, digits.length, ...attr, -1],
    [{ elements, planes: digits.length }, null, null],
  ) as [Value, null, null];
  if (digits.length === 1) return equal;
  return conjunctions(joint, equal, [digits.map((_, wire) => ({ wire, complemented: false }))]);
}
