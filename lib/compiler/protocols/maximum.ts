// Maximum over windows and argument of the maximum over an axis: trees of comparisons (spec/protocols.py P4, P5).
//
// A level compares pairs (a, b) at once: keep = [a >= b] from the opening of a - b, then b + keep (a - b), which the
// same opening serves. Where the inputs are open already, the first level needs no opening: (a^ - b^) is the opening
// of a - b under the mask r_a - r_b. In argmax pairs are neighbours and a is the lower one, so a tie keeps the lowest
// index; its indices travel in a ring of their own, just wide enough.

import type { Node } from '../ir/graph';
import { elementCount } from '../ir/graph';
import type { Joint, Opened } from '../joint';
import type { Value } from '../program';
import { comparedBits, WORD_BITS } from '../widths';
import { bitToRing, isNegative, type OpenedBit, openComplement, select } from './compare';
import { windowAttr } from './linear';
import { type Knobs, numberAttr, type Protocol, type Run, ringBits, strides, words } from './protocol';

/** Rows [k][m] of candidates, row-major, and how to take and join rows in one world. */
interface Rows {
  readonly k: number;
  readonly m: number;
}

/** Copies `count` rows from row `first`, every `step`-th. */
function takeRows(
  run: Run,
  value: Value,
  rows: Rows,
  first: number,
  step: number,
  count: number,
  bits: number,
): Value {
  const attr = [0, 0, 1, 2, 0, first * rows.m, count, rows.m, step * rows.m, rows.m, 1, 1];
  return run('copy', [value], attr, { elements: count * rows.m, bits });
}

/** Puts a last, unpaired row behind the winners. */
function appendRow(run: Run, winners: Value, pairs: number, value: Value, rows: Rows): Value {
  if (rows.k % 2 === 0) return winners;
  const size = pairs * rows.m;
  const attr = [0, 0, 2, 1, 0, 0, size, 1, 1, 1, size, (rows.k - 1) * rows.m, rows.m, 1, 1];
  return run('copy', [winners, value], attr, { elements: size + rows.m, bits: value.bits });
}

/** Neighbouring rows (0, 1), (2, 3), ... as pairs. */
function neighbours(run: Run, value: Value, rows: Rows): { a: Value; b: Value } {
  const pairs = Math.floor(rows.k / 2);
  return {
    a: takeRows(run, value, rows, 0, 2, pairs, value.bits),
    b: takeRows(run, value, rows, 1, 2, pairs, value.bits),
  };
}

function minus(run: Run, pair: { a: Value; b: Value }): Value {
  return run('lincomb', [pair.a, pair.b], [0, 1, -1], { elements: pair.a.elements, bits: pair.a.bits });
}

/** Opening of a - b for the pairs of a level: from openings that exist, or by one of its own. */
function openDifference(
  joint: Joint,
  rows: Rows,
  share: Value,
  from: Opened | null,
): { pair: { a: Value; b: Value }; difference: Opened } {
  const local: Run = joint.local.bind(joint);
  const pair = neighbours(local, share, rows);
  const d = minus(local, pair);
  if (from === null) return { pair, difference: joint.open(d) };
  const derive: Run = joint.derive.bind(joint);
  return {
    pair,
    difference: {
      share: d,
      hat: minus(local, neighbours(local, from.hat, rows)),
      mask: minus(derive, neighbours(derive, from.mask, rows)),
    },
  };
}

/** Opened bit of a - b >= 0; products with it are in a ring of `to` bits. */
function compareLevel(joint: Joint, node: Node, difference: Opened, to: number, knobs: Knobs): OpenedBit {
  const bits = Math.min(comparedBits(node), difference.hat.bits);
  return openComplement(joint, isNegative(joint, difference, { ...knobs.comparison, bits }), to);
}

/** An opening whose elements were gathered by `gather` in all three of its worlds. */
function gatherOpened(joint: Joint, opened: Opened, gather: (run: Run, value: Value) => Value): Opened {
  const local: Run = joint.local.bind(joint);
  return {
    share: gather(local, opened.share),
    hat: gather(local, opened.hat),
    mask: gather(joint.derive.bind(joint), opened.mask),
  };
}

