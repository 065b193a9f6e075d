// From a node `approximate` to the core operations that it becomes.
//
// Operands are in the domain that a calibration saw; else in their range where that lies in the default domain; else they
// are taken to be in the default domain, or in what of it their range leaves. Where a function saturates they are clipped
// instead, unless they are known to need none.

import { CryptorchError } from '../../errors';
import type { Node, Range } from '../ir/graph';
import { numberAttr, numbersAttr } from '../ops/core';
import {
  type ApproximationKnobs,
  type CoreStep,
  findFunction,
  type Proposal,
  proposals,
  type Request,
} from './registry';

/** An approximation worse than this is none. */
const WORST_ERROR = 2 ** -5;

export function functionOf(node: Node): (x: number) => number {
  return findFunction(String(node.attrs.fn)).of(numbersAttr(node, 'params'));
}

/** Where the operands of a node are, what that rests on, and the bounds that it takes to bring them there. */
export interface OperandDomain extends Range {
  readonly clip: { readonly lo: number | null; readonly hi: number | null };
}

export function operandDomain(node: Node, range: Range | undefined): OperandDomain {
  const definition = findFunction(String(node.attrs.fn));
  const own = { lo: numberAttr(node, 'lo'), hi: numberAttr(node, 'hi') };
  const calibrated = node.attrs.known === true;
  const given: Range | undefined = calibrated ? { kind: 'calibrated', ...own } : range;
  const limits = calibrated ? definition.domain(numbersAttr(node, 'params')) : own;
  const saturates = definition.saturates ?? { lo: false, hi: false };
  let kind = given?.kind ?? 'proven';
  const end = (side: 'lo' | 'hi', beyond: (a: number, b: number) => boolean) => {
    const [value, limit] = [given?.[side], limits[side]];
    if (value !== undefined && !beyond(value, limit)) return { value, clip: null };
    if (saturates[side]) return { value: limit, clip: limit };
    if (calibrated) return { value: value!, clip: null };
    kind = 'assumed';
    return { value: limit, clip: null };
  };
  const lo = end('lo', (a, b) => a < b);
  const hi = end('hi', (a, b) => a > b);
  const clip = { lo: lo.clip, hi: hi.clip };
  // Where nothing of the range lies in the domain, nothing is known.
  if (!(lo.value < hi.value)) return { kind: 'assumed', ...limits, clip };
  return { kind, lo: lo.value, hi: hi.value, clip };
}

/** The clip that brings operands into the domain, with a truncation to the usual bits on the same opening. */
function clipStep({ lo, hi }: OperandDomain['clip'], from: number, fractionalBits: number): CoreStep[] {
  if (lo === null && hi === null) return [];
  const scale = Math.min(from, fractionalBits);
  const integer = (v: number | null) => (v === null ? null : BigInt(Math.round(v * 2 ** scale)));
  return [{ op: 'clip', scale, attrs: { lo: integer(lo), hi: integer(hi), shift: from - scale } }];
}

/** The range of the exact function for these operands. */
export function resultRange(node: Node, operands: OperandDomain): Range {
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

/** What was found before, since a model computes the same function many times. */
const known = new Map<string, readonly Proposal[]>();
const MOST_KNOWN = 256;

function proposed(params: readonly number[], request: Request): readonly Proposal[] {
  const { fn: _fn, ...plain } = request;
  const key = JSON.stringify([params, plain]);
  const before = known.get(key);
  if (before) return before;
  const made = proposals(request);
  if (known.size >= MOST_KNOWN) known.clear();
  known.set(key, made);
  return made;
}

/** @throws CryptorchError VALUE_RANGE where operands are known to be where the function does not exist */
function checkExists(node: Node, params: readonly number[]): void {
  const { range } = node.inputs[0]!.type;
  const { lo, hi } = findFunction(String(node.attrs.fn)).exists(params);
  if (!range || (range.hi > lo && range.lo < hi)) return;
  throw new CryptorchError(
    'VALUE_RANGE',
    `Node "${node.name}" (${node.origin}) computes ${describe(node)} on [${range.lo}, ${range.hi}] (${range.kind}), but ` +
      `its operand must be between ${lo} and ${hi}. Correct the model, or the ranges of its inputs.`,
    { node: node.name },
  );
}

/** @throws CryptorchError VALUE_RANGE where nothing is exact enough, or the function does not exist */
export function choose(node: Node, options: ChooseOptions): Proposal {
  const definition = findFunction(String(node.attrs.fn));
  const params = numbersAttr(node, 'params');
  const { knobs } = options;
  checkExists(node, params);
  const domain = operandDomain(node, node.inputs[0]!.type.range);
  const before = clipStep(domain.clip, options.inputScale, options.fractionalBits);
  const found = proposed(params, {
    name: definition.name,
    fn: definition.of(params),
    domain: { lo: domain.lo, hi: domain.hi },
    relative: definition.relative,
    origin: definition.origin?.(params),
    ...options,
    knobs: { ...knobs, tolerance: knobs.tolerance * (definition.precision ?? 1) },
    inputScale: before[0]?.scale ?? options.inputScale,
  })[0];
  if (found && found.error <= WORST_ERROR) return { ...found, steps: [...before, ...found.steps] };
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
