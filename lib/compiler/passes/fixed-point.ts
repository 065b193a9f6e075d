// Scales: every value becomes an integer times 2^-scale, and constants in attributes become integers.
//
// Inputs and weights have f fractional bits, products the sum of their operands' scales. A rescale costs an
// opening, so it is placed as late as there is room:
// - at a product whose scale would exceed the limit, operands of more than f bits are brought back to f;
// - Relu, LeakyRelu and Clip take f bits: they open their input anyway, and the rescale joins that opening
//   (fuse-rescale);
// - sums align the smaller scale by a shift; maxima, moves and outputs keep the scale of their inputs.
//
// The limit is 2 f + 8 bits. A known range of the result may raise it, up to 3 f, so that integers stay below 2^62.
// It never lowers it, because intervals grow fast with depth where values do not. Without one nothing is rejected:
// only a magnitude of 2^(62 - limit) would outgrow the ring.
// One value is rescaled once, whoever needs it.

import { CryptorchError } from '../../errors';
import {
  type ApproximationOptions,
  choose,
  DEFAULT_APPROXIMATION,
  namesOf,
  type Selection,
} from '../approximations';
import { fourierScales, turnsOf } from '../approximations/fourier-scales';
import { piecewiseOf } from '../approximations/piecewise';
import { commonScales, polynomialScales } from '../approximations/polynomial-scales';
import type { Attributes, Graph, Node, Type, Value } from '../ir/graph';
import { numberAttr } from '../ops/core';
import { exponentialOf } from '../ops/exponential';
import { seriesOf, steepestFourier } from '../ops/fourier';
import { tableOf } from '../ops/lookup';
import { splineOf } from '../ops/spline';
import { INTEGER_BITS } from '../widths';
import { approximated } from './domains';
import { checkFits, exactScale, factorScale, quantise, quantiseOne } from './quantise';
import { ranges } from './ranges';
import { producersOf, Rewriter } from './rewriter';

/** Bits of headroom above a plain product. */
const slackBits = 8;
/** Part of the error of a Fourier series that a rounded period may take. */
const TURNS = 1 / 2;
/** Part of a cell by which a rounded width may move an operand of a lookup. */
const CELL = 1 / 16;

/** Beyond the outer thresholds of a piecewise polynomial, where nothing is known of its operand. */
const REACH = 2 ** 10;

class FixedPoint {
  readonly rewriter: Rewriter;
  private readonly producers: Map<Value, Node>;
  private readonly names = new Set<string>();
  /** Values at other scales, by scale. */
  private readonly adapted = new Map<Value, Map<number, Value>>();
  /** Scales at which others take values that have more bits. */
  private readonly usable = new Map<Value, number>();
  /** Approximations that were asked for. */
  private readonly selections: ReadonlyMap<Node, Selection>;

  constructor(
    readonly graph: Graph,
    readonly f: number,
    readonly approximation: ApproximationOptions,
  ) {
    this.producers = producersOf(graph);
    this.selections = selectionsFor(graph, approximation);
    this.rewriter = new Rewriter(graph, (v) => ({ ...v.type, scale: v.type.dtype === 'fixed' ? f : 0 }));
  }

  /** Fractional bits that a result has room for; of what nothing is known, some more than a product has. */
  private room({ range }: Type): number {
    const usual = 2 * this.f + slackBits;
    const magnitude = range ? Math.max(Math.abs(range.lo), Math.abs(range.hi)) : Number.POSITIVE_INFINITY;
    if (!Number.isFinite(magnitude)) return usual;
    return Math.max(usual, INTEGER_BITS - 1 - Math.ceil(Math.log2(Math.max(magnitude, 1))));
  }

  /** Most fractional bits that a product may have. */
  private limit(type: Type): number {
    return Math.min(this.room(type), Math.max(2 * this.f + slackBits, 3 * this.f));
  }

  isConstant(v: Value): boolean {
    return this.graph.constants.has(v);
  }

  scale(old: Value): number {
    if (this.isConstant(old)) return old.type.dtype === 'fixed' ? this.f : 0;
    return this.usable.get(old) ?? this.rewriter.get(old).type.scale!;
  }

