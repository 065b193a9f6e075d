// A spline from tables that the dealer rotates (segments.ts): for domains too wide for a polynomial. Three rounds or more
// and kilobytes of material an element, so for what is computed once for many elements.
//
// A function of x - origin takes the operand from there, in segments that grow with it. Any other one takes one segment,
// whose cells are equally wide: the operand is shifted to [2^k, 2^(k+1)).

import { CryptorchError } from '../../errors';
import { splineAttributes } from '../ops/spline';
import { type Approximation, type CoreStep, defineApproximation, type Request } from './registry';
import { type SegmentTable, segmentTable } from './segments';

/** More exact tables cost little more. */
const AIM = 1 / 4;
const CELLS = [32, 64, 128, 256];

/** What is added to the operand, in real units, and where it lies then. */
function shifted({ domain: { lo, hi }, origin }: Request): { shift: number; domain: [number, number] } {
  if (origin !== undefined) return { shift: -origin, domain: [lo - origin, hi - origin] };
  // Operands a little outside of the domain, by rounding, have a cell too.
  const room = (hi - lo) / 64;
  const width = hi - lo + 2 * room;
  const start = 2 ** Math.ceil(Math.log2(width));
  return { shift: start - lo + room, domain: [start, start + width] };
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

function tableFor(request: Request): Found | undefined {
  const { fn, inputScale, knobs } = request;
  const { shift: wanted, domain } = shifted(request);
  const shift = BigInt(Math.round(wanted * 2 ** inputScale));
  // Where the function has an origin it is kept exactly, so that all segments share a table: the operand may be half a
  // unit off.
  const exact = request.origin === undefined ? Number(shift) * 2 ** -inputScale : wanted;
  const middle = middleOf(request);
  // At least one unit, where the function starts at its origin.
  const lo = Math.max(domain[0], 2 ** -inputScale);
  // Half of the spread is what errors are relative to then.
  const tolerance = knobs.tolerance * AIM * (middle === 0 ? 1 : 2);
  const options = { fn: (x: number) => fn(x - exact) - middle, inputScale, tolerance };
  for (const cells of CELLS) {
    try {
      return { made: segmentTable({ ...options, domain: [lo, domain[1]], cells }), shift, middle };
    } catch (error) {
      if (!CryptorchError.is(error)) throw error;
    }
  }
  return undefined;
}

function addition(scale: number, integer: bigint): CoreStep[] {
  if (integer === 0n) return [];
  return [{ op: 'add_const', scale, attrs: { data: BigInt64Array.of(integer), shape: [] } }];
}

export const spline: Approximation = defineApproximation({
  name: 'spline',
  propose(request) {
    const found = tableFor(request);
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
