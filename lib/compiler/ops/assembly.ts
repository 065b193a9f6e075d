// Operators that assemble their result from pieces of their inputs: Gather, Concat, Pad. All become one move,
// without arithmetic, but that public constants in a Concat are added where they do not all have the same
// value.

import type { Value } from '../ir/graph';
import { type FloatTensor, filled, offsets, stridesOf } from './array';
import { type LowerContext, type OpContext, show } from './context';
import type { Piece } from './core';
import { shifted } from './operands';
import { defineOp } from './registry';

/** The indices of Gather, counted from the front, and the axis. */
function gatherForm(c: OpContext): { axis: number; indices: number[]; shape: number[] } {
  const x = c.shape(0);
  const axis = c.axis(c.number('axis', 0), x.length);
  const indices = c.known(1, 'indices').map((i) => {
    if (i < -x[axis]! || i >= x[axis]!)
      throw c.invalidShape(`has the index ${i} in a dimension of ${x[axis]}`, x);
    return i < 0 ? i + x[axis]! : i;
  });
  return { axis, indices, shape: [...x.slice(0, axis), ...c.shape(1), ...x.slice(axis + 1)] };
}

/** One piece per index: input positions of a dimension, in any order. */
function gatherPieces(c: OpContext): Piece[] {
  const { axis, indices } = gatherForm(c);
  const x = c.shape(0);
  const [outer, inner] = [stridesOf(x)[axis]! * x[axis]!, stridesOf(x)[axis]!];
  const outerCount = x.slice(0, axis).reduce((a, b) => a * b, 1);
  return indices.map((index, i) => ({
    outBase: i * inner,
    inBase: index * inner,
    dims: [
      [outerCount, indices.length * inner, outer],
      [inner, 1, 1],
    ],
  }));
}

defineOp({
  op: 'Gather',
  opset: [11, 23],
  restrictions: 'indices are known at compile time',
  integers: true,
  infer: (c) => [{ shape: gatherForm(c).shape, dtype: c.type(0).dtype }],
  reference(c, [x]) {
    const out = filled(gatherForm(c).shape, 0);
    for (const piece of gatherPieces(c)) copyPiece(out, x!, piece);
    return [out];
  },
  lower(c) {
    const pieces = gatherPieces(c);
    const inputs = pieces.map(() => c.value(0));
    return [c.core.move(inputs, pieces, c.outputShape, null)];
  },
});

function copyPiece(out: FloatTensor, x: FloatTensor, piece: Piece): void {
  const sizes = piece.dims.map((d) => d[0]);
  const to = offsets(
    sizes,
    piece.dims.map((d) => d[1]),
    piece.outBase,
  );
  const from = offsets(
    sizes,
    piece.dims.map((d) => d[2]),
    piece.inBase,
  );
  for (let i = 0; i < to.length; i++) out.data[to[i]!] = x.data[from[i]!]!;
}

/** Where every input of a Concat goes. */
function concatPieces(c: OpContext): { shape: number[]; pieces: Piece[] } {
  const shapes = c.node.inputs.map((_, i) => c.shape(i));
  const first = shapes[0]!;
  const axis = c.axis(c.number('axis', 0), first.length);
  shapes.forEach((s, i) => {
    const fits = s.length === first.length && s.every((d, j) => j === axis || d === first[j]);
    if (!fits) throw c.mismatch(0, i, `they cannot be joined along axis ${axis}`);
  });
  const shape = first.map((d, j) => (j === axis ? shapes.reduce((n, s) => n + s[axis]!, 0) : d));
  const strides = stridesOf(shape);
  let at = 0;
  const pieces = shapes.map((s) => {
    const own = stridesOf(s);
    const piece = {
      outBase: at * strides[axis]!,
      inBase: 0,
      dims: s.map((d, j) => [d, strides[j]!, own[j]!] as const),
    };
    at += s[axis]!;
    return piece;
  });
  return { shape, pieces };
}

