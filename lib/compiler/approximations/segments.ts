// Tables for the core operator `spline` (../ops/spline.ts) from a function of a positive number.
//
// What a function takes is found by sampling it: with f_j(y) the function on segment j of normalised operands, the ratios
// f_j / f_0 of a power of x are constants (one table and a weight a segment), and so are the differences of a logarithm
// (one table and an offset a segment); all others take a table a segment.
//
// Every polynomial interpolates at the Chebyshev nodes of the part of its two cells that can be reached. Beyond its
// error, a result is off by
//   the position's last bit       the slope of g times 2^-position cells (nothing where no bit is dropped)
//   coefficients of the result    2^(p-2) units for degree 1, 2^(2p-4) more for 2, 2^(3p-6) more for 3, p = position
//   weights                       half a unit of each, where they are no integers
// so that more bits of the position pay only with more bits of the result. Degree, position and the unit of the weights
// are chosen for the least error.

import { CryptorchError } from '../../errors';
import { BORDER_BITS, horner, type SplineTable } from '../ops/spline';
import { INTEGER_BITS } from '../widths';

export interface SegmentOptions {
  /** The function, on doubles; smooth on the domain. */
  readonly fn: (x: number) => number;
  /** lo <= x < hi in real units, 0 < lo. The lower end is rounded down, the upper one up to a power of two. */
  readonly domain: readonly [number, number];
  /** Fractional bits of the operand's integers: lo must be one unit at least. */
  readonly inputScale: number;
  /**
   * Fractional bits of the result. A relative error of 2^-10 takes 18 to 30 bits below the smallest result. Default: the
   * least with which the error stays within `tolerance`.
   */
  readonly outputScale?: number;
  /** Cells of the spline, a power of two from 4 to 512: material grows with it. Default 32. */
  readonly cells?: number;
  /** Degree of the polynomials, 1 to 3. Default: the best for the given cells. */
  readonly degree?: number;
  /** Bits of a segment: 2 for [4^j, 4^(j+1)), the default. More segments take more comparisons, and fewer cells. */
  readonly segmentBits?: number;
  /** Default 1e-3. */
  readonly tolerance?: number;
}

export interface SegmentTable {
  readonly table: SplineTable;
  /**
   * A bound on the error of private results over the domain: relative to the exact result if it is never zero there,
   * else to the largest one. From dense samples of the fit, and the roundings above at their worst.
   */
  readonly error: number;
}

/** How the segments share tables. */
interface Structure {
  /** Functions of the cell's place, in [0, cells]; real units. */
  readonly functions: readonly ((place: number) => number)[];
  /** [segments][tables], and [segments]. */
  readonly weights: readonly (readonly number[])[];
  readonly offsets: readonly number[];
}

const SAMPLES = 16;
/** Positions have few bits, so that a product with a coefficient fits a word. */
const MOST_POSITION = 12;
/** A coefficient's bits, fractional ones included: exact in doubles. */
const COEFFICIENT_BITS = 50;
const MOST_PRECISION = 20;

function invalid(what: string): CryptorchError {
  return new CryptorchError('INVALID_OPTION', `A function cannot be written as segments: ${what}.`);
}

function isConstant(values: readonly number[], unit: number): boolean {
  return Math.max(...values) - Math.min(...values) <= 1e-9 * unit;
}

class Builder {
  readonly n: number;
  readonly borders: number[];
  readonly structure: Structure;
  /** Whether errors are relative to each result. */
  readonly relative: boolean;
  readonly largest: number;
  /** Lowest place that normalised operands reach. */
  private readonly least: number;
  private readonly fits = new Map<number, Float64Array[]>();
  private readonly stats = new Map<number, Statistic[]>();

