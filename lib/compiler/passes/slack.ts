// A bound on |private result - exact arithmetic on the same quantised inputs and weights|, per output, in
// real units. Where truncations round downwards, that is part of the arithmetic: an exact operand gives an exact result, and
// only tables and waves that are looked up under a mask round as that is.
//
// Everything but a rescale is exact modulo 2^64. A rescale to s fractional bits, alone or inside relu,
// leaky_relu and clip, is off by less than one unit, 2^-s. How an error e(x) travels:
//   add, sub              e(a) + e(b)
//   neg, shift_left, add_const, reshape, move: unchanged
//   relu, clip, max_pool  e(x): they are 1-Lipschitz; the unit of a fused rescale is added
//   leaky_relu            max(1, |alpha|) e(x)
//   sum, sum_pool         the sum of e over the summed elements
//   W x, x * c            sum over k of |W[j, k]| e(x[k]): absolute row sums of the quantised weights
//   x y, both computed    |x| e(y) + |y| e(x) + e(x) e(y), where ranges bound |x|, |y|; else no bound
//   polynomial            max |p'| (e(x) + the unit of a fused truncation), for operands in its domain
//   piecewise             the same for the steepest piece, and the largest jump at a threshold where there is an error
//   spline                the steepest slope times e(x), and the error of its tables (../ops/spline.ts)
//   fourier               its steepest slope times e(x), and what waves are rounded by (../ops/fourier.ts)
//   lookup                the difference of as many neighbouring entries as e(x), and a coin, may be off
//   exponential           the same (../ops/exponential.ts)
//   arg_max, rank, step, equals   0 where e(x) is; else no bound: near ties may be decided either way
// Errors are kept per channel (one number per index of one axis) as far as an operation keeps channels apart,
// and the maximum otherwise: per-channel row sums are what makes the bound of a deep model useful.

import { piecewiseOf } from '../approximations/piecewise';
import { steepest } from '../approximations/polynomial-bounds';
import { realCoefficients, truncationUnit } from '../approximations/polynomial-scales';
import { type Constant, elementCount, type Graph, type Node, type Range, type Value } from '../ir/graph';
import { type FloatTensor, stridesOf } from '../ops/array';
import { toDoubles } from '../ops/context';
import { numberAttr, numbersAttr, windowOf } from '../ops/core';
import { exponentialOf, exponentialSlack } from '../ops/exponential';
import { fourierError, seriesOf, steepestFourier } from '../ops/fourier';
import { lookupSlack, tableOf } from '../ops/lookup';
import { splineOf, splineSlack } from '../ops/spline';
import {
  along,
  type Bound,
  broadcastBound,
  collapse,
  factorBound,
  mapBound,
  reshapeBound,
  sumOf,
  uniform,
  worst,
} from './bounds';

/** |quantised constant| in real units; an exact half counts as rounded up. */
function magnitudes(v: Value, { data }: Constant): FloatTensor {
  const unit = 2 ** -(v.type.scale ?? 0);
  const out = new Float64Array(data.length);
  for (let i = 0; i < out.length; i++) out[i] = Math.round(Math.abs(Number(data[i])) / unit) * unit;
  return { shape: v.type.shape, data: out };
}

class Slack {
  readonly bounds = new Map<Value, Bound>();

  constructor(
    readonly graph: Graph,
    private readonly floors: boolean,
  ) {}

  of(v: Value): Bound {
    const known = this.bounds.get(v);
    return known === undefined ? uniform(0) : known;
  }

  /** What a truncation by `unit` makes of an error. */
  private truncated(e: number, unit: number): number {
    return this.floors && e === 0 ? 0 : e + unit;
  }

  constant(v: Value): FloatTensor | undefined {
    const constant = this.graph.constants.get(v);
    return constant && magnitudes(v, constant);
  }

  private product(node: Node, terms: number): Bound {
    const [a, b] = [node.inputs[0]!, node.inputs[1]!];
    const [ea, eb] = [worst(this.of(a)), worst(this.of(b))];
    // Ranges are those of the real values; what quantisation adds to them is well within one percent.
    const magnitude = (r: Range | undefined) =>
      r ? 1.01 * Math.max(Math.abs(r.lo), Math.abs(r.hi)) : Number.POSITIVE_INFINITY;
    const part = (e: number, other: Value) => (e === 0 ? 0 : e * magnitude(other.type.range));
    const bound = terms * (part(eb, a) + part(ea, b) + (ea === 0 || eb === 0 ? 0 : ea * eb));
    return Number.isFinite(bound) ? uniform(bound) : null;
  }

