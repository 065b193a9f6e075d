// A polynomial with public coefficients from ONE opening of its operand (spec/protocols.py, powers from one opening;
// spec/refinements.py C, truncation and powers on one opening).
//
// A value v = V - c, with a public V and a mask c of which the dealer shares the powers, has
//     [p(v)] = sum_j (-1)^j p_j(V) [c^j],        p_j = p^(j) / j!
// which is local: one round, and no message but the opening. For v = z >> f on the opening of z, c = r >> f where the
// opening is wide enough for an exact shift, and (r >> f) - 2^(M-f) [msb r] or r >> f by a public bit where it is not
// (truncate.ts): then the dealer shares msb(r) (r >> f)^j as well, in fewer bits. All of it is exact in the ring of the
// result, whatever the powers are: only the result has to fit.

import type { Node } from '../ir/graph';
import type { Joint, Opened } from '../joint';
import type { Value } from '../program';
import { shiftOf } from '../widths';
import { factor } from './activations';
import { type Protocol, shareForm, words } from './protocol';
import { clearRounded } from './rescale';
import { truncation } from './truncate';

function coefficientsOf(node: Node): readonly bigint[] {
  return Array.from(node.attrs.coefficients as BigInt64Array);
}

/** mask, mask^2, ..., mask^count, each times `first` and in `bits` bits. */
export function powersOf(joint: Joint, mask: Value, count: number, bits: number, first?: Value): Value[] {
  if (count === 0) return [];
  const form = { elements: mask.elements, bits };
  const powers: Value[] = [first ?? mask];
  while (powers.length < count)
    powers.push(joint.derive('mulsum', [powers.at(-1) as Value, mask], [1, 1, 0], form));
  return powers;
}

/** [p(z >> f)] in a ring of `to` bits. */
function polynomialOf(
  joint: Joint,
  z: Opened,
  f: number,
  to: number,
  coefficients: readonly bigint[],
): Value {
  const degree = coefficients.length - 1;
  const t = truncation(joint, z, f, to);
  const shares = powersOf(joint, t.highMask, degree, to).map((m) => joint.sharesOf(m));
  // msb(r) (r >> f)^j.
  const wrapped =
    t.top === null
      ? []
      : powersOf(joint, t.highMask, degree, t.top.mask.bits, t.top.mask).map((m) => joint.deal(m));
  return joint.local('polynomial', [z.hat, ...shares, ...wrapped], [...t.attr, degree, ...coefficients], {
    elements: z.hat.elements,
    bits: to,
  });
}

/** p(v) of cleartext integers. */
export function clearPolynomial(joint: Joint, v: Value, coefficients: readonly bigint[]): Value {
  const degree = coefficients.length - 1;
  const form = words(v.elements);
  if (degree === 0) return joint.clear('lincomb', [v], [coefficients[0]!, 0], form);
  return joint.clear('polynomial', [v], [0, 0, 64, degree, ...coefficients], form);
}

export const polynomial: Protocol = {
  name: 'polynomial',
  of: ['polynomial'],
  build: (joint, node, [x], knobs) => {
    const { z, f } = factor(joint, node, joint.open(x!.share), knobs);
    joint.note('powers', `${coefficientsOf(node).length - 1} on one opening`);
    return [polynomialOf(joint, z, f, shareForm(node).bits, coefficientsOf(node))];
  },
  clear: (joint, node, [x], knobs) => {
    const f = shiftOf(node);
    const v = f === 0 ? x!.clear : clearRounded(joint, x!.share, x!.clear, f, knobs);
    return [clearPolynomial(joint, v, coefficientsOf(node))];
  },
};
