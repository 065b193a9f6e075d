// A coarse table of a function over a wide domain, where a Newton step starts from.

import type { SplineTable } from '../ops/spline';
import { POWER_DOMAIN } from './power';
import { segmentTable } from './segments';

/** What a step that squares errors makes a thousandth of. */
const TOLERANCE = 2 ** -5.5;
/** Operands have as many fractional bits as inputs have by default; products of these and results fit without a truncation. */
const INPUT_SCALE = 16;
const OUTPUT_SCALE = 24;

/** The table, made when it is asked for first. */
export function seedOf(fn: (x: number) => number): () => SplineTable {
  let made: SplineTable | undefined;
  return () => {
    const { lo, hi } = POWER_DOMAIN;
    made ??= segmentTable({
      fn,
      domain: [lo, hi],
      inputScale: INPUT_SCALE,
      outputScale: OUTPUT_SCALE,
      tolerance: TOLERANCE,
    }).table;
    return made;
  };
}
