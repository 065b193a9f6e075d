// The core operator `exponential`: e^(rate x) on an interval, from one opening of x and a small table of a mask.
//
// With x^ = x + r, e^x is e^(x^) e^(-r): a public number times one that the dealer knows. What keeps this from working as
// it stands is the wrap of x^, and that e^(-r) spans more than a word has bits. So the integers of the operand, brought to
// [2^bits / 2^cells, 2^bits), are cut into 2^cells cells. How many cells lie between those of x^ and r says what to multiply
// by, and within a cell both exponentials stay near 1. The dealer shares e^(-r) times that for every cell of x^; the parties
// choose the entry of its cell and multiply it by the public factor (native/cpu/exponential.cpp). Nothing is interpolated:
// a result is only off by the roundings of two numbers.
//
// Below: the operator on real numbers, its range, its steepest slope.

import type { Node } from '../ir/graph';

export interface ExponentialTable {
  /** Fractional bits of the operand and of the result. */
  readonly inputScale: number;
  readonly outputScale: number;
  /** Operands are integers in [2^(bits - cells), 2^bits). */
  readonly bits: number;
  /** Binary logarithm of the number of cells. */
  readonly cells: number;
  /** Lowest bits of the operand that do not count. */
  readonly below: number;
  /** Fractional bits of the public factor. */
  readonly fraction: number;
  /** The function is amplitude e^(rate x), in real units. */
  readonly rate: number;
  readonly amplitude: number;
  /** By bit of a position: e^(rate 2^k) and its reciprocal, with FACTOR fractional bits. */
  readonly growth: BigInt64Array;
  readonly decay: BigInt64Array;
  /** By cells between opening and mask, from 1: the factor for as many, as a mantissa and how far its product is shifted. */
  readonly mantissas: BigInt64Array;
  readonly shifts: readonly number[];
  /** Bound on |private result - function|: relative to the function, and in units of the result on top. */
  readonly relative: number;
  readonly units: number;
}

/** Fractional bits of the factors (native/cpu/exponential.cpp). */
export const FACTOR = 28;
/** Of a mantissa. */
export const MANTISSA = 34;
/** The public factor stays below 2^GROWTH. */
export const GROWTH = 6;

export function exponentialOf(node: Pick<Node, 'attrs'>): ExponentialTable {
  return node.attrs as unknown as ExponentialTable;
}

/** The interval of operands, in real units. */
export function exponentialDomain({ bits, cells, inputScale }: ExponentialTable): { lo: number; hi: number } {
  return { lo: 2 ** (bits - cells - inputScale), hi: 2 ** (bits - inputScale) };
}

/** Outside of the domain, its value at the nearer end. */
export function evaluateExponential(table: ExponentialTable, x: number): number {
  const { lo, hi } = exponentialDomain(table);
  return table.amplitude * Math.exp(table.rate * Math.min(Math.max(x, lo), hi));
}

function errorAt({ relative, units, outputScale }: ExponentialTable, value: number): number {
  return value * relative + units * 2 ** -outputScale;
}

/** Bounds of results for x from lo to hi, in real units; none is negative, whatever the operand. */
export function exponentialRange(
  table: ExponentialTable,
  lo: number,
  hi: number,
): { lo: number; hi: number } {
  const domain = exponentialDomain(table);
  const [least, most] = [lo, hi].map((x) => evaluateExponential(table, x)) as [number, number];
  if (lo >= domain.lo && hi <= domain.hi)
    return { lo: Math.max(0, least - errorAt(table, least)), hi: most + errorAt(table, most) };
  // The largest entry times the largest factor.
  const largest = evaluateExponential(table, domain.hi) * 2 ** GROWTH;
  return { lo: 0, hi: largest + errorAt(table, largest) };
}

/**
 * A bound on |private result - evaluateExponential| for x from lo to hi, and one on the slope there, in real units: of that
 * part of them which is in the domain.
 */
export function exponentialSlack(
  table: ExponentialTable,
  _lo: number,
  hi: number,
): { error: number; slope: number } {
  const most = evaluateExponential(table, hi);
  return { error: errorAt(table, most), slope: most * table.rate };
}
