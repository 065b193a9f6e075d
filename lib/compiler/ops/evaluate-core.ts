// The core graph on real numbers: what a private run would give with exact arithmetic on the quantised inputs
// and weights. Values are kept in real units (integer * 2^-scale), where shifts and exact rescales change
// nothing; doubles carry 53 bits, far below the units of 2^-16 that are compared with them. The same
// evaluator runs a lowered graph that has no scales yet.

import { evaluatePolynomial } from '../approximations/minimax';
import { functionOf } from '../approximations/operand-domain';
import { piecewiseOf } from '../approximations/piecewise';
import { realCoefficients } from '../approximations/polynomial-scales';
import type { Graph, Node, Value } from '../ir/graph';
import { argMax, type FloatTensor, map, matmul, rank, reduce, roundHalfEven, zip } from './array';
import { toDoubles } from './context';
import { numberAttr, numbersAttr, piecesOf, windowOf } from './core';
import { evaluateExponential, exponentialOf } from './exponential';
import { evaluateFourier, seriesOf } from './fourier';
import { evaluateLookup, tableOf } from './lookup';
import { evaluateSpline, splineOf } from './spline';
import { conv2d, pool } from './windows';

export interface CoreEvaluation {
  /** What a rescale to this many fractional bits does; nothing by default (exact). */
  readonly rescale?: (x: number, scale: number) => number;
  /** Sees every computed value. */
  readonly onValue?: (value: Value, t: FloatTensor) => void;
}

/** Numbers of an attribute in real units, before and after they became integers at `scale`. */
export function real(data: Float64Array | BigInt64Array, scale: number): Float64Array {
  return data instanceof BigInt64Array ? Float64Array.from(data, (v) => Number(v) * 2 ** -scale) : data;
}

function attributeTensor(node: Node, scale: number): FloatTensor {
  return { shape: numbersAttr(node, 'shape'), data: real(node.attrs.data as Float64Array, scale) };
}

/** The bound of a step or of equals in real units. */
export function realBound(node: Node): number {
  const { bound } = node.attrs;
  return typeof bound === 'bigint' ? Number(bound) * 2 ** -(node.inputs[0]!.type.scale ?? 0) : Number(bound);
}

/** A bound of clip, or what a move fills in, in real units; null where there is none. */
export function realAttribute(node: Node, name: string): number | null {
  const v = node.attrs[name];
  if (typeof v === 'bigint') return Number(v) * 2 ** -(node.outputs[0]!.type.scale ?? 0);
  return typeof v === 'number' ? v : null;
}

function move(node: Node, inputs: readonly FloatTensor[]): FloatTensor {
  const shape = node.outputs[0]!.type.shape;
  const count = shape.reduce((a, b) => a * b, 1);
  const data = new Float64Array(count).fill(realAttribute(node, 'fill') ?? Number.NaN);
  piecesOf(node).forEach((piece, i) => {
    const visit = (axis: number, to: number, from: number): void => {
      const dim = piece.dims[axis];
      if (dim === undefined) {
        data[to] = inputs[i]!.data[from]!;
        return;
      }
      for (let j = 0; j < dim[0]; j++) visit(axis + 1, to + j * dim[1], from + j * dim[2]);
    };
    visit(0, piece.outBase, piece.inBase);
  });
  return { shape, data };
}

