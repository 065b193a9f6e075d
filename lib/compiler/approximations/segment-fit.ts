// A function of a positive number cut into segments: which tables they share, and polynomials for the cells of each.
//
// What a function takes is found by sampling it: with f_j(y) the function on segment j of normalised operands, the ratios
// f_j / f_0 of a power of x are constants (one table and a weight a segment), and so are the differences of a logarithm
// (one table and an offset a segment); all others take a table a segment.
//
// Every polynomial interpolates at the Chebyshev nodes of the part of its two cells that can be reached.

import { CryptorchError } from '../../errors';
import { BORDER_BITS, horner } from '../ops/spline';
import { INTEGER_BITS } from '../widths';
import type { SegmentOptions } from './segments';

export function cannotBeWritten(why: string): CryptorchError {
  return new CryptorchError('INVALID_OPTION', `A function cannot be written as segments: ${why}.`);
}

/** How the segments share tables. */
export interface Structure {
  /** Functions of a place, in cells; real units. */
  readonly functions: readonly ((place: number) => number)[];
  /** [segments][tables], and [segments]. */
  readonly weights: readonly (readonly number[])[];
  readonly offsets: readonly number[];
}

/** How well one entry fits, in real units. */
export interface Statistic {
  readonly table: number;
  readonly fit: number;
  /** Of the polynomial, a cell. */
  readonly slope: number;
  /** Largest coefficients of its powers about any place within a cell. */
  readonly powers: readonly number[];
  /** Largest value of the table there. */
  readonly most: number;
  /** What errors are measured against, by segment. */
  readonly least: readonly number[];
  /** The most that an error of the table counts for, with the weight of some segment. */
  readonly impact: number;
}

const SAMPLES = 16;

function isConstant(values: readonly number[], unit: number): boolean {
  return Math.max(...values) - Math.min(...values) <= 1e-9 * unit;
}

function mean(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0) / values.length;
}

/** The function with a number of cells. A place is a normalised operand in cells. */
export class SegmentFit {
  readonly borders: readonly number[];
  readonly segments: readonly number[];
  readonly structure: Structure;
  /** Whether errors are relative to each result, or to the largest one. */
  readonly relative: boolean;
  readonly largest: number;
  /** Lowest and highest place that operands reach. */
  private readonly least: number;
  private readonly most: number;
  private readonly fits = new Map<number, readonly Float64Array[]>();
  private readonly known = new Map<number, readonly Statistic[]>();

  constructor(
    readonly options: SegmentOptions,
    readonly cells: number,
  ) {
    this.borders = bordersOf(options, cells);
    this.segments = this.borders.slice(1).map((_, j) => j);
    const bits = this.borders.at(-1)! - this.borders.at(-2)!;
    const alone = this.segments.length === 1;
    this.least = cells * 2 ** -bits * (alone ? 1 : 1 - 2 ** -BORDER_BITS);
    // Segments that share a table reach all of it.
    const end = 2 ** (this.borders.at(-1)! - options.inputScale);
    this.most = alone ? Math.min(cells, (cells * options.domain[1]) / end) : cells;
    const values = this.places(SAMPLES).flatMap((p) => this.segments.map((j) => this.at(j, p)));
    if (!values.every(Number.isFinite)) throw cannotBeWritten('it is not finite on its domain');
    this.largest = values.reduce((most, v) => Math.max(most, Math.abs(v)), 0);
    if (this.largest === 0) throw cannotBeWritten('it is zero on its domain');
    const signed = values.every((v) => v > 0) || values.every((v) => v < 0);
    this.relative = options.relative ?? signed;
    this.structure = this.analyse(signed);
  }

  /** The function on a segment. */
  private at(segment: number, place: number): number {
    const exponent = this.borders[segment + 1]! - Math.log2(this.cells) - this.options.inputScale;
    return this.options.fn(place * 2 ** exponent);
  }

  /** Places that operands reach, `count` a cell. */
  private places(count: number): number[] {
    const width = this.most - this.least;
    const steps = Math.ceil(width * count);
    return Array.from({ length: steps + 1 }, (_, i) => this.least + (width * i) / steps);
  }