  private mul(node: Node): Bound {
    const [a, b] = [node.inputs[0]!, node.inputs[1]!];
    const out = node.outputs[0]!.type.shape;
    const [ca, cb] = [this.constant(a), this.constant(b)];
    if (cb) return factorBound(broadcastBound(this.of(a), a.type.shape, out), cb, out);
    if (ca) return factorBound(broadcastBound(this.of(b), b.type.shape, out), ca, out);
    return this.product(node, 1);
  }

  private matmul(node: Node): Bound {
    const [a, b] = [node.inputs[0]!, node.inputs[1]!];
    const rank = node.outputs[0]!.type.shape.length;
    const right = this.constant(b);
    const w = right ?? this.constant(a);
    const terms = a.type.shape.at(node.attrs.transA ? -2 : -1)!;
    if (!w) return this.product(node, terms);
    const x = right ? a : b;
    const e = this.of(x);
    if (e === null) return null;
    const flag = (name: string) => node.attrs[name] === true;
    // The axis of x that is summed over, and the axis of w that stays: the last but one, or the last.
    const summed = x.type.shape.length - (right ? (flag('transA') ? 2 : 1) : flag('transB') ? 1 : 2);
    const kept = w.shape.length - (right ? (flag('transB') ? 2 : 1) : flag('transA') ? 1 : 2);
    const k = w.shape.length - (kept === w.shape.length - 1 ? 2 : 1);
    const per = e.axis === summed ? e.data : new Float64Array(terms).fill(worst(e));
    const strides = stridesOf(w.shape);
    const [rows, columns] = [w.shape[kept]!, w.shape[k]!];
    const out = new Float64Array(rows);
    for (let base = 0; base < w.data.length; base += rows * columns) {
      for (let j = 0; j < rows; j++) {
        let sum = 0;
        for (let l = 0; l < columns; l++)
          sum += w.data[base + j * strides[kept]! + l * strides[k]!]! * per[l]!;
        out[j] = Math.max(out[j]!, sum);
      }
    }
    return along(rank - (right ? 1 : 2), out);
  }

  private conv(node: Node): Bound {
    const [x, w] = [node.inputs[0]!, node.inputs[1]!];
    const [outputs, perGroup, kh, kw] = w.type.shape as [number, number, number, number];
    const weights = this.constant(w);
    if (!weights) return this.product(node, perGroup * kh * kw);
    const e = this.of(x);
    if (e === null) return null;
    const group = numberAttr(node, 'group', 1);
    const per = e.axis === 1 ? e.data : new Float64Array(perGroup * group).fill(worst(e));
    const out = new Float64Array(outputs);
    const taps = kh * kw;
    for (let o = 0; o < outputs; o++) {
      const first = Math.floor((o * group) / outputs) * perGroup;
      for (let c = 0; c < perGroup; c++) {
        let sum = 0;
        for (let t = 0; t < taps; t++) sum += weights.data[(o * perGroup + c) * taps + t]!;
        out[o]! += sum * per[first + c]!;
      }
    }
    return along(1, out);
  }

  private polynomial(node: Node): Bound {
    const x = node.inputs[0]!;
    const e = this.truncated(worst(this.of(x)), truncationUnit(node));
    if (!Number.isFinite(e)) return null;
    const { lo, hi } = x.type.range ?? { lo: numberAttr(node, 'lo'), hi: numberAttr(node, 'hi') };
    const p = { centre: 0, coefficients: realCoefficients(node) };
    return uniform(e * steepest(p, { lo: lo - e, hi: hi + e }));
  }

  private piecewise(node: Node): Bound {
    const x = node.inputs[0]!;
    const e = this.truncated(worst(this.of(x)), truncationUnit(node));
    if (!Number.isFinite(e)) return null;
    const { lo, hi } = x.type.range ?? { lo: Number.NEGATIVE_INFINITY, hi: Number.POSITIVE_INFINITY };
    const p = piecewiseOf(node);
    if (e === 0) return uniform(0);
    const slope = p.steepest({ lo: lo - e, hi: hi + e }, e);
    return slope === undefined ? null : uniform(e * slope + p.jump());
  }

  private sum(node: Node): Bound {
    const x = node.inputs[0]!;
    const e = this.of(x);
    if (e === null) return null;
    const axes = numbersAttr(node, 'axes');
    const count = axes.reduce((n, a) => n * x.type.shape[a]!, 1);
    if (e.axis === null) return mapBound(e, (v) => v * count);
    if (axes.includes(e.axis)) {
      const others = count / x.type.shape[e.axis]!;
      return uniform(e.data.reduce((a, b) => a + b, 0) * others);
    }
    const axis = node.attrs.keepdims ? e.axis : e.axis - axes.filter((a) => a < e.axis!).length;
    return along(
      axis,
      e.data.map((v) => v * count),
    );
  }