function compute(
  node: Node,
  ins: readonly FloatTensor[],
  rescale: (x: number, scale: number) => number,
): FloatTensor {
  const [x, y] = ins as [FloatTensor, FloatTensor];
  const out = node.outputs[0]!.type;
  const alpha = numberAttr(node, 'alpha', 1) * 2 ** -numberAttr(node, 'alphaScale');
  const shifted = (): FloatTensor => {
    const scale = (out.scale ?? 0) - numberAttr(node, 'alphaScale');
    return numberAttr(node, 'shift') === 0 ? x : map(x, (v) => rescale(v, scale));
  };
  switch (node.op) {
    case 'add':
      return zip(x, y, (a, b) => a + b);
    case 'sub':
      return zip(x, y, (a, b) => a - b);
    case 'mul':
      return zip(x, y, (a, b) => a * b);
    case 'neg':
      return map(x, (v) => -v);
    case 'add_const':
      return zip(x, attributeTensor(node, out.scale ?? 0), (a, b) => a + b);
    case 'mul_const':
      return zip(x, attributeTensor(node, numberAttr(node, 'scale')), (a, b) => a * b);
    case 'shift_left':
      return x;
    case 'rescale':
      return map(x, (v) => rescale(v, out.scale ?? 0));
    case 'approximate':
      return map(x, functionOf(node));
    case 'polynomial': {
      const p = { centre: 0, coefficients: realCoefficients(node) };
      const operand = (node.inputs[0]!.type.scale ?? 0) - numberAttr(node, 'shift');
      const v = numberAttr(node, 'shift') === 0 ? x : map(x, (a) => rescale(a, operand));
      return map(v, (a) => evaluatePolynomial(p, a));
    }
    case 'piecewise': {
      const p = piecewiseOf(node);
      const scale = (node.inputs[0]!.type.scale ?? 0) - numberAttr(node, 'shift');
      return map(x, (a) => p.at(numberAttr(node, 'shift') === 0 ? a : rescale(a, scale)));
    }
    case 'matmul':
      return matmul(x, y, node.attrs.transA === true, node.attrs.transB === true);
    case 'conv2d':
      return conv2d(x, y, out.shape, windowOf(node), numberAttr(node, 'group', 1));
    case 'relu':
      return zip(x, shifted(), (v, r) => (v < 0 ? 0 : r));
    case 'leaky_relu':
      return zip(x, shifted(), (v, r) => (v < 0 ? alpha * r : r));
    case 'clip': {
      const [lo, hi] = [
        realAttribute(node, 'lo') ?? Number.NEGATIVE_INFINITY,
        realAttribute(node, 'hi') ?? Number.POSITIVE_INFINITY,
      ];
      return map(shifted(), (v) => Math.min(Math.max(v, lo), hi));
    }
    case 'max_pool':
      return pool(x, out.shape, windowOf(node), Number.NEGATIVE_INFINITY, Math.max);
    case 'sum_pool':
      return pool(x, out.shape, windowOf(node), 0, (a, v) => a + v);
    case 'sum':
      return reduce(x, numbersAttr(node, 'axes'), node.attrs.keepdims === true, 0, (a, v) => a + v);
    case 'arg_max':
      return argMax(x, numberAttr(node, 'axis'), out.shape);
    case 'fourier': {
      const series = seriesOf(node);
      return map(x, (v) => evaluateFourier(series, v));
    }
    case 'lookup': {
      const table = tableOf(node);
      const rounds = !table.exact && numberAttr(node, 'below') > 0;
      const cell = (node.inputs[0]!.type.scale ?? 0) - numberAttr(node, 'below');
      return map(x, (v) => evaluateLookup(table, rounds ? rescale(v, cell) : v));
    }
    case 'spline':
      return map(x, (v) => evaluateSpline(splineOf(node), v));
    case 'exponential':
      return map(x, (v) => evaluateExponential(exponentialOf(node), v));
    case 'rank':
      return rank(x, numberAttr(node, 'axis'));
    case 'step': {
      const [bound, strict] = [realBound(node), node.attrs.strict === true];
      return map(x, (v) => Number(strict ? v > bound : v >= bound));
    }
    case 'equals': {
      const bound = realBound(node);
      return map(x, (v) => Number(v === bound));
    }
    case 'not':
      return map(x, (v) => 1 - v);
    case 'xor':
      return zip(x, y, (a, b) => Number(a !== b));
    case 'lift':
      return x;
    case 'reshape':
      return { shape: out.shape, data: x.data };
    case 'move':
      return move(node, ins);
    default:
      throw new Error(`${node.op} is not a core operation`);
  }
}

/** Outputs of a core graph for inputs in real units, which are quantised first where the graph has scales. */
export function evaluateCore(
  graph: Graph,
  inputs: readonly ArrayLike<number>[],
  options: CoreEvaluation = {},
): FloatTensor[] {
  const rescale = options.rescale ?? ((x: number) => x);
  const values = new Map<Value, FloatTensor>();
  const quantised = (v: Value, data: ArrayLike<number>): FloatTensor => {
    const { shape, scale } = v.type;
    const unit = 2 ** -(scale ?? 0);
    const write = scale === undefined ? (x: number) => x : (x: number) => roundHalfEven(x / unit) * unit;
    return { shape, data: Float64Array.from(data, write) };
  };
  graph.inputs.forEach((v, i) => {
    values.set(v, quantised(v, inputs[i]!));
  });
  for (const [v, constant] of graph.constants) values.set(v, quantised(v, toDoubles(constant.data)));
  for (const node of graph.nodes) {
    const ins = node.inputs.map((v) => values.get(v)!);
    const result = compute(node, ins, rescale);
    values.set(node.outputs[0]!, result);
    options.onValue?.(node.outputs[0]!, result);
  }
  return graph.outputs.map((v) => values.get(v)!);
}
