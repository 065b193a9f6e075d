// A spline from tables that the dealer rotates (segments.ts): for domains too wide for a polynomial. Hundreds of bytes of
// material an element, a kilobyte or two where the domain is wide.
//
// Where cells of one width will do, the operand is shifted to one segment: one opening, as a polynomial. Otherwise a
// function of x - origin takes the operand from there, in segments that grow with it, which takes comparisons.

import { CryptorchError } from '../../errors';
import { splineAttributes } from '../ops/spline';
import { type Approximation, type CoreStep, defineApproximation, type Request } from './registry';
import { type SegmentTable, segmentTable } from './segments';

/** More exact tables cost little more. */
const AIM = 1 / 4;
/** Material grows with the number of cells. In one segment, up to 64 where several would do too. */
const CELLS = [8, 16, 32, 64, 128, 256];
const FEW_CELLS = [8, 16, 32, 64];
const CELLS_OF_SEGMENTS = [32, 64, 128, 256];

/** Where the operand is put: what is added to it, in real units, where it lies then, and the bits of a segment. */
interface Place {
  readonly shift: number;
  readonly domain: readonly [number, number];
  readonly segmentBits: number;
}

/** In one segment of all cells but the lowest, with some room for operands a little outside of the domain, by rounding. */
function oneSegment({ domain: { lo, hi } }: Request, cells: number): Place {
  const room = (hi - lo) / 128;
  const width = hi - lo + 2 * room;
  const end = 2 ** Math.ceil(Math.log2(width / (1 - 1 / cells)));
  const start = end / cells;
  return { shift: start + room - lo, domain: [start, start + width], segmentBits: Math.log2(cells) };
}

function fromOrigin({ domain: { lo, hi }, inputScale }: Request, origin: number): Place {
  // At least one unit, where the function starts at its origin.
  return { shift: -origin, domain: [Math.max(lo - origin, 2 ** -inputScale), hi - origin], segmentBits: 2 };
}

/** A value in the middle of a function's, where errors do not count relative to them. */
function middleOf({ fn, domain: { lo, hi }, relative, fractionalBits }: Request): number {
  if (relative) return 0;
  const values = Array.from({ length: 65 }, (_, i) => fn(lo + ((hi - lo) * i) / 64));
  const middle = (Math.min(...values) + Math.max(...values)) / 2;
  return Math.round(middle * 2 ** fractionalBits) * 2 ** -fractionalBits;
}

interface Found {
  readonly made: SegmentTable;
  /** Added to the operand's integers, and to results in real units. */
  readonly shift: bigint;
  readonly middle: number;
}

function tableFor(request: Request, place: Place, cells: number): Found | undefined {
  const { fn, inputScale, knobs } = request;
  const shift = BigInt(Math.round(place.shift * 2 ** inputScale));
  const middle = middleOf(request);
  // Half of the spread is what errors are relative to then.
  const tolerance = knobs.tolerance * AIM * (middle === 0 ? 1 : 2);
  // As if the shift were exact, so that all segments of a power share a table: the operand may be half a unit off.
  const shifted = (x: number): number => fn(x - place.shift) - middle;
  const { domain, segmentBits } = place;
  try {
    const made = segmentTable({ fn: shifted, domain, segmentBits, inputScale, tolerance, cells });
    return { made, shift, middle };
  } catch (error) {
    if (CryptorchError.is(error)) return undefined;
    throw error;
  }
}

function first<T>(cells: readonly number[], make: (count: number) => T | undefined): T | undefined {
  for (const count of cells) {
    const made = make(count);
    if (made) return made;
  }
  return undefined;
}

function find(request: Request): Found | undefined {
  const { origin } = request;
  const one = (count: number) => tableFor(request, oneSegment(request, count), count);
  if (origin === undefined) return first(CELLS, one);
  const several = (count: number) => tableFor(request, fromOrigin(request, origin), count);
  return first(FEW_CELLS, one) ?? first(CELLS_OF_SEGMENTS, several);
}

function addition(scale: number, integer: bigint): CoreStep[] {
  if (integer === 0n) return [];
  return [{ op: 'add_const', scale, attrs: { data: BigInt64Array.of(integer), shape: [] } }];
}

export const spline: Approximation = defineApproximation({
  name: 'spline',
  propose(request) {
    const found = find(request);
    if (!found || found.made.table.outputScale < 0) return undefined;
    const { table, error } = found.made;
    const { inputScale, outputScale: scale } = table;
    return {
      name: `spline of ${2 ** table.cells} cells in ${table.borders.length - 1} segments`,
      error: found.middle === 0 ? error : error / 2,
      steps: [
        ...addition(inputScale, found.shift),
        { op: 'spline', scale, attrs: splineAttributes(table) },
        ...addition(scale, BigInt(Math.round(found.middle * 2 ** scale))),
      ],
    };
  },
});
