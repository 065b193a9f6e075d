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
import { type Knobs, numberAttr, type Protocol, ringBits, shareForm, words } from './protocol';
import { clearTruncated, truncated, truncation } from './truncate';

/** [keep * ((z >> f) + c)] in a ring of `to` bits, for f >= 0, where keep is the complement of a sign. */
function selectTruncated(joint: Joint, sign: OpenedSign, z: Opened, f: number, to: number, c = 0n): Value {
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
      dealtMonomials(joint, sign, to),
      dealtMonomials(joint, sign, to, highMask),
      top
        ? dealtMonomials(joint, sign, top.mask.bits, top.mask)
        : zero(elements * ringMonomials(sign.groups)),
    ],
    [...attr, sign.groups, c],
    { elements, bits: to },
  );
}

/** Sign of (z >> f) - bound: the f bits that truncation drops need not be compared. */
function below(joint: Joint, node: Node, z: Opened, knobs: Knobs, bound = 0n): OpenedSign {
  const f = shiftOf(node);
  const compared = { offset: -(bound << BigInt(f)), low: f, bits: Math.min(comparedBits(node), z.hat.bits) };
  return openSign(joint, z, { ...knobs.comparison, ...compared });
}

function clearShifted(joint: Joint, share: Value, clear: Value, f: number): Value {
  return f === 0 ? clear : clearTruncated(joint, share, clear, f);
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
    return [selectTruncated(joint, below(joint, node, z, knobs), z, shiftOf(node), ringBits(node))];
  },
  clear: (joint, node, [x]) => {
    const v = clearShifted(joint, x!.share, x!.clear, shiftOf(node));
    return [clearPositive(joint, v)];
  },
};

export const leakyRelu: Protocol = {
  name: 'leaky-relu',
  of: ['leaky_relu'],
  build: (joint, node, [x], knobs) => {
    const f = shiftOf(node);
    const z = joint.open(x!.share);
    const to = ringBits(node);
    const v = f === 0 ? z.share : truncated(joint, z, f, to);
    const positive = selectTruncated(joint, below(joint, node, z, knobs), z, f, to);
    return [joint.local('lincomb', [v, positive], [0, ...slopes(node)], shareForm(node))];
  },
  clear: (joint, node, [x]) => {
    const v = clearShifted(joint, x!.share, x!.clear, shiftOf(node));
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

export const clip: Protocol = {
  name: 'clip',
  of: ['clip'],
  build: (joint, node, [x], knobs) => {
    const f = shiftOf(node);
    const z = joint.open(x!.share);
    const form = shareForm(node);
    const [lo, hi] = [bound(node, 'lo'), bound(node, 'hi')];
    // [keep * (v - b)] for a bound b.
    const above = (b: bigint): Value =>
      selectTruncated(joint, below(joint, node, z, knobs, b), z, f, form.bits, -b);
    const rest = lo !== null ? above(lo) : f === 0 ? z.share : truncated(joint, z, f, form.bits);
    if (hi === null) return [joint.local('lincomb', [rest], [lo ?? 0n, 1], form)];
    return [joint.local('lincomb', [rest, above(hi)], [lo ?? 0n, 1, -1], form)];
  },
  clear: (joint, node, [x]) => {
    const f = shiftOf(node);
    const v = clearShifted(joint, x!.share, x!.clear, f);
    const [lo, hi] = [bound(node, 'lo'), bound(node, 'hi')];
    const form = words(v.elements);
    const above = (b: bigint): Value => joint.clear('clear_select', [v], [-b, -b, form.bits], form);
    const rest = lo !== null ? above(lo) : v;
    if (hi === null) return [joint.clear('lincomb', [rest], [lo ?? 0n, 1], form)];
    return [joint.clear('lincomb', [rest, above(hi)], [lo ?? 0n, 1, -1], form)];
  },
};