defineOp({
  op: 'Concat',
  opset: [11, 23],
  restrictions: '',
  integers: true,
  infer: (c) => [{ shape: concatPieces(c).shape, dtype: c.type(0).dtype }],
  reference(c, inputs) {
    const { shape, pieces } = concatPieces(c);
    const out = filled(shape, 0);
    pieces.forEach((piece, i) => {
      copyPiece(out, inputs[i]!, piece);
    });
    return [out];
  },
  lower: (c) => [lowerConcat(c)],
});

/** Public constants are not copied: they are what the result is filled with, or added to it. */
function lowerConcat(c: LowerContext): Value {
  const { shape, pieces } = concatPieces(c);
  const isPublic = (i: number) => c.constant(i)?.private === false;
  const parts = pieces.map((piece, i) => ({ piece, i })).filter(({ i }) => c.shape(i).every((d) => d > 0));
  const computed = parts.filter(({ i }) => !isPublic(i));
  const known = parts.filter(({ i }) => isPublic(i));
  const move = (fill: number | null) =>
    c.core.move(
      computed.map(({ i }) => c.value(i)),
      computed.map(({ piece }) => piece),
      shape,
      fill,
    );
  if (known.length === 0) return move(null);
  const first = c.floats(known[0]!.i).data[0]!;
  // A part that one party holds is zero at the others, and so must its place be: no fill beside parts of several owners.
  const owners = new Set(computed.map(({ i }) => c.inputs[i]!.type.owner));
  const alike = known.every(({ i }) => c.floats(i).data.every((v) => v === first));
  if (owners.size === 1 && alike) return move(first);
  const term = filled(shape, 0);
  for (const { i, piece } of known) copyPiece(term, c.floats(i), piece);
  return shifted(c, move(0), term);
}

/** The padded shape, the value around it, and the piece that is copied; negative padding cuts off. */
function padForm(c: OpContext): { shape: number[]; value: number; piece: Piece } {
  const x = c.shape(0);
  const mode = c.string('mode', 'constant');
  if (mode !== 'constant') throw c.unsupported(`has mode ${mode}`, 'Only constant padding is supported.');
  const given = c.has(1) ? c.known(1, 'pads') : (c.numbers('pads') ?? []);
  const axes = c.has(3) ? c.axes(c.known(3, 'axes'), x.length) : x.map((_, i) => i);
  if (given.length !== 2 * axes.length)
    throw c.invalidShape(`has pads ${show(given)} for a shape ${show(x)}`, x);
  const value = c.has(2) ? (c.known(2, 'constant_value')[0] ?? 0) : c.number('value', 0);
  const pad = (axis: number, side: 0 | 1): number => {
    const i = axes.indexOf(axis);
    return i < 0 ? 0 : given[i + side * axes.length]!;
  };
  const shape = x.map((d, a) => d + pad(a, 0) + pad(a, 1));
  if (shape.some((d) => d < 0))
    throw c.invalidShape(`cuts ${show(given)} off a tensor of shape ${show(x)}`, x);
  const [out, own] = [stridesOf(shape), stridesOf(x)];
  let [outBase, inBase] = [0, 0];
  const dims = x.map((d, a) => {
    const [before, after] = [pad(a, 0), pad(a, 1)];
    outBase += Math.max(before, 0) * out[a]!;
    inBase += Math.max(-before, 0) * own[a]!;
    return [Math.max(0, d + Math.min(before, 0) + Math.min(after, 0)), out[a]!, own[a]!] as const;
  });
  return { shape, value, piece: { outBase, inBase, dims } };
}

defineOp({
  op: 'Pad',
  opset: [11, 23],
  restrictions: 'constant mode; pads and value are known at compile time',
  infer: (c) => [{ shape: padForm(c).shape, dtype: c.type(0).dtype }],
  reference(c, [x]) {
    const { shape, value, piece } = padForm(c);
    const out = filled(shape, value);
    copyPiece(out, x!, piece);
    return [out];
  },
  lower(c) {
    const { shape, value, piece } = padForm(c);
    return [c.core.move([c.value(0)], [piece], shape, value)];
  },
});
