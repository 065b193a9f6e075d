// The first k of n elements in falling order, with their indices; of equal ones the lower index comes first.
//
// All pairs are compared at once (../protocols/rank.ts); the p-th of the result is the sum of x [rank = p], and of the
// indices likewise. That takes n (n - 1) / 2 comparisons in as many rounds as a few. Of many elements it takes first those
// of every block, in order, and what is left over behind the last block, so that ties stay as they are. A sorting network,
// or k maxima one after the other, compare less still, but in ten times the rounds.

import type { Value } from '../ir/graph';
import { tensorOf } from './array';
import type { LowerContext } from './context';

/** Sizes before an axis, of it, and behind it. */
export type Sizes = readonly [outer: number, n: number, inner: number];

/** Elements [outer, n, inner] in the order of their indices; `indices` is null where they are 0, ..., n - 1. */
interface Candidates {
  readonly values: Value;
  readonly indices: Value | null;
}

export interface Chosen {
  readonly values: Value;
  readonly indices: Value;
}

/** `count` elements along the axis of a value that has n there, from one on. */
interface Part {
  readonly value: Value;
  readonly n: number;
  readonly from: number;
  readonly count: number;
}

/** Parts one after the other; `fill` is null where they are all. */
function joined(c: LowerContext, parts: readonly Part[], shape: Sizes, fill: number | null = null): Value {
  const [outer, n, inner] = shape;
  let at = 0;
  const pieces = parts.map((part) => {
    const dims = [[outer, n * inner, part.n * inner] as const, [part.count * inner, 1, 1] as const];
    const piece = { outBase: at * inner, inBase: part.from * inner, dims };
    at += part.count;
    return piece;
  });
  const values = parts.map(({ value }) => value);
  return c.core.move(values, pieces, shape, fill);
}

function counted(n: number, f: (i: number) => number) {
  return tensorOf(
    [n, 1],
    Array.from({ length: n }, (_, i) => f(i)),
  );
}

/** The first k by comparing all pairs. */
function ranked(c: LowerContext, { values, indices }: Candidates, k: number, sizes: Sizes): Chosen {
  const [outer, n, inner] = sizes;
  const ranks = c.core.rank(values, 1);
  const places = Array.from({ length: k }, (_, p) => c.core.equals(ranks, p));
  const iota = counted(n, (i) => i);
  const index = (at: Value): Value =>
    indices ? c.core.mul(indices, at) : c.core.mulConst(c.core.cast(at, 'int'), iota);
  const chosen = (f: (at: Value) => Value): Value => {
    const rows = places.map((at) => ({ value: c.core.sum(f(at), [1], true), n: 1, from: 0, count: 1 }));
    return joined(c, rows, [outer, k, inner]);
  };
  return { values: chosen((at) => c.core.mul(values, at)), indices: chosen(index) };
}

/** What is left of the candidates: the first k of every block, and those behind the last block. */
function firstOfBlocks(
  c: LowerContext,
  { values, indices }: Candidates,
  k: number,
  [outer, n, inner]: Sizes,
  block: number,
): { of: Candidates; sizes: Sizes } {
  const blocks = Math.floor(n / block);
  const [taken, chosen] = [blocks * block, blocks * k];
  const sizes: Sizes = [outer, chosen + n - taken, inner];
  const inBlocks = (value: Value): Value => {
    const head =
      taken === n ? value : joined(c, [{ value, n, from: 0, count: taken }], [outer, taken, inner]);
    return c.core.reshape(head, [outer * blocks, block, inner]);
  };
  const of = { values: inBlocks(values), indices: indices && inBlocks(indices) };
  const best = ranked(c, of, k, [outer * blocks, block, inner]);
  const first = (value: Value): Part => ({ value, n: chosen, from: 0, count: chosen });
  const last = (value: Value): Part[] => (taken === n ? [] : [{ value, n, from: taken, count: n - taken }]);
  const both = (a: Value, b: Value): Value => joined(c, [first(a), ...last(b)], sizes);
  if (indices)
    return { of: { values: both(best.values, values), indices: both(best.indices, indices) }, sizes };
  // Indices within blocks, and none of what is left over: public numbers make them those of all.
  const offset = (i: number): number => (i < chosen ? Math.floor(i / k) * block : taken + i - chosen);
  const within = joined(c, [first(best.indices)], sizes, taken === n ? null : 0);
  const all = c.core.addConst(within, counted(sizes[1], offset));
  return { of: { values: both(best.values, values), indices: all }, sizes };
}

/** Comparisons that are made at once, rather than in twice the rounds. */
const MOST_COMPARISONS = 2 ** 16;

function firstOf(c: LowerContext, of: Candidates, k: number, sizes: Sizes): Chosen {
  const [outer, n, inner] = sizes;
  // The size of blocks with which two levels compare least.
  const block = Math.max(2 * k, Math.ceil(Math.cbrt(2 * n * k * k)));
  const comparisons = ((n * (n - 1)) / 2) * outer * inner;
  if (comparisons <= MOST_COMPARISONS || 2 * block > n) return ranked(c, of, k, sizes);
  const left = firstOfBlocks(c, of, k, sizes, block);
  return firstOf(c, left.of, k, left.sizes);
}

/** The first k of x [outer, n, inner] along its axis of n, as [outer, k, inner]. */
export function firstInOrder(c: LowerContext, x: Value, k: number, sizes: Sizes): Chosen {
  return firstOf(c, { values: x, indices: null }, k, sizes);
}