  /** Scale at which constants are written next to a value: an integer that became a real number gets the bits they need. */
  private fine(old: Value, data?: ArrayLike<number>): number {
    const scale = this.scale(old);
    if (old.type.dtype !== 'fixed' || scale >= this.f) return scale;
    return Math.max(scale, (data && exactScale(data, this.f)) ?? this.f);
  }

  /** A value at the given scale; a constant is written at it, another is shifted or rescaled. */
  at(old: Value, scale: number): Value {
    const byScale = this.adapted.get(old) ?? new Map<number, Value>();
    const known = byScale.get(scale);
    if (known) return known;
    const made = this.isConstant(old) ? this.constantAt(old, scale) : this.moved(old, scale);
    this.adapted.set(old, byScale.set(scale, made));
    return made;
  }

  /** Names of constants are kept apart: weights are handed over by name. */
  private constantAt(old: Value, scale: number): Value {
    const constant = this.graph.constants.get(old)!;
    checkFits(constant.data, scale, { name: old.name, origin: 'weights' });
    let name = old.name;
    for (let i = 2; this.names.has(name); i++) name = `${old.name}#${i}`;
    this.names.add(name);
    return this.rewriter.constant(name, { ...old.type, scale }, constant);
  }

  private moved(old: Value, scale: number): Value {
    const now = this.rewriter.get(old);
    const bits = now.type.scale! - scale;
    if (bits === 0) return now;
    const from = this.producers.get(old) ?? { name: old.name, origin: 'Input' };
    const owner = bits > 0 ? 'secret' : now.type.owner;
    const op = bits > 0 ? 'rescale' : 'shift_left';
    return this.rewriter.builder.node(from, op, [now], [{ ...now.type, owner, scale }], {
      bits: Math.abs(bits),
    })[0]!;
  }

  /** Scales of two factors, brought down to f where their product would have too many bits. */
  factors(node: Node): [number, number] {
    const limit = this.limit(node.outputs[0]!.type);
    let [a, b] = [this.scale(node.inputs[0]!), this.scale(node.inputs[1]!)];
    if (a + b > limit && a >= b) a = Math.min(a, this.f);
    if (a + b > limit) b = Math.min(b, this.f);
    if (a + b > limit) a = Math.min(a, this.f);
    return [a, b];
  }

  emit(node: Node, inputs: readonly Value[], scale: number, attrs: Attributes = node.attrs): void {
    const types = node.outputs.map((v) => ({ ...v.type, scale }));
    this.rewriter.copy(node, { inputs, types, attrs });
  }

  product(node: Node): void {
    const [a, b] = this.factors(node);
    this.emit(node, [this.at(node.inputs[0]!, a), this.at(node.inputs[1]!, b)], a + b);
  }

  /** Operands brought to the largest scale among those that are computed, unless the result has no room for that. */
  aligned(node: Node): { inputs: Value[]; scale: number } {
    const computed = node.inputs.filter((v) => !this.isConstant(v));
    const finest = computed.length < node.inputs.length;
    const finestScale = Math.max(
      ...(computed.length > 0 ? computed : node.inputs).map((v) => (finest ? this.fine(v) : this.scale(v))),
    );
    const fits = finestScale <= this.room(node.outputs[0]!.type);
    const scale = fits ? finestScale : Math.min(finestScale, this.f + slackBits);
    return { inputs: node.inputs.map((v) => this.at(v, scale)), scale };
  }

  factor(node: Node): void {
    const [x, data] = [node.inputs[0]!, node.attrs.data as Float64Array];
    const limit = this.limit(node.outputs[0]!.type);
    const wanted = factorScale(data, this.f);
    const from = this.scale(x) + wanted > limit ? Math.min(this.scale(x), this.f) : this.scale(x);
    const scale = Math.min(wanted, Math.max(limit - from, this.f));
    this.emit(node, [this.at(x, from)], from + scale, {
      ...node.attrs,
      data: quantise(data, scale, node),
      scale,
    });
  }

