// Tables for the core operator `spline` (../ops/spline.ts) from a function of a positive number (segment-fit.ts).
//
// Beyond the error of its polynomials, a result is off by
//   the position's last bit       the slope of g times 2^-p cells for p bits (nothing where no bit is dropped)
//   the same in a power k         k 2^-(k+p) times its coefficient
//   coefficients of the result    2^(k(p-2)) units for the power k
//   weights                       half a unit of each, where they are no integers
// so that more bits of a position pay only with more bits of the result. Degree, positions and the unit of the weights are
// chosen for the least error.

import type { SplineTable } from '../ops/spline';
import { INTEGER_BITS } from '../widths';
import { cannotBeWritten, SegmentFit, type Structure } from './segment-fit';

export interface SegmentOptions {
  /** The function, on doubles; smooth on the domain. */
  readonly fn: (x: number) => number;
  /** lo <= x < hi in real units, 0 < lo; both are moved outwards to powers of two, hi for several segments only. */
  readonly domain: readonly [number, number];
  /** Fractional bits of the operand's integers: lo must be one unit at least. */
  readonly inputScale: number;
  /**
   * Fractional bits of the result: some 18 to 30 below the smallest result for a relative error of 1e-3, the fewer the
   * more cells there are. Default: the least with which the error stays within the tolerance.
   */
  readonly outputScale?: number;
  /**
   * Cells of the spline, a power of two from 4 to 512; material is proportional to them, times degree + 1. Default: what
   * reaches the tolerance at the given `outputScale` with the least material, or 32 and more without one.
   */
  readonly cells?: number;
  /** Degree of the polynomials, 1 to 3. Default: what takes the least material. */
  readonly degree?: number;
  /**
   * Bits of a segment: 2 for [4^j, 4^(j+1)), the default. More segments take more comparisons and fewer cells. With
   * log2(cells) of them, operands shifted to [2^b / cells, 2^b) are one segment, of equally wide cells, none of which is
   * left over.
   */
  readonly segmentBits?: number;
  /** Whether errors are relative to each result, or to the largest one. Default: to each if none is zero. */
  readonly relative?: boolean;
  /** Default 1e-3; where cells and scale are both given, whatever they reach. */
  readonly tolerance?: number;
}

export interface SegmentTable {
  readonly table: SplineTable;
  /**
   * A bound on the error of private results over the domain, relative to each or to the largest one. From dense samples of
   * the fit, and the roundings above at their worst.
   */
  readonly error: number;
}

/** Bits of a position: few enough that its product with a coefficient fits a word. */
const MOST_POSITION = 12;
/** Of a coefficient, fractional ones included: exact in doubles. */
const COEFFICIENT_BITS = 50;
const MOST_PRECISION = 20;

interface Form {
  readonly degree: number;
  /** By power. */
  readonly positions: readonly number[];
  /** Fractional bits of the weights. */
  readonly unit: number;
  readonly outputScale: number;
}

interface Rated {
  readonly fit: SegmentFit;
  readonly form: Form;
  readonly error: number;
}

/** Units of the result by which a coefficient of power k may be rounded (native/cpu/spline.cpp). */
function roundingUnits(k: number, position: number): number {
  return 2 ** (k * (position - 2));
}

/** What a power k > 1 of fewer bits is off by, for a coefficient of 1. */
function powerError(k: number, position: number): number {
  return k * 2 ** -(k + position);
}

function areIntegers(weights: Structure['weights']): boolean {
  return weights.flat().every((w) => Math.abs(w - Math.round(w)) <= 1e-9 * Math.abs(w));
}

function forms(fit: SegmentFit, degree: number, outputScale: number): Form[] {
  const room = fit.borders.at(-1)! - Math.log2(fit.cells);
  const units = areIntegers(fit.structure.weights) ? [0] : [6, 8, 10, 12, 14];
  const list: Form[] = [];
  for (const unit of units) {
    for (let first = 2; first <= Math.min(room, MOST_POSITION); first++) {
      const others = Array.from({ length: degree - 1 }, (_, i) =>
        powerBits(fit, degree, i + 2, first, 2 ** (outputScale - unit)),
      );
      list.push({ degree, positions: [first, ...others], unit, outputScale });
    }
  }
  return list;
}

/** Bits of the position in a power k > 1, for tables of so many units. */
function powerBits(fit: SegmentFit, degree: number, k: number, most: number, scale: number): number {
  const error = (bits: number): number => {
    const coarse = bits < most ? powerError(k, bits) * scale : 0;
    const rounding = roundingUnits(k, bits);
    return fit
      .statistics(degree)
      .reduce((e, s) => Math.max(e, s.impact * (s.powers[k - 1]! * coarse + rounding)), 0);
  };
  let [best, least] = [most, error(most)];
  for (let bits = most - 1; bits > 0; bits--) {
    const now = error(bits);
    if (now < least) [best, least] = [bits, now];
  }
  return best;
}