  /** The bound of a node's result, without the unit of a rescale inside it. */
  private exact(node: Node): Bound {
    const x = node.inputs[0]!;
    const out = node.outputs[0]!.type.shape;
    switch (node.op) {
      case 'add':
      case 'sub':
      case 'xor': {
        const [a, b] = node.inputs.map((v) => broadcastBound(this.of(v), v.type.shape, out));
        return sumOf(a!, b!);
      }
      case 'mul':
        return this.mul(node);
      case 'matmul':
        return this.matmul(node);
      case 'conv2d':
        return this.conv(node);
      case 'mul_const': {
        const unit = 2 ** -numberAttr(node, 'scale');
        const data = toDoubles(node.attrs.data as BigInt64Array).map((v) => Math.abs(v) * unit);
        return factorBound(this.of(x), { shape: numbersAttr(node, 'shape'), data }, out);
      }
      case 'leaky_relu': {
        const alpha = Math.abs(numberAttr(node, 'alpha')) * 2 ** -numberAttr(node, 'alphaScale');
        return mapBound(this.of(x), (e) => e * Math.max(1, alpha));
      }
      case 'sum':
        return this.sum(node);
      case 'sum_pool': {
        const taps = elementCount(windowOf(node).kernel);
        return mapBound(this.of(x), (e) => e * taps);
      }
      case 'reshape':
        return reshapeBound(this.of(x), x.type.shape, out);
      case 'move':
        return node.inputs
          .map((v) => collapse(this.of(v)))
          .reduce((a, b) => (a && b ? uniform(Math.max(worst(a), worst(b))) : null));
      case 'polynomial':
        return this.polynomial(node);
      case 'piecewise':
        return this.piecewise(node);
      case 'spline': {
        const e = this.of(x);
        const { lo, hi } = x.type.range ?? { lo: Number.NEGATIVE_INFINITY, hi: Number.POSITIVE_INFINITY };
        const { error, slope } = splineSlack(splineOf(node), lo - worst(e), hi + worst(e));
        return mapBound(e, (v) => slope * v + error);
      }
      case 'lookup': {
        const [e, below] = [worst(this.of(x)), this.floors ? 0 : numberAttr(node, 'below')];
        return uniform(lookupSlack(tableOf(node), e, below));
      }
      case 'fourier': {
        const [series, scale, wave] = [seriesOf(node), numberAttr(node, 'scale'), numberAttr(node, 'wave')];
        const e = worst(this.of(x));
        const { lo, hi } = x.type.range ?? { lo: Number.NEGATIVE_INFINITY, hi: Number.POSITIVE_INFINITY };
        const slope = steepestFourier(series, lo - e, hi + e);
        return mapBound(this.of(x), (v) => slope * v + fourierError(series, scale, wave));
      }
      case 'exponential': {
        const e = this.of(x);
        const { lo, hi } = x.type.range ?? { lo: Number.NEGATIVE_INFINITY, hi: Number.POSITIVE_INFINITY };
        const { error, slope } = exponentialSlack(exponentialOf(node), lo - worst(e), hi + worst(e));
        return mapBound(e, (v) => slope * v + error);
      }
      case 'arg_max':
      case 'rank':
      case 'step':
      case 'equals':
        return worst(this.of(x)) === 0 ? uniform(0) : null;
      default:
        return this.of(x);
    }
  }

  visit(node: Node): void {
    const scale = node.inputs[0]!.type.scale!;
    const shift = node.op === 'rescale' ? numberAttr(node, 'bits') : numberAttr(node, 'shift');
    const before = this.exact(node);
    if (shift === 0 || node.op === 'polynomial' || node.op === 'piecewise')
      return void this.bounds.set(node.outputs[0]!, before);
    // The unit is added before the slope of a leaky_relu.
    const alpha =
      node.op === 'leaky_relu'
        ? Math.abs(numberAttr(node, 'alpha')) * 2 ** -numberAttr(node, 'alphaScale')
        : 1;
    const unit = 2 ** -(scale - shift) * Math.max(1, alpha);
    this.bounds.set(
      node.outputs[0]!,
      mapBound(before, (e) => this.truncated(e, unit)),
    );
  }
}

/** The bound of every output of a core graph, by name; null where there is none. `floors`: truncations round downwards. */
export function slackBounds(graph: Graph, floors = false): Map<string, number | null> {
  const slack = new Slack(graph, floors);
  for (const node of graph.nodes) slack.visit(node);
  return new Map(
    graph.outputs.map((v) => {
      const bound = slack.of(v);
      return [v.name, bound === null ? null : worst(bound)];
    }),
  );
}
