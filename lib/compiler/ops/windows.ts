// Geometry of sliding windows, shared by convolutions and pools, and their reference arithmetic.
//
// Per spatial dimension: out = floor((in + before + after - d (k - 1) - 1) / s) + 1, or ceil with ceil_mode,
// where a last window that would start behind the input and its leading padding is left out. auto_pad SAME
// pads so that out = ceil(in / s). One spatial dimension is computed as two, of which the first has one row.

import type { FloatTensor } from './array';
import { type OpContext, show } from './context';
import type { WindowAttributes } from './core';

export interface Axis {
  readonly size: number;
  readonly kernel: number;
  readonly stride: number;
  readonly dilation: number;
  readonly before: number;
  /** Padding behind, as far as windows reach: ceil_mode may reach further than the model's own padding. */
  readonly after: number;
  /** Padding behind that the model asks for. */
  readonly declaredAfter: number;
  readonly out: number;
}

export interface AxisOptions {
  readonly size: number;
  readonly kernel: number;
  readonly stride: number;
  readonly dilation: number;
  readonly pads: readonly [number, number];
  readonly autoPad: string;
  readonly ceil: boolean;
}

export function windowAxis(o: AxisOptions): Axis {
  const { size, kernel, stride, dilation } = o;
  const span = dilation * (kernel - 1) + 1;
  let [before, declaredAfter] = o.pads;
  let out: number;
  if (o.autoPad === 'SAME_UPPER' || o.autoPad === 'SAME_LOWER') {
    out = Math.ceil(size / stride);
    const total = Math.max(0, (out - 1) * stride + span - size);
    before = o.autoPad === 'SAME_UPPER' ? Math.floor(total / 2) : Math.ceil(total / 2);
    declaredAfter = total - before;
  } else {
    if (o.autoPad === 'VALID') before = declaredAfter = 0;
    const steps = (size + before + declaredAfter - span) / stride;
    out = (o.ceil ? Math.ceil(steps) : Math.floor(steps)) + 1;
    if (o.ceil && (out - 1) * stride >= size + before) out--;
  }
  const after = Math.max(0, (out - 1) * stride + span - size - before);
  return { size, kernel, stride, dilation, before, after, declaredAfter, out };
}

/** Most of everything that counts along an axis: what the kernels take. Windows then reach less than 2^30 places. */
const MOST_ALONG_AXIS = 2 ** 24;

/** Refuses windows that the kernels cannot take. */
export function needWindow(c: OpContext, a: Omit<Axis, 'declaredAfter'>): void {
  const { size, kernel, stride, dilation, before, after, out } = a;
  const parts = { size, kernel, stride, dilation, padding: Math.max(before, after), out };
  for (const [what, n] of Object.entries(parts)) {
    if (n <= MOST_ALONG_AXIS) continue;
    const name = what === 'out' ? 'number of windows' : what;
    throw c.unsupported(`has a ${name} of ${n} along an axis`, `The most are ${MOST_ALONG_AXIS}.`);
  }
}

/** An attribute with one number per spatial dimension, or two. */
export function windowList(c: OpContext, name: string, count: number, otherwise: 0 | 1): readonly number[] {
  const values = c.numbers(name) ?? new Array<number>(count).fill(otherwise);
  if (values.length !== count || (otherwise === 1 && values.some((v) => v < 1)))
    throw c.invalidShape(`has ${name} ${show(values)} for an input of shape ${show(c.shape(0))}`, c.shape(0));
  if (values.some((v) => v < 0))
    throw c.unsupported(
      `has negative ${name} ${show(values)}`,
      'Slice what comes before or after it instead.',
    );
  return values;
}

export function autoPadOf(c: OpContext): string {
  const autoPad = c.string('auto_pad', 'NOTSET');
  if (['NOTSET', 'SAME_UPPER', 'SAME_LOWER', 'VALID'].includes(autoPad)) return autoPad;
  throw c.unsupported(`has auto_pad ${autoPad}`, 'Use NOTSET, SAME_UPPER, SAME_LOWER or VALID.');
}

