// Index maps as pieces of a move (./core.ts), as few as a simple search finds.
//
// A map says for elements of the result from which element of the input each is copied. Entries in a row whose
// places advance by constant steps on both sides are one run; runs of the same form whose starts advance by
// constant steps are one run of a higher dimension, and so on. A map along the axes of a tensor is the product
// of its maps along each axis.

import { elementCount } from '../ir/graph';
import { type FloatTensor, offsets, sameShape, stridesOf } from './array';
import type { Piece } from './core';

type Dim = Piece['dims'][number];

/** Runs in a row: where each starts, and its form as an index into `forms`. */
interface Runs {
  readonly to: ArrayLike<number>;
  readonly from: ArrayLike<number>;
  readonly form: ArrayLike<number>;
  readonly forms: readonly (readonly Dim[])[];
}

/** The kernel takes pieces of up to 16 dimensions. */
const mostDims = 12;

/** Joins runs of equal forms whose starts advance by constant steps. */
function joined({ to, from, form, forms }: Runs): Runs {
  const next = { to: [] as number[], from: [] as number[], form: [] as number[] };
  const known = new Map<string, number>();
  const nextForms: (readonly Dim[])[] = [];
  const formOf = (f: number, count: number, dTo: number, dFrom: number): number => {
    const key = `${f},${count},${dTo},${dFrom}`;
    let id = known.get(key);
    if (id === undefined) {
      id = nextForms.push(count === 1 ? forms[f]! : [[count, dTo, dFrom], ...forms[f]!]) - 1;
      known.set(key, id);
    }
    return id;
  };
  for (let i = 0; i < to.length; ) {
    const advances = (j: number, dTo: number, dFrom: number): boolean =>
      j < to.length &&
      form[j] === form[i] &&
      to[j]! - to[j - 1]! === dTo &&
      from[j]! - from[j - 1]! === dFrom;
    let [end, dTo, dFrom] = [i + 1, 0, 0];
    if (end < to.length) {
      dTo = to[end]! - to[i]!;
      dFrom = from[end]! - from[i]!;
      while (advances(end, dTo, dFrom)) end++;
    }
    const count = end - i;
    next.to.push(to[i]!);
    next.from.push(from[i]!);
    next.form.push(count === 1 ? formOf(form[i]!, 1, 0, 0) : formOf(form[i]!, count, dTo, dFrom));
    i = end;
  }
  return { ...next, forms: nextForms };
}

/** Drops dimensions of one element, and joins those that are walked through as one. */
function simplified({ outBase, inBase, dims }: Piece): Piece {
  const kept: Dim[] = [];
  for (const [size, out, own] of dims) {
    if (size === 1) continue;
    const [before, outer, inner] = kept.at(-1) ?? [0, 0, 0];
    const isNested = before > 0 && outer === size * out && inner === size * own;
    if (isNested) kept[kept.length - 1] = [before * size, out, own];
    else kept.push([size, out, own]);
  }
  return { outBase, inBase, dims: kept };
}

/** Pieces that copy element from[i] of the input to element to[i] of the result. */
export function piecesOf(to: ArrayLike<number>, from: ArrayLike<number>): Piece[] {
  let runs: Runs = { to, from, form: new Uint8Array(to.length), forms: [[]] };
  for (let rank = 0; rank < mostDims; rank++) {
    const next = joined(runs);
    if (next.to.length === runs.to.length) break;
    runs = next;
  }
  return Array.from(runs.to, (outBase, i) =>
    simplified({ outBase, inBase: runs.from[i]!, dims: runs.forms[runs.form[i]!]! }),
  );
}

/** An index map without entries for what is to be filled (-1). */
export function piecesOfMap(from: ArrayLike<number>): Piece[] {
  const to: number[] = [];
  const kept: number[] = [];
  for (let i = 0; i < from.length; i++) {
    if (from[i]! < 0) continue;
    to.push(i);
    kept.push(from[i]!);
  }
  return piecesOf(to, kept);
}

/** Number of pieces of `piecesAlong`. */
export function countAlong(indices: readonly ArrayLike<number>[]): number {
  return indices.reduce((n, list) => n * piecesOfMap(list).length, 1);
}

/** Pieces of out[i, j, ..] = x[indices[0][i], indices[1][j], ..] for x of this shape; index -1: to be filled. */
export function piecesAlong(shape: readonly number[], indices: readonly ArrayLike<number>[]): Piece[] {
  const [outStrides, ownStrides] = [stridesOf(indices.map((list) => list.length)), stridesOf(shape)];
  let pieces: Piece[] = [{ outBase: 0, inBase: 0, dims: [] }];
  indices.forEach((list, axis) => {
    const [out, own] = [outStrides[axis]!, ownStrides[axis]!];
    const along = piecesOfMap(list);
    pieces = pieces.flatMap((p) =>
      along.map((a) => ({
        outBase: p.outBase + a.outBase * out,
        inBase: p.inBase + a.inBase * own,
        dims: [...p.dims, ...a.dims.map(([d, to, from]): Dim => [d, to * out, from * own])],
      })),
    );
  });
  return pieces.map(simplified);
}

/** Whether a piece copies all of x, in order. */
export function isWhole(piece: Piece, x: readonly number[], out: readonly number[]): boolean {
  const count = elementCount(x);
  const whole = count === 1 ? [] : [[count, 1, 1]];
  const { outBase, inBase, dims } = simplified(piece);
  return (
    elementCount(out) === count &&
    outBase === 0 &&
    inBase === 0 &&
    dims.length === whole.length &&
    dims.every((d, i) => sameShape(d, whole[i]!))
  );
}

/** Copies a piece of x into `out`. */
export function copyPiece(out: FloatTensor, x: FloatTensor, { outBase, inBase, dims }: Piece): void {
  const [sizes, to, from] = [0, 1, 2].map((k) => dims.map((d) => d[k]!)) as [number[], number[], number[]];
  const [targets, sources] = [offsets(sizes, to, outBase), offsets(sizes, from, inBase)];
  for (let i = 0; i < targets.length; i++) out.data[targets[i]!] = x.data[sources[i]!]!;
}
