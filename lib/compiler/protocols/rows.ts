// Candidates as rows [k][m] of one value, row-major, in any of the worlds: taking, pairing and joining rows. Where there are
// `outer` such blocks one after the other, rows are taken from and joined in each of them.

import type { Use } from '../joint';
import type { Value } from '../program';
import type { Run } from './protocol';

export interface Rows {
  readonly k: number;
  readonly m: number;
  /** Default 1. */
  readonly outer?: number;
}

/** How many maxima there are. */
export function columnsOf({ m, outer = 1 }: Rows): number {
  return outer * m;
}

/** Copies `count` rows from row `first`, every `step`-th. */
export function takeRows(
  run: Run,
  value: Value,
  rows: Rows,
  first: number,
  step: number,
  count: number,
): Value {
  const { k, m, outer = 1 } = rows;
  const blocks = outer === 1 ? [] : [outer, count * m, k * m];
  const own = step === 1 ? [count * m, 1, 1] : [count, m, step * m, m, 1, 1];
  const attr = [0, 0, 1, (blocks.length + own.length) / 3, 0, first * m, ...blocks, ...own];
  return run('copy', [value], attr, { elements: outer * count * m, bits: value.bits });
}

/** Puts a last, unpaired row behind the winners. */
export function appendRow(run: Run, winners: Value, pairs: number, value: Value, rows: Rows): Value {
  if (rows.k % 2 === 0) return winners;
  const { k, m, outer = 1 } = rows;
  const size = pairs * m;
  const joined = size + m;
  const own = [2, 0, 0, outer, joined, size, size, 1, 1];
  const last = [2, size, (k - 1) * m, outer, joined, k * m, m, 1, 1];
  return run('copy', [winners, value], [0, 0, 2, ...own, ...last], {
    elements: outer * joined,
    bits: value.bits,
  });
}

/** Neighbouring rows (0, 1), (2, 3), ... as pairs. */
export function neighbours(run: Run, value: Value, rows: Rows): { a: Value; b: Value } {
  const pairs = Math.floor(rows.k / 2);
  return { a: takeRows(run, value, rows, 0, 2, pairs), b: takeRows(run, value, rows, 1, 2, pairs) };
}

/** Rows of the first half with those of the second, which lie together; a last one may be left. */
export function halves(run: Run, value: Value, rows: Rows): { a: Value; b: Value } {
  const pairs = Math.floor(rows.k / 2);
  return { a: takeRows(run, value, rows, 0, 1, pairs), b: takeRows(run, value, rows, pairs, 1, pairs) };
}

/** The rows of all blocks as those of one. */
export function asOneBlock(run: Run, value: Value, { k, m, outer = 1 }: Rows): Value {
  if (outer === 1) return value;
  const attr = [0, 0, 1, 3, 0, 0, k, outer * m, m, outer, m, k * m, m, 1, 1];
  return run('copy', [value], attr, { elements: value.elements, bits: value.bits });
}

/** All pairs of rows (0, 1), (0, 2), ..., (1, 2), ... */
export function allPairs(run: Run, value: Value, rows: Rows): { a: Value; b: Value } {
  const { k, m } = rows;
  const [first, second]: number[][] = [[], []];
  let at = 0;
  for (let i = 0; i < k - 1; i++) {
    const others = k - 1 - i;
    first!.push(2, at * m, i * m, others, m, 0, m, 1, 1);
    second!.push(1, at * m, (i + 1) * m, others * m, 1, 1);
    at += others;
  }
  const copy = (attr: readonly number[]): Value =>
    run('copy', Array<Value>(k - 1).fill(value), [0, 0, k - 1, ...attr], {
      elements: at * m,
      bits: value.bits,
    });
  return { a: copy(first!), b: copy(second!) };
}

/** All rows but the last, and the last one repeated. */
export function againstLast(run: Run, value: Value, rows: Rows): { a: Value; b: Use } {
  const last = takeRows(run, value, rows, rows.k - 1, 1, 1);
  return { a: takeRows(run, value, rows, 0, 1, rows.k - 1), b: { value: last, inner: 1, mid: rows.m } };
}

export function minus(run: Run, pair: { a: Value; b: Use }): Value {
  return run('lincomb', [pair.a, pair.b], [0, 1, -1], { elements: pair.a.elements, bits: pair.a.bits });
}
