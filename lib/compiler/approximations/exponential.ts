// Exponentials as a public factor times one of the mask (../ops/exponential.ts): exact but for the rounding of two numbers,
// so that the tolerance decides about their bits alone. Tens of bytes of material an element.

import { type ExponentialTable, FACTOR, GROWTH, MANTISSA } from '../ops/exponential';
import { INTEGER_BITS } from '../widths';
import { defineFitted } from './registry';

/** Part of the tolerance that the factors may take: the rest is for what operand and result are rounded by. */
const AIM = 1 / 2;
const CELLS = [2, 3, 4, 5];
/** Bits of a position, at most: lower ones count for less than the tolerance. */
const MOST_POSITION = 20;
/** Errors of the products of factors, each of which is rounded to FACTOR bits, relative to them. */
const FACTORS = 2 ** (5 - FACTOR);

export interface ExponentialOptions {
  /** The function is e^x; operands are in this interval. */
  readonly domain: { readonly lo: number; readonly hi: number };
  readonly inputScale: number;
  /** Whether errors are relative to each result, or to the largest one. */
  readonly relative: boolean;
  readonly tolerance: number;
}

export interface Exponential {
  readonly table: ExponentialTable;
  /** Added to the operand's integers. */
  readonly shift: bigint;
  /** Bound on the error, relative to each result or to the largest one. */
  readonly error: number;
}

function integers(values: readonly number[], bits: number): BigInt64Array {
  return BigInt64Array.from(values, (v) => BigInt(Math.round(v * 2 ** bits)));
}

/** The table with these bits of the result and of the public factor; undefined where they do not fit. */
function tableOf(
  { domain: { lo, hi }, inputScale, relative }: ExponentialOptions,
  cells: number,
  outputScale: number,
  fraction: number,
): Exponential | undefined {
  // Room for operands a little outside of the domain, by rounding.
  const room = 2 ** (2 - inputScale) + (hi - lo) / 256;
  const width = (hi - lo + 2 * room) / (1 - 2 ** -cells);
  const bits = Math.max(Math.ceil(Math.log2(width) + inputScale), cells + 1);
  const shift = BigInt(Math.round((2 ** (bits - inputScale) - hi - room) * 2 ** inputScale));
  const amplitude = Math.exp(-Number(shift) * 2 ** -inputScale);
  const below = Math.max(0, bits - cells - MOST_POSITION);
  const position = bits - cells - below;
  const unit = 2 ** (below - inputScale);
  const cell = 2 ** (bits - cells - inputScale);
  if (cell * Math.LOG2E > GROWTH - 0.01 || outputScale <= fraction) return undefined;
  const powers = Array.from({ length: position }, (_, k) => unit * 2 ** k);
  // For d cells: amplitude e^(cell d), with outputScale - fraction fractional bits.
  const [mantissas, shifts]: [number[], number[]] = [[], []];
  for (let d = 1; d <= 2 ** cells; d++) {
    const value = amplitude * Math.exp(cell * d) * 2 ** (outputScale - fraction);
    const exponent = Math.floor(Math.log2(value)) + 1;
    const down = FACTOR + MANTISSA - exponent;
    if (down < 1) return undefined;
    mantissas.push(down > 63 ? 0 : value * 2 ** -exponent);
    shifts.push(Math.min(down, 63));
  }
  const largest = Math.exp(hi + room);
  if (Math.log2(largest * 2 ** GROWTH) + outputScale > INTEGER_BITS - 2) return undefined;
  // The entry's half unit times the public factor; half a unit of that, times e^(-u) and less; a place too high or too low.
  const units = (Math.exp(cell) * 2 ** fraction) / 2 + 1;
  const proportion = 2 ** (-fraction - 1) + 2 * FACTORS + 2 ** (2 - MANTISSA) + (below > 0 ? 1.1 * unit : 0);
  const table: ExponentialTable = {
    inputScale,
    outputScale,
    bits,
    cells,
    below,
    fraction,
    rate: 1,
    amplitude,
    growth: integers(powers.map(Math.exp), FACTOR),
    decay: integers(
      powers.map((p) => Math.exp(-p)),
      FACTOR,
    ),
    mantissas: integers(mantissas, MANTISSA),
    shifts,
    relative: proportion,
    units,
  };
  const error = proportion + (units * 2 ** -outputScale) / Math.exp(relative ? lo : hi);
  return { table, shift, error };
}

/** With the fewest bits that reach the tolerance. */
function fewestBits(options: ExponentialOptions, cells: number): Exponential | undefined {
  const { relative, tolerance, domain } = options;
  // Half of the error for each factor.
  const fraction = Math.ceil(-Math.log2(tolerance));
  const measure = Math.exp(relative ? domain.lo : domain.hi);
  for (let outputScale = fraction + 1; outputScale <= INTEGER_BITS; outputScale++) {
    if (2 ** (fraction - outputScale) > measure * tolerance) continue;
    const made = tableOf(options, cells, outputScale, fraction);
    if (made && made.error <= tolerance) return made;
  }
  return undefined;
}

/** Bits of a share of a result, and so of an entry. */
function widthOf({ table }: Exponential, hi: number): number {
  return table.outputScale + Math.max(0, Math.ceil(hi * Math.LOG2E)) + 2;
}

/** Tables for e^x; undefined where no bits reach the tolerance. */
export function exponentialTable(options: ExponentialOptions): Exponential | undefined {
  // Beside the entries, a result is opened again.
  const cost = (e: Exponential): number => (2 ** e.table.cells + 8) * widthOf(e, options.domain.hi);
  return CELLS.map((cells) => fewestBits(options, cells))
    .filter((e) => e !== undefined)
    .reduce<Exponential | undefined>((a, b) => (a && cost(a) <= cost(b) ? a : b), undefined);
}

for (const of of ['exp', 'decay']) {
  defineFitted({
    name: 'exponential',
    of,
    knobs: {},
    propose({ domain, inputScale, unit, tolerance }) {
      const relative = unit === undefined;
      const found = exponentialTable({ domain, inputScale, relative, tolerance: tolerance * AIM });
      if (!found) return undefined;
      const { table, shift, error } = found;
      return {
        name: `exponential of ${2 ** table.cells} cells`,
        error,
        build: (g, x) => g.exponential(g.add(x, Number(shift) * 2 ** -inputScale), table),
      };
    },
  });
}
