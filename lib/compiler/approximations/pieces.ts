// Published piecewise polynomials: between thresholds a polynomial each, often one of |x| mirrored.

import type { Value } from '../ir/graph';
import type { FunctionBuilder } from './builder';

/** Coefficients by power. */
export type Coefficients = readonly number[];

/** Up to here powers of an opened value are exact enough; beyond, they are products one after another. */
const MOST_DEGREE_ON_OPENING = 4;

function plus(a: Coefficients, b: Coefficients): Coefficients {
  return Array.from({ length: Math.max(a.length, b.length) }, (_, k) => (a[k] ?? 0) + (b[k] ?? 0));
}

function times(a: Coefficients, b: Coefficients): Coefficients {
  const product = new Array<number>(a.length + b.length - 1).fill(0);
  a.forEach((x, i) => {
    b.forEach((y, j) => {
      product[i + j]! += x * y;
    });
  });
  return product;
}

/** p(x) of x = factor * v as a polynomial of v. */
export function scaledBy(p: Coefficients, factor: number): Coefficients {
  return p.map((c, k) => c * factor ** k);
}

/** (p + g0 u + g3) p + g4 with p = (g0 u + g1) u + g2: what CrypTorch calls factored. */
export function factored([g0, g1, g2, g3, g4]: readonly [
  number,
  number,
  number,
  number,
  number,
]): Coefficients {
  const p = [g2, g1, g0];
  return plus(times(plus(p, [g3, g0]), p), [g4]);
}

/** p(-x) */
function reflected(p: Coefficients): Coefficients {
  return scaledBy(p, -1);
}

/** The polynomial of the interval that x is in; `pieces` has one more than `thresholds`, which rise. */
export function piecewise(
  g: FunctionBuilder,
  x: Value,
  thresholds: readonly number[],
  pieces: readonly Coefficients[],
): Value {
  const degree = Math.max(...pieces.map((p) => p.length)) - 1;
  if (degree <= MOST_DEGREE_ON_OPENING) return g.piecewise(x, thresholds, pieces);
  // Powers are of the clipped value, which keeps them small; the lines beyond are of x itself.
  const inside = g.clip(x, thresholds[0]!, thresholds.at(-1)!);
  const values = pieces.map((p) => (p.length > 2 ? g.powerSum(inside, p) : undefined));
  const value = (i: number) => values[i] ?? g.powerSum(x, pieces[i]!);
  let sum = value(0);
  thresholds.forEach((t, i) => {
    sum = g.add(sum, g.mul(g.sub(value(i + 1), value(i)), g.atLeast(x, t)));
  });
  return sum;
}

/**
 * max(x, 0) beyond +-limit, x / 2 + p(|x|) within: as max(x, 0) and a difference that is small everywhere, which leaves its
 * powers more bits.
 */
export function likeRelu(g: FunctionBuilder, x: Value, limit: number, p: Coefficients): Value {
  const pieces = [[0], plus(reflected(p), [0, 0.5]), plus(p, [0, -0.5]), [0]];
  return g.add(g.relu(x), piecewise(g, x, [-limit, 0, limit], pieces));
}

/** sign(x) end beyond +-limit, sign(x) p(|x|) within; plus an offset. */
export function odd(
  g: FunctionBuilder,
  x: Value,
  limit: number,
  p: Coefficients,
  end: number,
  offset: number = 0,
): Value {
  const negative = reflected(p).map((c) => -c);
  const pieces = [[-end], negative, p, [end]].map((piece) => plus(piece, [offset]));
  return piecewise(g, x, [-limit, 0, limit], pieces);
}
