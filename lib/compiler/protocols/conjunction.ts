// Products of shared bits: every bit is opened once under a mask bit, whatever number of products it is a factor of, and
// the dealer shares the products of the mask bits (spec/protocols.py P4: product). One round for up to eight factors,
// two for up to 64, and so on, with as few factors a gate as that number of rounds allows.

import type { Joint } from '../joint';
import type { Value } from '../program';
import { parts } from './prefix-tree';

/** Factors of one gate: a gate of d takes 2^d - 1 - d shared products of masks. */
const MOST_FACTORS = 8;

/** Factors that a gate takes at once, for `factors` of them in as few rounds as possible. */
function fanIn(factors: number): number {
  let rounds = 1;
  while (MOST_FACTORS ** rounds < factors) rounds++;
  let most = 2;
  while (most ** rounds < factors) most++;
  return most;
}

/** Factor of a gate: a plane of the shared bits, or its complement. */
export interface Factor {
  readonly wire: number;
  readonly complemented: boolean;
}

/** A list in as few pieces as `most` allows, of nearly equal lengths. */
function split<T>(list: readonly T[], most: number): T[][] {
  let end = 0;
  return parts(list.length, most).map((length) => {
    end += length;
    return list.slice(end - length, end);
  });
}

/** One plane per gate: <product of its factors>, from planes of shared bits. Each gate has at least one factor. */
export function conjunctions(joint: Joint, bits: Value, gates: readonly (readonly Factor[])[]): Value {
  const most = fanIn(Math.max(...gates.map((gate) => gate.length)));
  const pieces = gates.map((gate) => split(gate, most));
  const flat = pieces.flat();
  const attr = [
    bits.planes,
    flat.length,
    ...flat.flatMap((part) => [part.length, ...part.map((f) => 2 * f.wire + (f.complemented ? 1 : 0))]),
  ];
  const { elements } = bits;
  const opened = joint.open(bits);
  const planes = flat.reduce((sum, part) => sum + 2 ** part.length - 1 - part.length, 0);
  // Without a product of two factors there is nothing to deal.
  const products =
    planes === 0
      ? joint.sharesOf(opened.mask)
      : joint.deal(joint.derive('conjunction_masks', [opened.mask], attr, { elements, planes }));
  const result = joint.local('conjunction', [opened.hat, joint.sharesOf(opened.mask), products], attr, {
    elements,
    planes: flat.length,
  });
  if (flat.length === gates.length) return result;
  let wire = 0;
  const next = pieces.map((list) => list.map((): Factor => ({ wire: wire++, complemented: false })));
  return conjunctions(joint, result, next);
}

/** The same bits in the same order as `planes` planes. */
export function inPlanes(joint: Joint, bits: Value, planes: number): Value {
  if (planes === bits.planes) return bits;
  return joint.local('reshape_planes', [bits], [], {
    elements: (bits.planes * bits.elements) / planes,
    planes,
  });
}
