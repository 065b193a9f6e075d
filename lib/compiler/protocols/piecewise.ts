// A piecewise polynomial with public coefficients from ONE opening of its operand: powers as in polynomial.ts, and all of its
// thresholds compared at once.
//
// With [v >= t] = 1 - G for the sign G of v - t,
//     p(v) = p_0(v) + sum over i of (1 - G_i) (p_i - p_(i-1))(v),
// and the last gate of a comparison is fused with every power of the mask as relu's is with the truncated value
// (compare.ts): the dealer shares the products of its wires' masks, plain and times the powers. So it takes the rounds of a
// comparison with its product, three where one level of gates does, and no opening of its own but the gates'. Where a
// polynomial is not selected it may be anything: it is multiplied by 0 in the ring.

import type { Node } from '../ir/graph';
import type { Joint, Opened } from '../joint';
import type { Value } from '../program';
import { factor, signOf } from './activations';
import { dealtMonomials } from './compare';
import { clearPolynomial, powersOf } from './polynomial';
import { type Knobs, numberAttr, type Protocol, shareForm, words } from './protocol';
import { clearRounded } from './rescale';
import { truncation } from './truncate';

interface Pieces {
  readonly thresholds: readonly bigint[];
  /** The lowest piece, and what every next one is more than the one below it, without leading zeros. */
  readonly steps: readonly (readonly bigint[])[];
}

function piecesOf(node: Node): Pieces {
  const thresholds = Array.from(node.attrs.thresholds as BigInt64Array);
  const terms = numberAttr(node, 'degree') + 1;
  const all = Array.from(node.attrs.coefficients as BigInt64Array);
  const steps = [...thresholds, 0n].map((_, i) => {
    const own = all.slice(i * terms, (i + 1) * terms);
    const step = own.map((c, k) => BigInt.asIntN(64, i === 0 ? c : c - all[(i - 1) * terms + k]!));
    return step.slice(0, Math.max(1, step.findLastIndex((c) => c !== 0n) + 1));
  });
  return { thresholds, steps };
}

/** Masks rho, ..., rho^d and tau, ..., tau rho^(d-1) of a truncation (truncate.ts), as far as they are needed. */
function powersOn(
  joint: Joint,
  z: Opened,
  f: number,
  to: number,
  degree: number,
): { powers: Value[]; wrapped: Value[]; attr: readonly (number | bigint)[] } {
  if (degree === 0) return { powers: [], wrapped: [], attr: [0, 0, z.hat.bits] };
  const { highMask, top, attr } = truncation(joint, z, f, to);
  const powers = powersOf(joint, highMask, degree, to);
  return { powers, wrapped: top ? powersOf(joint, highMask, degree, top.mask.bits, top.mask) : [], attr };
}

function build(joint: Joint, node: Node, z: Opened, knobs: Knobs): Value {
  const { thresholds, steps } = piecesOf(node);
  const form = shareForm(node);
  const signs = thresholds.map((t) => signOf(joint, node, z, knobs, t));
  const { z: opened, f } = factor(joint, node, z, knobs);
  const degree = Math.max(...steps.map((s) => s.length)) - 1;
  joint.note('powers', `${degree} on one opening, in ${steps.length} intervals`);
  const { powers, wrapped, attr } = powersOn(joint, opened, f, form.bits, degree);
  const kept = signs.flatMap((sign, i) => {
    const own = steps[i + 1]!.length - 1;
    const masks = [...powers.slice(0, own), ...wrapped.slice(0, own)];
    const products = masks.map((m) => dealtMonomials(joint, sign, m.bits, m));
    return [sign.wires.hat, dealtMonomials(joint, sign, form.bits), ...products];
  });
  const shares = [...powers.map((m) => joint.sharesOf(m)), ...wrapped.map((m) => joint.deal(m))];
  const lists = steps.flatMap((s) => [s.length - 1, ...s]);
  const all = [...attr, degree, signs[0]!.groups, thresholds.length, ...lists];
  return joint.local('piecewise', [opened.hat, ...shares, ...kept], all, form);
}

export const piecewise: Protocol = {
  name: 'piecewise',
  of: ['piecewise'],
  build: (joint, node, [x], knobs) => [build(joint, node, joint.open(x!.share), knobs)],
  clear: (joint, node, [x], knobs) => {
    const f = numberAttr(node, 'shift');
    const v = f === 0 ? x!.clear : clearRounded(joint, x!.share, x!.clear, f, knobs);
    const { thresholds, steps } = piecesOf(node);
    const form = words(v.elements);
    const [lowest, ...others] = steps.map((s) => clearPolynomial(joint, v, s)) as [Value, ...Value[]];
    const kept = others.map((step, i) =>
      joint.clear('clear_select', [v, step], [-thresholds[i]!, 0, form.bits], form),
    );
    return [joint.clear('lincomb', [lowest, ...kept], [0, 1, ...kept.map(() => 1)], form)];
  },
};
