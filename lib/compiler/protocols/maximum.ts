// Maximum over windows and argument of the maximum over an axis, in levels of comparisons (spec/protocols.py P4, P5,
// spec/refinements.py G).
//
//   tournament   a level compares neighbours (a, b) at once: keep = [a >= b] from the opening of a - b, then
//                b + keep (a - b), which the same opening serves: log2 k levels of few comparisons
//   all pairs    one level compares every pair: the k openings serve all k (k - 1) / 2 of them; one gate per candidate
//                tells whether it wins all of its comparisons, keep, and the maximum is z + sum of keep_i (x_i - z)
//                for the last candidate z
//
// Where openings of the candidates exist, (a^ - b^) is the opening of a - b under the mask r_a - r_b. A tie keeps the
// lower index: a is the lower one of each pair. Indices travel in a ring of their own, just wide enough.

import type { Node } from '../ir/graph';
import { elementCount } from '../ir/graph';
import type { Joint, Opened } from '../joint';
import type { Value } from '../program';
import { comparedBits, WORD_BITS } from '../widths';
import { bitToRing, isNegative, type OpenedBit, openBit, openComplement, select } from './compare';
import { conjunctions, inPlanes } from './conjunction';
import { windowAttr } from './linear';
import {
  type Knobs,
  numberAttr,
  numbersAttr,
  type Protocol,
  type Run,
  strides,
  type Twin,
  words,
} from './protocol';
import {
  againstLast,
  allPairs,
  appendRow,
  asOneBlock,
  columnsOf,
  halves,
  minus,
  neighbours,
  type Rows,
  takeRows,
} from './rows';

/** Candidates on their way: rows of shares, and their openings where they are opened. */
interface Candidates extends Rows {
  readonly share: Value;
  readonly opened: Opened | null;
}

/** What a level decided: a bit per difference of candidates, and what becomes of any value that goes along with them. */
interface Level {
  readonly bit: OpenedBit;
  readonly difference: Opened;
  /** Candidates that are left. */
  readonly k: number;
  /** The differences of that other value, in the order of the bits. */
  readonly differences: (run: Run, value: Value) => Value;
  /** What is left of it, from the products of the differences with the bits. */
  readonly merge: (run: Run, value: Value, kept: Value) => Value;
}

/** An opening whose elements were rearranged by `f` in all three of its worlds. */
function mapOpened(joint: Joint, opened: Opened, f: (run: Run, value: Value) => Value): Opened {
  const local: Run = joint.local.bind(joint);
  return {
    share: f(local, opened.share),
    hat: f(local, opened.hat),
    mask: f(joint.derive.bind(joint), opened.mask),
  };
}

/** <a - b < 0> for an opening of differences. */
function negative(joint: Joint, node: Node, difference: Opened, knobs: Knobs): Value {
  const bits = Math.min(comparedBits(node), difference.hat.bits);
  return isNegative(joint, difference, { ...knobs.comparison, bits });
}

function sum(run: Run, a: Value, b: Value): Value {
  return run('lincomb', [a, b], [0, 1, 1], { elements: a.elements, bits: a.bits });
}

/** Who is compared with whom: halves are moved faster, of neighbours the first one keeps the lower index. */
const pairing = (node: Node): typeof halves => (node.op === 'max_pool' ? halves : neighbours);

function tournamentLevel(joint: Joint, node: Node, x: Candidates, knobs: Knobs, to: number): Level {
  const rows: Rows = x;
  const pairs = pairing(node);
  const differences = (run: Run, value: Value): Value => minus(run, pairs(run, value, rows));
  const difference =
    x.opened === null
      ? joint.open(differences(joint.local.bind(joint), x.share))
      : mapOpened(joint, x.opened, differences);
  return {
    bit: openComplement(joint, negative(joint, node, difference, knobs), to),
    difference,
    k: Math.ceil(x.k / 2),
    differences,
    merge: (run, value, kept) => {
      const winners = sum(run, pairs(run, value, rows).b, kept);
      return appendRow(run, winners, Math.floor(x.k / 2), value, rows);
    },
  };
}

function allPairsLevel(joint: Joint, node: Node, x: Candidates, knobs: Knobs, to: number): Level {
  const { k, m } = x;
  const differences = (run: Run, value: Value): Value => minus(run, againstLast(run, value, x));
  const opened = x.opened ?? joint.open(x.share);
  const pairs = mapOpened(joint, opened, (run, value) => minus(run, allPairs(run, value, x)));
  const below = inPlanes(joint, negative(joint, node, pairs, knobs), (k * (k - 1)) / 2);
  // Plane of <x_i < x_j> for i < j.
  const pair = (i: number, j: number): number => (i * (2 * k - i - 1)) / 2 + j - i - 1;
  const wins = Array.from({ length: k - 1 }, (_, i) =>
    Array.from({ length: k }, (_, j) => j)
      .filter((j) => j !== i)
      .map((j) =>
        j < i ? { wire: pair(j, i), complemented: false } : { wire: pair(i, j), complemented: true },
      ),
  );
  const keep = inPlanes(joint, conjunctions(joint, below, wins), 1);
  return {
    bit: openBit(joint, keep, to),
    difference: mapOpened(joint, opened, differences),
    k: 1,
    differences,
    merge: (run, value, kept) => {
      const total = run('reduce_sum', [kept], [1, k - 1, m], { elements: m, bits: value.bits });
      return sum(run, takeRows(run, value, x, k - 1, 1, 1), total);
    },
  };
}