/** Candidates as rows: their shares, and their openings if the input was opened or if that is cheaper. */
function candidates(
  joint: Joint,
  x: Value,
  rows: Rows,
  gather: (run: Run, value: Value) => Value,
): { share: Value; opened: Opened | null } {
  const differences = Math.floor(rows.k / 2) * rows.m;
  if (joint.isOpened(x) || x.elements < differences) {
    const opened = gatherOpened(joint, joint.open(x), gather);
    return { share: opened.share, opened };
  }
  return { share: gather(joint.local.bind(joint), x), opened: null };
}

function maximumOf(
  joint: Joint,
  node: Node,
  start: { share: Value; opened: Opened | null },
  rows: Rows,
  knobs: Knobs,
): Value {
  let { share, opened } = start;
  let { k } = rows;
  while (k > 1) {
    const level = { k, m: rows.m };
    const { pair, difference } = openDifference(joint, level, share, opened);
    const { elements, bits } = difference.share;
    const won = select(joint, compareLevel(joint, node, difference, bits, knobs), difference, bits);
    const winners = joint.local('lincomb', [pair.b, won], [0, 1, 1], { elements, bits });
    share = appendRow(joint.local.bind(joint), winners, Math.floor(k / 2), share, level);
    opened = null;
    k = Math.ceil(k / 2);
  }
  return share;
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
    const level = { k, m: rows.m };
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

function windows(
  node: Node,
  shape: readonly number[],
): { rows: Rows; gather: (run: Run, value: Value) => Value } {
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
    return [maximumOf(joint, node, candidates(joint, x!.share, rows, gather), rows, knobs)];
  },
  clear: (joint, node, [x]) => {
    const { rows, gather } = windows(node, x!.shape);
    return [clearTree(joint, gather(joint.clear.bind(joint), x!.clear), null, rows).value];
  },
};

/** The axis as rows, everything else in its order as columns. */
function axisRows(
  node: Node,
  shape: readonly number[],
): { rows: Rows; gather: (run: Run, value: Value) => Value } {
  const axis = numberAttr(node, 'axis');
  const at = axis < 0 ? axis + shape.length : axis;
  const [k, inner] = [shape[at] as number, elementCount(shape.slice(at + 1))];
  const outer = elementCount(shape.slice(0, at));
  const rows = { k, m: outer * inner };
  const step = strides(shape)[at] as number;
  const attr = [0, 0, 1, 3, 0, 0, k, rows.m, step, outer, inner, k * inner, inner, 1, 1];
  return {
    rows,
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
    const bits = indexBits(rows.k);
    let { share, opened } = candidates(joint, x!.share, rows, gather);
    let index: Value = joint.constant(
      Array.from({ length: rows.k }, (_, i) => BigInt(i)),
      [rows.k],
      bits,
    ).share;
    index = local('copy', [index], [0, 0, 1, 2, 0, 0, rows.k, rows.m, 1, rows.m, 1, 0], {
      elements: rows.k * rows.m,
      bits,
    });
    let { k } = rows;
    while (k > 1) {
      const level = { k, m: rows.m };
      const pairs = Math.floor(k / 2);
      const { pair, difference } = openDifference(joint, level, share, opened);
      const to = difference.share.bits;
      const bit = compareLevel(joint, node, difference, to, knobs);
      const at = neighbours(local, index, level);
      const step = selectIndex(joint, bit, minus(local, at));
      index = appendRow(
        local,
        local('lincomb', [at.b, step], [0, 1, 1], { elements: step.elements, bits }),
        pairs,
        index,
        level,
      );
      if (k > 2) {
        const winners = local('lincomb', [pair.b, select(joint, bit, difference, to)], [0, 1, 1], {
          elements: pairs * rows.m,
          bits: to,
        });
        share = appendRow(local, winners, pairs, share, level);
      }
      opened = null;
      k = Math.ceil(k / 2);
    }
    return [index];
  },
  clear: (joint, node, [x]) => {
    const { rows, gather } = axisRows(node, x!.shape);
    const run: Run = joint.clear.bind(joint);
    const bits = indexBits(rows.k);
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