/** The axes of a windowed operator, from its attributes. */
export function spatialAxes(
  c: OpContext,
  sizes: readonly number[],
  kernel: readonly number[],
  ceil: boolean,
): Axis[] {
  const rank = sizes.length;
  if (kernel.length !== rank || kernel.some((k) => k < 1)) {
    throw c.invalidShape(
      `has a kernel of shape ${show(kernel)} for an input of shape ${show(c.shape(0))}`,
      kernel,
    );
  }
  const [strides, dilations] = [windowList(c, 'strides', rank, 1), windowList(c, 'dilations', rank, 1)];
  const pads = windowList(c, 'pads', 2 * rank, 0);
  const autoPad = autoPadOf(c);
  return sizes.map((size, i) => {
    const [k, stride, dilation] = [kernel[i]!, strides[i]!, dilations[i]!];
    const axis = windowAxis({
      size,
      kernel: k,
      stride,
      dilation,
      pads: [pads[i]!, pads[i + rank]!],
      autoPad,
      ceil,
    });
    if (axis.out >= 1) {
      needWindow(c, axis);
      return axis;
    }
    const window = `windows of ${k} with dilation ${dilation}`;
    throw c.invalidShape(`takes ${window} from an input of shape ${show(c.shape(0))}`, c.shape(0), kernel);
  });
}

/** Attributes of the core operation for two axes. */
export function windowAttributes([h, w]: readonly [Axis, Axis]): WindowAttributes {
  return {
    kernel: [h.kernel, w.kernel],
    strides: [h.stride, w.stride],
    pads: [h.before, w.before, h.after, w.after],
    dilations: [h.dilation, w.dilation],
  };
}

/** The axis that stands for the missing dimension of a one-dimensional window. */
export const singleRow: Axis = windowAxis({
  size: 1,
  kernel: 1,
  stride: 1,
  dilation: 1,
  pads: [0, 0],
  autoPad: 'NOTSET',
  ceil: false,
});

/** Output positions o, from `first` to before `end`, for which `start` + o `stride` lies on an axis. */
function reached(
  size: number,
  out: number,
  start: number,
  stride: number,
): { readonly first: number; readonly end: number } {
  const first = Math.max(0, Math.ceil(-start / stride));
  return { first, end: Math.min(out, Math.floor((size - 1 - start) / stride) + 1) };
}

/** x [N, C, H, W] with w [O, C/group, kh, kw] -> [N, O, OH, OW]. */
export function conv2d(
  x: FloatTensor,
  w: FloatTensor,
  out: readonly number[],
  a: Omit<WindowAttributes, 'kernel'>,
  group: number,
): FloatTensor {
  const [n, c, height, width] = x.shape as [number, number, number, number];
  const [outputs, perGroup, kh, kw] = w.shape as [number, number, number, number];
  const [oh, ow] = [out[2]!, out[3]!];
  const data = new Float64Array(n * outputs * oh * ow);
  const [down, across] = a.strides;
  for (let y = 0; y < kh; y++) {
    const top = y * a.dilations[0] - a.pads[0];
    const rows = reached(height, oh, top, down);
    for (let z = 0; z < kw; z++) {
      const left = z * a.dilations[1] - a.pads[1];
      const columns = reached(width, ow, left, across);
      for (let plane = 0; plane < n * outputs; plane++) {
        const o = plane % outputs;
        const first = Math.floor((o * group) / outputs) * perGroup;
        for (let i = 0; i < perGroup; i++) {
          const factor = w.data[((o * perGroup + i) * kh + y) * kw + z]!;
          if (factor === 0) continue;
          const input = (Math.floor(plane / outputs) * c + first + i) * height;
          for (let r = rows.first; r < rows.end; r++) {
            const to = (plane * oh + r) * ow;
            const from = (input + top + r * down) * width + left;
            for (let q = columns.first; q < columns.end; q++)
              data[to + q]! += factor * x.data[from + q * across]!;
          }
        }
      }
    }
  }
  return { shape: out, data };
}

/** Folds the elements of every window of x [.., H, W], padding left out. */
export function pool(
  x: FloatTensor,
  out: readonly number[],
  a: WindowAttributes,
  start: number,
  f: (acc: number, v: number) => number,
): FloatTensor {
  const [height, width] = x.shape.slice(-2) as [number, number];
  const [oh, ow] = out.slice(-2) as [number, number];
  const planes = x.data.length / (height * width || 1);
  const data = new Float64Array(planes * oh * ow).fill(start);
  const [down, across] = a.strides;
  for (let y = 0; y < a.kernel[0]; y++) {
    const top = y * a.dilations[0] - a.pads[0];
    const rows = reached(height, oh, top, down);
    for (let z = 0; z < a.kernel[1]; z++) {
      const left = z * a.dilations[1] - a.pads[1];
      const columns = reached(width, ow, left, across);
      for (let plane = 0; plane < planes; plane++) {
        for (let r = rows.first; r < rows.end; r++) {
          const to = (plane * oh + r) * ow;
          const from = (plane * height + top + r * down) * width + left;
          for (let q = columns.first; q < columns.end; q++)
            data[to + q] = f(data[to + q]!, x.data[from + q * across]!);
        }
      }
    }
  }
  return { shape: out, data };
}
