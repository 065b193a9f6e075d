// ConvTranspose: y[s i + d k - pad] += w[c, o, k] x[c, i], for every input position i and tap k.
//
// Results whose position (pad included) has the same remainder modulo the strides take the same taps: those k with
// d k = remainder modulo s, which are k0, k0 + m, .. with m = s / gcd(s, d). So the results of one remainder are a
// convolution of x with those taps in reverse, with stride 1 and dilation d / gcd(s, d). No zeros are multiplied,
// and x is opened once for all of them. One move interleaves the results.

import { elementCount, type Value } from '../ir/graph';
import { type FloatTensor, filled, stridesOf, zip } from './array';
import { type LowerContext, type OpContext, show } from './context';
import { checkKernel, groupsOf, kernelShapes } from './conv';
import type { Piece } from './core';
import { operand, operandView, plus } from './operands';
import { defineOp } from './registry';
import { autoPadOf, needWindow, windowList } from './windows';

interface TransposedAxis {
  readonly size: number;
  readonly kernel: number;
  readonly stride: number;
  readonly dilation: number;
  readonly before: number;
  readonly out: number;
}

interface Geometry {
  readonly axes: readonly [TransposedAxis, TransposedAxis];
  readonly group: number;
  readonly out: readonly number[];
  /** Shapes of x and w with two spatial dimensions. */
  readonly x: readonly number[];
  readonly w: readonly number[];
}

const singleRow: TransposedAxis = { size: 1, kernel: 1, stride: 1, dilation: 1, before: 0, out: 1 };

/** Each remainder modulo the strides is a convolution. */
const mostPhases = 1024;

/** The axes, with padding from `pads`, `auto_pad` or the size of the result that is asked for. */
function transposedAxes(c: OpContext, sizes: readonly number[], kernel: readonly number[]): TransposedAxis[] {
  const rank = sizes.length;
  const strides = windowList(c, 'strides', rank, 1);
  const dilations = windowList(c, 'dilations', rank, 1);
  const extra = windowList(c, 'output_padding', rank, 0);
  const pads = windowList(c, 'pads', 2 * rank, 0);
  const asked = c.numbers('output_shape')?.slice(-rank);
  if (asked && asked.length !== rank) throw c.invalidShape(`has output_shape ${show(asked)}`);
  const autoPad = autoPadOf(c);
  return sizes.map((size, i) => {
    const [k, stride, dilation] = [kernel[i]!, strides[i]!, dilations[i]!];
    const full = stride * (size - 1) + extra[i]! + dilation * (k - 1) + 1;
    const wanted = asked?.[i] ?? (autoPad.startsWith('SAME') ? size * stride : undefined);
    let [before, after] = autoPad === 'VALID' ? [0, 0] : [pads[i]!, pads[i + rank]!];
    if (wanted !== undefined) {
      const total = Math.max(0, full - wanted);
      before = autoPad === 'SAME_UPPER' ? Math.floor(total / 2) : Math.ceil(total / 2);
      after = full - wanted - before;
    }
    const out = full - before - after;
    if (out >= 1) {
      const axis = { size, kernel: k, stride, dilation, before, out };
      needWindow(c, { ...axis, after });
      return axis;
    }
    throw c.invalidShape(`makes windows of ${k} from an input of shape ${show(c.shape(0))} and leaves none`);
  });
}

function geometry(c: OpContext): Geometry {
  const [x, w] = kernelShapes(c, 3, 4);
  const group = groupsOf(c);
  if (x[1] !== w[0] || x[1]! % group !== 0)
    throw c.mismatch(0, 1, `${x[1]} channels do not fit a kernel of ${w[0]} channels in ${group} groups`);
  const outputs = w[1]! * group;
  checkKernel(c, outputs);
  const spatial = transposedAxes(c, x.slice(2), w.slice(2));
  const axes = (spatial.length === 1 ? [singleRow, spatial[0]!] : spatial) as [
    TransposedAxis,
    TransposedAxis,
  ];
  const two = (s: readonly number[]) => (s.length === 3 ? [s[0]!, s[1]!, 1, s[2]!] : s);
  const out = [x[0]!, outputs, ...spatial.map((a) => a.out)];
  c.needSize(out);
  c.needPlaces([x[0]!, x[1]!, outputs]);
  if (elementCount(spatial.map(phaseCount)) > mostPhases) {
    const remedy = `The product of the strides may be up to ${mostPhases}.`;
    throw c.unsupported(`has strides ${show(spatial.map((a) => a.stride))}`, remedy);
  }
  return { axes, group, out, x: two(x), w: two(w) };
}

