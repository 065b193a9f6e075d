// Interval arithmetic: the range of every value that follows from the ranges of inputs, from weights and from
// bounds.
//
// A range rests on the weakest of what it was computed from (proven, calibrated, assumed). Inputs have none
// unless one is given, so most values have none; Clip bounds its result whatever its input. Ranges place
// rescales, bound products of errors and give values their rings (./ring-widths.ts). They never reject a model.
//
// The pass runs on real constants and again once everything is an integer times 2^-scale: then constants count as they
// were rounded, and every rescale adds a unit of its result, so that what is proven holds for what is computed. There
// the ranges that a calibration saw may take the place of wider ones.

import { resultRange } from '../approximations';
import { piecewiseOf } from '../approximations/piecewise';
import { rangeOnInterval } from '../approximations/polynomial-bounds';
import { realCoefficients, truncationUnit } from '../approximations/polynomial-scales';
import type { Graph, Node, Range, Value } from '../ir/graph';
import { roundHalfEven } from '../ops/array';
import { toDoubles } from '../ops/context';
import { numberAttr, numbersAttr, windowOf } from '../ops/core';
import { real, realAttribute } from '../ops/evaluate-core';
import { exponentialOf, exponentialRange } from '../ops/exponential';
import { fourierError, fourierRange, seriesOf } from '../ops/fourier';
import { lookupRange, tableOf } from '../ops/lookup';
import { splineOf, splineRange } from '../ops/spline';
import { shiftOf } from '../widths';
import { belowMaximum } from './below-maximum';
import { Rewriter } from './rewriter';

const order = ['proven', 'calibrated', 'assumed'] as const;

function weakest(...ranges: Range[]): Range['kind'] {
  return order[Math.max(...ranges.map((r) => order.indexOf(r.kind)))]!;
}

function between(kind: Range['kind'], ...values: number[]): Range {
  return { kind, lo: Math.min(...values), hi: Math.max(...values) };
}

function hull(a: Range, b: Range): Range {
  return between(weakest(a, b), a.lo, a.hi, b.lo, b.hi);
}

function product(a: Range, b: Range): Range {
  return between(weakest(a, b), a.lo * b.lo, a.lo * b.hi, a.hi * b.lo, a.hi * b.hi);
}

function square({ kind, lo, hi }: Range): Range {
  const most = Math.max(lo * lo, hi * hi);
  return { kind, lo: lo <= 0 && hi >= 0 ? 0 : Math.min(lo * lo, hi * hi), hi: most };
}

function times(a: Range, n: number): Range {
  return between(a.kind, a.lo * n, a.hi * n);
}

function spread(data: ArrayLike<number>): Range {
  let [lo, hi] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let i = 0; i < data.length; i++) [lo, hi] = [Math.min(lo, data[i]!), Math.max(hi, data[i]!)];
  return { kind: 'proven', lo, hi };
}

/** A constant as it is written at its scale, in real units. */
function constantOf(graph: Graph, v: Value): Float64Array | undefined {
  const constant = graph.constants.get(v);
  if (!constant) return undefined;
  const data = toDoubles(constant.data);
  const { scale } = v.type;
  if (scale === undefined) return data;
  const unit = 2 ** -scale;
  return data.map((x) => roundHalfEven(x / unit) * unit);
}

/** Their own unit is part of their range. */
const POLYNOMIALS: ReadonlySet<string> = new Set(['polynomial', 'piecewise']);

/** A unit more on both sides, where an operator truncates. */
function rounded(r: Range | undefined, node: Node): Range | undefined {
  const { scale } = node.outputs[0]!.type;
  if (!r || scale === undefined || shiftOf(node) === 0 || POLYNOMIALS.has(node.op)) return r;
  const unit = 2 ** -(scale - numberAttr(node, 'alphaScale'));
  return { kind: r.kind, lo: r.lo - unit, hi: r.hi + unit };
}

/** With zeros from padding. */
function withZero(r: Range): Range {
  return { kind: r.kind, lo: Math.min(r.lo, 0), hi: Math.max(r.hi, 0) };
}

/** Sums of k products: rows of the weights, `stride` apart within a row, times x. */
function rowSums(
  x: Range,
  w: Float64Array,
  rows: number,
  k: number,
  at: (row: number, i: number) => number,
): Range {
  let [lo, hi] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let row = 0; row < rows; row++) {
    let [l, h] = [0, 0];
    for (let i = 0; i < k; i++) {
      const v = w[at(row, i)]!;
      l += v * (v > 0 ? x.lo : x.hi);
      h += v * (v > 0 ? x.hi : x.lo);
    }
    [lo, hi] = [Math.min(lo, l), Math.max(hi, h)];
  }
  return { kind: x.kind, lo, hi };
}

