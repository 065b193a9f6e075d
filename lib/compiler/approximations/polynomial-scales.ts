// Integers of a polynomial: how many fractional bits its operand keeps, and how many its result has.
//
// With v = V 2^-s, the sum of c_k v^k at scale S is the sum of C_k V^k with integers C_k = c_k 2^(S - k s). It is exact in
// the ring whatever the powers are; only the result has to fit. So more bits of v leave fewer for the highest
// coefficients: S - k s is what c_k is rounded to. Of all s the one is taken that makes both errors together least, and of
// all S the smallest that is about as good as any, since shares of the powers of a mask take S bits and more. The pieces of a
// piecewise polynomial have one s and one S, for the worst of them.

import type { Node } from '../ir/graph';
import { roundHalfEven } from '../ops/array';
import { INTEGER_BITS } from '../widths';
import { type Interval, rangeOnInterval, steepest } from './polynomial-bounds';

export interface PolynomialScales {
  /** Fractional bits that the operand keeps, perhaps fewer than none, and those of the result. */
  readonly operand: number;
  readonly scale: number;
  /** Of all polynomials, one after the other. */
  readonly coefficients: BigInt64Array;
  /** Bound of what rounding does to the value, for operands in the domain. */
  readonly error: number;
}

/** c 2^bits to the next integer, with its error; undefined where it is too large. */
function integer(c: number, bits: number): { value: bigint; error: number } | undefined {
  const scaled = c * 2 ** bits;
  if (!(Math.abs(scaled) < 2 ** INTEGER_BITS)) return undefined;
  const value = roundHalfEven(scaled);
  return { value: BigInt(value), error: Math.abs(c - value * 2 ** -bits) };
}

/** Coefficients of x^k, for x in [lo, hi] with `from` fractional bits; undefined where the result has no room at all. */
export function polynomialScales(
  coefficients: Float64Array,
  { lo, hi }: Interval,
  from: number,
  fractionalBits: number,
): PolynomialScales | undefined {
  return commonScales([{ coefficients, lo, hi }], from, fractionalBits);
}

/** A polynomial and where it counts. */
export interface Piece extends Interval {
  /** About 0, from the lowest. */
  readonly coefficients: Float64Array;
}

/** The same for several polynomials of one operand, with as many coefficients each: one result scale for all. */
export function commonScales(
  pieces: readonly Piece[],
  from: number,
  fractionalBits: number,
): PolynomialScales | undefined {
  const about = pieces.map(({ coefficients, lo, hi }) => {
    const p = { centre: 0, coefficients };
    const range = rangeOnInterval(p, { lo, hi });
    const largest = Math.max(Math.abs(range.lo), Math.abs(range.hi));
    const reach = Math.max(Math.abs(lo), Math.abs(hi));
    return { coefficients, reach, largest, slope: steepest(p, { lo, hi }) };
  });
  const largest = Math.max(2 ** -fractionalBits, ...about.map((p) => p.largest));
  const reach = Math.max(...about.map((p) => p.reach));
  const terms = pieces[0]!.coefficients.length;
  // Room for a sign, the wrap of a truncation, and operands a little outside of the domain.
  const most = INTEGER_BITS - 3 - Math.ceil(Math.log2(largest));
  const at = (operand: number, scale: number): PolynomialScales | undefined => {
    const integers = new BigInt64Array(pieces.length * terms);
    let worst = 0;
    for (const [i, { coefficients, reach, slope }] of about.entries()) {
      let error = operand < from ? slope * 2 ** -operand : 0;
      for (const [k, c] of coefficients.entries()) {
        const rounded = integer(c, scale - k * operand);
        if (rounded === undefined) return undefined;
        integers[i * terms + k] = rounded.value;
        error += rounded.error * reach ** k;
      }
      worst = Math.max(worst, error);
    }
    return { operand, scale, coefficients: integers, error: worst };
  };
  // Some bits at least, perhaps none before the point.
  const least = Math.min(from, 4 - Math.ceil(Math.log2(reach)));
  const best = (scale: number): PolynomialScales | undefined => {
    let found: PolynomialScales | undefined;
    for (let operand = from; operand >= least; operand--) {
      const now = at(operand, scale);
      if (now && (!found || now.error < found.error)) found = now;
    }
    return found;
  };
  const byScale = Array.from(
    { length: Math.max(0, Math.min(most, INTEGER_BITS) - fractionalBits + 1) },
    (_, i) => best(fractionalBits + i),
  ).filter((s) => s !== undefined);
  const smallest = Math.min(...byScale.map((s) => s.error));
  return byScale.find((s) => s.error <= Math.max(1.1 * smallest, 2 ** -(fractionalBits + 2)));
}

/** A polynomial node's coefficients in real units, which they are before there are scales. */
export function realCoefficients(node: Node): Float64Array {
  const data = node.attrs.coefficients as BigInt64Array | Float64Array;
  if (data instanceof Float64Array) return data;
  const scale = Number(node.attrs.scale);
  const operand = node.inputs[0]!.type.scale! - Number(node.attrs.shift);
  return Float64Array.from(data, (c, k) => Number(c) * 2 ** (k * operand - scale));
}

/** A unit of a polynomial's truncated operand, in real units; 0 where nothing is truncated. */
export function truncationUnit(node: Node): number {
  const { shift } = node.attrs;
  return shift === 0 ? 0 : 2 ** -(node.inputs[0]!.type.scale! - Number(shift));
}
