// The core operator `spline`: a function of a positive number over a wide range, as tables of integers.
//
// Borders 2^b_0 < 2^b_1 < ... < 2^b_S cut the integers of the operand into segments. One x of segment j, 2^b_j <= x <
// 2^b_(j+1), is normalised to y = x 2^(b_S - b_(j+1)), which lies in the upper part of [0, 2^b_S) whatever j is, and
//
//     result = sum over q of weights[j][q] g_q(y) + offsets[j].
//
// A power of x is one table g times one weight a segment, a logarithm one table plus one offset; any other function
// takes a table for each segment, whose weights are 1 there and 0 elsewhere.
//
// g_q is a spline over [0, 2^b_S) of 2^cells cells. Its entry i is a polynomial in tau, the distance from the cell's lower
// end in cells: the masked position that selects the entry may be one cell high, so tau lies in (-1, 1) and every entry
// is fitted over the cells on both sides of its end; entry 0 is that of the upper end of the domain. Within a cell the
// position counts with `positions[0]` bits, and in its k-th power with `positions[k - 1]` of them. That is what the private
// evaluation rounds (protocols/spline.ts), and left out here.
//
// Below: the operator on real numbers, its range, its steepest slope.

import type { Attributes, Node } from '../ir/graph';

export interface SplineTable {
  /** Fractional bits of the operand and of the result. */
  readonly inputScale: number;
  readonly outputScale: number;
  /** b_0, ..., b_S. */
  readonly borders: readonly number[];
  /** Binary logarithm of the number of cells. */
  readonly cells: number;
  /** Bits of the position within a cell that count, by the power in which it does: no more than in the first one. */
  readonly positions: readonly number[];
  /** Of the polynomials: 1 to 3. */
  readonly degree: number;
  /** Fractional bits of the coefficients. */
  readonly precision: number;
  /** [tables][2^cells][degree + 1], the constant first, in units of the result times 2^-precision. */
  readonly coefficients: BigInt64Array;
  /** [segments][tables] */
  readonly weights: BigInt64Array;
  /** [segments], in units of the result. */
  readonly offsets: BigInt64Array;
  /** [segments]: a bound on |private result - evaluateSpline|, in units of the result. */
  readonly errors: BigInt64Array;
}

/** Segments are told apart by the leading bits of x: x within this part below a border may count as above it. */
export const BORDER_BITS = 4;

export function splineOf(node: Pick<Node, 'attrs'>): SplineTable {
  return node.attrs as unknown as SplineTable;
}

export function splineAttributes(table: SplineTable): Attributes {
  return { ...table };
}

export function segmentsOf(table: SplineTable): number {
  return table.borders.length - 1;
}

export function tablesOf(table: SplineTable): number {
  return table.weights.length / segmentsOf(table);
}

/** Bits by which an x of a segment is shifted up. */
export function shiftOfSegment({ borders }: SplineTable, segment: number): number {
  return (borders.at(-1) as number) - (borders[segment + 1] as number);
}

/** The polynomial of a segment in tau at one cell's end, coefficients in real units. */
function polynomial(table: SplineTable, segment: number, entry: number): Float64Array {
  const { degree, cells, coefficients, weights, offsets } = table;
  const tables = tablesOf(table);
  const unit = 2 ** -table.outputScale;
  const out = new Float64Array(degree + 1);
  for (let q = 0; q < tables; q++) {
    const weight = Number(weights[segment * tables + q]) * unit * 2 ** -table.precision;
    const at = (q * 2 ** cells + (entry % 2 ** cells)) * (degree + 1);
    for (let k = 0; k <= degree; k++) out[k]! += weight * Number(coefficients[at + k]);
  }
  out[0]! += Number(offsets[segment]) * unit;
  return out;
}

export function horner(coefficients: ArrayLike<number>, x: number): number {
  let value = 0;
  for (let k = coefficients.length; k-- > 0; ) value = value * x + coefficients[k]!;
  return value;
}

/** x as an integer's real value, brought into the domain. */
function inDomain({ borders, inputScale }: SplineTable, x: number): number {
  const [least, end] = [2 ** borders[0]!, 2 ** borders.at(-1)!];
  return Math.min(Math.max(x * 2 ** inputScale, least), end * (1 - 2 ** -40));
}