/** Bounds of errors by segment, in units of the result, and the worst by the measure of `SegmentTable.error`. */
function errorsOf(fit: SegmentFit, form: Form): { bounds: number[]; worst: number } {
  const { degree, positions, unit, outputScale } = form;
  const { weights } = fit.structure;
  const scale = 2 ** outputScale;
  const first = positions[0]!;
  const cut = fit.borders.at(-1)! - Math.log2(fit.cells) > first ? 2 ** -first : 0;
  const coarse = positions.map((p, i) => (p < first ? powerError(i + 1, p) : 0));
  const rounding = positions.reduce((sum, p, i) => sum + roundingUnits(i + 1, p), 2) * 2 ** unit;
  const bounds = fit.segments.map(() => 0);
  let worst = 0;
  for (const { table, fit: off, slope, powers, most, least } of fit.statistics(degree)) {
    const dropped = coarse.reduce((sum, c, i) => sum + c * powers[i]!, slope * cut);
    const own = (off + dropped) * scale + rounding;
    for (const j of fit.segments) {
      const weight = Math.abs(weights[j]![table]!);
      if (weight === 0) continue;
      const inexact = unit === 0 ? 0 : most * scale * 2 ** (-unit - 1);
      worst = Math.max(worst, (weight * own + inexact + 1) / (scale * least[j]!));
      // Against the tables themselves, where another entry or segment may be taken.
      bounds[j] = Math.max(bounds[j]!, weight * (own + off * scale) + 2 * (inexact + 1));
    }
  }
  // What lies just below a border may be evaluated as the segment above it.
  return { bounds: bounds.map((e, j) => Math.ceil(Math.max(e, bounds[j + 1] ?? 0))), worst };
}

function integers(values: readonly number[]): BigInt64Array {
  return BigInt64Array.from(values, (v) => BigInt(Math.round(v)));
}

function write({ fit, form, error }: Rated): SegmentTable {
  const { degree, positions, unit, outputScale } = form;
  const { weights, offsets } = fit.structure;
  const polynomials = fit.fitted(degree).map((p) => p.map((c) => c * 2 ** (outputScale - unit)));
  const largest = polynomials.reduce((most, p) => Math.max(most, ...p.map(Math.abs)), 1);
  const precision = Math.max(0, Math.min(MOST_PRECISION, COEFFICIENT_BITS - Math.ceil(Math.log2(largest))));
  const table = {
    inputScale: fit.options.inputScale,
    outputScale,
    borders: fit.borders,
    cells: Math.log2(fit.cells),
    positions,
    degree,
    precision,
    coefficients: integers(polynomials.flatMap((p) => Array.from(p, (c) => c * 2 ** precision))),
    weights: integers(weights.flat().map((w) => w * 2 ** unit)),
    offsets: integers(offsets.map((o) => o * 2 ** outputScale)),
    errors: integers(errorsOf(fit, form).bounds),
  };
  return { table, error };
}

/** Most fractional bits with which results fit. */
function mostScale(fit: SegmentFit): number {
  return INTEGER_BITS - 1 - Math.floor(Math.log2(fit.largest)) - 1;
}

/** The form with the least error. */
function best(fit: SegmentFit, degree: number, outputScale: number): Rated {
  const rated = forms(fit, degree, outputScale).map((form) => ({
    fit,
    form,
    error: errorsOf(fit, form).worst,
  }));
  return rated.reduce((a, b) => (b.error < a.error ? b : a));
}

/** With the least scale that reaches the tolerance; with the largest one if none does. */
function least(fit: SegmentFit, degree: number, tolerance: number): Rated {
  let [low, high] = [Math.max(0, -Math.floor(Math.log2(fit.largest))), mostScale(fit)];
  // More fractional bits never make an error larger.
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (best(fit, degree, middle).error <= tolerance) high = middle;
    else low = middle + 1;
  }
  return best(fit, degree, high);
}

/** Entries of one table, and its material in bits. */
function entriesOf({ fit, form }: Rated): number {
  return fit.cells * (form.degree + 1);
}

function materialOf(r: Rated): number {
  return entriesOf(r) * (r.form.outputScale + Math.log2(r.fit.largest) + 2);
}

/** The best of every degree. */
function rated(options: SegmentOptions, cells: number, tolerance: number): Rated[] {
  const fit = new SegmentFit(options, cells);
  const { outputScale, degree } = options;
  if (outputScale !== undefined && outputScale > mostScale(fit))
    throw cannotBeWritten(`its results have more than ${INTEGER_BITS - 1} bits at scale ${outputScale}`);
  return (degree === undefined ? [1, 2, 3] : [degree]).map((d) =>
    outputScale === undefined ? least(fit, d, tolerance) : best(fit, d, outputScale),
  );
}

/**
 * Tables of a function for `CoreEmitter.spline`.
 * @throws CryptorchError INVALID_OPTION for a domain that is none, a function that is not finite on it, results that do not
 * fit, or a tolerance that is not reached
 */
export function segmentTable(options: SegmentOptions): SegmentTable {
  const { outputScale, cells, tolerance = 1e-3 } = options;
  if (outputScale !== undefined && cells !== undefined && options.tolerance === undefined)
    return write(rated(options, cells, tolerance).reduce((a, b) => (b.error < a.error ? b : a)));
  let smallest: Rated | undefined;
  let closest = Number.POSITIVE_INFINITY;
  const counts = outputScale === undefined ? [32, 64, 128, 256, 512] : [8, 16, 32, 64, 128, 256, 512];
  for (const count of cells === undefined ? counts : [cells]) {
    // At one scale, fewer cells of a higher degree may still have more entries.
    if (smallest && (outputScale === undefined || 2 * count >= entriesOf(smallest))) break;
    for (const r of rated(options, count, tolerance)) {
      closest = Math.min(closest, r.error);
      if (r.error <= tolerance && (!smallest || materialOf(r) < materialOf(smallest))) smallest = r;
    }
  }
  if (smallest) return write(smallest);
  const advice = 'take more cells, a larger scale or a larger tolerance';
  throw cannotBeWritten(`its error is ${closest.toPrecision(2)} and not ${tolerance}; ${advice}`);
}