/**
 * Kernels work in blocks of 512 elements, so that some hundred comparisons take about the time of one, and all pairs pay
 * even without a network between the parties. On a slow one they pay for many more.
 */
const FEW_COMPARISONS = 256;

function takesAllPairs(rows: Rows, knobs: Knobs): boolean {
  const { k } = rows;
  if (k <= 2) return false;
  if (knobs.allPairs !== undefined) return k <= knobs.allPairs;
  return ((k * (k - 1)) / 2) * columnsOf(rows) <= FEW_COMPARISONS;
}

/** Compares candidates; products with the bits are in a ring of `to` bits. */
function nextLevel(joint: Joint, node: Node, x: Candidates, knobs: Knobs, to: number): Level {
  const pairs = takesAllPairs(x, knobs);
  joint.note('maximum', pairs ? `all pairs of ${x.k}` : 'tournament');
  return pairs ? allPairsLevel(joint, node, x, knobs, to) : tournamentLevel(joint, node, x, knobs, to);
}

/** The candidates that a level leaves. */
function survivors(joint: Joint, x: Candidates, level: Level): Candidates {
  const { difference, k } = level;
  const kept = select(joint, level.bit, difference, difference.share.bits);
  return { ...x, k, share: level.merge(joint.local.bind(joint), x.share, kept), opened: null };
}

/**
 * Candidates as rows. What is opened is the input, if somebody opened it already or will, or if that is less (overlapping
 * windows), otherwise what the first level needs: all candidates, or half as many differences.
 */
function candidates(
  joint: Joint,
  { share: x, openedLater = false }: Pick<Twin, 'share' | 'openedLater'>,
  rows: Rows,
  gather: (run: Run, value: Value) => Value,
  knobs: Knobs,
): Candidates {
  const pairs = takesAllPairs(rows, knobs);
  const before = joint.isOpened(x);
  const openings = (pairs ? rows.k : Math.floor(rows.k / 2)) * columnsOf(rows);
  const input = before || openedLater || x.elements < openings;
  if (rows.k > 1)
    joint.note('opens', before ? 'no values' : input ? 'its input' : pairs ? 'candidates' : 'differences');
  if (input) {
    const opened = mapOpened(joint, joint.open(x), gather);
    return { ...rows, share: opened.share, opened };
  }
  return { ...rows, share: gather(joint.local.bind(joint), x), opened: null };
}

function oneBlock(joint: Joint, x: Candidates): Candidates {
  const f = (run: Run, value: Value): Value => asOneBlock(run, value, x);
  const opened = x.opened && mapOpened(joint, x.opened, f);
  const share = opened?.share ?? f(joint.local.bind(joint), x.share);
  return { k: x.k, m: columnsOf(x), share, opened };
}

/** The same tree in the clear. `index` follows along where it is given. */
function clearTree(
  joint: Joint,
  value: Value,
  index: Value | null,
  rows: Rows,
): { value: Value; index: Value | null } {
  const run: Run = joint.clear.bind(joint);
  let { k } = rows;
  let [v, i] = [value, index];
  while (k > 1) {
    const level = { ...rows, k };
    const pairs = Math.floor(k / 2);
    const pair = neighbours(run, v, level);
    const d = minus(run, pair);
    if (i !== null) {
      const at = neighbours(run, i, level);
      const step = run('clear_select', [d, minus(run, at)], [0, 0, WORD_BITS], {
        elements: d.elements,
        bits: i.bits,
      });
      i = appendRow(
        run,
        run('lincomb', [at.b, step], [0, 1, 1], { elements: d.elements, bits: i.bits }),
        pairs,
        i,
        level,
      );
    }
    const won = run('clear_select', [d], [0, 0, WORD_BITS], words(d.elements));
    v = appendRow(run, run('lincomb', [pair.b, won], [0, 1, 1], words(d.elements)), pairs, v, level);
    k = Math.ceil(k / 2);
  }
  return { value: v, index: i };
}

/** Whether a window is a whole column of its plane: then values are candidates as they lie. */
function takesColumns(node: Node, [h, w]: readonly number[]): boolean {
  const [kernel, pads] = [numbersAttr(node, 'kernel'), numbersAttr(node, 'pads')];
  const [oh, ow] = node.outputs[0]!.type.shape.slice(-2);
  return kernel[0] === h && kernel[1] === 1 && oh === 1 && ow === w && pads.every((p) => p === 0);
}

