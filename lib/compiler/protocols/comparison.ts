// Comparisons with a public bound, each from ONE opening of the value: whether z >= b, and whether z = b. Products and
// other comparisons of z use the same opening. Both are exact on the integers that they are given.
//
// Where z is opened at full width, |z| + |b| < 2^63.

import type { Node } from '../ir/graph';
import type { Joint, Opened } from '../joint';
import type { Value } from '../program';
import { comparedBits } from '../widths';
import { booleanOf } from './boolean';
import { isNegative } from './compare';
import { isZero } from './equality';
import { type Protocol, words } from './protocol';

function bound(node: Node): bigint {
  return BigInt(node.attrs.bound as number | bigint);
}

/** The least value for which a step is 1. */
function threshold(node: Node): bigint {
  return bound(node) + (node.attrs.strict === true ? 1n : 0n);
}

/** 1 where x + t is not negative. */
function clearNotNegative(joint: Joint, x: Value, t: bigint): Value {
  const form = words(x.elements);
  const zero = joint.clear('lincomb', [x], [0, 0], form);
  return joint.clear('clear_select', [x, zero], [t, 1, form.bits], form);
}

export const step: Protocol = {
  name: 'step',
  of: ['step'],
  build: (joint, node, [x], knobs) => {
    const z = joint.open(x!.share);
    const bits = Math.min(comparedBits(node), z.hat.bits);
    const negative = isNegative(joint, z, { ...knobs.comparison, bits, offset: -threshold(node) });
    const { elements } = negative;
    return [booleanOf(joint, joint.local('xor', [negative], [1], { elements, planes: 1 }))];
  },
  clear: (joint, node, [x]) => [clearNotNegative(joint, x!.clear, -threshold(node))],
};

/** The opening of z - b in the bits that equality needs, from that of z. */
function shifted(joint: Joint, z: Opened, b: bigint, bits: number): Opened {
  const form = { elements: z.hat.elements, bits };
  return {
    share: z.share,
    hat: joint.local('lincomb', [z.hat], [-b, 1], form),
    mask: joint.derive('lincomb', [z.mask], [0, 1], form),
  };
}

export const equals: Protocol = {
  name: 'equals',
  of: ['equals'],
  build: (joint, node, [x], knobs) => {
    const z = joint.open(x!.share);
    const bits = Math.min(comparedBits(node), z.hat.bits);
    joint.note('comparison', `equality of ${knobs.comparison.leaf}-bit digits`);
    return [booleanOf(joint, isZero(joint, shifted(joint, z, bound(node), bits), knobs.comparison))];
  },
  // [z >= b] + [-z >= -b] - 1
  clear: (joint, node, [x]) => {
    const form = words(x!.clear.elements);
    const b = bound(node);
    const negated = joint.clear('lincomb', [x!.clear], [0, -1], form);
    const sides = [clearNotNegative(joint, x!.clear, -b), clearNotNegative(joint, negated, b)];
    return [joint.clear('lincomb', sides, [-1, 1, 1], form)];
  },
};