function segmentAt({ borders }: SplineTable, x: number): number {
  let segment = 0;
  while (x >= 2 ** borders[segment + 1]!) segment++;
  return segment;
}

/** The function that the tables give, without roundings; outside of the domain, its value at the nearer end. */
export function evaluateSpline(table: SplineTable, x: number): number {
  const inside = inDomain(table, x);
  const segment = segmentAt(table, inside);
  const place = inside * 2 ** (table.cells - table.borders[segment + 1]!);
  const entry = Math.round(place);
  return horner(polynomial(table, segment, entry), place - entry);
}

/** A polynomial that is reached, by tau from `from` to `to`. */
interface Piece {
  readonly segment: number;
  readonly coefficients: Float64Array;
  readonly from: number;
  readonly to: number;
  /** Of tau, per real unit of x. */
  readonly slope: number;
}

/** What private evaluations of x between lo and hi may use. */
function* pieces(table: SplineTable, lo: number, hi: number): Generator<Piece> {
  const { borders, cells, inputScale } = table;
  const n = 2 ** cells;
  const first = segmentAt(table, inDomain(table, lo));
  const last = segmentAt(table, inDomain(table, hi));
  for (let segment = first; segment <= Math.min(last + 1, segmentsOf(table) - 1); segment++) {
    const scale = 2 ** (cells - borders[segment + 1]!);
    const under = 2 ** borders[segment]! * (segment === 0 ? 1 : 1 - 2 ** -BORDER_BITS);
    const least = Math.max(inDomain(table, lo), under) * scale;
    const most = Math.min(inDomain(table, hi) * scale, n);
    for (let entry = Math.floor(least); entry <= Math.floor(most) + 1 && entry <= n; entry++) {
      const from = Math.max(-1, least - entry);
      const to = Math.min(1, most - entry);
      if (from > to) continue;
      const slope = scale * 2 ** inputScale;
      yield { segment, coefficients: polynomial(table, segment, entry), from, to, slope };
    }
  }
}

/** Every polynomial, as operands outside of the domain may reach them. */
function* allPieces(table: SplineTable): Generator<Piece> {
  for (let segment = 0; segment < segmentsOf(table); segment++) {
    for (let entry = 0; entry < 2 ** table.cells; entry++)
      yield { segment, coefficients: polynomial(table, segment, entry), from: -1, to: 1, slope: 0 };
  }
}

/** Bounds of results for x from lo to hi, in real units, whether or not they are in the domain. */
export function splineRange(table: SplineTable, lo: number, hi: number): { lo: number; hi: number } {
  const samples = 16;
  const [first, end] = [table.borders[0]!, table.borders.at(-1)!].map((b) => 2 ** (b - table.inputScale));
  const inside = lo >= first! && hi < end!;
  let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const { segment, coefficients: c, from, to } of inside ? pieces(table, lo, hi) : allPieces(table)) {
    const step = (to - from) / samples;
    const curvature = 2 * Math.abs(c[2] ?? 0) + 6 * Math.abs(c[3] ?? 0);
    const margin = (curvature * step * step) / 8 + Number(table.errors[segment]) * 2 ** -table.outputScale;
    for (let i = 0; i <= samples; i++) {
      const v = horner(c, from + i * step);
      [least, most] = [Math.min(least, v - margin), Math.max(most, v + margin)];
    }
  }
  return { lo: least, hi: most };
}

/**
 * A bound on |private result - evaluateSpline| for x from lo to hi, and one on the slope there, in real units: of that part
 * of them which is in the domain.
 */
export function splineSlack(table: SplineTable, lo: number, hi: number): { error: number; slope: number } {
  let [error, steepest] = [0, 0];
  for (const { segment, coefficients: c, slope } of pieces(table, lo, hi)) {
    error = Math.max(error, Number(table.errors[segment]) * 2 ** -table.outputScale);
    let own = 0;
    for (let k = 1; k < c.length; k++) own += k * Math.abs(c[k]!);
    steepest = Math.max(steepest, own * slope);
  }
  return { error, slope: steepest };
}
