// Piecewise linear activations, each from ONE opening of its input: the opening that the sign needs serves the
// product, and the truncation before it (spec/protocols.py P5: relu, truncate_relu).
//
//   relu        keep * (z >> f),                                 keep = [z >= 0]
//   leaky_relu  alpha * (z >> f) + (1 - alpha) * relu(z >> f)
//   clip        lo + [z >= lo] (v - lo) - [z >= hi] (v - hi),    v = z >> f; both comparisons share digits and rounds
//
// The sign is that of the truncated value v itself, so only its bits are compared. Where bits are opened at full width,
// |z| < 2^62; and |z| + |b| 2^f < 7/8 * 2^63 for a bound b of clip.

import type { Node } from '../ir/graph';
import type { Joint, Opened } from '../joint';
import type { Value } from '../program';
import { comparedBits, shiftOf } from '../widths';
import { dealtMonomials, type OpenedSign, openSign } from './compare';
import { ringMonomials } from './prefix-tree';
import { type Knobs, numberAttr, type Protocol, ringBits, shareForm, type Twin, words } from './protocol';
import { clearRounded, rounded } from './rescale';
import { truncation } from './truncate';

/**
 * [keep * ((z >> f) + c)] in a ring of `to` bits, for f >= 0, where keep is the complement of a sign. `plain`: the ring
 * that the sign's own products are dealt in, for who needs them in a wider one.
 */
export function selectTruncated(
  joint: Joint,
  sign: OpenedSign,
  z: Opened,
  f: number,
  to: number,
  c = 0n,
  plain: number = to,
): Value {
  const { high, highMask, top, attr } = truncation(joint, z, f, to);
  const elements = z.hat.elements;
  const zero = (count: number): Value => joint.zero({ elements: count, bits: to });
  return joint.local(
    'truncate_select',
    [
      sign.wires.hat,
      z.hat,
      high,
      top?.share ?? zero(elements),
      dealtMonomials(joint, sign, plain),
      dealtMonomials(joint, sign, to, highMask),
      top
        ? dealtMonomials(joint, sign, top.mask.bits, top.mask)
        : zero(elements * ringMonomials(sign.groups)),
    ],
    [...attr, sign.groups, c],
    { elements, bits: to },
  );
}

/** What is multiplied or raised to powers: z, to be truncated on its opening, or where it is rounded downwards v itself. */
export function factor(joint: Joint, node: Node, z: Opened, knobs: Knobs): { z: Opened; f: number } {
  const f = shiftOf(node);
  if (f === 0 || knobs.truncation === 'coin') return { z, f };
  return { z: joint.open(rounded(joint, z, f, ringBits(node), knobs)), f: 0 };
}

/** Sign of (z >> f) - bound. Of a value rounded by its mask, the f bits that truncation drops are not compared. */
export function signOf(joint: Joint, node: Node, z: Opened, knobs: Knobs, bound = 0n): OpenedSign {
  const f = shiftOf(node);
  const low = knobs.truncation === 'coin' ? f : 0;
  const compared = { offset: -(bound << BigInt(f)), low, bits: Math.min(comparedBits(node), z.hat.bits) };
  return openSign(joint, z, { ...knobs.comparison, ...compared });
}

function clearShifted(joint: Joint, x: Twin, node: Node, knobs: Knobs): Value {
  const f = shiftOf(node);
  return f === 0 ? x.clear : clearRounded(joint, x.share, x.clear, f, knobs);
}

/** max(v, 0) of a cleartext twin. */
function clearPositive(joint: Joint, v: Value): Value {
  const form = words(v.elements);
  return joint.clear('clear_select', [v], [0, 0, form.bits], form);
}

export const relu: Protocol = {
  name: 'relu',
  of: ['relu'],
  build: (joint, node, [x], knobs) => {
    const z = joint.open(x!.share);
    const sign = signOf(joint, node, z, knobs);
    const v = factor(joint, node, z, knobs);
    return [selectTruncated(joint, sign, v.z, v.f, ringBits(node))];
  },
  clear: (joint, node, [x], knobs) => {
    const v = clearShifted(joint, x!, node, knobs);
    return [clearPositive(joint, v)];
  },
};

