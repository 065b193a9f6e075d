// Candidates as rows [k][m] of one value, row-major, in any of the worlds: taking, pairing and joining rows.

import type { Use } from '../joint';
import type { Value } from '../program';
import type { Run } from './protocol';

export interface Rows {
  readonly k: number;
  readonly m: number;
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
  const attr = [0, 0, 1, 2, 0, first * rows.m, count, rows.m, step * rows.m, rows.m, 1, 1];
  return run('copy', [value], attr, { elements: count * rows.m, bits: value.bits });
}

/** Puts a last, unpaired row behind the winners. */
export function appendRow(run: Run, winners: Value, pairs: number, value: Value, rows: Rows): Value {
  if (rows.k % 2 === 0) return winners;
  const size = pairs * rows.m;
  const attr = [0, 0, 2, 1, 0, 0, size, 1, 1, 1, size, (rows.k - 1) * rows.m, rows.m, 1, 1];
  return run('copy', [winners, value], attr, { elements: size + rows.m, bits: value.bits });
}

/** Neighbouring rows (0, 1), (2, 3), ... as pairs. */
export function neighbours(run: Run, value: Value, rows: Rows): { a: Value; b: Value } {
  const pairs = Math.floor(rows.k / 2);
  return { a: takeRows(run, value, rows, 0, 2, pairs), b: takeRows(run, value, rows, 1, 2, pairs) };
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