function linear(graph: Graph, node: Node, a: Range, b: Range): Range {
  const [x, w] = node.inputs as [Value, Value];
  const data = constantOf(graph, w);
  const shape = w.type.shape;
  const conv = node.op === 'conv2d';
  const k = conv ? shape.slice(1).reduce((n, d) => n * d, 1) : x.type.shape.at(node.attrs.transA ? -2 : -1)!;
  if (!data) return times(product(conv ? withZero(a) : a, b), k);
  if (conv) return rowSums(withZero(a), data, shape[0]!, k, (row, i) => row * k + i);
  const n = data.length / k;
  const columns = shape.at(node.attrs.transB ? -2 : -1)!;
  const at = (row: number, i: number) => {
    const [batch, column] = [Math.floor(row / columns) * k * columns, row % columns];
    return batch + (node.attrs.transB ? column * k + i : i * columns + column);
  };
  return rowSums(a, data, n, k, at);
}

function clip(node: Node, a: Range | undefined): Range | undefined {
  const lo = realAttribute(node, 'lo');
  const hi = realAttribute(node, 'hi');
  if (a) {
    const cut = (v: number) =>
      Math.min(Math.max(v, lo ?? Number.NEGATIVE_INFINITY), hi ?? Number.POSITIVE_INFINITY);
    return { kind: a.kind, lo: cut(a.lo), hi: cut(a.hi) };
  }
  return lo !== null && hi !== null ? { kind: 'proven', lo, hi } : undefined;
}

/**
 * Its operand is taken to be in its domain. Where it is known to be there, what is known of the result rests on the same;
 * a little outside of it, by rounding, is no other matter.
 */
function polynomial(node: Node, a: Range | undefined): Range {
  const [lo, hi] = [numberAttr(node, 'lo'), numberAttr(node, 'hi')];
  const room = (hi - lo) / 128;
  const known = a !== undefined && a.lo >= lo - room && a.hi <= hi + room;
  const p = { centre: 0, coefficients: realCoefficients(node) };
  const unit = truncationUnit(node);
  const on = known ? a : { lo, hi };
  const range = rangeOnInterval(p, { lo: on.lo - unit, hi: on.hi + unit });
  return { kind: known ? a.kind : 'assumed', ...range };
}

/** Bounded whatever its operand is, and more so where that is known to be in its domain. */
function fourier(node: Node, a: Range | undefined): Range {
  const [series, { scale = 0 }] = [seriesOf(node), node.outputs[0]!.type];
  const error = node.attrs.wave === undefined ? 0 : fourierError(series, scale, numberAttr(node, 'wave'));
  const known = a !== undefined && a.kind !== 'assumed';
  const { lo, hi } = known ? fourierRange(series, a.lo, a.hi) : fourierRange(series);
  return { kind: known ? a.kind : 'proven', lo: lo - error, hi: hi + error };
}