export const leakyRelu: Protocol = {
  name: 'leaky-relu',
  of: ['leaky_relu'],
  build: (joint, node, [x], knobs) => {
    const z = joint.open(x!.share);
    const to = ringBits(node);
    const { z: opened, f } = factor(joint, node, z, knobs);
    const v = f === 0 ? opened.share : rounded(joint, opened, f, to, knobs);
    const positive = selectTruncated(joint, signOf(joint, node, z, knobs), opened, f, to);
    return [joint.local('lincomb', [v, positive], [0, ...slopes(node)], shareForm(node))];
  },
  clear: (joint, node, [x], knobs) => {
    const v = clearShifted(joint, x!, node, knobs);
    return [joint.clear('lincomb', [v, clearPositive(joint, v)], [0, ...slopes(node)], words(v.elements))];
  },
};

/** alpha and 1 - alpha as integers at alpha's scale. */
function slopes(node: Node): [bigint, bigint] {
  const alpha = BigInt(node.attrs.alpha as number | bigint);
  return [alpha, (1n << BigInt(numberAttr(node, 'alphaScale'))) - alpha];
}

/** A bound of clip as an integer at the output's scale, or null. One that no |z| < 2^62 reaches is none. */
function bound(node: Node, name: 'lo' | 'hi'): bigint | null {
  const v = node.attrs[name];
  if (v === null || v === undefined) return null;
  const b = BigInt(v as number | bigint);
  return (name === 'lo' ? -b : b) >> BigInt(62 - shiftOf(node)) > 0n ? null : b;
}

/** Products of values beyond a bound, by what they are of: one in a wider ring serves narrower results. */
const parts = new WeakMap<Value, Map<string, Value>>();

/** [keep * (v - b)] for v = z >> f, in a ring of at least `to` bits. */
function beyond(joint: Joint, sign: OpenedSign, z: Opened, f: number, to: number, b: bigint): Value {
  const known = parts.get(sign.wires.hat) ?? new Map<string, Value>();
  const key = `${z.hat.id} ${f} ${b}`;
  const before = known.get(key);
  if (before !== undefined && before.bits >= to) return before;
  const made = selectTruncated(joint, sign, z, f, to, -b);
  parts.set(sign.wires.hat, known.set(key, made));
  return made;
}

export const clip: Protocol = {
  name: 'clip',
  of: ['clip'],
  build: (joint, node, [x], knobs) => {
    const z = joint.open(x!.share);
    const { z: opened, f } = factor(joint, node, z, knobs);
    const form = shareForm(node);
    const [lo, hi] = [bound(node, 'lo'), bound(node, 'hi')];
    const above = (b: bigint): Value =>
      beyond(joint, signOf(joint, node, z, knobs, b), opened, f, form.bits, b);
    const rest =
      lo !== null ? above(lo) : f === 0 ? opened.share : rounded(joint, opened, f, form.bits, knobs);
    if (hi === null) return [joint.local('lincomb', [rest], [lo ?? 0n, 1], form)];
    return [joint.local('lincomb', [rest, above(hi)], [lo ?? 0n, 1, -1], form)];
  },
  clear: (joint, node, [x], knobs) => {
    const v = clearShifted(joint, x!, node, knobs);
    const [lo, hi] = [bound(node, 'lo'), bound(node, 'hi')];
    const form = words(v.elements);
    const above = (b: bigint): Value => joint.clear('clear_select', [v], [-b, -b, form.bits], form);
    const rest = lo !== null ? above(lo) : v;
    if (hi === null) return [joint.clear('lincomb', [rest], [lo ?? 0n, 1], form)];
    return [joint.clear('lincomb', [rest, above(hi)], [lo ?? 0n, 1, -1], form)];
  },
};
