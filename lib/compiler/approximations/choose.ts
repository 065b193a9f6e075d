// From a node `approximate` to the core operations that it becomes.
//
// Operands are in the domain that a calibration saw; else in their range where that is proven to lie in the default
// domain; else they are taken to be in the default domain, or in what of it their range leaves.

import { CryptorchError } from '../../errors';
import type { Node, Range } from '../ir/graph';
import { numberAttr, numbersAttr } from '../ops/core';
import { type ApproximationKnobs, findFunction, type Proposal, proposals } from './registry';

/** An approximation worse than this is none. */
const WORST_ERROR = 2 ** -5;

export function functionOf(node: Node): (x: number) => number {
  return findFunction(String(node.attrs.fn)).of(numbersAttr(node, 'params'));
}

/** Where the operands of a node are, and what that rests on. */
export function operandDomain(node: Node, range: Range | undefined): Range {
  const domain = { lo: numberAttr(node, 'lo'), hi: numberAttr(node, 'hi') };
  if (node.attrs.known === true) return { kind: 'calibrated', ...domain };
  if (!range) return { kind: 'assumed', ...domain };
  const inside = { lo: Math.max(range.lo, domain.lo), hi: Math.min(range.hi, domain.hi) };
  if (!(inside.lo < inside.hi)) return { kind: 'assumed', ...domain };
  const all = inside.lo === range.lo && inside.hi === range.hi;
  return { kind: all ? range.kind : 'assumed', ...inside };
}

/** The range of the exact function for these operands. */
export function resultRange(node: Node, operands: Range): Range {
  const fn = functionOf(node);
  const samples = 256;
  const values = Array.from({ length: samples + 1 }, (_, i) =>
    fn(operands.lo + ((operands.hi - operands.lo) * i) / samples),
  );
  return { kind: operands.kind, lo: Math.min(...values), hi: Math.max(...values) };
}

export interface ChooseOptions {
  /** Fractional bits of the operand, and of inputs and weights. */
  readonly inputScale: number;
  readonly fractionalBits: number;
  readonly knobs: ApproximationKnobs;
}

/** @throws CryptorchError VALUE_RANGE where nothing is exact enough */
export function choose(node: Node, options: ChooseOptions): Proposal {
  const definition = findFunction(String(node.attrs.fn));
  const params = numbersAttr(node, 'params');
  const domain = operandDomain(node, node.inputs[0]!.type.range);
  const found = proposals({
    name: definition.name,
    fn: definition.of(params),
    domain,
    relative: definition.relative,
    origin: definition.origin?.(params),
    ...options,
  })[0];
  if (found && found.error <= WORST_ERROR) return found;
  throw new CryptorchError(
    'VALUE_RANGE',
    `Node "${node.name}" (${node.origin}) computes ${describe(node)} on [${domain.lo}, ${domain.hi}] ` +
      `(${domain.kind}), for which there is no approximation. Calibrate the model on examples, so that the range is known.`,
    { node: node.name },
  );
}

/** The function of a node, for people. */
export function describe(node: Node): string {
  return `${node.attrs.fn}(${numbersAttr(node, 'params').join(', ')})`;
}