function rangeOf(graph: Graph, node: Node, ranges: readonly (Range | undefined)[]): Range | undefined {
  const [a, b] = ranges;
  if (isTruth(node)) return TRUTH;
  if (node.op === 'clip') return clip(node, a);
  if (node.op === 'arg_max') {
    const axis = numberAttr(node, 'axis');
    return { kind: 'proven', lo: 0, hi: node.inputs[0]!.type.shape.at(axis)! - 1 };
  }
  if (node.op === 'polynomial') return polynomial(node, a);
  if (node.op === 'piecewise') {
    const unit = truncationUnit(node);
    const [lo, hi] = a ? [a.lo - unit, a.hi + unit] : [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
    const range = piecewiseOf(node).range({ lo, hi });
    return range && { kind: a?.kind ?? 'proven', ...range };
  }
  if (node.op === 'spline') {
    // Bounded by its tables, and beyond its domain by those of the segments at its ends.
    const of = (lo: number, hi: number) => splineRange(splineOf(node), lo, hi);
    if (a === undefined || a.kind === 'assumed')
      return { kind: 'proven', ...of(Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY) };
    return { kind: a.kind, ...of(a.lo, a.hi) };
  }
  if (node.op === 'lookup') return { kind: 'proven', ...lookupRange(tableOf(node)) };
  if (node.op === 'fourier') return fourier(node, a);
  if (node.op === 'exponential') {
    const of = (lo: number, hi: number) => exponentialRange(exponentialOf(node), lo, hi);
    if (a === undefined || a.kind === 'assumed')
      return { kind: 'proven', ...of(Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY) };
    return { kind: a.kind, ...of(a.lo, a.hi) };
  }
  if (node.op === 'approximate') return resultRange(node, a);
  if (node.op === 'rank') {
    return { kind: 'proven', lo: 0, hi: node.inputs[0]!.type.shape[numberAttr(node, 'axis')]! - 1 };
  }
  if (!a) return undefined;
  switch (node.op) {
    case 'add':
      return { kind: weakest(a, b!), lo: a.lo + b!.lo, hi: a.hi + b!.hi };
    case 'sub':
      return { kind: weakest(a, b!), lo: a.lo - b!.hi, hi: a.hi - b!.lo };
    case 'neg':
      return times(a, -1);
    case 'add_const': {
      const c = spread(real(node.attrs.data as Float64Array, node.outputs[0]!.type.scale ?? 0));
      return { kind: a.kind, lo: a.lo + c.lo, hi: a.hi + c.hi };
    }
    case 'mul_const':
      return product(a, spread(real(node.attrs.data as Float64Array, numberAttr(node, 'scale'))));
    case 'mul':
      return node.inputs[0] === node.inputs[1] ? square(a) : product(a, b!);
    case 'matmul':
    case 'conv2d':
      return linear(graph, node, a, b!);
    case 'relu':
      return { kind: a.kind, lo: Math.max(a.lo, 0), hi: Math.max(a.hi, 0) };
    case 'leaky_relu': {
      const alpha = numberAttr(node, 'alpha') * 2 ** -numberAttr(node, 'alphaScale');
      const at = (v: number) => (v < 0 ? alpha * v : v);
      return a.lo < 0 && a.hi > 0
        ? between(a.kind, at(a.lo), 0, at(a.hi))
        : between(a.kind, at(a.lo), at(a.hi));
    }
    case 'sum':
      return times(
        a,
        numbersAttr(node, 'axes').reduce((n, i) => n * node.inputs[0]!.type.shape[i]!, 1),
      );
    case 'sum_pool': {
      const [kh, kw] = windowOf(node).kernel;
      return times(withZero(a), kh * kw);
    }
    case 'lift':
    case 'max_pool':
    case 'reshape':
    case 'rescale':
    case 'shift_left':
      return a;
    case 'move': {
      const all = (ranges as Range[]).reduce(hull);
      const fill = realAttribute(node, 'fill');
      return fill === null ? all : between(all.kind, all.lo, all.hi, fill);
    }
    default:
      return undefined;
  }
}

/** What these give has bounds whatever they are given. */
const BOUNDED: ReadonlySet<string> = new Set([
  'clip',
  'arg_max',
  'rank',
  'polynomial',
  'piecewise',
  'spline',
  'fourier',
  'lookup',
  'exponential',
  'approximate',
]);

/** What is proven not to lie above a bound. */
function notAbove(range: Range | undefined, hi: number): Range | undefined {
  return range && { ...range, lo: Math.min(range.lo, hi), hi: Math.min(range.hi, hi) };
}

/** Booleans are computed modulo 2. */
const TRUTH: Range = { kind: 'proven', lo: 0, hi: 1 };

function isTruth(node: Node): boolean {
  return node.outputs[0]!.type.dtype === 'bool';
}

/**
 * What a calibration saw of a value, where that is less than what is proven of it. Where it saw what cannot be, of other
 * weights for one, what is proven counts.
 */
function narrower(proven: Range | undefined, seen: Range | undefined): Range | undefined {
  if (!proven || !seen) return seen ?? proven;
  const [lo, hi] = [Math.max(proven.lo, seen.lo), Math.min(proven.hi, seen.hi)];
  if (lo > hi || (lo === proven.lo && hi === proven.hi)) return proven;
  return { kind: seen.kind, lo, hi };
}

/** Intervals of long chains of products grow without end. */
function finite(r: Range | undefined): Range | undefined {
  return r && Number.isFinite(r.lo) && Number.isFinite(r.hi) ? r : undefined;
}

/** The range of an input as it is written at its scale. */
function written({ type: { range, scale } }: Value): Range | undefined {
  if (!range || scale === undefined) return range;
  const at = (x: number) => roundHalfEven(x * 2 ** scale) * 2 ** -scale;
  return { kind: range.kind, lo: at(range.lo), hi: at(range.hi) };
}

/** `seen`: ranges of the results of nodes, by position, that a calibration found. */
export function ranges(graph: Graph, seen: readonly (Range | undefined)[] = []): Graph {
  const rewriter = new Rewriter(graph);
  const known = new Map<Value, Range | undefined>(graph.inputs.map((v) => [v, written(v)]));
  const below = belowMaximum(graph);
  const rangeOfInput = (v: Value): Range | undefined => {
    const constant = constantOf(graph, v);
    if (constant && !known.has(v)) known.set(v, spread(constant));
    return known.get(v);
  };
  const differences = new Set([...below.keys()].map((n) => n.outputs[0]!));
  /** What is known of a value without a range, for who bounds it from below. */
  const mostOf = (v: Value): Range | undefined =>
    differences.has(v) ? { kind: 'proven', lo: Number.NEGATIVE_INFINITY, hi: 0 } : undefined;
  const bounded = ({ op }: Node) => op === 'clip' || op === 'approximate';
  /** Weights are looked at only where something is known of what they multiply. */
  const isOpen = (v: Value) => !graph.constants.has(v) && known.get(v) === undefined;
  graph.nodes.forEach((node, i) => {
    const skip = !BOUNDED.has(node.op) && !isTruth(node) && node.inputs.some(isOpen);
    const inputs = skip
      ? []
      : node.inputs.map((v) => rangeOfInput(v) ?? (bounded(node) ? mostOf(v) : undefined));
    const found = skip ? undefined : rangeOf(graph, node, inputs);
    const own = below.has(node) ? notAbove(found, 0) : found;
    const range = narrower(finite(rounded(own, node)), seen[i]);
    const types = node.outputs.map(({ type: { range: _before, ...type } }) =>
      range ? { ...type, range } : type,
    );
    for (const v of node.outputs) known.set(v, range);
    rewriter.copy(node, { types });
  });
  return rewriter.build('reshape');
}
