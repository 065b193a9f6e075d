// The sign of a shared value from its opening (spec/protocols.py P4), and the product of its complement with a value.
//
// x^ = x + r mod 2^m is public and the dealer knows r, |x + t| < 2^(m-1). With c = x^ + t, x + t is negative exactly
// when msb(c) ^ msb(r) ^ (c mod 2^(m-1) < r mod 2^(m-1)). The dealer shares every digit of r one-hot, so "digit of c
// below digit of r" (g) and "equal" (p) are XORs of its entries that cost no message; a tree of gates combines them,
//     G = g0 ^ p0 g1 ^ p0 p1 g2 ^ ... ,  P = p0 p1 p2 ... ,  high digits first,
// one round a level: each wire is opened under a mask bit and the dealer shares the products of the mask bits. The
// top g of a gate is never multiplied and stays closed. Wider digits and gates trade rounds for material.
//
// Where room is left in the range, the highest digit is compared as a signed one instead, and G is the sign itself
// (native/cpu/leaf.cpp). Then the last gate can be fused with the product (spec/refinements.py B): at most one of g0,
// p0 g1, p0 p1 g2, ... is 1, so their sum is an integer; the dealer shares the products of the mask bits in the ring,
// plain and times the mask of the value, and the gate gives the product without opening the sign.

import type { Joint, Opened } from '../joint';
import type { Value } from '../program';
import {
  type Digit,
  digitsOf,
  monomials,
  type Routing,
  ringMonomials,
  signedDigitsOf,
  treeToOne,
  treeToWires,
} from './prefix-tree';
import type { ComparisonKnobs } from './protocol';

/** Which bits of x + offset are compared: those from `low` up to `bits`. */
export interface Compared {
  readonly bits?: number;
  readonly offset?: bigint;
  readonly low?: number;
}

/** In the place of the sign's bit: the last digit is signed (native/cpu/leaf.cpp). */
const SIGNED = -2;

interface Reduced {
  readonly wires: Value | null;
  readonly tops: Value | null;
  readonly sign: Value | null;
}

/**
 * Digits of x^ against those of the mask, and levels of gates until the last routing is reached. The lowest `skipped`
 * digits are left out: comparisons of different bits then share one deal of digits. Where there are many of those, digits are
 * `expanded` once, ahead.
 */
function reduce(
  joint: Joint,
  x: Opened,
  digits: readonly Digit[],
  levels: readonly Routing[],
  offset: bigint,
  signBit: number,
  skipped = 0,
  expanded = false,
): Reduced {
  const elements = x.hat.elements;
  const signPlanes = signBit >= 0 ? 1 : 0;
  const flat = digits.flatMap((d) => [d.low, d.width]);
  const planes = digits.reduce((sum, d) => sum + 2 ** d.width - 1, signPlanes);
  const dealt = joint.deal(
    joint.derive('digits', [x.mask], [digits.length, ...flat, Math.max(signBit, -1)], { elements, planes }),
  );
  const oneHot = expanded ? joint.inMemory(dealt) : dealt;

  const first = levels[0] as Routing;
  const dest = [...first.dest].reverse();
  const leafAttr = digits.flatMap((d, i) => {
    const { g, p } = dest[i - skipped] ?? { g: -1, p: -1 };
    return [d.low, d.width, g, p];
  });
  let [wires, tops, sign] = joint.locals(
    'leaf',
    [x.hat, oneHot],
    [offset, digits.length, ...leafAttr, signBit],
    [plane(elements, first.wires), plane(elements, first.tops), plane(elements, signPlanes)],
  ) as [Value | null, Value | null, Value | null];

  for (const [i, { gates }] of levels.slice(0, -1).entries()) {
    const next = levels[i + 1] as Routing;
    const opened = joint.open(wires as Value);
    const shape = gates.flatMap((g) => [g.fanin, g.needP ? 1 : 0]);
    const count = gates.reduce((sum, g) => sum + monomials(g), 0);
    const products = joint.deal(
      joint.derive('monomials', [opened.mask], [gates.length, ...shape], { elements, planes: count }),
    );
    const attr = gates.flatMap((g, k) => [
      g.fanin,
      g.needP ? 1 : 0,
      next.dest[k]?.g as number,
      next.dest[k]?.p as number,
    ]);
    [wires, tops] = joint.locals(
      'gate',
      [opened.hat, joint.sharesOf(opened.mask), products, tops as Value],
      [gates.length, ...attr],
      [plane(elements, next.wires), plane(elements, next.tops)],
    ) as [Value | null, Value | null];
  }
  return { wires, tops, sign };
}

/** For reports: `4-bit digits in gates of 4`. */
function formOf({ leaf, fanin }: ComparisonKnobs, fused: number): string {
  return `${leaf}-bit digits in gates of ${fanin}${fused > 1 ? ` and a fused one of ${fused}` : ''}`;
}

function plane(elements: number, planes: number): { elements: number; planes: number } | null {
  return planes === 0 ? null : { elements, planes };
}

/**
 * <x + t < 0> as one XOR-shared bit plane. `bits`: compared width m, at most that of the opening; needs
 * |x + t| < 2^(m-1). `low` bits are left out: then it is the sign of ((x + t) >> low) + carry, the carry of the masked
 * low bits, which is the sign of x + t truncated on the same opening. Rounds: one per level of gates; several comparisons on one opening share digits and rounds.
 */