  private analyse(signed: boolean): Structure {
    const places = this.places(1);
    const of = (j: number): number[] => places.map((p) => this.at(j, p));
    const smallest = this.segments.reduce((a, b) => (Math.abs(of(b)[0]!) < Math.abs(of(a)[0]!) ? b : a));
    const base = of(smallest);
    const functions = [(p: number) => this.at(smallest, p)];
    const none = this.segments.map(() => 0);
    if (signed) {
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

  /** Where an entry lies, and what it can be asked for, in distances from there; none for one outside of the domain. */
  private reach(entry: number): { end: number; from: number; to: number } | undefined {
    const end = entry === 0 ? this.cells : entry;
    const [from, to] = [Math.max(-1, this.least - end), Math.min(1, this.most - end)];
    return from < to ? { end, from, to } : undefined;
  }

  /** Polynomials of all entries of all tables in the distance from the entry, in real units. */
  fitted(degree: number): readonly Float64Array[] {
    const known = this.fits.get(degree);
    if (known) return known;
    const made = this.structure.functions.flatMap((g) =>
      Array.from({ length: this.cells }, (_, entry) => {
        const reach = this.reach(entry);
        if (reach) return interpolate((tau) => g(reach.end + tau), reach.from, reach.to, degree);
        // Outside of the domain: the value at its nearer end.
        const nearest = entry !== 0 && entry < this.least ? this.least : this.most;
        return Float64Array.from({ length: degree + 1 }, (_, k) => (k ? 0 : g(nearest)));
      }),
    );
    this.fits.set(degree, made);
    return made;
  }

  statistics(degree: number): readonly Statistic[] {
    const known = this.known.get(degree);
    if (known) return known;
    const made = this.fitted(degree).flatMap((p, i) => {
      const reach = this.reach(i % this.cells);
      return reach ? [this.statistic(p, Math.floor(i / this.cells), reach)] : [];
    });
    this.known.set(degree, made);
    return made;
  }

  private statistic(
    p: Float64Array,
    table: number,
    { end, from, to }: { end: number; from: number; to: number },
  ): Statistic {
    const { functions, weights, offsets } = this.structure;
    let [fit, most] = [0, 0];
    const least = this.segments.map(() => (this.relative ? Number.POSITIVE_INFINITY : this.largest));
    for (let i = 0; i <= SAMPLES; i++) {
      const tau = from + ((to - from) * i) / SAMPLES;
      const value = functions[table]!(end + tau);
      fit = Math.max(fit, Math.abs(horner(p, tau) - value));
      most = Math.max(most, Math.abs(value));
      if (!this.relative) continue;
      for (const j of this.segments)
        least[j] = Math.min(least[j]!, Math.abs(weights[j]![table]! * value + offsets[j]!));
    }
    const slope = p.reduce((sum, c, k) => sum + k * Math.abs(c), 0);
    // About a place half a cell away.
    const [second, third] = [Math.abs(p[2] ?? 0), Math.abs(p[3] ?? 0)];
    const powers = [slope, second + 1.5 * third, third];
    const used = this.segments.filter((j) => weights[j]![table] !== 0);
    const impact = Math.max(...used.map((j) => Math.abs(weights[j]![table]!) / least[j]!));
    // A little more than at the samples.
    return { table, fit: 1.02 * fit, slope, powers, most, least, impact };
  }
}

function bordersOf({ domain, inputScale, segmentBits = 2 }: SegmentOptions, cells: number): number[] {
  const [lo, hi] = domain.map((x) => x * 2 ** inputScale) as [number, number];
  if (!(lo >= 1) || !(hi > lo))
    throw cannotBeWritten(`its domain is [${domain}) at ${inputScale} fractional bits`);
  if (!Number.isInteger(segmentBits) || segmentBits < 1 || segmentBits > 9)
    throw cannotBeWritten(`segments have ${segmentBits} bits, not 1 to 9`);
  if (!Number.isInteger(Math.log2(cells)) || cells < 4 || cells > 512)
    throw cannotBeWritten(`${cells} cells are no power of two from 4 to 512`);
  const first = Math.floor(Math.log2(lo));
  // Room for the cells and two bits of a place in them.
  const end = Math.max(Math.ceil(Math.log2(hi)), Math.log2(cells) + 2);
  if (end > INTEGER_BITS - 1) throw cannotBeWritten(`its operands have ${end} bits`);
  const borders: number[] = [];
  for (let b = end; b > first; b -= segmentBits) borders.unshift(b);
  return [first, ...borders];
}

/** The polynomial in x that agrees with g at the Chebyshev nodes of [from, to]. */
function interpolate(g: (x: number) => number, from: number, to: number, degree: number): Float64Array {
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
