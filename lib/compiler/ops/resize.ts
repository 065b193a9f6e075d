// Resize: every element of the result is a sum of elements of the input with public weights, so it costs no
// communication. It is a move for "nearest", and else a sum of moves times weights.
//
// Axes are resized one after the other where their weights are exact (multiples of 2^-8: doubling, for one), and
// else at once, with the products of the weights: every factor that is not exact needs as many bits as a value has.

import { elementCount, type Value } from '../ir/graph';
import { expand, type FloatTensor, filled, tensorOf } from './array';
import { type LowerContext, MOST_LISTED, type OpContext, show } from './context';
import {
  isOutside,
  nearestModes,
  type Resampling,
  type ResizedAxis,
  type Tap,
  tapsOf,
  transformations,
} from './interpolation';
import { needPieces } from './moves';
import { scaled, shifted } from './operands';
import { copyPiece, countAlong, isWhole, piecesAlong } from './pieces';
import { defineOp } from './registry';

interface Resize {
  readonly axes: readonly ResizedAxis[];
  readonly resampling: Resampling;
  readonly shape: readonly number[];
  readonly extrapolation: number;
}

/** An optional list, left out or empty. Its values decide the shape of the result, which is public, so it is too. */
function list(c: OpContext, i: number, what: string): number[] | undefined {
  if (!c.has(i) || elementCount(c.shape(i)) === 0) return undefined;
  return c.isConstant(i) ? Array.from(c.floats(i).data) : c.known(i, what);
}

function resampling(c: OpContext): Resampling {
  const oneOf = (name: string, otherwise: string, allowed: readonly string[]): string => {
    const value = c.string(name, otherwise);
    if (allowed.includes(value)) return value;
    throw c.unsupported(`has ${name} ${value}`, `Use one of ${allowed.join(', ')}.`);
  };
  if (c.flag('antialias', false)) throw c.unsupported('has antialias = 1', 'Export it with antialias = 0.');
  return {
    mode: oneOf('mode', 'nearest', ['nearest', 'linear', 'cubic']) as Resampling['mode'],
    transformation: oneOf('coordinate_transformation_mode', 'half_pixel', Object.keys(transformations)),
    nearestMode: oneOf('nearest_mode', 'round_prefer_floor', Object.keys(nearestModes)),
    cubicA: c.number('cubic_coeff_a', -0.75),
    excludeOutside: c.flag('exclude_outside', false),
  };
}

/** Scales of the named axes, and the sizes they lead to. */
function scalesOf(c: OpContext, sizes: readonly number[]): { scale: number; out: number }[] {
  const [scales, given] = [list(c, 2, 'scales'), list(c, 3, 'sizes')];
  const wanted = scales ?? given;
  if (!wanted || (scales && given) || wanted.length !== sizes.length || wanted.some((v) => !(v > 0)))
    throw c.invalidShape(`has scales ${show(scales ?? [])} and sizes ${show(given ?? [])}`, c.shape(0));
  if (scales) {
    return scales.map((s, i) => {
      const scale = Math.fround(s);
      return { scale, out: Math.floor(Math.fround(scale * sizes[i]!)) };
    });
  }
  const ratios = sizes.map((size, i) => Math.fround(wanted[i]! / size));
  const policy = c.string('keep_aspect_ratio_policy', 'stretch');
  if (policy === 'stretch') return ratios.map((scale, i) => ({ scale, out: wanted[i]! }));
  if (policy !== 'not_larger' && policy !== 'not_smaller')
    throw c.unsupported(`has keep_aspect_ratio_policy ${policy}`, 'Use stretch, not_larger or not_smaller.');
  const scale = policy === 'not_larger' ? Math.min(...ratios) : Math.max(...ratios);
  return sizes.map((size) => ({ scale, out: Math.round(Math.fround(scale * size)) }));
}

function resizeOf(c: OpContext): Resize {
  const x = c.shape(0);
  const named = c.distinctAxes(c.numbers('axes') ?? x.map((_, i) => i), x.length);
  const form = resampling(c);
  const scales = scalesOf(
    c,
    named.map((a) => x[a]!),
  );
  const roi = form.transformation === 'tf_crop_and_resize' ? list(c, 1, 'roi') : undefined;
  if (form.transformation === 'tf_crop_and_resize' && roi?.length !== 2 * named.length)
    throw c.invalidShape(`has roi ${show(roi ?? [])} for ${named.length} axes`, x);
  const axes = x.map((size, axis): ResizedAxis => {
    const i = named.indexOf(axis);
    if (i < 0) return { size, out: size, scale: 1, roi: [0, 1] };
    return { size, ...scales[i]!, roi: [roi?.[i] ?? 0, roi?.[i + named.length] ?? 1] };
  });
  const shape = axes.map((a) => a.out);
  if (shape.some((d) => d < 1)) throw c.invalidShape(`resizes ${show(x)} to ${show(shape)}`, x);
  c.needSize(shape);
  c.needPlaces([...x, ...shape], mostPlaces);
  const extrapolation = c.number('extrapolation_value', 0);
  if (extrapolation !== 0) c.needSize(shape, MOST_LISTED);
  // The factors of all axes but those that stay what they are.
  const changed = axes.filter((a) => a.out !== a.size || a.scale !== 1 || roi);
  if (form.mode !== 'nearest')
    c.needSize(
      changed.map((a) => a.out),
      mostFactors,
    );
  const isEmpty = (a: ResizedAxis) =>
    Array.from({ length: a.out }).every((_, i) => isOutside(a, form.transformation, i));
  if (roi && axes.some(isEmpty))
    throw c.invalidShape(`reads nothing of its input at roi ${show(roi ?? [])}`, x);
  return { axes, resampling: form, shape, extrapolation };
}

