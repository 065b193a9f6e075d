// A piecewise polynomial in real units: its value, its range, how steep it is, and its jumps.

import type { Node } from '../ir/graph';
import { evaluatePolynomial } from './minimax';
import { type Interval, rangeOnInterval, steepest } from './polynomial-bounds';
import type { Piece } from './polynomial-scales';

export class PiecewisePolynomial {
  private readonly pieces: readonly Piece[];

  /** `coefficients`: [thresholds + 1][degree + 1]. */
  constructor(
    private readonly thresholds: readonly number[],
    coefficients: Float64Array,
  ) {
    const terms = coefficients.length / (thresholds.length + 1);
    const ends = [Number.NEGATIVE_INFINITY, ...thresholds, Number.POSITIVE_INFINITY];
    this.pieces = ends.slice(1).map((hi, i) => {
      return { coefficients: coefficients.slice(i * terms, (i + 1) * terms), lo: ends[i]!, hi };
    });
  }

  /** Its pieces with their intervals, those at the ends no longer than `reach`. */
  within(reach: Interval): Piece[] {
    return this.pieces.map((p) => {
      const [lo, hi] = [Math.min(Math.max(p.lo, reach.lo), p.hi), Math.max(Math.min(p.hi, reach.hi), p.lo)];
      return { ...p, lo: Math.min(lo, hi), hi };
    });
  }

  at(x: number): number {
    const i = this.thresholds.findLastIndex((t) => x >= t) + 1;
    return evaluatePolynomial({ centre: 0, coefficients: this.pieces[i]!.coefficients }, x);
  }

  /** Over an interval; undefined where it has no bound. */
  range(on: Interval): Interval | undefined {
    const ranges = this.over(
      on,
      0,
      (p, piece) => (bounded(piece) ? rangeOnInterval(p, piece) : undefined),
      constant,
    );
    if (ranges.includes(undefined)) return undefined;
    const known = ranges as Interval[];
    return { lo: Math.min(...known.map((r) => r.lo)), hi: Math.max(...known.map((r) => r.hi)) };
  }

  /** A bound of the slope of every piece over an interval, `room` beyond its own one; undefined where there is none. */
  steepest(on: Interval, room: number): number | undefined {
    const line = (c: Float64Array) => (c.slice(2).every((v) => v === 0) ? Math.abs(c[1] ?? 0) : undefined);
    const slopes = this.over(on, room, (p, piece) => (bounded(piece) ? steepest(p, piece) : undefined), line);
    return slopes.includes(undefined) ? undefined : Math.max(...(slopes as number[]));
  }

  /** The largest jump at a threshold. */
  jump(): number {
    const at = (i: number, x: number) =>
      evaluatePolynomial({ centre: 0, coefficients: this.pieces[i]!.coefficients }, x);
    return Math.max(...this.thresholds.map((t, i) => Math.abs(at(i + 1, t) - at(i, t))));
  }

  /** What `of` says of every piece that the interval reaches, `special` of its coefficients alone where that is enough. */
  private over<T>(
    on: Interval,
    room: number,
    of: (p: { centre: 0; coefficients: Float64Array }, piece: Interval) => T | undefined,
    special: (coefficients: Float64Array) => T | undefined,
  ): (T | undefined)[] {
    const reached = this.pieces.filter((p) => p.lo <= on.hi && p.hi >= on.lo);
    return reached.map(({ coefficients, lo, hi }) => {
      const simple = special(coefficients);
      if (simple !== undefined) return simple;
      const piece = { lo: Math.max(lo, on.lo) - room, hi: Math.min(hi, on.hi) + room };
      return of({ centre: 0, coefficients }, piece);
    });
  }
}

function constant(coefficients: Float64Array): Interval | undefined {
  const [value] = coefficients as unknown as [number];
  return coefficients.slice(1).every((c) => c === 0) ? { lo: value, hi: value } : undefined;
}

function bounded({ lo, hi }: Interval): boolean {
  return Number.isFinite(lo) && Number.isFinite(hi);
}

/** That of a node, before and after its numbers became integers. */
export function piecewiseOf(node: Node): PiecewisePolynomial {
  const { thresholds, coefficients, degree, scale, shift } = node.attrs;
  if (thresholds instanceof Float64Array)
    return new PiecewisePolynomial([...thresholds], coefficients as Float64Array);
  const operand = node.inputs[0]!.type.scale! - Number(shift);
  const real = Float64Array.from(coefficients as BigInt64Array, (c, i) => {
    return Number(c) * 2 ** ((i % (Number(degree) + 1)) * operand - Number(scale));
  });
  return new PiecewisePolynomial(
    Array.from(thresholds as BigInt64Array, (t) => Number(t) * 2 ** -operand),
    real,
  );
}
