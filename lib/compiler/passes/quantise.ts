// Real constants as integers: q = round-half-even(x * 2^scale), and which scale to give them.
//
// A constant that is a multiple of a power of two not below 2^-f is written exactly, with the fewest
// fractional bits: halving costs one bit of scale, a quarter two, an integer none. Any other factor c gets f
// bits, and more below one so that its relative error stays at most 2^-(f+1): an average over k elements is
// then off by less than one unit for means up to 2 in magnitude.

import { CryptorchError } from '../../errors';
import type { ConstantData, Node } from '../ir/graph';
import { roundHalfEven } from '../ops/array';
import { INTEGER_BITS } from '../widths';

type Where = Pick<Node, 'name' | 'origin'>;

function refuse(x: number, scale: number, node: Where): never {
  const where = `Node "${node.name}" (${node.origin})`;
  if (!Number.isFinite(x)) {
    throw new CryptorchError('INVALID_WEIGHTS', `${where} uses the constant ${x}. Correct it in the model.`, {
      node: node.name,
      value: x,
    });
  }
  const limit = 2 ** (INTEGER_BITS - scale);
  throw new CryptorchError(
    'VALUE_RANGE',
    `${where} uses the constant ${x}, but at ${scale} fractional bits values lie between -${limit} and ${limit}. ` +
      'Scale the model, or compile with fewer fractional bits.',
    { node: node.name, value: x, limit },
  );
}

/** @throws CryptorchError INVALID_WEIGHTS, VALUE_RANGE where a constant cannot be written at this scale. */
export function checkFits(data: ConstantData, scale: number, node: Where): void {
  const limit = 2 ** (INTEGER_BITS - scale);
  for (let i = 0; i < data.length; i++) {
    const x = Number(data[i]);
    if (!(Math.abs(x) < limit)) refuse(x, scale, node);
  }
}

export function quantiseOne(x: number, scale: number, node: Where): bigint {
  if (!(Math.abs(x) < 2 ** (INTEGER_BITS - scale))) refuse(x, scale, node);
  return BigInt(roundHalfEven(x * 2 ** scale));
}

export function quantise(data: ArrayLike<number>, scale: number, node: Where): BigInt64Array {
  const out = new BigInt64Array(data.length);
  for (let i = 0; i < data.length; i++) out[i] = quantiseOne(data[i]!, scale, node);
  return out;
}

/** Fewest bits, up to `most`, with which all of the data are integers; undefined where that needs more. */
export function exactScale(data: ArrayLike<number>, most: number): number | undefined {
  let bits = 0;
  for (let i = 0; i < data.length; i++) {
    while (bits <= most && !Number.isInteger(data[i]! * 2 ** bits)) bits++;
    if (bits > most) return undefined;
  }
  return bits;
}

/** Scale of a public factor. */
export function factorScale(data: ArrayLike<number>, fractionalBits: number): number {
  const exact = exactScale(data, fractionalBits);
  if (exact !== undefined) return exact;
  let largest = 0;
  for (let i = 0; i < data.length; i++) largest = Math.max(largest, Math.abs(data[i]!));
  const below = Math.max(0, -Math.floor(Math.log2(largest)));
  return fractionalBits + Math.min(below, fractionalBits);
}
