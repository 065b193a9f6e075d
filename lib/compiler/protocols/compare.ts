// The sign of a shared value from its opening (spec/protocols.py P4).
//
// x^ = x + r mod 2^m is public and the dealer knows r, |x + t| < 2^(m-1). With c = x^ + t, x + t is negative exactly
// when msb(c) ^ msb(r) ^ (c mod 2^(m-1) < r mod 2^(m-1)). The dealer shares every digit of r one-hot, so "digit of c
// below digit of r" (g) and "equal" (p) are XORs of its entries that cost no message; a tree of gates combines them,
//     G = g0 ^ p0 g1 ^ p0 p1 g2 ^ ... ,  P = p0 p1 p2 ... ,  high digits first,
// one round a level: each wire is opened under a mask bit and the dealer shares the products of the mask bits. The
// top g of a gate is never multiplied and stays closed. Wider digits and gates trade rounds for material.

import type { Joint, Opened } from '../joint';
import type { Value } from '../program';
import type { ComparisonKnobs } from './protocol';

interface Gate {
  readonly fanin: number;
  readonly needP: boolean;
}

/** Where the (g, p) of each group goes: wire planes from 0, closed top planes from -2 downwards, -1 dropped. */
interface Routing {
  readonly gates: readonly Gate[];
  readonly dest: readonly { readonly g: number; readonly p: number }[];
  readonly wires: number;
  readonly tops: number;
}

/** Splits groups (high to low) into gates. A single remaining group needs no gate: its g is the result. */
function route(groups: number, fanin: number): Routing {
  if (groups === 1) return { gates: [], dest: [{ g: -2, p: -1 }], wires: 0, tops: 1 };
  const gates: Gate[] = [];
  const dest: { g: number; p: number }[] = [];
  let wires = 0;
  let tops = 0;
  for (let first = 0; first < groups; first += fanin) {
    const d = Math.min(fanin, groups - first);
    const needP = first + d < groups;
    gates.push({ fanin: d, needP });
    const top = -2 - tops++;
    if (d === 1) {
      dest.push({ g: top, p: needP ? -2 - tops++ : -1 });
      continue;
    }
    const p = d - 1 + (needP ? 1 : 0);
    for (let i = 0; i < d; i++)
      dest.push({ g: i === 0 ? top : wires + p + i - 1, p: i < p ? wires + i : -1 });
    wires += p + d - 1;
  }
  return { gates, dest, wires, tops };
}

/** Products of mask bits a gate needs: over p-wires, and over p-wires and one g. */
function monomials(gate: Gate): number {
  const p = gate.fanin - 1 + (gate.needP ? 1 : 0);
  if (gate.fanin === 1) return 0;
  return 2 ** p - 1 - p + (2 ** gate.fanin - 1 - gate.fanin);
}

/** Digits of the bits from `first` up to `end`, low to high. */
function digitsOf(first: number, end: number, leaf: number): { low: number; width: number }[] {
  const digits: { low: number; width: number }[] = [];
  for (let low = first; low < end; low += leaf) digits.push({ low, width: Math.min(leaf, end - low) });
  return digits;
}

/**
 * <x + t < 0> as one XOR-shared bit plane. `bits`: compared width m, at most that of the opening; needs
 * |x + t| < 2^(m-1). `low` bits are left out: then it is the sign of ((x + t) >> low) + carry, the carry of the masked
 * low bits, which is the sign of x + t truncated on the same opening. Rounds: one per level of gates; several comparisons on one opening share digits and rounds.
 */
export function isNegative(
  joint: Joint,
  x: Opened,
  knobs: ComparisonKnobs & { bits?: number; offset?: bigint; low?: number },
): Value {
  const m = knobs.bits ?? x.hat.bits;
  const elements = x.hat.elements;
  const digits = digitsOf(knobs.low ?? 0, m - 1, knobs.leaf);
  const flat = digits.flatMap((d) => [d.low, d.width]);
  const planes = digits.reduce((sum, d) => sum + 2 ** d.width - 1, 1);
  const oneHot = joint.deal(
    joint.derive('digits', [x.mask], [digits.length, ...flat, m - 1], { elements, planes }),
  );

  let routing = route(digits.length, knobs.fanin);
  const dest = [...routing.dest].reverse();
  const leafAttr = digits.flatMap((d, i) => [d.low, d.width, dest[i]?.g as number, dest[i]?.p as number]);
  let [wires, tops, sign] = joint.locals(
    'leaf',
    [x.hat, oneHot],
    [knobs.offset ?? 0, digits.length, ...leafAttr, m - 1],
    [plane(elements, routing.wires), plane(elements, routing.tops), plane(elements, 1)],
  ) as [Value | null, Value, Value];

  while (routing.gates.length > 0) {
    const next = route(routing.gates.length, knobs.fanin);
    const opened = joint.open(wires as Value);
    const shape = routing.gates.flatMap((g) => [g.fanin, g.needP ? 1 : 0]);
    const count = routing.gates.reduce((sum, g) => sum + monomials(g), 0);
    const products = joint.deal(
      joint.derive('monomials', [opened.mask], [routing.gates.length, ...shape], { elements, planes: count }),
    );
    const attr = routing.gates.flatMap((g, i) => [
      g.fanin,
      g.needP ? 1 : 0,
      next.dest[i]?.g as number,
      next.dest[i]?.p as number,
    ]);
    [wires, tops] = joint.locals(
      'gate',
      [opened.hat, joint.sharesOf(opened.mask), products, tops],
      [routing.gates.length, ...attr],
      [plane(elements, next.wires), plane(elements, next.tops)],
    ) as [Value | null, Value];
    routing = next;
  }
  return joint.local('xor', [tops, sign], [0], { elements, planes: 1 });
}

function plane(elements: number, planes: number): { elements: number; planes: number } | null {
  return planes === 0 ? null : { elements, planes };
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
