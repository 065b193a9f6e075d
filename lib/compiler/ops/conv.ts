// Conv: y[o] = bias[o] + sum over channels and taps of w[o, c, tap] x[c, s p + d tap - pad].
//
// One spatial dimension is computed as two with a single row. Groups, strides, dilations and any padding are
// part of the core operation; a bias is a sum that follows. With three, one convolution in two dimensions gives
// what every slice in depth contributes by every tap in depth, and the sums over those taps are local: x is
// opened once, as large as it is.

import { elementCount, type Value } from '../ir/graph';
import { type FloatTensor, filled, stridesOf, view, zip } from './array';
import { type LowerContext, type OpContext, show } from './context';
import type { Piece } from './core';
import { operand, operandView, plus, type View } from './operands';
import { copyPiece } from './pieces';
import { defineOp } from './registry';
import { type Axis, conv2d, singleRow, spatialAxes, windowAttributes } from './windows';

/** Each slice of a kernel in depth is an operation. */
const mostSlices = 1024;

interface Geometry {
  /** The last two axes, and the depth before them where there are three. */
  readonly axes: readonly [Axis, Axis];
  readonly depth: Axis | undefined;
  readonly group: number;
  readonly out: readonly number[];
  /** Shapes of x, w and y with two spatial dimensions; in depth, slices are counted with images and taps with outputs. */
  readonly x: readonly number[];
  readonly w: readonly number[];
  readonly y: readonly number[];
}

/** What the shapes of an input, a kernel and a bias must be for a convolution with this many outputs. */
export function checkKernel(c: OpContext, outputs: number): void {
  const w = c.shape(1);
  if (c.has(2) && (c.shape(2).length !== 1 || c.shape(2)[0] !== outputs)) {
    throw c.invalidShape(`has a bias of shape ${show(c.shape(2))} for ${outputs} outputs`, c.shape(2), w);
  }
  const declared = c.numbers('kernel_shape');
  if (declared && show(declared) !== show(w.slice(2))) {
    throw c.invalidShape(
      `says kernel_shape ${show(declared)} but has weights of shape ${show(w)}`,
      declared,
      w,
    );
  }
}

/** Shapes of input and kernel, which have equally many dimensions: one of these numbers. */
export function kernelShapes(c: OpContext, ...ranks: number[]): [readonly number[], readonly number[]] {
  c.needRank(0, ...ranks);
  const [x, w] = [c.shape(0), c.shape(1)];
  if (x.length === w.length) return [x, w];
  throw c.mismatch(0, 1, 'input and kernel have different numbers of dimensions');
}

/** The number of groups that channels are split into. */
export function groupsOf(c: OpContext): number {
  const group = c.number('group', 1);
  if (Number.isInteger(group) && group >= 1) return group;
  throw c.error('INVALID_MODEL', `has group ${group}`, 'Give 1, or a number that divides the channels.');
}

function geometry(c: OpContext): Geometry {
  const [x, w] = kernelShapes(c, 3, 4, 5);
  const group = groupsOf(c);
  const [channels, outputs, perGroup] = [x[1]!, w[0]!, w[1]!];
  if (channels !== perGroup * group) {
    throw c.mismatch(
      0,
      1,
      `${channels} channels do not fit a kernel of ${perGroup} channels in ${group} groups`,
    );
  }
  if (outputs % group !== 0)
    throw c.mismatch(0, 1, `${outputs} outputs cannot be split into ${group} groups`);
  checkKernel(c, outputs);
  const spatial = spatialAxes(c, x.slice(2), w.slice(2), false);
  const out = [x[0]!, outputs, ...spatial.map((a) => a.out)];
  const depth = spatial.length === 3 ? spatial.shift() : undefined;
  if (depth && depth.kernel > mostSlices)
    throw c.unsupported(`has a kernel of ${depth.kernel} slices in depth`, `The most are ${mostSlices}.`);
  const axes = (spatial.length === 1 ? [singleRow, spatial[0]!] : spatial) as [Axis, Axis];
  const two = (first: number, s: readonly number[]) =>
    s.length === 3 ? [first, s[1]!, 1, s[2]!] : [first, s[1]!, ...s.slice(-2)];
  c.needSize(out);
  const y = [x[0]! * (depth?.size ?? 1), outputs * (depth?.kernel ?? 1), ...axes.map((a) => a.out)];
  c.needSize(y);
  c.needPlaces([y[0]!, y[1]!, channels]);
  return {
    axes,
    depth,
    group,
    out,
    x: two(x[0]! * (depth?.size ?? 1), x),
    w: two(outputs * (depth?.kernel ?? 1), w),
    y,
  };
}