/** What the results of one remainder along an axis are made of. */
interface Phase {
  /** The last tap, their number and distance: as a convolution takes them, in reverse. */
  readonly last: number;
  readonly taps: number;
  readonly step: number;
  readonly dilation: number;
  readonly pads: readonly [number, number];
  /** Places of the convolution, the first of them that is a result, and how many are. */
  readonly places: number;
  readonly skip: number;
  readonly count: number;
  /** The first result. */
  readonly first: number;
}

const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b));

const phaseCount = ({ stride, out }: TransposedAxis): number => Math.min(stride, out);

/** For every remainder modulo the stride: the first tap that has it, undefined where none does. */
function firstTaps(axis: TransposedAxis, taps: number): (number | undefined)[] {
  const { stride, dilation, before } = axis;
  const remainders = Array.from({ length: phaseCount(axis) }, (_, first) => (first + before) % stride);
  const found = new Map(remainders.map((r): [number, number | undefined] => [r, undefined]));
  for (let k = 0; k < taps; k++) {
    const remainder = (k * dilation) % stride;
    if (found.has(remainder)) found.set(remainder, k);
  }
  return remainders.map((r) => found.get(r));
}

function phases(axis: TransposedAxis): Phase[] {
  const { size, kernel, stride, dilation, before, out } = axis;
  const common = gcd(stride, dilation);
  const [step, inner] = [stride / common, dilation / common];
  // Taps of less than a period have different remainders.
  const all = firstTaps(axis, Math.min(step, kernel)).map((k0, first): Phase | undefined => {
    if (k0 === undefined) return undefined;
    const taps = Math.floor((kernel - 1 - k0) / step) + 1;
    const reach = (taps - 1) * inner;
    // Result first + stride q is place q of a convolution whose tap k0 reads input q + shift.
    const shift = (first + before - k0 * dilation) / stride;
    const count = Math.floor((out - 1 - first) / stride) + 1;
    // A convolution neither starts nor ends within its input: what is more than asked for is skipped.
    const start = Math.min(0, reach - shift);
    const end = Math.max(count - 1, size - 1 - shift);
    return {
      last: k0 + (taps - 1) * step,
      taps,
      step,
      dilation: inner,
      pads: [reach - shift - start, end + shift - (size - 1)],
      places: end - start + 1,
      skip: -start,
      count,
      first,
    };
  });
  return all.filter((p) => p !== undefined);
}

/** The taps of two phases as the kernel of a convolution: [C, O/group, ..] -> [O, C/group, ..]. */
function kernelOf(c: LowerContext, g: Geometry, [v, h]: readonly [Phase, Phase]): Value {
  const [channels, perGroup] = [g.w[0]!, g.w[1]!];
  const strides = stridesOf(g.w);
  const shape = [g.group, perGroup, channels / g.group, v.taps, h.taps];
  const steps = [
    (channels / g.group) * strides[0]!,
    strides[1]!,
    strides[0]!,
    -v.step * strides[2]!,
    -h.step * strides[3]!,
  ];
  const base = v.last * strides[2]! + h.last * strides[3]!;
  const result = [g.group * perGroup, channels / g.group, v.taps, h.taps];
  return operandView(c, 1, { shape, strides: steps, base, result });
}

