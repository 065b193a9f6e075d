// Operators that assemble their result from elements of several inputs: Concat, ScatterElements, ScatterND. All
// become one move, without arithmetic, but that public constants are added where they do not all have the same
// value, and that a scatter with reduction "add" is a sum of moves.

import { elementCount, type Value } from '../ir/graph';
import { type FloatTensor, filled, sameShape, stridesOf } from './array';
import type { LowerContext, OpContext } from './context';
import type { Piece } from './core';
import { elementIndices, placesWithoutAxis, sliceOffsets } from './index-map';
import { shifted } from './operands';
import { copyPiece, piecesOf } from './pieces';
import { defineOp } from './registry';

/** What input i contributes to a result. */
interface Part {
  readonly i: number;
  readonly pieces: readonly Piece[];
}

/** Where every input of a Concat goes. */
function concatParts(c: OpContext): { shape: number[]; parts: Part[] } {
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
  const parts = shapes.map((s, i) => {
    const own = stridesOf(s);
    const dims = s.map((d, j) => [d, strides[j]!, own[j]!] as const);
    const piece = { outBase: at * strides[axis]!, inBase: 0, dims };
    at += s[axis]!;
    return { i, pieces: elementCount(s) > 0 ? [piece] : [] };
  });
  return { shape, parts };
}

function assembled(shape: readonly number[], parts: readonly Part[], input: (i: number) => FloatTensor) {
  const out = filled(shape, 0);
  for (const { i, pieces } of parts) for (const piece of pieces) copyPiece(out, input(i), piece);
  return out;
}

/** Public constants are not copied: they are what the result is filled with, or added to it. */
function lowerParts(c: LowerContext, shape: readonly number[], all: readonly Part[]): Value {
  const isPublic = ({ i }: Part) => c.constant(i)?.private === false;
  const parts = all.filter(({ pieces }) => pieces.length > 0);
  const computed = parts.filter((p) => !isPublic(p));
  const known = parts.filter(isPublic);
  if (computed.length === 0)
    throw c.unsupported('leaves nothing of its secret inputs', 'Put a constant of the model in its place.');
  const move = (fill: number | null) => {
    const inputs = computed.flatMap(({ i, pieces }) => pieces.map(() => c.value(i)));
    const pieces = computed.flatMap((p) => p.pieces);
    return c.core.move(inputs, pieces, shape, fill);
  };
  if (known.length === 0) return move(null);
  const first = c.floats(known[0]!.i).data[known[0]!.pieces[0]!.inBase]!;
  // A part that one party holds is zero at the others, and so must its place be: no fill beside parts of several owners.
  const owners = new Set(computed.map(({ i }) => c.inputs[i]!.type.owner));
  const alike = known.every(({ i }) => c.floats(i).data.every((v) => v === first));
  if (owners.size === 1 && alike) return move(first);
  return shifted(
    c,
    move(0),
    assembled(shape, known, (i) => c.floats(i)),
  );
}

defineOp({
  op: 'Concat',
  opset: [11, 23],
  restrictions: '',
  integers: true,
  infer: (c) => [{ shape: concatParts(c).shape, dtype: c.type(0).dtype }],
  reference(c, inputs) {
    const { shape, parts } = concatParts(c);
    return [assembled(shape, parts, (i) => inputs[i]!)];
  },
  lower(c) {
    const { shape, parts } = concatParts(c);
    return [lowerParts(c, shape, parts)];
  },
});

/** Where element i of the updates (input 2) goes, and whether it is added to what is there. */
interface Scatter {
  readonly targets: ArrayLike<number>;
  readonly adds: boolean;
}

function reductionAdds(c: OpContext): boolean {
  const reduction = c.string('reduction', 'none');
  if (reduction === 'none' || reduction === 'add') return reduction === 'add';
  throw c.unsupported(`has reduction ${reduction}`, 'Use none or add.');
}

