// What a secure primitive is: how it is computed on shares, and the same function on cleartext twins.
//
// A protocol is written once, for any number of parties. `build` says what happens to shares, `clear` what the result
// is, bit for bit: where a protocol rounds with the low bits of an opened value, its cleartext twin takes the same
// mask. Rounds, bits and material are read off the program that `build` makes; nothing is declared.

import { CryptorchError } from '../../errors';
import type { Node } from '../ir/graph';
import { elementCount } from '../ir/graph';
import type { Form, Joint, Use } from '../joint';
import type { KernelName } from '../kernels';
import type { PartySet, Value } from '../program';
import { BOOLEAN_BITS, WORD_BITS } from '../widths';

/** A value of the graph in both worlds. `share` may be public (a public constant). */
export interface Twin {
  /** On shares. */
  readonly share: Value;
  /** On plain integers, for the cleartext evaluator. */
  readonly clear: Value;
  /** Of both. */
  readonly shape: readonly number[];
  /** Set where only products with what this one party holds will open the value. */
  readonly openedFor?: PartySet;
  /** Set where the opening of something computed from it will take its own. */
  readonly openedLater?: boolean;
}

/** A kernel in one of the worlds: `local`, `derive` or `clear` of the joint program. */
export type Run = (
  kernel: KernelName,
  ins: readonly Use[],
  attr: readonly (number | bigint)[],
  form: Form,
) => Value;

/** Parameters of comparisons: see compare.ts. */
export interface ComparisonKnobs {
  /** Bits of a digit, 1 to 9. Each costs material for 2^leaf entries. */
  readonly leaf: number;
  /** Groups that a gate combines, 2 to 8. Material of about 2^(fanin + 1) bits. */
  readonly fanin: number;
  /**
   * Groups of the last gate, fused with the product, 1 to 6. More than one may save a round, and costs material of
   * about 3 * 2^fused ring elements. Default 1. Where a sign is needed for itself it has no effect.
   */
  readonly fused?: number;
}

/** Parameters of protocols (ARCHITECTURE.md, Forms and knobs). */
export interface Knobs {
  /** Of every comparison. */
  readonly comparison: ComparisonKnobs;
  /**
   * Maximum: up to this many candidates are compared in all pairs, more in a tournament first; 2 is always a
   * tournament. Default: all pairs where they are few enough to take no longer than one comparison (see maximum.ts).
   */
  readonly allPairs?: number;
  /**
   * How truncations round: `coin`, by the public low bits of an opening, off by less than one unit; or `floor`, always
   * downwards, which takes one more round (see rescale.ts).
   */
  readonly truncation: 'coin' | 'floor';
}

export const DEFAULT_KNOBS: Knobs = { comparison: { leaf: 4, fanin: 4 }, truncation: 'coin' };

/** @throws CryptorchError INVALID_OPTION */
export function checkKnobs({ comparison, allPairs = 2 }: Knobs): void {
  const { leaf, fanin, fused = 1 } = comparison;
  for (const [name, value, least, most] of [
    ['comparison.leaf', leaf, 1, 9],
    ['comparison.fanin', fanin, 2, 8],
    ['comparison.fused', fused, 1, 6],
    ['allPairs', allPairs, 2, 10],
  ] as const) {
    if (Number.isInteger(value) && value >= least && value <= most) continue;
    const message = `The knob ${name} is ${value}; give an integer from ${least} to ${most}.`;
    throw new CryptorchError('INVALID_OPTION', message, { knob: name, value });
  }
}

/** How core operations are computed on shares, and the same on plain integers. */
export interface Protocol {
  /** For messages. */
  readonly name: string;
  /** The core operators that it computes. */
  readonly of: readonly string[];
  /** Appends the steps of a node to the joint program and returns its results as shares. */
  build(joint: Joint, node: Node, ins: readonly Twin[], knobs: Knobs): Value[];
  /** Called after `build`, so that the masks of openings made there are known. */
  clear(joint: Joint, node: Node, ins: readonly Twin[], knobs: Knobs): Value[];
}

/** Form of cleartext integers. */
export function words(elements: number): { elements: number; bits: number } {
  return { elements, bits: WORD_BITS };
}

/** Width of the ring that the result of a node is shared in. */
export function ringBits(node: Node): number {
  const type = node.outputs[0]?.type;
  return type?.dtype === 'bool' ? BOOLEAN_BITS : (type?.ring ?? WORD_BITS);
}

/** Form of the shares of a node's result. */
export function shareForm(node: Node): { elements: number; bits: number } {
  return { elements: elementCount(outputShape(node)), bits: ringBits(node) };
}

export function outputShape(node: Node): readonly number[] {
  return node.outputs[0]?.type.shape ?? [];
}

export function numberAttr(node: Node, name: string): number {
  const v = node.attrs[name];
  if (typeof v !== 'number')
    throw new Error(`${node.op} of ${node.name}: attribute ${name} must be a number`);
  return v;
}

export function numbersAttr(node: Node, name: string): readonly number[] {
  const v = node.attrs[name];
  if (!Array.isArray(v)) throw new Error(`${node.op} of ${node.name}: attribute ${name} must be a list`);
  return v as readonly number[];
}

/** Attributes of the copy that expands `shape` to `out` by repetition, by numpy's rules. */
export function expansion(shape: readonly number[], out: readonly number[]): number[] {
  const padded = [...Array<number>(out.length - shape.length).fill(1), ...shape];
  const outStrides = strides(out);
  const inStrides = strides(padded);
  const dims = out.flatMap((dim, i) => [
    dim,
    outStrides[i] as number,
    padded[i] === 1 ? 0 : (inStrides[i] as number),
  ]);
  return [0, 0, 1, out.length, 0, 0, ...dims];
}

export function strides(shape: readonly number[]): number[] {
  const result = Array<number>(shape.length).fill(1);
  for (let i = shape.length - 2; i >= 0; i--)
    result[i] = (result[i + 1] as number) * (shape[i + 1] as number);
  return result;
}

/**
 * A use of `value` (of `shape`) in an element-wise operation of shape `out`, by numpy's rules. Where the broadcast
 * dimensions lie at the two ends it costs nothing; otherwise `copy` repeats the elements in memory.
 */
export function broadcast(
  value: Value,
  shape: readonly number[],
  out: readonly number[],
  copy: (attr: readonly number[], elements: number) => Value,
): Use {
  const total = elementCount(out);
  if (value.elements === total) return value;
  const padded = [...Array<number>(out.length - shape.length).fill(1), ...shape];
  const real = padded.flatMap((dim, i) => (dim !== 1 ? [i] : []));
  const first = real[0] ?? 0;
  const last = real.at(-1) ?? -1;
  const contiguous = padded.every((dim, i) => i < first || i > last || dim === out[i]);
  if (contiguous) return { value, inner: elementCount(out.slice(last + 1)), mid: value.elements };
  return copy(expansion(shape, out), total);
}

/** The same, for the share of a twin or for its cleartext value. */
export function broadcastShare(joint: Joint, twin: Twin, out: readonly number[]): Use {
  return broadcast(twin.share, twin.shape, out, (attr, elements) =>
    joint.local('copy', [twin.share], attr, { elements, bits: twin.share.bits }),
  );
}

export function broadcastClear(joint: Joint, twin: Twin, out: readonly number[]): Use {
  return broadcast(twin.clear, twin.shape, out, (attr, elements) =>
    joint.clear('copy', [twin.clear], attr, { elements, bits: twin.clear.bits }),
  );
}