function windows(
  node: Node,
  shape: readonly number[],
): { rows: Rows; gather: (run: Run, value: Value) => Value } {
  const [k, m] = shape.slice(-2) as [number, number];
  if (takesColumns(node, [k, m])) {
    const outer = elementCount(shape.slice(0, -2));
    return { rows: { k, m, outer }, gather: (_, value) => value };
  }
  const w = windowAttr(node, shape);
  return {
    rows: { k: w.taps, m: w.outputs },
    gather: (run, value) =>
      run('windows', [value], w.attr, { elements: w.taps * w.outputs, bits: value.bits }),
  };
}

export const maxPool: Protocol = {
  name: 'max-pool',
  of: ['max_pool'],
  build: (joint, node, [x], knobs) => {
    const { rows, gather } = windows(node, x!.shape);
    let left = candidates(joint, x!, rows, gather, knobs);
    while (left.k > 1) {
      if (takesAllPairs(left, knobs)) left = oneBlock(joint, left);
      left = survivors(joint, left, nextLevel(joint, node, left, knobs, left.share.bits));
    }
    return [left.share];
  },
  clear: (joint, node, [x]) => {
    const { rows, gather } = windows(node, x!.shape);
    return [clearTree(joint, gather(joint.clear.bind(joint), x!.clear), null, rows).value];
  },
};

/** The axis as rows, everything else in its order as columns; `scatter`: the attributes of the copy back. */
export function axisRows(
  node: Node,
  shape: readonly number[],
): { rows: Rows; gather: (run: Run, value: Value) => Value; scatter: readonly number[] } {
  const axis = numberAttr(node, 'axis');
  const at = axis < 0 ? axis + shape.length : axis;
  const [k, inner] = [shape[at] as number, elementCount(shape.slice(at + 1))];
  const outer = elementCount(shape.slice(0, at));
  const rows = { k, m: outer * inner };
  const step = strides(shape)[at] as number;
  const attr = [0, 0, 1, 3, 0, 0, k, rows.m, step, outer, inner, k * inner, inner, 1, 1];
  const scatter = [0, 0, 1, 3, 0, 0, k, step, rows.m, outer, k * inner, inner, inner, 1, 1];
  return {
    rows,
    scatter,
    gather: (run, value) => run('copy', [value], attr, { elements: value.elements, bits: value.bits }),
  };
}

/** Ring wide enough for signed indices below k. */
function indexBits(k: number): number {
  return Math.max(1, Math.ceil(Math.log2(k))) + 1;
}

export const argMax: Protocol = {
  name: 'argmax',
  of: ['arg_max'],
  build: (joint, node, [x], knobs) => {
    const { rows, gather } = axisRows(node, x!.shape);
    const local: Run = joint.local.bind(joint);
    const bits = Math.max(indexBits(rows.k), node.outputs[0]?.type.ring ?? 0);
    let left = candidates(joint, x!, rows, gather, knobs);
    let index: Value = joint.constant(
      Array.from({ length: rows.k }, (_, i) => BigInt(i)),
      [rows.k],
      bits,
    ).share;
    index = local('copy', [index], [0, 0, 1, 2, 0, 0, rows.k, rows.m, 1, rows.m, 1, 0], {
      elements: rows.k * rows.m,
      bits,
    });
    while (left.k > 1) {
      const last = left.k === 2 || takesAllPairs(left, knobs);
      const level = nextLevel(joint, node, left, knobs, last ? bits : Math.max(bits, left.share.bits));
      const kept = selectIndex(joint, level.bit, level.differences(local, index));
      index = level.merge(local, index, kept);
      left = last ? { ...left, k: 1 } : survivors(joint, left, level);
    }
    return [index];
  },
  clear: (joint, node, [x]) => {
    const { rows, gather } = axisRows(node, x!.shape);
    const run: Run = joint.clear.bind(joint);
    const bits = WORD_BITS;
    const numbers = joint.constant(
      Array.from({ length: rows.k }, (_, i) => BigInt(i)),
      [rows.k],
      bits,
    ).clear;
    const index = run('copy', [numbers], [0, 0, 1, 2, 0, 0, rows.k, rows.m, 1, rows.m, 1, 0], {
      elements: rows.k * rows.m,
      bits,
    });
    return [clearTree(joint, gather(run, x!.clear), index, rows).index as Value];
  },
};

/** [keep * d] for a difference of indices: public at the first level, opened in its own narrow ring later. */
function selectIndex(joint: Joint, bit: OpenedBit, d: Value): Value {
  if (d.world === 'share') return select(joint, bit, joint.open(d), d.bits);
  const form = { elements: d.elements, bits: d.bits };
  return joint.local('mulsum', [bitToRing(joint, bit, d.bits), d], [1, 1, 0], form);
}
