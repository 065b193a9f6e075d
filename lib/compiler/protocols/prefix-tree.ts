// The shape of a comparison (compare.ts): digits, and the gates that combine their groups (g, p) level by level.
//
// Digits, and the gates of a level, are of nearly equal size: one-hot digits and products of masks grow exponentially
// with it. Larger ones come last, where a digit has the room that a signed one needs and a gate needs no P.

export interface Gate {
  readonly fanin: number;
  readonly needP: boolean;
}

/** Where the (g, p) of each group goes: wire planes from 0, closed top planes from -2 downwards, -1 dropped. */
export interface Routing {
  readonly gates: readonly Gate[];
  readonly dest: readonly { readonly g: number; readonly p: number }[];
  readonly wires: number;
  readonly tops: number;
}

export interface Digit {
  readonly low: number;
  readonly width: number;
}

/** `total` in parts of at most `most`, nearly equal, the larger ones last. */
export function parts(total: number, most: number): number[] {
  const count = Math.ceil(total / most);
  return Array.from(
    { length: count },
    (_, i) => Math.floor(((i + 1) * total) / count) - Math.floor((i * total) / count),
  );
}

/** Digits of at most `leaf` bits of the bits from `first` up to `end`, low to high. */
export function digitsOf(first: number, end: number, leaf: number): Digit[] {
  let low = first;
  return parts(end - first, leaf).map((width) => {
    low += width;
    return { low: low - width, width };
  });
}

/** The highest digit is compared as a signed one; it gets four bits, so that it loses only an eighth of the range. */
const SIGNED_TOP = 4;

export function signedDigitsOf(first: number, end: number, leaf: number): Digit[] {
  const digits = digitsOf(first, end, leaf);
  const top = Math.min(SIGNED_TOP, end - first);
  if ((digits.at(-1) as Digit).width >= top) return digits;
  return [...digitsOf(first, end - top, leaf), { low: end - top, width: top }];
}

/** Splits groups (high to low) into gates. */
function route(groups: number, fanin: number): Routing {
  const gates: Gate[] = [];
  const dest: { g: number; p: number }[] = [];
  let wires = 0;
  let tops = 0;
  const sizes = parts(groups, fanin);
  for (const [k, d] of sizes.entries()) {
    const needP = k + 1 < sizes.length;
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

/** The one group that is left needs no gate: its g is the result. */
const RESULT: Routing = { gates: [], dest: [{ g: -2, p: -1 }], wires: 0, tops: 1 };

/** All of the groups that are left become wires: p0, p1, ..., g0, g1, ... */
function allWires(groups: number): Routing {
  const dest = Array.from({ length: groups }, (_, i) => ({ g: groups - 1 + i, p: i < groups - 1 ? i : -1 }));
  return { gates: [], dest, wires: 2 * groups - 1, tops: 0 };
}

/** Levels of gates down to one group, and where that goes. */
export function treeToOne(groups: number, fanin: number): Routing[] {
  return [...levels(groups, fanin, 1), RESULT];
}

/** Levels of gates down to at most `last` groups, which become wires. */
export function treeToWires(groups: number, fanin: number, last: number): Routing[] {
  const down = levels(groups, fanin, last);
  return [...down, allWires(down.at(-1)?.gates.length ?? groups)];
}

function levels(groups: number, fanin: number, most: number): Routing[] {
  const list: Routing[] = [];
  for (let left = groups; left > most; left = (list.at(-1) as Routing).gates.length)
    list.push(route(left, fanin));
  return list;
}

/** Products of mask bits a gate needs: over p-wires, and over p-wires and one g. */
export function monomials(gate: Gate): number {
  const p = gate.fanin - 1 + (gate.needP ? 1 : 0);
  if (gate.fanin === 1) return 0;
  return 2 ** p - 1 - p + (2 ** gate.fanin - 1 - gate.fanin);
}

/** Products of mask bits that the last gate, of `groups` groups, needs in the ring (native/cpu/last_gate.hpp). */
export function ringMonomials(groups: number): number {
  return 3 * 2 ** (groups - 1) - 2;
}