export function isNegative(joint: Joint, x: Opened, knobs: ComparisonKnobs & Compared): Value {
  joint.note('comparison', formOf(knobs, 1));
  const m = knobs.bits ?? x.hat.bits;
  const digits = digitsOf(knobs.low ?? 0, m - 1, knobs.leaf);
  const levels = treeToOne(digits.length, knobs.fanin);
  const { tops, sign } = reduce(joint, x, digits, levels, knobs.offset ?? 0n, m - 1);
  return joint.local('xor', [tops as Value, sign as Value], [0], { elements: x.hat.elements, planes: 1 });
}

/** The sign of x + t as the opened wires of a last gate. */
export interface OpenedSign {
  readonly groups: number;
  readonly wires: Opened;
}

/**
 * The same sign, up to the last gate: at most `knobs.fused` groups, opened in one more round. Needs
 * -(2^(m-1)) <= x + t < 7/8 * 2^(m-1), in units of 2^low and after the carry.
 */
export function openSign(joint: Joint, x: Opened, knobs: ComparisonKnobs & Compared): OpenedSign {
  const digits = signedDigitsOf(knobs.low ?? 0, knobs.bits ?? x.hat.bits, knobs.leaf);
  return openSignFrom(joint, x, digits, 0, knobs);
}

/** The same of the digits from the `skipped`-th on: in units of 2^low for the low bit of that one. */
export function openSignFrom(
  joint: Joint,
  x: Opened,
  digits: readonly Digit[],
  skipped: number,
  knobs: ComparisonKnobs & Pick<Compared, 'offset'> & { readonly expanded?: boolean },
): OpenedSign {
  const levels = treeToWires(digits.length - skipped, knobs.fanin, knobs.fused ?? 1);
  const groups = ((levels.at(-1) as Routing).wires + 1) / 2;
  joint.note('comparison', formOf(knobs, groups));
  const { wires } = reduce(joint, x, digits, levels, knobs.offset ?? 0n, SIGNED, skipped, knobs.expanded);
  return { groups, wires: joint.open(wires as Value) };
}

/** Shares of the products of the masks of a last gate's wires, times a mask if one is given, in a ring of `bits`. */
export function dealtMonomials(joint: Joint, sign: OpenedSign, bits: number, times?: Value): Value {
  const { groups, wires } = sign;
  const ins = times === undefined ? [wires.mask] : [wires.mask, times];
  const elements = wires.hat.elements * ringMonomials(groups);
  return joint.deal(joint.derive('ring_monomials', ins, [groups], { elements, bits }));
}

/** [1 - G] for the sign G, in a ring of `bits`. */
export function keepOne(joint: Joint, sign: OpenedSign, bits: number): Value {
  const { elements } = sign.wires.hat;
  const zero = (count: number): Value => joint.zero({ elements: count, bits });
  const none = zero(elements * ringMonomials(sign.groups));
  const [x, products] = [zero(elements), dealtMonomials(joint, sign, bits)];
  const ins = [sign.wires.hat, x, x, x, products, none, none];
  return joint.local('truncate_select', ins, [0, 0, bits, sign.groups, 1], { elements, bits });
}

/** A shared bit opened under a mask bit beta: what multiplying by it takes (spec/protocols.py P5). */
export interface OpenedBit {
  readonly hat: Value;
  /** Shares of beta in the ring, and beta itself at the dealer. */
  readonly beta: Value;
  readonly betaMask: Value;
}

/** Opens a shared bit under beta; products with it are in a ring of `bits`. One round, one bit. */
export function openBit(joint: Joint, keep: Value, bits: number): OpenedBit {
  const opened = joint.open(keep);
  const betaMask = joint.derive('bits_to_ring', [opened.mask], [], { elements: keep.elements, bits });
  return { hat: opened.hat, beta: joint.deal(betaMask), betaMask };
}

/** Opens the complement of a shared bit: 1 where the compared value is not negative. */
export function openComplement(joint: Joint, negative: Value, bits: number): OpenedBit {
  return openBit(
    joint,
    joint.local('xor', [negative], [1], { elements: negative.elements, planes: 1 }),
    bits,
  );
}

/** Shares of beta times a mask. */
export function dealtTimesBeta(joint: Joint, bit: OpenedBit, mask: Value): Value {
  const form = { elements: mask.elements, bits: Math.min(mask.bits, bit.beta.bits) };
  return joint.deal(joint.derive('mulsum', [bit.betaMask, mask], [1, 1, 0], form));
}

/** [keep * (x + c)] in a ring of `bits`, from the opening of x: the opening that the sign used serves the product. */
export function select(joint: Joint, bit: OpenedBit, x: Opened, bits: number, c = 0n): Value {
  const betaR = dealtTimesBeta(joint, bit, x.mask);
  const form = { elements: x.share.elements, bits };
  return joint.local('select', [bit.hat, x.share, x.hat, bit.beta, betaR], [c], form);
}

/** [keep] as a ring value. */
export function bitToRing(joint: Joint, bit: OpenedBit, bits: number): Value {
  const elements = bit.hat.elements;
  const zero = joint.zero({ elements, bits });
  return joint.local('select', [bit.hat, zero, zero, bit.beta, zero], [1], { elements, bits });
}