const scatters: Readonly<Record<string, (c: OpContext) => Scatter>> = {
  ScatterElements(c) {
    const { axis, indices, stride } = elementIndices(c);
    if (!sameShape(c.shape(1), c.shape(2))) throw c.mismatch(1, 2, 'there is one index per update');
    const targets = placesWithoutAxis(c.shape(0), c.shape(1), axis).map((p, i) => p + indices[i]! * stride);
    return { targets, adds: reductionAdds(c) };
  },
  ScatterND(c) {
    const { at, size, rest } = sliceOffsets(c, 0);
    if (!sameShape([...c.shape(1).slice(0, -1), ...rest], c.shape(2)))
      throw c.mismatch(1, 2, 'there is one slice of updates per tuple of indices');
    const targets = at.flatMap((first) => Array.from({ length: size }, (_, j) => first + j));
    return { targets, adds: reductionAdds(c) };
  },
};

/** Elements of the data that stay, and of the updates that replace the others: the last one wins. */
function replacement(count: number, targets: ArrayLike<number>): Part[] {
  const update = new Float64Array(count).fill(-1);
  for (let i = 0; i < targets.length; i++) update[targets[i]!] = i;
  const places = (isUpdate: boolean) =>
    Array.from(update.keys()).filter((place) => update[place]! >= 0 === isUpdate);
  const [kept, replaced] = [places(false), places(true)];
  const sources = replaced.map((place) => update[place]!);
  return [
    { i: 0, pieces: piecesOf(kept, kept) },
    { i: 2, pieces: piecesOf(replaced, sources) },
  ];
}

/** Updates in groups that name no place twice: each is one move into zeros. */
function groups(targets: ArrayLike<number>): Piece[][] {
  const times = new Map<number, number>();
  const found: { to: number[]; from: number[] }[] = [];
  for (let i = 0; i < targets.length; i++) {
    const place = targets[i]!;
    const nth = times.get(place) ?? 0;
    times.set(place, nth + 1);
    found[nth] ??= { to: [], from: [] };
    found[nth].to.push(place);
    found[nth].from.push(i);
  }
  return found.map(({ to, from }) => piecesOf(to, from));
}

function lowerSum(c: LowerContext, targets: ArrayLike<number>): Value {
  const shape = c.outputShape;
  const isPublic = (i: number) => c.constant(i)?.private === false;
  const terms: Value[] = [];
  const known = filled(shape, 0);
  if (isPublic(0)) known.data.set(c.floats(0).data);
  else terms.push(c.value(0));
  if (isPublic(2)) {
    const { data } = c.floats(2);
    for (let i = 0; i < targets.length; i++) known.data[targets[i]!]! += data[i]!;
  } else {
    const x = c.value(2);
    for (const pieces of groups(targets)) {
      const inputs = pieces.map(() => x);
      terms.push(c.core.move(inputs, pieces, shape, 0));
    }
  }
  return shifted(
    c,
    terms.reduce((a, b) => c.core.add(a, b)),
    known,
  );
}

for (const [op, scatterOf] of Object.entries(scatters)) {
  defineOp({
    op,
    opset: [11, 23],
    restrictions: 'indices are known at compile time; reduction none or add',
    infer(c) {
      c.needPlaces([elementCount(c.shape(0))]);
      scatterOf(c);
      return [{ shape: c.shape(0), dtype: c.type(0).dtype }];
    },
    reference(c, [data, , updates]) {
      const { targets, adds } = scatterOf(c);
      const out = { shape: data!.shape, data: data!.data.slice() };
      for (let i = 0; i < targets.length; i++) {
        const place = targets[i]!;
        out.data[place] = updates!.data[i]! + (adds ? out.data[place]! : 0);
      }
      return [out];
    },
    lower(c) {
      const { targets, adds } = scatterOf(c);
      if (adds) return [lowerSum(c, targets)];
      return [lowerParts(c, c.outputShape, replacement(elementCount(c.outputShape), targets))];
    },
  });
}