  nonlinear(node: Node): void {
    const from = Math.min(
      node.op === 'clip' ? this.fine(node.inputs[0]!) : this.scale(node.inputs[0]!),
      this.f,
    );
    const x = this.at(node.inputs[0]!, from);
    if (node.op === 'leaky_relu') {
      const alpha = numberAttr(node, 'alpha');
      const alphaScale = Math.min(factorScale([alpha], this.f), this.f);
      const attrs = { ...node.attrs, alpha: quantiseOne(alpha, alphaScale, node), alphaScale };
      this.emit(node, [x], from + alphaScale, attrs);
      return;
    }
    // A bound that no value can reach is none. Half of that leaves room for its difference from a value.
    const reach = 2 ** (INTEGER_BITS - 1 - from);
    const integer = (name: string, sign: 1 | -1) => {
      const bound = node.attrs[name];
      return typeof bound === 'number' && sign * bound < reach ? quantiseOne(bound, from, node) : null;
    };
    const bounds = node.op === 'clip' ? { lo: integer('lo', -1), hi: integer('hi', 1) } : {};
    this.emit(node, [x], from, { ...node.attrs, ...bounds });
  }

  /** A function of one number becomes what the library chooses for its operands: a graph of its own, taken in here. */
  approximate(node: Node): void {
    const [x, out] = [node.inputs[0]!, node.outputs[0]!];
    const inputScale = this.fine(x);
    const operand = this.at(x, inputScale);
    const { approximation, f: fractionalBits } = this;
    const choice = choose(node, {
      inputScale,
      fractionalBits,
      approximation,
      selection: this.selections.get(node),
    });
    const { scale: _scale, ...type } = operand.type;
    const graph = ranges(choice.graph({ ...type, ...(x.type.range && { range: x.type.range }) }));
    this.rewriter.set(graph.inputs[0]!, operand);
    for (const inner of graph.nodes) {
      for (const v of inner.outputs) this.producers.set(v, inner);
      this.visit(inner);
    }
    const value = this.rewriter.get(graph.outputs[0]!);
    this.rewriter.set(out, value);
    // Truncated, if only by one bit, it is a factor as it is, without another opening; untruncated it would be shared, with
    // all of its tables and powers, in the ring of the product.
    const scale = value.type.scale!;
    if (scale > this.f) this.usable.set(out, Math.min(this.f + slackBits, scale - 1));
  }

  /** Coefficients become integers, and the operand keeps as many bits as is best for all of its powers. */
  polynomial(node: Node): void {
    const x = node.inputs[0]!;
    const domain = { lo: numberAttr(node, 'lo'), hi: numberAttr(node, 'hi') };
    const from = this.scale(x);
    const scales = polynomialScales(node.attrs.coefficients as Float64Array, domain, from, this.f);
    if (scales === undefined) throw this.noRoom(node, `polynomial on [${domain.lo}, ${domain.hi}]`);
    const { coefficients, scale, operand } = scales;
    this.emit(node, [this.at(x, from)], scale, { ...node.attrs, coefficients, scale, shift: from - operand });
  }

  /**
   * The same for all pieces at once. Where nothing is known of the operand, results up to a distance of `REACH` beyond the
   * outer thresholds have room.
   */
  piecewise(node: Node): void {
    const x = node.inputs[0]!;
    const from = this.fine(x);
    const thresholds = Array.from(node.attrs.thresholds as Float64Array);
    const beyond = { lo: thresholds[0]! - REACH, hi: thresholds.at(-1)! + REACH };
    const { lo, hi } = x.type.range ?? beyond;
    const scales = commonScales(piecewiseOf(node).within({ lo, hi }), from, this.f);
    if (scales === undefined) throw this.noRoom(node, `piecewise polynomial for operands in [${lo}, ${hi}]`);
    const { coefficients, scale, operand } = scales;
    const reach = 2 ** (INTEGER_BITS - 1 - from);
    const integers = thresholds.map((t) => quantiseOne(Math.min(Math.max(t, -reach), reach), operand, node));
    this.emit(node, [this.at(x, from)], scale, {
      ...node.attrs,
      thresholds: BigInt64Array.from(integers),
      coefficients,
      scale,
      shift: from - operand,
    });
  }

