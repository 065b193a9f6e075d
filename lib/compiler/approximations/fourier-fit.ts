// A Fourier series that is close to a function on an interval, by a period that is longer: what the series does on the rest
// of its period is free, so that it converges as fast as polynomials do, whatever the function does at the ends of the
// interval (Huybrechs, On the Fourier extension of nonperiodic functions, SIAM J. Numer. Anal. 47, 2010).
//
// Coefficients are those of least squares at Chebyshev nodes, with a small penalty on their size, since many series are about
// as good and large coefficients cancel. Then points where the error is large get more weight, which makes the largest error
// smaller (Lawson's iteration).

import { evaluateFourier, type FourierSeries } from '../ops/fourier';
import { solve } from './minimax';
import type { Domain } from './registry';

export interface FourierFit {
  readonly series: FourierSeries;
  /** Largest |f - series|, or |1 - series / f|, on a fine grid. */
  readonly error: number;
}

const ITERATIONS = 10;
/** Nodes, and points of the grid on which errors are taken, for every coefficient. */
const NODES = 6;
const GRID = 24;
/** Between two points of the grid an error is larger by less than this part. */
const BETWEEN = 1 / 64;

interface Point {
  readonly x: number;
  readonly f: number;
  /** What an error there is multiplied by. */
  readonly measure: number;
}

function points(fn: (x: number) => number, xs: readonly number[], relative: boolean): Point[] {
  return xs.map((x) => {
    const f = fn(x);
    return { x, f, measure: relative ? 1 / Math.abs(f) : 1 };
  });
}

/** 1, then cos and sin of each frequency, of x - centre. */
function basis(x: number, period: number, frequencies: number): Float64Array {
  const row = Float64Array.of(1, ...new Float64Array(2 * frequencies));
  for (let k = 1; k <= frequencies; k++) {
    const angle = (2 * Math.PI * k * x) / period;
    [row[2 * k - 1], row[2 * k]] = [Math.cos(angle), Math.sin(angle)];
  }
  return row;
}

/** Coefficients of least weighted squares. */
function leastSquares(
  rows: readonly Float64Array[],
  at: readonly Point[],
  weights: Float64Array,
  penalty: number,
): Float64Array {
  const count = rows[0]!.length;
  const matrix = Array.from({ length: count }, () => new Float64Array(count));
  const right = new Float64Array(count);
  rows.forEach((row, i) => {
    const weight = weights[i]! * at[i]!.measure ** 2;
    for (let j = 0; j < count; j++) {
      const scaled = weight * row[j]!;
      right[j]! += scaled * at[i]!.f;
      for (let l = 0; l <= j; l++) matrix[j]![l]! += scaled * row[l]!;
    }
  });
  const mean = matrix.reduce((sum, row, j) => sum + row[j]!, 0) / count;
  for (let j = 0; j < count; j++) {
    matrix[j]![j]! += penalty * mean;
    for (let l = j + 1; l < count; l++) matrix[j]![l] = matrix[l]![j]!;
  }
  return solve(matrix, right);
}

/** The series about zero. */
function seriesFrom(c: Float64Array, period: number, centre: number): FourierSeries {
  const frequencies = (c.length - 1) / 2;
  const [sine, cosine] = [new Float64Array(frequencies), new Float64Array(frequencies)];
  for (let k = 1; k <= frequencies; k++) {
    const angle = (2 * Math.PI * k * centre) / period;
    const [a, b] = [c[2 * k - 1]!, c[2 * k]!];
    cosine[k - 1] = a * Math.cos(angle) - b * Math.sin(angle);
    sine[k - 1] = a * Math.sin(angle) + b * Math.cos(angle);
  }
  return { period, constant: c[0]!, sine, cosine };
}

export interface FourierFitOptions {
  readonly fn: (x: number) => number;
  readonly domain: Domain;
  /** Longer than the domain. */
  readonly period: number;
  readonly frequencies: number;
  /** Whether errors are relative to each result. */
  readonly relative: boolean;
  /** Of the squares of coefficients, beside the mean of those of errors: the larger, the smaller are coefficients. */
  readonly penalty: number;
}

/** Undefined where the function is not finite, or is zero and errors are relative. */
export function fitFourier(options: FourierFitOptions): FourierFit | undefined {
  const { fn, period, frequencies, relative, penalty } = options;
  const { lo, hi } = options.domain;
  const [centre, half] = [(lo + hi) / 2, (hi - lo) / 2];
  const count = 2 * frequencies + 1;
  const nodes = Array.from(
    { length: NODES * count },
    (_, i) => centre - half * Math.cos((Math.PI * (i + 0.5)) / (NODES * count)),
  );
  const at = points(fn, nodes, relative);
  const grid = points(
    fn,
    Array.from({ length: GRID * count + 1 }, (_, i) => lo + ((hi - lo) * i) / (GRID * count)),
    relative,
  );
  if (![...at, ...grid].every(({ f, measure }) => Number.isFinite(f) && Number.isFinite(measure)))
    return undefined;
  const rows = nodes.map((x) => basis(x - centre, period, frequencies));
  let weights = new Float64Array(nodes.length).fill(1);
  let best: { c: Float64Array; error: number } | undefined;
  for (let i = 0; i < ITERATIONS; i++) {
    const c = leastSquares(rows, at, weights, penalty);
    const errors = rows.map((row, j) => at[j]!.measure * Math.abs(at[j]!.f - dot(row, c)));
    const error = Math.max(...errors);
    if (best === undefined || error < best.error) best = { c, error };
    const mean = errors.reduce((sum, e, j) => sum + e * weights[j]!, 0) / errors.length;
    weights = weights.map((w, j) => (w * errors[j]!) / mean);
  }
  const series = seriesFrom(best!.c, period, centre);
  const error = Math.max(
    ...grid.map(({ x, f, measure }) => measure * Math.abs(f - evaluateFourier(series, x))),
  );
  return { series, error: error * (1 + BETWEEN) };
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}