  constructor(readonly options: SegmentOptions) {
    this.n = options.cells ?? 32;
    this.borders = bordersOf(options);
    const bits = this.borders.at(-1)! - this.borders.at(-2)!;
    const one = this.borders.length === 2;
    this.least = this.n * 2 ** -bits * (one ? 1 : 1 - 2 ** -BORDER_BITS);
    const values = this.places(SAMPLES).flatMap((p) => this.segments.map((j) => this.at(j, p)));
    if (!values.every(Number.isFinite)) throw invalid('it is not finite on its domain');
    this.largest = Math.max(...values.map(Math.abs));
    this.relative = values.every((v) => v > 0) || values.every((v) => v < 0);
    this.structure = this.analyse();
  }

  get segments(): number[] {
    return this.borders.slice(1).map((_, j) => j);
  }

  /** The function on segment j at a place of the normalised operand. */
  at(segment: number, place: number): number {
    const exponent = this.borders[segment + 1]! - Math.log2(this.n) - this.options.inputScale;
    return this.options.fn(place * 2 ** exponent);
  }

  /** Places that operands reach, `count` a cell and the ends. */
  private places(count: number): number[] {
    const steps = Math.ceil((this.n - this.least) * count);
    return Array.from({ length: steps + 1 }, (_, i) => this.least + ((this.n - this.least) * i) / steps);
  }

  private analyse(): Structure {
    const places = this.places(1);
    const of = (j: number) => places.map((p) => this.at(j, p));
    const smallest = this.segments.reduce((a, b) => (Math.abs(of(b)[0]!) < Math.abs(of(a)[0]!) ? b : a));
    const base = of(smallest);
    const functions = [(p: number) => this.at(smallest, p)];
    const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;
    const none = this.segments.map(() => 0);
    if (this.relative) {
      const ratios = this.segments.map((j) => of(j).map((v, i) => v / base[i]!));
      if (ratios.every((r) => isConstant(r, mean(r))))
        return { functions, weights: ratios.map((r) => [mean(r)]), offsets: none };
    }
    const differences = this.segments.map((j) => of(j).map((v, i) => v - base[i]!));
    if (differences.every((d) => isConstant(d, this.largest)))
      return { functions, weights: none.map(() => [1]), offsets: differences.map(mean) };
    return {
      functions: this.segments.map((j) => (p) => this.at(j, p)),
      weights: this.segments.map((j) => this.segments.map((q) => (q === j ? 1 : 0))),
      offsets: none,
    };
  }

  /** What an entry can be asked for, in tau. */
  reach(entry: number): [number, number] {
    const end = entry === 0 ? this.n : entry;
    return [Math.max(-1, this.least - end), Math.min(1, this.n - end)];
  }

  /** Polynomials in tau of all entries of all tables, in real units. */
  fitted(degree: number): readonly Float64Array[] {
    const known = this.fits.get(degree);
    if (known) return known;
    const made = this.structure.functions.flatMap((g) =>
      Array.from({ length: this.n }, (_, entry) => {
        const end = entry === 0 ? this.n : entry;
        const [from, to] = this.reach(entry);
        // An entry below the domain holds the value at its lower end.
        if (from >= to) return Float64Array.from({ length: degree + 1 }, (_, k) => (k ? 0 : g(this.least)));
        return interpolate((tau) => g(end + tau), from, to, degree);
      }),
    );
    this.fits.set(degree, made);
    return made;
  }

  statistics(degree: number): readonly Statistic[] {
    const known = this.stats.get(degree);
    if (known) return known;
    const { functions, weights, offsets } = this.structure;
    const made: Statistic[] = [];
    for (const [at, p] of this.fitted(degree).entries()) {
      const [table, entry] = [Math.floor(at / this.n), at % this.n];
      const [from, to] = this.reach(entry);
      if (from >= to) continue;
      let [fit, most] = [0, 0];
      const least = this.segments.map(() => (this.relative ? Number.POSITIVE_INFINITY : this.largest));
      for (let i = 0; i <= SAMPLES; i++) {
        const tau = from + ((to - from) * i) / SAMPLES;
        const value = functions[table]!((entry === 0 ? this.n : entry) + tau);
        fit = Math.max(fit, Math.abs(horner(p, tau) - value));
        most = Math.max(most, Math.abs(value));
        for (const j of this.relative ? this.segments : [])
          least[j] = Math.min(least[j]!, Math.abs(weights[j]![table]! * value + offsets[j]!));
      }
      const slope = p.reduce((sum, c, k) => sum + k * Math.abs(c), 0);
      // A little more than at the samples.
      made.push({ table, fit: 1.02 * fit, slope, most, least });
    }
    this.stats.set(degree, made);
    return made;
  }
}