  private noRoom(node: Node, what: string): CryptorchError {
    return new CryptorchError(
      'VALUE_RANGE',
      `Node "${node.name}" (${node.origin}) is a ${what}, whose values have no room in ${INTEGER_BITS} bits. Calibrate the ` +
        'model on examples, or take another approximation.',
      { node: node.name },
    );
  }

  /**
   * A value times a public factor, so that a period of `period` real units is a power of two of its integers, and the
   * logarithm of that, at least `least`. The factor is off by `relative` at most.
   */
  private turns(
    node: Node,
    period: number,
    relative: number,
    least = 1,
  ): { value: Value; bits: number; factor: number } {
    const [x, { factor, scale }] = [node.inputs[0]!, turnsOf(period, relative)];
    const from = Math.max(Math.min(this.fine(x), INTEGER_BITS - scale), least - scale);
    const value = this.at(x, from);
    const bits = from + scale;
    if (factor === 1n) return { value, bits, factor: 1 };
    const { range: _range, ...type } = value.type;
    const attrs = { data: BigInt64Array.of(factor), scale, shape: [] };
    const types = [{ ...type, scale: bits }];
    const scaled = this.rewriter.builder.node(node, 'mul_const', [value], types, attrs)[0]!;
    return { value: scaled, bits, factor: Number(factor) * 2 ** -scale };
  }

  fourier(node: Node): void {
    const series = seriesOf(node);
    const [lo, hi, error] = [numberAttr(node, 'lo'), numberAttr(node, 'hi'), numberAttr(node, 'error')];
    const reach = Math.max(Math.abs(lo), Math.abs(hi)) * steepestFourier(series, lo, hi);
    const { value, bits, factor } = this.turns(node, series.period, (error * TURNS) / reach);
    const made = fourierScales(series, factor === 1 ? error : error * (1 - TURNS), this.f);
    if (made === undefined) throw new Error(`${node.name} has a series without any bits`);
    const { error: _error, ...attrs } = made;
    this.emit(node, [value], made.scale, { ...attrs, period: bits, lo: lo * factor, hi: hi * factor });
  }

  lookup(node: Node): void {
    const { width, lo, entries, exact } = tableOf(node);
    const [cells, period] = [Math.log2(entries.length), width * entries.length];
    const reach = Math.max(Math.abs(lo), Math.abs(lo + period));
    const { value, bits } = this.turns(node, period, (width / reach) * CELL, cells);
    const below = bits - cells;
    const coin = !exact && below > 0;
    // Where the first cell begins; a shift that rounds to the nearest cell gets what lies around its middle.
    const start = BigInt(Math.round((lo / width + (coin ? 0.5 : 0)) * 2 ** below));
    const whole = BigInt.asIntN(below, start) === 0n;
    const first = whole ? Number(BigInt.asUintN(cells, start >> BigInt(below))) : 0;
    const turned = entries.map((_, i) => entries.at((i - first) % entries.length)!);
    const attrs = { table: quantise(turned, this.f, node), below, exact, scale: this.f };
    this.emit(node, [whole ? value : this.plus(node, value, BigInt.asIntN(bits, -start))], this.f, attrs);
  }

  /** A value plus a public integer. */
  private plus(node: Node, value: Value, integer: bigint): Value {
    const attrs = { data: BigInt64Array.of(integer), shape: [] };
    const { range: _range, ...type } = value.type;
    return this.rewriter.builder.node(node, 'add_const', [value], [type], attrs)[0]!;
  }

  /** A comparison is exact on the integers that it is given, whatever their scale; its bound is written at that scale. */
  comparison(node: Node): void {
    const x = node.inputs[0]!;
    const scale = Math.max(this.rewriter.get(x).type.scale!, this.fine(x, [numberAttr(node, 'bound')]));
    // Every value lies on the same side of a bound that is out of reach.
    const reach = 2 ** (INTEGER_BITS - 1 - scale);
    const bound = Math.min(Math.max(numberAttr(node, 'bound'), -reach), reach);
    this.emit(node, [this.at(x, scale)], 0, { ...node.attrs, bound: quantiseOne(bound, scale, node) });
  }