function lowerConvTranspose(c: LowerContext): Value {
  const g = geometry(c);
  const x = operand(c, 0, g.x);
  const y = [g.out[0]!, g.out[1]!, g.axes[0].out, g.axes[1].out];
  const strides = stridesOf(y);
  const parts: { value: Value; piece: Piece }[] = [];
  for (const v of phases(g.axes[0])) {
    for (const h of phases(g.axes[1])) {
      const out = [y[0]!, y[1]!, v.places, h.places];
      const value = c.core.conv2d(x, kernelOf(c, g, [v, h]), out, {
        strides: [1, 1],
        dilations: [v.dilation, h.dilation],
        pads: [v.pads[0], h.pads[0], v.pads[1], h.pads[1]],
        group: g.group,
      });
      const own = stridesOf(out);
      const steps = [1, 1, g.axes[0].stride, g.axes[1].stride];
      const sizes = [y[0]!, y[1]!, v.count, h.count];
      const piece = {
        outBase: v.first * strides[2]! + h.first,
        inBase: v.skip * own[2]! + h.skip,
        dims: sizes.map((d, i) => [d, strides[i]! * steps[i]!, own[i]!] as const),
      };
      parts.push({ value, piece });
    }
  }
  const covered = parts.reduce((n, { piece }) => n + piece.dims.reduce((a, [d]) => a * d, 1), 0);
  const isWhole = parts.length === 1 && show(parts[0]!.value.type.shape) === show(y);
  const joined = isWhole
    ? parts[0]!.value
    : c.core.move(
        parts.map((p) => p.value),
        parts.map((p) => p.piece),
        y,
        covered === y.reduce((a, b) => a * b, 1) ? null : 0,
      );
  return c.core.reshape(c.has(2) ? plus(c, joined, 2, [g.out[1]!, 1, 1]) : joined, g.out);
}

/** By the definition: every input element adds to the results that its taps reach. */
function convTranspose(x: FloatTensor, w: FloatTensor, g: Geometry): FloatTensor {
  const [n, channels, height, width] = g.x as [number, number, number, number];
  const [, perGroup, kh, kw] = g.w as [number, number, number, number];
  const [v, h] = g.axes;
  const data = new Float64Array(n * g.out[1]! * v.out * h.out);
  for (let at = 0; at < x.data.length; at++) {
    const [i, j] = [Math.floor(at / width) % height, at % width];
    const c = Math.floor(at / (width * height)) % channels;
    const plane = Math.floor(at / (width * height * channels)) * g.out[1]!;
    const first = Math.floor((c * g.group) / channels) * perGroup;
    for (let tap = 0; tap < perGroup * kh * kw; tap++) {
      const [o, k, l] = [Math.floor(tap / (kh * kw)), Math.floor(tap / kw) % kh, tap % kw];
      const r = i * v.stride + k * v.dilation - v.before;
      const q = j * h.stride + l * h.dilation - h.before;
      if (r < 0 || r >= v.out || q < 0 || q >= h.out) continue;
      const to = ((plane + first + o) * v.out + r) * h.out + q;
      data[to] = data[to]! + x.data[at]! * w.data[c * perGroup * kh * kw + tap]!;
    }
  }
  return { shape: g.out, data };
}

defineOp({
  op: 'ConvTranspose',
  opset: [11, 23],
  restrictions:
    'one or two spatial dimensions; with auto_pad SAME the output is input times stride, as in the standard',
  infer(c) {
    const { axes, out } = geometry(c);
    const all = axes.map((a) => phases(a));
    if (all.some((list) => list.length === 0))
      throw c.invalidShape(`makes a result of shape ${show(out)} that no window reaches`, c.shape(0), out);
    all.forEach((list, i) => {
      for (const { taps, dilation, pads, places } of list) {
        const [before, after] = pads;
        const { size } = axes[i]!;
        needWindow(c, { size, kernel: taps, stride: 1, dilation, before, after, out: places });
      }
    });
    return [{ shape: out, dtype: 'fixed' }];
  },
  reference(c, [x, w, bias]) {
    const g = geometry(c);
    const y = convTranspose(x!, w!, g);
    const shape = [g.out[1]!, ...g.out.slice(2).map(() => 1)];
    return [zip(y, bias ? { shape, data: bias.data } : filled([], 0), (a, b) => a + b)];
  },
  lower: (c) => [lowerConvTranspose(c)],
});