/** A view of [a, b, d, ..] as [a, d, b, ..], in the shape `result` of four dimensions. */
function depthFirst(shape: readonly number[], result: readonly number[]): View {
  const strides = stridesOf(shape);
  const order = [0, 2, 1, 3, 4];
  return { shape: order.map((i) => shape[i]!), strides: order.map((i) => strides[i]!), base: 0, result };
}

/**
 * For every tap in depth that reaches the input: where its contributions lie in the convolution of slices, and in
 * a result of shape [N, O, depth, H W].
 */
function depthPieces({ out, depth, y }: Geometry): Piece[] {
  const { size, kernel, stride, dilation, before, out: slices } = depth!;
  const plane = y[2]! * y[3]!;
  const slice = y[1]! * plane;
  return Array.from({ length: kernel }, (_, k): Piece[] => {
    const at = (o: number) => o * stride + k * dilation - before;
    const reached = Array.from({ length: slices }, (_row, o) => o).filter((o) => at(o) >= 0 && at(o) < size);
    const [first] = reached;
    if (first === undefined) return [];
    const dims: Piece['dims'] = [
      [out[0]!, out[1]! * slices * plane, size * slice],
      [out[1]!, slices * plane, kernel * plane],
      [reached.length, plane, stride * slice],
      [plane, 1, 1],
    ];
    return [{ outBase: first * plane, inBase: at(first) * slice + k * plane, dims }];
  }).flat();
}

function sumOverDepth(c: LowerContext, g: Geometry, slices: Value): Value {
  const count = elementCount(g.out);
  const parts = depthPieces(g).map((piece) => {
    const covered = piece.dims.reduce((n, [d]) => n * d, 1);
    return c.core.move([slices], [piece], g.out, covered === count ? null : 0);
  });
  return parts.reduce((a, b) => c.core.add(a, b));
}

function convolved(x: FloatTensor, w: FloatTensor, g: Geometry): FloatTensor {
  const viewed = (t: FloatTensor, result: readonly number[]): FloatTensor => {
    if (!g.depth) return { shape: result, data: t.data };
    const { shape, strides } = depthFirst(t.shape, result);
    return { shape: result, data: view(t.data, shape, strides).data };
  };
  const y = conv2d(viewed(x, g.x), viewed(w, g.w), g.y, windowAttributes(g.axes), g.group);
  if (!g.depth) return y;
  const sum = filled(g.out, 0);
  for (const piece of depthPieces(g)) {
    const part = filled(g.out, 0);
    copyPiece(part, y, piece);
    part.data.forEach((v, i) => {
      sum.data[i]! += v;
    });
  }
  return sum;
}

defineOp({
  op: 'Conv',
  opset: [11, 23],
  restrictions: 'one to three spatial dimensions',
  infer: (c) => [{ shape: geometry(c).out, dtype: 'fixed' }],
  reference(c, [x, w, bias]) {
    const g = geometry(c);
    const y = { shape: g.out, data: convolved(x!, w!, g).data };
    const shape = [g.out[1]!, ...g.out.slice(2).map(() => 1)];
    return [zip(y, bias ? { shape, data: bias.data } : filled([], 0), (a, b) => a + b)];
  },
  lower(c) {
    const g = geometry(c);
    const { strides, dilations, pads } = windowAttributes(g.axes);
    const attrs = { strides, dilations, pads, group: g.group };
    const at = (i: 0 | 1, shape: readonly number[]) =>
      g.depth ? operandView(c, i, depthFirst(c.shape(i), shape)) : operand(c, i, shape);
    const y = c.core.conv2d(at(0, g.x), at(1, g.w), g.y, attrs);
    const sum = g.depth ? sumOverDepth(c, g, y) : y;
    const channels = [g.out[1]!, ...sum.type.shape.slice(2).map(() => 1)];
    return [c.core.reshape(c.has(2) ? plus(c, sum, 2, channels) : sum, g.out)];
  },
});
