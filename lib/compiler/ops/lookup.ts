// The core operator `lookup`: an entry of a public table, chosen by a secret value.
//
// Before the fixed-point pass the table cuts [lo, hi) into cells of one width, and every operand is taken to lie there, or
// so many times hi - lo away from it. After it the entry is that of (x >> below) modulo the number of entries, a power of
// two, for the operand's integer x. Where it is `exact`, the shift rounds downwards, so that the entry is that of the
// operand's cell; otherwise it rounds as truncations do, and the entry may be that of the nearer neighbour: then the
// operand has been moved by half a cell before, and the last cell and the first one are neighbours.

import type { Node } from '../ir/graph';
import { numberAttr } from './core';

export interface LookupTable {
  /** In real units of the operand, the width of a cell and the lower end of the first one. */
  readonly width: number;
  readonly lo: number;
  readonly entries: Float64Array;
  readonly exact: boolean;
}

export function tableOf(node: Node): LookupTable {
  const { table, exact } = node.attrs;
  if (table instanceof Float64Array) {
    const [lo, hi] = [numberAttr(node, 'lo'), numberAttr(node, 'hi')];
    return { width: (hi - lo) / table.length, lo, entries: table, exact: exact === true };
  }
  const entries = Float64Array.from(
    table as BigInt64Array,
    (v) => Number(v) * 2 ** -numberAttr(node, 'scale'),
  );
  const width = 2 ** (numberAttr(node, 'below') - node.inputs[0]!.type.scale!);
  // What is rounded to the nearest number of cells was moved down by half of one.
  const lo = exact === true || numberAttr(node, 'below') === 0 ? 0 : -width / 2;
  return { width, lo, entries, exact: exact === true };
}

/** Binary logarithm of the number of entries. */
export function cellBits(node: Node): number {
  return Math.log2((node.attrs.table as BigInt64Array).length);
}

export function evaluateLookup({ width, lo, entries }: LookupTable, x: number): number {
  const cell = Math.floor((x - lo) / width) % entries.length;
  return entries[cell < 0 ? cell + entries.length : cell]!;
}

export function lookupRange({ entries }: LookupTable): { lo: number; hi: number } {
  return { lo: Math.min(...entries), hi: Math.max(...entries) };
}

/** A bound on what an operand that is off by `e`, and a shift that does not round downwards, do to the result. */
export function lookupSlack({ width, entries, exact }: LookupTable, e: number, below: number): number {
  const cells = (e === 0 ? 0 : Math.ceil(e / width)) + (exact || below === 0 ? 0 : 1);
  if (cells === 0) return 0;
  const step = Math.max(...entries.map((v, i) => Math.abs(v - entries.at(i - 1)!)));
  return Math.min(cells * step, Math.max(...entries) - Math.min(...entries));
}