  moveNode(node: Node): void {
    const fill = node.attrs.fill;
    let { inputs, scale } = this.aligned(node);
    if (typeof fill === 'number') {
      const least = Math.max(...node.inputs.map((v) => this.fine(v, [fill])));
      if (least > scale) [scale, inputs] = [least, node.inputs.map((v) => this.at(v, least))];
    }
    const integer = typeof fill === 'number' ? quantiseOne(fill, scale, node) : null;
    this.emit(node, inputs, scale, { ...node.attrs, fill: integer });
  }

  /** What is revealed has f bits: the digits below say more about the weights than about the result. */
  output(old: Value): void {
    if (this.isConstant(old) || old.type.dtype !== 'fixed' || this.scale(old) <= this.f) return;
    this.rewriter.set(old, this.at(old, this.f));
  }

  visit(node: Node): void {
    const x = node.inputs[0]!;
    switch (node.op) {
      case 'mul':
      case 'matmul':
      case 'conv2d':
        this.product(node);
        break;
      case 'mul_const':
        this.factor(node);
        break;
      case 'approximate':
        this.approximate(node);
        break;
      case 'polynomial':
        this.polynomial(node);
        break;
      case 'piecewise':
        this.piecewise(node);
        break;
      case 'fourier':
        this.fourier(node);
        break;
      case 'lookup':
        this.lookup(node);
        break;
      case 'relu':
      case 'leaky_relu':
      case 'clip':
        this.nonlinear(node);
        break;
      case 'add':
      case 'sub':
      case 'xor': {
        const { inputs, scale } = this.aligned(node);
        this.emit(node, inputs, scale);
        break;
      }
      case 'add_const': {
        const scale = this.fine(x, node.attrs.data as Float64Array);
        const data = quantise(node.attrs.data as Float64Array, scale, node);
        this.emit(node, [this.at(x, scale)], scale, { ...node.attrs, data });
        break;
      }
      case 'move':
        this.moveNode(node);
        break;
      case 'spline': {
        const { inputScale, outputScale } = splineOf(node);
        this.emit(node, [this.at(x, inputScale)], outputScale);
        break;
      }
      case 'exponential':
        this.emit(node, [this.at(x, exponentialOf(node).inputScale)], exponentialOf(node).outputScale);
        break;
      case 'step':
      case 'equals':
        this.comparison(node);
        break;
      case 'arg_max':
      case 'rank':
        this.emit(node, [this.at(x, this.scale(x))], 0);
        break;
      default:
        this.emit(node, [this.at(x, this.scale(x))], this.scale(x));
        break;
    }
  }
}

/**
 * The approximations that were asked for, by the node that they are for.
 * @throws CryptorchError INVALID_OPTION for nodes that there are not
 */
export function selectionsFor(graph: Graph, { functions }: ApproximationOptions): Map<Node, Selection> {
  const nodes = approximated(graph);
  const foreign = Object.keys(functions).find((key) => key.includes('/') && !nodes.has(key));
  if (foreign !== undefined) {
    const all = [...nodes.keys()].join(', ') || 'none';
    const message = `approximation.functions has "${foreign}", which this model has not; its functions are: ${all}.`;
    throw new CryptorchError('INVALID_OPTION', message, { name: foreign });
  }
  const selected = new Map<Node, Selection>();
  for (const [name, node] of nodes) {
    const key = [name, ...namesOf(node)].find((k) => Object.hasOwn(functions, k));
    if (key !== undefined) selected.set(node, functions[key]!);
  }
  return selected;
}

export function fixedPoint(
  graph: Graph,
  fractionalBits: number,
  approximation: ApproximationOptions = DEFAULT_APPROXIMATION,
): Graph {
  const pass = new FixedPoint(graph, fractionalBits, approximation);
  for (const node of graph.nodes) pass.visit(node);
  for (const output of graph.outputs) pass.output(output);
  return pass.rewriter.build('reshape');
}
