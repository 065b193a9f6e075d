// The core operations: all that is left of a model after lowering. Their attributes, with the fixed-point
// pass done:
//
//   add, sub (a, b)        numpy broadcasting, equal scales
//   neg (a)                shift_left (a) {bits}         scale grows by bits, the real value stays
//   add_const (a)          {data: integers at the scale of a, shape}
//   mul_const (a)          {data: integers, scale, shape}: scales add up
//   mul, matmul (a, b)     matmul {transA, transB} of batched matrices; scales add up. b of a mul may be a boolean: what
//                          it says of a is kept, the rest is 0. Of two booleans a mul is their conjunction
//   conv2d (x, w)          {strides, dilations, pads: [top, left, bottom, right], group}; scales add up
//   rescale (a) {bits}     scale shrinks by bits, off by less than one unit of the result
//   polynomial (a)         {coefficients: integers, scale, shift, lo, hi}: sum of coefficients[k] v^k, v = a
//                          rescaled by `shift` bits; coefficients[k] has scale - k (scale of v) fractional bits, the
//                          result `scale`. Meant for v in [lo, hi], real numbers
//   piecewise (a)          {thresholds: integers, rising, at the scale of v; degree; coefficients: integers, [pieces][degree
//                          + 1]; scale, shift}: as polynomial, by the piece of the interval that v is in: piece i from
//                          thresholds[i - 1] on, up to thresholds[i]. What a piece is elsewhere is of no matter
//   approximate (a)        {fn, params, lo, hi, known}: a function of one number, without scales only; what becomes
//                          of it is for approximations/
//   relu (a) {shift}       clip (a) {lo, hi, shift}      leaky_relu (a) {alpha, alphaScale, shift}
//                          a rescale by `shift` bits first; lo, hi: at the scale of the output, or null
//   max_pool (a)           {kernel, strides, pads, dilations}; padding never wins
//   sum_pool (a)           {kernel, strides, pads, dilations}; padding is zero
//   arg_max (a)            {axis, keepdims}: int, scale 0; the lowest index wins
//   rank (a)               {axis}: int, scale 0; how many come before, in falling order, of equals the lowest index first
//   step (a)               {bound, strict}: bool; whether a >= bound, or a > bound
//   equals (a)             {bound}: bool; whether a = bound
//   not (a), xor (a, b)    of booleans
//   lift (a)               a boolean as the number 0 or 1: int or fixed, scale 0
//   sum (a)                {axes, keepdims}
//   reshape (a) {shape}    of an int, its result may be fixed: the same number
//   spline (a)             a function over a wide range of positive numbers: the tables of spline.ts, integers from the start
//   fourier (a)            a sum of sines and cosines: the series of fourier.ts
//   lookup (a)             an entry of a public table: lookup.ts
//   exponential (a)        e^(rate a) on an interval: the factors of exponential.ts, integers from the start
//   move (a...)            {pieces, fill, from}: piece i copies from input i; the rest is `fill`, if not null
//
// Integers in attributes are bigint; bounds are at the scale of the operand. Before the fixed-point pass there are no
// scales, and data, thresholds, coefficients, lo, hi, bound, alpha and fill are real numbers.

import type { Attribute, Attributes, Node } from '../ir/graph';

export const coreOps = [
  'add',
  'sub',
  'neg',
  'shift_left',
  'add_const',
  'mul_const',
  'mul',
  'matmul',
  'conv2d',
  'rescale',
  'polynomial',
  'piecewise',
  'relu',
  'clip',
  'leaky_relu',
  'max_pool',
  'sum_pool',
  'arg_max',
  'rank',
  'step',
  'equals',
  'not',
  'xor',
  'lift',
  'sum',
  'spline',
  'fourier',
  'lookup',
  'exponential',
  'reshape',
  'move',
] as const;

export type CoreOp = (typeof coreOps)[number];

/** One piece of a move: out[outBase + i . outStride] = in[inBase + i . inStride] for every index i. */
export interface Piece {
  readonly outBase: number;
  readonly inBase: number;
  /** [size, stride in the output, stride in the input] of every dimension. */
  readonly dims: readonly (readonly [number, number, number])[];
}

export interface WindowAttributes {
  readonly kernel: readonly [number, number];
  readonly strides: readonly [number, number];
  readonly pads: readonly [number, number, number, number];
  readonly dilations: readonly [number, number];
}

export function piecesOf(node: Node): readonly Piece[] {
  return node.attrs.pieces as unknown as readonly Piece[];
}

export function windowOf(node: Node): WindowAttributes {
  return node.attrs as unknown as WindowAttributes;
}

export function numberAttr(node: Node, name: string, otherwise: number = 0): number {
  return Number(node.attrs[name] ?? otherwise);
}

export function numbersAttr(node: Node, name: string): readonly number[] {
  return (node.attrs[name] ?? []) as readonly number[];
}

/** Attributes from a typed object. */
export function attributes(object: object): Attributes {
  return object as unknown as { readonly [name: string]: Attribute };
}