/** How well one entry fits, in real units. */
interface Statistic {
  readonly table: number;
  readonly fit: number;
  readonly slope: number;
  /** Largest value of the table there. */
  readonly most: number;
  /** What errors of a segment are measured against. */
  readonly least: readonly number[];
}

function bordersOf({ domain, inputScale, segmentBits = 2, cells = 32 }: SegmentOptions): number[] {
  const [lo, hi] = domain.map((x) => x * 2 ** inputScale) as [number, number];
  if (!(lo >= 1) || !(hi > lo)) throw invalid(`its domain is [${domain}) at ${inputScale} fractional bits`);
  if (!Number.isInteger(segmentBits) || segmentBits < 1 || segmentBits > 8)
    throw invalid(`segments of ${segmentBits} bits`);
  if (!Number.isInteger(Math.log2(cells)) || cells < 4 || cells > 512) throw invalid(`${cells} cells`);
  const first = Math.floor(Math.log2(lo));
  // Room for the cells and two bits of a place in them.
  const end = Math.max(Math.ceil(Math.log2(hi)), Math.log2(cells) + 2);
  if (end > INTEGER_BITS - 1) throw invalid(`its operands need ${end} bits`);
  const borders: number[] = [];
  for (let b = end; b > first; b -= segmentBits) borders.unshift(b);
  return [first, ...borders];
}

/** The polynomial in x that agrees with g at the Chebyshev nodes of [from, to]. */
export function interpolate(
  g: (x: number) => number,
  from: number,
  to: number,
  degree: number,
): Float64Array {
  const [middle, half] = [(from + to) / 2, (to - from) / 2];
  const count = degree + 1;
  const nodes = Array.from(
    { length: count },
    (_, i) => middle + half * Math.cos((Math.PI * (2 * i + 1)) / (2 * count)),
  );
  // Newton's divided differences, then expanded into powers of x.
  const table = nodes.map(g);
  for (let level = 1; level < count; level++) {
    for (let i = count; i-- > level; )
      table[i] = (table[i]! - table[i - 1]!) / (nodes[i]! - nodes[i - level]!);
  }
  const out = new Float64Array(count);
  for (let i = count; i-- > 0; ) {
    for (let k = count; k-- > 0; ) out[k] = (k ? out[k - 1]! : 0) - nodes[i]! * out[k]!;
    out[0]! += table[i]!;
  }
  return out;
}

/** Units of the result by which the private evaluation of one table may round (protocols/spline.ts). */
function roundingUnits(degree: number, position: number): number {
  const higher = [0, 2 ** (position - 2), 2 ** (2 * position - 4), 2 ** (3 * position - 6)];
  return 1 + higher.slice(0, degree + 1).reduce((a, b) => a + b, 0);
}

interface Form {
  readonly degree: number;
  readonly position: number;
  /** Fractional bits of the weights. */
  readonly unit: number;
  readonly outputScale: number;
}

function isExact(weights: Structure['weights']): boolean {
  return weights.flat().every((w) => Math.abs(w - Math.round(w)) <= 1e-9 * Math.abs(w));
}

function forms(b: Builder, outputScale: number): Form[] {
  const room = b.borders.at(-1)! - Math.log2(b.n);
  const degrees = b.options.degree === undefined ? [1, 2, 3] : [b.options.degree];
  const units = isExact(b.structure.weights) ? [0] : [6, 8, 10, 12, 14];
  const list: Form[] = [];
  for (const degree of degrees) {
    for (let position = 2; position <= Math.min(room, MOST_POSITION); position++)
      for (const unit of units) list.push({ degree, position, unit, outputScale });
  }
  return list;
}

