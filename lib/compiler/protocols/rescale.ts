// Truncation rounded as wanted: by the mask (truncate.ts), or downwards whatever the mask is (spec/refinements.py D).
//
// Truncation on an opening z^ = z + r gives floor(z / 2^f) + carry, where the carry of the masked low bits is 1 exactly
// when z^ mod 2^f < r mod 2^f: the sign of a difference of f bits, from the same opening. One more round for up to 22 bits,
// and 5 bits for 16. The result depends on z alone, so that runs agree with each other and with plain integers.

import type { Joint, Opened } from '../joint';
import type { Value } from '../program';
import { keepOne, openSign } from './compare';
import { type Knobs, numberAttr, type Protocol, ringBits, words } from './protocol';
import { clearTruncated, clearTruncatedUnder, truncated } from './truncate';

/** Digits of the compared bits, few enough to be the groups of one fused gate for truncations of up to 22 bits. */
const CARRY = { leaf: 6, fused: 4 };

/** [1 - carry] in a ring of `to` bits: whether the low f bits of z and of its mask stay below 2^f together. */
function noCarry(joint: Joint, z: Opened, f: number, to: number, knobs: Knobs): Value {
  const { elements } = z.hat;
  const low: Opened = {
    share: z.share,
    hat: joint.local('lincomb', [z.hat], [0, 1], { elements, bits: f }),
    mask: joint.derive('lincomb', [z.mask], [0, 1], { elements, bits: f }),
  };
  // A difference of f bits, and one bit more than its sign, as a signed digit wants it.
  const sign = openSign(joint, low, { ...knobs.comparison, ...CARRY, bits: f + 2 });
  return keepOne(joint, sign, to);
}

/** [z >> f] in a ring of `to` bits from the opening of z, rounded as the knob says. */
export function rounded(joint: Joint, z: Opened, f: number, to: number, knobs: Knobs): Value {
  const v = truncated(joint, z, f, to);
  if (knobs.truncation === 'coin') return v;
  joint.note('truncation', 'floor');
  const form = { elements: z.hat.elements, bits: to };
  return joint.local('lincomb', [v, noCarry(joint, z, f, to, knobs)], [-1, 1, 1], form);
}

/** The cleartext twin of either. */
export function clearRounded(joint: Joint, share: Value, clear: Value, f: number, knobs: Knobs): Value {
  if (knobs.truncation === 'coin') return clearTruncated(joint, share, clear, f);
  // Under a mask of zero there is no carry.
  const zero = joint.clear('lincomb', [clear], [0, 0], words(clear.elements));
  return clearTruncatedUnder(joint, clear, zero, f);
}

export const rescale: Protocol = {
  name: 'truncate',
  of: ['rescale'],
  build: (joint, node, [x], knobs) => [
    rounded(joint, joint.open(x!.share), numberAttr(node, 'bits'), ringBits(node), knobs),
  ],
  clear: (joint, node, [x], knobs) => [
    clearRounded(joint, x!.share, x!.clear, numberAttr(node, 'bits'), knobs),
  ],
};
