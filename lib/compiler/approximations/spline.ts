// A spline from tables that the dealer rotates (segments.ts): for domains too wide for a polynomial. Hundreds of bytes of
// material an element, a kilobyte or two where the domain is wide.
//
// Where cells of one width will do, the operand is shifted to one segment: one opening, as a polynomial. Otherwise a
// function of x - origin takes the operand from there, in segments that grow with it, which takes comparisons.

import { CryptorchError } from '../../errors';
import { samplesOf } from './operand-domain';
import { defineFitted, type KnobValue, type Request, type Stated } from './registry';
import { type SegmentTable, segmentTable } from './segments';

/**
 * Part of the tolerance that tables may take: the rest is for what their operands and results are rounded by. Over many
 * segments a bit more costs little beside the comparisons.
 */
const AIM = 1 / 2;
const AIM_OF_SEGMENTS = 1 / 4;
/** Material grows with the number of cells. In one segment, up to 64 where several would do too. */
const CELLS = [8, 16, 32, 64, 128, 256];
const FEW_CELLS = [8, 16, 32, 64];
const CELLS_OF_SEGMENTS = [32, 64, 128, 256];

/** Where the operand is put: what is added to it, in real units, where it lies then, and the bits of a segment. */
interface Place {
  readonly shift: number;
  readonly domain: readonly [number, number];
  readonly segmentBits: number;
  readonly aim: number;
}

/** In one segment of all cells but the lowest, with some room for operands a little outside of the domain, by rounding. */
function oneSegment({ domain: { lo, hi } }: Request, cells: number): Place {
  const room = (hi - lo) / 128;
  const width = hi - lo + 2 * room;
  const end = 2 ** Math.ceil(Math.log2(width / (1 - 1 / cells)));
  const start = end / cells;
  return {
    shift: start + room - lo,
    domain: [start, start + width],
    segmentBits: Math.log2(cells),
    aim: AIM,
  };
}

function fromOrigin({ domain: { lo, hi }, inputScale }: Request, origin: number): Place {
  // At least one unit, where the function starts at its origin.
  const domain = [Math.max(lo - origin, 2 ** -inputScale), hi - origin] as const;
  return { shift: -origin, domain, segmentBits: 2, aim: AIM_OF_SEGMENTS };
}

interface Found {
  readonly made: SegmentTable;
  /** Added to the operand, in real units. */
  readonly shift: number;
  /** As the request counts it. */
  readonly error: number;
}

function tableFor(request: Request, place: Place, cells: number): Found | undefined {
  const { fn, inputScale, unit, tolerance } = request;
  const shift = Math.round(place.shift * 2 ** inputScale) * 2 ** -inputScale;
  // As if the shift were exact, so that all segments of a power share a table: the operand may be half a unit off.
  const shifted = (x: number): number => fn(x - place.shift);
  const { domain, segmentBits, aim } = place;
  const relative = unit === undefined;
  // Tables count errors relative to the largest result.
  const places = samplesOf({ lo: domain[0], hi: domain[1] });
  const units = relative ? 1 : Math.max(...places.map((x) => Math.abs(shifted(x)))) / unit;
  try {
    const options = { fn: shifted, domain, segmentBits, inputScale, relative, cells };
    const made = segmentTable({ ...options, tolerance: (tolerance / units) * aim });
    return { made, shift, error: made.error * units };
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

function find(request: Request, cells: KnobValue | undefined): Found | undefined {
  const { origin } = request;
  const counts = (all: readonly number[]) => (typeof cells === 'number' ? [cells] : all);
  const one = (count: number) => tableFor(request, oneSegment(request, count), count);
  if (origin === undefined) return first(counts(CELLS), one);
  const several = (count: number) => tableFor(request, fromOrigin(request, origin), count);
  return first(counts(FEW_CELLS), one) ?? first(counts(CELLS_OF_SEGMENTS), several);
}

export function splineFor(request: Request, cells?: KnobValue): Stated | undefined {
  const found = find(request, cells);
  if (!found || found.made.table.outputScale < 0) return undefined;
  const { table } = found.made;
  return {
    name: `spline of ${2 ** table.cells} cells in ${table.borders.length - 1} segments`,
    error: found.error,
    build: (g, x) => g.spline(g.add(x, found.shift), table),
  };
}

defineFitted({
  name: 'spline',
  knobs: { cells: ['auto', ...CELLS] },
  propose: (request, { cells }) => splineFor(request, cells),
});