/** Errors of a form by segment, in units of the result, and the worst one by the measure of `SegmentTable.error`. */
function errorsOf(b: Builder, form: Form): { bounds: number[]; worst: number } {
  const { degree, position, unit, outputScale } = form;
  const { weights } = b.structure;
  const scale = 2 ** outputScale;
  const cut = b.borders.at(-1)! - Math.log2(b.n) > position ? 2 ** -position : 0;
  const rounding = roundingUnits(degree, position) * 2 ** unit;
  const bounds = b.segments.map(() => 0);
  let worst = 0;
  for (const { table, fit, slope, most, least } of b.statistics(degree)) {
    const own = (fit + slope * cut) * scale + rounding;
    for (const j of b.segments) {
      const weight = Math.abs(weights[j]![table]!);
      if (weight === 0) continue;
      const inexact = unit === 0 ? 0 : most * scale * 2 ** (-unit - 1);
      worst = Math.max(worst, (weight * own + inexact + 1) / (scale * least[j]!));
      // Against the tables themselves, where another entry or segment may be taken.
      bounds[j] = Math.max(bounds[j]!, weight * (own + fit * scale) + 2 * (inexact + 1));
    }
  }
  // What lies just below a border may be evaluated as the segment above it.
  return { bounds: bounds.map((e, j) => Math.ceil(Math.max(e, bounds[j + 1] ?? 0))), worst };
}

function integers(values: readonly number[]): BigInt64Array {
  return BigInt64Array.from(values, (v) => BigInt(Math.round(v)));
}

function write(b: Builder, form: Form): SegmentTable {
  const { degree, position, unit, outputScale } = form;
  const { weights, offsets } = b.structure;
  const { bounds, worst } = errorsOf(b, form);
  const polynomials = b.fitted(degree).map((p) => p.map((c) => c * 2 ** (outputScale - unit)));
  const largest = Math.max(1, ...polynomials.map((p) => Math.max(...p.map(Math.abs))));
  const precision = Math.max(0, Math.min(MOST_PRECISION, COEFFICIENT_BITS - Math.ceil(Math.log2(largest))));
  const table = {
    inputScale: b.options.inputScale,
    outputScale,
    borders: b.borders,
    cells: Math.log2(b.n),
    position,
    degree,
    precision,
    coefficients: integers(polynomials.flatMap((p) => Array.from(p, (c) => c * 2 ** precision))),
    weights: integers(weights.flat().map((w) => w * 2 ** unit)),
    offsets: integers(offsets.map((o) => o * 2 ** outputScale)),
    errors: integers(bounds),
  };
  return { table, error: worst };
}

/** The form with the least error whose results have so many fractional bits; none if they do not fit. */
function best(b: Builder, outputScale: number): { form: Form; worst: number } | undefined {
  if (b.largest * 2 ** outputScale >= 2 ** (INTEGER_BITS - 1)) return undefined;
  const rated = forms(b, outputScale).map((form) => ({ form, worst: errorsOf(b, form).worst }));
  return rated.reduce((x, y) => (y.worst < x.worst ? y : x));
}

/**
 * Tables of a function for `CoreEmitter.spline`.
 * @throws CryptorchError INVALID_OPTION for a domain that is none, a function that is not finite on it, or a tolerance
 * that the cells do not reach
 */
export function segmentTable(options: SegmentOptions): SegmentTable {
  const b = new Builder(options);
  const tolerance = options.tolerance ?? 1e-3;
  if (options.outputScale !== undefined) {
    const found = best(b, options.outputScale);
    if (found) return write(b, found.form);
    throw invalid(
      `its results have more than ${INTEGER_BITS - 1} bits at ${options.outputScale} fractional bits`,
    );
  }
  let closest = Number.POSITIVE_INFINITY;
  for (let scale = Math.ceil(-Math.log2(b.largest)); ; scale++) {
    const found = best(b, scale);
    if (!found) break;
    if (found.worst <= tolerance) return write(b, found.form);
    closest = Math.min(closest, found.worst);
  }
  throw invalid(
    `${b.n} cells reach an error of ${closest.toPrecision(2)}, not ${tolerance}; take more cells`,
  );
}