/** Terms of a sum over several axes: for each, one tap per axis. */
function combinations(taps: readonly (readonly Tap[])[]): Tap[][] {
  return taps.reduce<Tap[][]>((all, axis) => all.flatMap((t) => axis.map((tap) => [...t, tap])), [[]]);
}

/** Products of the weights along all axes; an axis without any has size 1. */
function weightsOf(term: readonly Tap[]): FloatTensor {
  const factors = term.map(({ weights }) => (weights.every((w) => w === 1) ? [1] : weights));
  const data = factors.reduce<number[]>((all, axis) => all.flatMap((a) => axis.map((w) => a * w)), [1]);
  return tensorOf(
    factors.map((axis) => axis.length),
    data,
  );
}

/** Most elements along an axis: the taps of each are listed. */
const mostPlaces = 2 ** 20;

/** Most factors of a sum's term, of which there are four (linear) or sixteen (cubic) in two dimensions. */
const mostFactors = 2 ** 22;

/** Pieces up to which a move along several axes is done at once. */
const fewPieces = 64;

/** Axes that are resized together: all, or one at a time where every weight is exact. */
function steps(taps: readonly (readonly Tap[])[], shape: readonly number[]): (readonly Tap[])[][] {
  const isMove = taps.every((axis) => axis.length === 1);
  const indices = taps.map((axis) => axis[0]!.indices);
  if (isMove && countAlong(indices) <= fewPieces) return [[...taps]];
  const isExact = taps.every((axis) =>
    axis.every(({ weights }) => weights.every((w) => Number.isInteger(w * 256))),
  );
  if (!isExact) return [[...taps]];
  const whole = (size: number): Tap[] => {
    const indices = Array.from({ length: size }, (_, i) => i);
    return [{ indices, weights: indices.map(() => 1) }];
  };
  return taps.map((axis, a) =>
    taps.map((other, b) => {
      if (a === b) return axis;
      return whole(b < a ? other[0]!.indices.length : shape[b]!);
    }),
  );
}

function termOf(c: LowerContext, x: Value, term: readonly Tap[]): Value {
  const shape = term.map(({ indices }) => indices.length);
  const indices = term.map((tap) => tap.indices);
  needPieces(c, countAlong(indices));
  const pieces = piecesAlong(x.type.shape, indices);
  const fill = indices.some((l) => l.includes(-1)) ? 0 : null;
  const moved =
    pieces.length === 1 && isWhole(pieces[0]!, x.type.shape, shape)
      ? x
      : c.core.move(
          pieces.map(() => x),
          pieces,
          shape,
          fill,
        );
  return scaled(c, moved, weightsOf(term));
}

/** What is outside of the input has the extrapolation value. */
function extrapolated({ extrapolation, shape, ...form }: Resize): FloatTensor {
  if (extrapolation === 0) return filled(shape, 0);
  const inside = form.axes.map((a) =>
    Array.from({ length: a.out }, (_, i) => Number(!isOutside(a, form.resampling.transformation, i))),
  );
  const data = inside.reduce<number[]>((all, axis) => all.flatMap((a) => axis.map((v) => a * v)), [1]);
  return tensorOf(
    shape,
    data.map((v) => (v === 1 ? 0 : extrapolation)),
  );
}

defineOp({
  op: 'Resize',
  opset: [11, 23],
  restrictions:
    'scales, sizes and roi are known at compile time and become public; no antialias; roi holds for every axis',
  infer: (c) => [{ shape: resizeOf(c).shape, dtype: 'fixed' }],
  reference(c, [x]) {
    const form = resizeOf(c);
    const out = extrapolated(form);
    for (const term of combinations(form.axes.map((a) => tapsOf(a, form.resampling)))) {
      const part = filled(form.shape, 0);
      const indices = term.map((tap) => tap.indices);
      for (const piece of piecesAlong(x!.shape, indices)) copyPiece(part, x!, piece);
      const weights = expand(weightsOf(term), form.shape).data;
      for (let i = 0; i < out.data.length; i++) out.data[i]! += part.data[i]! * weights[i]!;
    }
    return [out];
  },
  lower(c) {
    const form = resizeOf(c);
    const taps = form.axes.map((a) => tapsOf(a, form.resampling));
    const resized = steps(taps, c.shape(0)).reduce((x, step) => {
      const parts = combinations(step).map((term) => termOf(c, x, term));
      return parts.reduce((a, b) => c.core.add(a, b));
    }, c.value(0));
    return [shifted(c, resized, extrapolated(form))];
  },
});
