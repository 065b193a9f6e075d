// How many bits of an integer matter: what its range says, and what operators need of their operands.
//
// Sums, products and moves are exact modulo any power of two, so shares of their operands are needed in the ring of the
// result only. An operator that opens its operand z under a mask needs enough bits to get its result right
// (spec/refinements.py A). With |z| <= 3/4 * 2^k:
//   comparison   k + 1 bits (the quarter is room for the signed highest digit)
//   truncation by f to a ring of m bits
//                k + 2 bits: z + 2^k is not negative, and adding the mask wraps at most once, which is repaired; or
//                m + f bits: (z + r) >> f is then right modulo 2^m, whatever wraps, and opens z >> f as well.

import type { Node, Range, Type } from './ir/graph';

/** Width of a machine word: that of cleartext integers, and of shares of values without a known range. */
export const WORD_BITS = 64;

/** Booleans are shared modulo 2: their shares are bits, and XOR adds them up. */
export const BOOLEAN_BITS = 1;

/** Integers must stay below 2^62 in magnitude: that is what truncation and comparison carry in a word. */
export const INTEGER_BITS = 62;

/** Smallest k with |integer| <= 3/4 * 2^k, undefined where no range is known or it needs more than 61 bits. */
function magnitudeWithin(bound: number): number | undefined {
  if (!Number.isFinite(bound)) return undefined;
  const k = Math.max(1, Math.ceil(Math.log2((bound + 1) / 0.75)));
  return k <= 61 ? k : undefined;
}

function known(type: Type): Range | undefined {
  return type.range === undefined || type.range.kind === 'assumed' ? undefined : type.range;
}

/** Magnitude k of a value's integers. */
export function magnitudeOf(type: Type): number | undefined {
  const range = known(type);
  if (range === undefined) return undefined;
  return magnitudeWithin(Math.max(Math.abs(range.lo), Math.abs(range.hi)) * 2 ** (type.scale ?? 0));
}

/** Magnitude of the difference of two elements of a value. */
export function magnitudeOfDifference(type: Type): number | undefined {
  const range = known(type);
  return range && magnitudeWithin((range.hi - range.lo) * 2 ** (type.scale ?? 0));
}

/** Magnitude of z - (b << shift) for the bounds b of a clip, a piecewise, a step (one more, if it is strict) or equals. */
function magnitudeOfBounded(node: Node): number | undefined {
  const type = (node.inputs[0] as Node['inputs'][number]).type;
  const range = known(type);
  if (range === undefined) return undefined;
  const largest = Math.max(Math.abs(range.lo), Math.abs(range.hi)) * 2 ** (type.scale ?? 0);
  const { lo, hi, bound, thresholds, strict } = node.attrs;
  const listed = Array.from((thresholds ?? []) as BigInt64Array);
  const bounds = [lo, hi, bound, ...listed].map((b) => Math.abs(Number(b ?? 0)) * 2 ** shiftOf(node));
  return magnitudeWithin(largest + Math.max(...bounds) + (strict === true ? 1 : 0));
}

/** Bits that a truncation drops: of a rescale, or of one that is part of another operator. */
export function shiftOf(node: Node): number {
  return Number(node.op === 'rescale' ? node.attrs.bits : (node.attrs.shift ?? 0));
}

/** Four bits at least are compared, above those that are truncated: the signed highest digit needs room for a carry. */
function signBits(magnitude: number | undefined, shift: number): number {
  return magnitude === undefined ? WORD_BITS : Math.max(magnitude + 1, shift + 4);
}

/** Bits of its operand that an operator compares; 0 for one that compares nothing. */
export function comparedBits(node: Node): number {
  const type = (node.inputs[0] as Node['inputs'][number]).type;
  switch (node.op) {
    case 'relu':
    case 'leaky_relu':
      return signBits(magnitudeOf(type), shiftOf(node));
    case 'clip':
    case 'piecewise':
    case 'step':
    case 'equals':
      return signBits(magnitudeOfBounded(node), shiftOf(node));
    case 'max_pool':
    case 'arg_max':
    case 'rank':
      return signBits(magnitudeOfDifference(type), 0);
    case 'exponential':
      return Number(node.attrs.bits);
    case 'spline': {
      // x - 2^b for a border 2^b, with room for the signed highest digit; of one segment only the bits of its end.
      const borders = node.attrs.borders as readonly number[];
      return (borders.at(-1) as number) + (borders.length > 2 ? 2 : 0);
    }
    default:
      return 0;
  }
}

/** Opened bits with which a wrapped mask is repaired. */
export function repairBits(node: Node): number {
  const magnitude = magnitudeOf((node.inputs[0] as Node['inputs'][number]).type);
  return magnitude === undefined ? WORD_BITS : Math.max(magnitude + 2, comparedBits(node), shiftOf(node) + 2);
}

/** Opened bits with which a truncation to a ring of `ring` bits needs no repair; more than a word if there are none. */
export function shrinkBits(node: Node, ring: number): number {
  return Math.max(ring + shiftOf(node), comparedBits(node));
}
