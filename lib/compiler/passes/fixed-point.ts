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
import type { Attributes, Graph, Node, Type, Value } from '../ir/graph';
import { numberAttr } from '../ops/core';
import { INTEGER_BITS } from '../widths';
import { approximated } from './domains';
import { type Scaling, scaleFunction } from './fixed-point-functions';
import { checkFits, exactScale, factorScale, quantise, quantiseOne } from './quantise';
import { ranges } from './ranges';
import { producersOf, Rewriter } from './rewriter';

/** Bits of headroom above a plain product. */
const slackBits = 8;

class FixedPoint implements Scaling {
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
  fine(old: Value, data?: ArrayLike<number>): number {
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
      case 'piecewise':
      case 'fourier':
      case 'lookup':
      case 'spline':
      case 'exponential':
        scaleFunction(this, node);
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
