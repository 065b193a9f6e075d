// Piecewise linear activations, each from ONE opening of its input: the opening that the sign needs serves the
// product, and the truncation before it (spec/protocols.py P5: relu, truncate_relu).
//
//   relu        keep * (z >> f),                                 keep = [z >= 0]
//   leaky_relu  alpha * (z >> f) + (1 - alpha) * relu(z >> f)
//   clip        lo + [z >= lo] (v - lo) - [z >= hi] (v - hi),    v = z >> f; both comparisons share digits and rounds
//
// The sign is that of the truncated value v itself, so only its bits are compared.

import type { Node } from '../ir/graph';
import type { Joint, Opened } from '../joint';
import type { Value } from '../program';
import { bitToRing, dealtTimesBeta, isNegative, type OpenedBit, openComplement, select } from './compare';
import { type Knobs, numberAttr, type Protocol, RING_BITS, ring } from './protocol';
import { clearTruncated, TRUNCATION_OFFSET, truncated, truncationMaterial } from './truncate';

/** [keep * (z >> f)], for f >= 0. */
function selectTruncated(joint: Joint, bit: OpenedBit, z: Opened, f: number): Value {
  if (f === 0) return select(joint, bit, z);
  const { high, highMask, top, topMask } = truncationMaterial(joint, z, f);
  const betaHigh = dealtTimesBeta(joint, bit, highMask);
  const betaTop = dealtTimesBeta(joint, bit, topMask);
  return joint.local(
    'truncate_select',
    [bit.hat, z.hat, high, top, bit.beta, betaHigh, betaTop],
    [f, TRUNCATION_OFFSET, RING_BITS],
    ring(z.hat.elements),
  );
}

/** Opened bit of (z >> f) - bound >= 0: the f bits that truncation drops need not be compared. */
function notBelow(joint: Joint, z: Opened, knobs: Knobs, f: number, bound = 0n): OpenedBit {
  const offset = -(bound << BigInt(f));
  return openComplement(joint, isNegative(joint, z, { ...knobs.comparison, offset, low: f }), RING_BITS);
}

function shiftOf(node: Node): number {
  return numberAttr(node, 'shift');
}

function clearShifted(joint: Joint, share: Value, clear: Value, f: number): Value {
  return f === 0 ? clear : clearTruncated(joint, share, clear, f);
}

export const relu: Protocol = {
  name: 'relu',
  of: ['relu'],
  build: (joint, node, [x], knobs) => {
    const z = joint.open(x!.share);
    return [selectTruncated(joint, notBelow(joint, z, knobs, shiftOf(node)), z, shiftOf(node))];
  },
  clear: (joint, node, [x]) => {
    const v = clearShifted(joint, x!.share, x!.clear, shiftOf(node));
    return [joint.clear('clear_select', [v], [0, 0, RING_BITS], ring(v.elements))];
  },
};

export const leakyRelu: Protocol = {
  name: 'leaky-relu',
  of: ['leaky_relu'],
  build: (joint, node, [x], knobs) => {
    const f = shiftOf(node);
    const z = joint.open(x!.share);
    const v = f === 0 ? z.share : truncated(joint, z, f);
    const positive = selectTruncated(joint, notBelow(joint, z, knobs, f), z, f);
    return [joint.local('lincomb', [v, positive], [0, ...slopes(node)], ring(v.elements))];
  },
  clear: (joint, node, [x]) => {
    const v = clearShifted(joint, x!.share, x!.clear, shiftOf(node));
    const positive = joint.clear('clear_select', [v], [0, 0, RING_BITS], ring(v.elements));
    return [joint.clear('lincomb', [v, positive], [0, ...slopes(node)], ring(v.elements))];
  },
};

/** alpha and 1 - alpha as integers at alpha's scale. */
function slopes(node: Node): [bigint, bigint] {
  const alpha = BigInt(node.attrs.alpha as number | bigint);
  return [alpha, (1n << BigInt(numberAttr(node, 'alphaScale'))) - alpha];
}

/** A bound of clip as an integer at the output's scale, or null. */
function bound(node: Node, name: 'lo' | 'hi'): bigint | null {
  const v = node.attrs[name];
  return v === null || v === undefined ? null : BigInt(v as number | bigint);
}

export const clip: Protocol = {
  name: 'clip',
  of: ['clip'],
  build: (joint, node, [x], knobs) => {
    const f = shiftOf(node);
    const z = joint.open(x!.share);
    const [lo, hi] = [bound(node, 'lo'), bound(node, 'hi')];
    // [keep * (v - b)] for a bound b: the constant part is the bit itself times b.
    const above = (b: bigint): Value => {
      const bit = notBelow(joint, z, knobs, f, b);
      if (f === 0) return select(joint, bit, z, -b);
      const product = selectTruncated(joint, bit, z, f);
      if (b === 0n) return product;
      return joint.local(
        'lincomb',
        [product, bitToRing(joint, bit, RING_BITS)],
        [0, 1, -b],
        ring(product.elements),
      );
    };
    const rest = lo !== null ? above(lo) : f === 0 ? z.share : truncated(joint, z, f);
    const form = ring(rest.elements);
    if (hi === null) return [joint.local('lincomb', [rest], [lo ?? 0n, 1], form)];
    return [joint.local('lincomb', [rest, above(hi)], [lo ?? 0n, 1, -1], form)];
  },
  clear: (joint, node, [x]) => {
    const f = shiftOf(node);
    const v = clearShifted(joint, x!.share, x!.clear, f);
    const [lo, hi] = [bound(node, 'lo'), bound(node, 'hi')];
    const above = (b: bigint): Value =>
      joint.clear('clear_select', [v], [-b, -b, RING_BITS], ring(v.elements));
    const rest = lo !== null ? above(lo) : v;
    if (hi === null) return [joint.clear('lincomb', [rest], [lo ?? 0n, 1], ring(v.elements))];
    return [joint.clear('lincomb', [rest, above(hi)], [lo ?? 0n, 1, -1], ring(v.elements))];
  },
};
