// Interpolation along one axis: which elements of the input an element of the result is a sum of, and with which
// weights. Positions are computed in single precision, step by step, as runtimes do: a position on the border
// between two elements falls to the same side.

export interface Resampling {
  readonly mode: 'nearest' | 'linear' | 'cubic';
  readonly transformation: string;
  readonly nearestMode: string;
  readonly cubicA: number;
  readonly excludeOutside: boolean;
}

export interface ResizedAxis {
  readonly size: number;
  readonly out: number;
  readonly scale: number;
  /** Region of interest in fractions of the axis, for tf_crop_and_resize. */
  readonly roi: readonly [number, number];
}

/** A term of the sums: of every result, an index into the input (-1: nothing) and its weight. */
export interface Tap {
  readonly indices: readonly number[];
  readonly weights: readonly number[];
}

const f = Math.fround;

type Transformation = (i: number, a: ResizedAxis) => number;

const halfPixel: Transformation = (i, { scale }) => f(f(f(i + 0.5) / scale) - 0.5);

/** Position in the input of element i of the result. */
export const transformations: Readonly<Record<string, Transformation>> = {
  half_pixel: halfPixel,
  pytorch_half_pixel: (i, a) => (a.out > 1 ? halfPixel(i, a) : 0),
  half_pixel_symmetric(i, a) {
    const adjustment = f(a.out / f(a.scale * a.size));
    const offset = f(f(a.size / 2) * f(1 - adjustment));
    return f(offset + halfPixel(i, a));
  },
  tf_half_pixel_for_nn: (i, { scale }) => f(f(i + 0.5) / scale),
  align_corners: (i, { size, out }) => (out === 1 ? 0 : f(f(i * (size - 1)) / (out - 1))),
  asymmetric: (i, { scale }) => f(i / scale),
  tf_crop_and_resize(i, { size, out, roi: [start, end] }) {
    if (out === 1) return f(f(0.5 * f(start + end)) * (size - 1));
    return f(f(start * (size - 1)) + f(f(f(i * f(end - start)) * (size - 1)) / (out - 1)));
  },
};

export const nearestModes: Readonly<Record<string, (x: number) => number>> = {
  round_prefer_floor: (x) => (x - Math.floor(x) === 0.5 ? Math.floor(x) : Math.round(x)),
  round_prefer_ceil: (x) => Math.floor(x + 0.5),
  floor: Math.floor,
  ceil: Math.ceil,
};

/** Weights of the elements at -1, 0, 1 and 2 for a position t behind 0 (Keys, 1981). */
function cubic(t: number, a: number): number[] {
  const near = (d: number) => ((a + 2) * d - (a + 3)) * d * d + 1;
  const far = (d: number) => ((a * d - 5 * a) * d + 8 * a) * d - 4 * a;
  return [far(1 + t), near(t), near(1 - t), far(2 - t)];
}

/** Whether element i lies outside of the input, where a region of interest reaches there. */
export function isOutside(a: ResizedAxis, transformation: string, i: number): boolean {
  const x = transformations[transformation]!(i, a);
  return transformation === 'tf_crop_and_resize' && (x < 0 || x > a.size - 1);
}

/** Indices of one result, and their weights; indices are those of existing elements. */
function terms(a: ResizedAxis, r: Resampling, i: number): (readonly [number, number])[] {
  const clamp = (index: number) => Math.min(Math.max(index, 0), a.size - 1);
  const x = transformations[r.transformation]!(i, a);
  if (r.mode === 'nearest') return [[clamp(nearestModes[r.nearestMode]!(x)), 1]];
  if (r.mode === 'linear') {
    const at = clamp(x);
    const below = Math.floor(at);
    return [
      [below, 1 - (at - below)],
      [clamp(below + 1), at - below],
    ];
  }
  const below = Math.floor(x);
  let weights = cubic(x - below, r.cubicA);
  if (r.excludeOutside) {
    weights = weights.map((w, k) => (below - 1 + k === clamp(below - 1 + k) ? w : 0));
    const total = weights.reduce((s, w) => s + w, 0);
    weights = weights.map((w) => w / total);
  }
  return weights.map((w, k) => [clamp(below - 1 + k), w]);
}

/** The terms of all results along an axis, without those that have no weight anywhere. */
export function tapsOf(a: ResizedAxis, r: Resampling): Tap[] {
  const rows = Array.from({ length: a.out }, (_, i) =>
    isOutside(a, r.transformation, i) ? terms(a, r, i).map(() => [-1, 0] as const) : terms(a, r, i),
  );
  const taps = rows[0]!.map((_, k) => ({
    indices: rows.map((row) => row[k]![0]),
    weights: rows.map((row) => row[k]![1]),
  }));
  const used = taps.filter(({ weights }) => weights.some((w) => w !== 0));
  return used.length > 0 ? used : taps.slice(0, 1);
}
