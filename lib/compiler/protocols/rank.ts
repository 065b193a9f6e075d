// How many elements along an axis come before each in falling order, by comparing all pairs at once: the openings of the k
// elements serve all k (k - 1) / 2 comparisons, so that the rounds do not grow with k.
//
// Pairs are (i, j) with j = i + d mod k for d = 1, ..., k / 2, and b = [j comes before i] is the sign of x_i - x_j, and where
// j wrapped around of x_i - x_j - 1, since of equals the lower index comes first. Then
//
//     rank_i = sum over d of b(d, i) + sum over d < k / 2 of (1 - b(d, i - d)),
//
// where the second sum leaves out d = k / 2, at which every pair is there from both sides. The bits become numbers in a ring
// just wide enough for ranks.

import type { Joint, Opened } from '../joint';
import type { Value } from '../program';
import { comparedBits } from '../widths';
import { booleanOf, numberOf } from './boolean';
import { isNegative } from './compare';
import { axisRows } from './maximum';
import { type Protocol, type Run, ringBits, words } from './protocol';
import type { Rows } from './rows';

/** Values behind each other along the rows. */
function joined(run: Run, a: Value, b: Value): Value {
  const { elements, bits } = a;
  const attr = [0, 0, 2, 1, 0, 0, elements, 1, 1, 1, elements, 0, elements, 1, 1];
  return run('copy', [a, b], attr, { elements: 2 * elements, bits });
}

/** x_i - x_j for d = 1, ..., k / 2 and every i; a j that wrapped around is taken from `again`. */
function differences(run: Run, x: Value, again: Value, { k, m }: Rows): Value {
  const offsets = Math.floor(k / 2);
  const row = k * m;
  const form = { elements: offsets * row, bits: x.bits };
  const others = run('copy', [joined(run, x, again)], [0, 0, 1, 2, 0, m, offsets, row, m, row, 1, 1], form);
  return run('lincomb', [{ value: x, inner: 1, mid: row }, others], [0, 1, -1], form);
}

/** Ranks from the bits of the pairs. */
function ranks(run: Run, before: Value, { k, m }: Rows): Value {
  const row = k * m;
  const form = { elements: row, bits: before.bits };
  const offsets = Math.floor(k / 2);
  const first = run('reduce_sum', [before], [1, offsets, row], form);
  const both = Math.ceil(k / 2) - 1;
  if (both === 0) return first;
  // Row d of the bits twice, from element k - d on.
  const twice = [0, 0, 2, 2, 0, 0, both, 2 * row, row, row, 1, 1, 2, row, 0, both, 2 * row, row, row, 1, 1];
  const wide = run('copy', [before, before], twice, { elements: 2 * both * row, bits: before.bits });
  const turned = run('copy', [wide], [0, 0, 1, 2, 0, (k - 1) * m, both, row, 2 * row - m, row, 1, 1], {
    elements: both * row,
    bits: before.bits,
  });
  const second = run('reduce_sum', [turned], [1, both, row], form);
  return run('lincomb', [first, second], [both, 1, -1], form);
}

/** Ranks in the order of the elements that were gathered to rows. */
function scattered(run: Run, value: Value, attr: readonly number[]): Value {
  return run('copy', [value], attr, { elements: value.elements, bits: value.bits });
}

function openedDifferences(joint: Joint, x: Opened, rows: Rows): Opened {
  const local: Run = joint.local.bind(joint);
  const hat = differences(local, x.hat, local('lincomb', [x.hat], [1, 1], x.hat), rows);
  return { share: x.share, hat, mask: differences(joint.derive.bind(joint), x.mask, x.mask, rows) };
}

export const rank: Protocol = {
  name: 'rank',
  of: ['rank'],
  build: (joint, node, [x], knobs) => {
    const { rows, gather, scatter } = axisRows(node, x!.shape);
    const local: Run = joint.local.bind(joint);
    const bits = ringBits(node);
    if (rows.k === 1) return [joint.local('lincomb', [x!.share], [0, 0], { elements: rows.m, bits })];
    const { share, hat, mask } = joint.open(x!.share);
    const gathered = { share, hat: gather(local, hat), mask: gather(joint.derive.bind(joint), mask) };
    const pairs = openedDifferences(joint, gathered, rows);
    const compared = Math.min(comparedBits(node), hat.bits);
    const negative = isNegative(joint, pairs, { ...knobs.comparison, bits: compared });
    const before = numberOf(joint, booleanOf(joint, negative), bits);
    return [scattered(local, ranks(local, before, rows), scatter)];
  },
  clear: (joint, node, [x]) => {
    const { rows, gather, scatter } = axisRows(node, x!.shape);
    const run: Run = joint.clear.bind(joint);
    if (rows.k === 1) return [run('lincomb', [x!.clear], [0, 0], words(rows.m))];
    const rowsOf = gather(run, x!.clear);
    const pairs = differences(run, rowsOf, run('lincomb', [rowsOf], [1, 1], words(rowsOf.elements)), rows);
    const form = words(pairs.elements);
    const zero = run('lincomb', [pairs], [0, 0], form);
    const after = run('clear_select', [pairs, zero], [0, 1, form.bits], form);
    return [scattered(run, ranks(run, run('lincomb', [after], [1, -1], form), rows), scatter)];
  },
};
