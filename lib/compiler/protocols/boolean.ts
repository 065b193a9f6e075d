// Booleans, shared modulo 2: XOR adds their shares up, so xor and not are local, a conjunction is a product modulo 2
// (bilinear.ts), and a comparison's result is one of them as it is.
//
// As a number, c = c^ + beta mod 2 is opened under a mask bit beta, one bit on the wire whatever ring the number is for:
//
//     c = c^ - (2 c^ - 1) beta
//
// with a public c^. The dealer shares beta in that ring, and times the mask of whatever c is multiplied by.

import { elementCount } from '../ir/graph';
import type { Joint } from '../joint';
import { isSingle, type Value } from '../program';
import { BOOLEAN_BITS } from '../widths';
import type { MaskedFactor } from './masked-factor';
import {
  broadcastClear,
  broadcastShare,
  outputShape,
  type Protocol,
  ringBits,
  shareForm,
  words,
} from './protocol';

/** A bit plane of XOR shares as shares modulo 2, an element each. */
export function booleanOf(joint: Joint, plane: Value): Value {
  return joint.local('bits_to_ring', [plane], [], { elements: plane.elements, bits: BOOLEAN_BITS });
}

/** Whether somebody has the boolean in the clear, so that it is a number as it is. */
export function isPlain(c: Value): boolean {
  return c.world === 'public' || isSingle(c.parties);
}

/** A boolean that somebody has in the clear as 0 or 1 in a ring of `bits`. */
export function plainNumber(joint: Joint, c: Value, bits: number): Value {
  return joint.local('shift_right', [c], [0], { elements: c.elements, bits });
}

/** c^, 1 - 2 c^ and beta in a ring of `bits`. One round, one bit. */
function opened(joint: Joint, c: Value, bits: number): { hat: Value; sign: Value; beta: Value } {
  const form = { elements: c.elements, bits };
  const { hat, mask } = joint.open(c);
  const plain = plainNumber(joint, hat, bits);
  return {
    hat: plain,
    sign: joint.local('lincomb', [plain], [1, -2], form),
    beta: joint.derive('shift_right', [mask], [0], form),
  };
}

/** A boolean as a factor of products in a ring of `bits`, the left one of `productOfMasked`. */
export function maskedBoolean(joint: Joint, c: Value, bits: number): MaskedFactor {
  const { hat, sign, beta } = opened(joint, c, bits);
  const form = { elements: c.elements, bits };
  return {
    share: c,
    hat,
    mask: joint.local('mulsum', [sign, joint.deal(beta)], [1, -1, 0], form),
    parts: [{ mask: beta, times: { value: sign, zeros: 0 } }],
  };
}

/** [c] as a number in a ring of `bits`. */
export function numberOf(joint: Joint, c: Value, bits: number): Value {
  if (isPlain(c)) return plainNumber(joint, c, bits);
  const { hat, sign, beta } = opened(joint, c, bits);
  const form = { elements: c.elements, bits };
  const masked = joint.local('mulsum', [sign, joint.deal(beta)], [1, 1, 0], form);
  return joint.local('lincomb', [hat, masked], [0, 1, 1], form);
}

export const lift: Protocol = {
  name: 'lift',
  of: ['lift'],
  build: (joint, node, [c]) => [numberOf(joint, c!.share, ringBits(node))],
  clear: (_joint, _node, [c]) => [c!.clear],
};

export const not: Protocol = {
  name: 'not',
  of: ['not'],
  build: (joint, node, [c]) => [joint.local('lincomb', [c!.share], [1, 1], shareForm(node))],
  clear: (joint, _node, [c]) => [joint.clear('lincomb', [c!.clear], [1, -1], words(c!.clear.elements))],
};

export const xor: Protocol = {
  name: 'xor',
  of: ['xor'],
  build: (joint, node, ins) => {
    const uses = ins.map((t) => broadcastShare(joint, t, outputShape(node)));
    return [joint.local('lincomb', uses, [0, 1, 1], shareForm(node))];
  },
  clear: (joint, node, ins) => {
    const [a, b] = ins.map((t) => broadcastClear(joint, t, outputShape(node)));
    // a + b - 2 a b
    return [
      joint.clear('mulsum', [a!, b!, a!, b!], [1, -2, 2, 1, 1], words(elementCount(outputShape(node)))),
    ];
  },
};
