// Where the operands of an `approximate` node are, on what that rests, and where its results are.
//
// Operands are in the domain that a calibration saw; else in their range where that lies in the default domain; else they
// are taken to be in the default domain, or in what of it their range leaves. Beyond an end where the function has a tail they
// are clipped instead, unless they are known to need none: f(x) = f(clip(x)) + slope (x - clip(x)). A clip begins where the
// tail is close enough, which the tolerance decides.

import type { Node, Range } from '../ir/graph';
import { numberAttr, numbersAttr } from '../ops/core';
import { type Domain, findFunction, type ScalarFunction, type Selected } from './registry';

export function functionOf(node: Node): (x: number) => number {
  return definitionOf(node).of(numbersAttr(node, 'params'));
}

export function definitionOf(node: Node): ScalarFunction {
  return findFunction(String(node.attrs.fn));
}

/** Under which names approximations are asked for: that of the special function that it is, if it is one, and its own. */
export function namesOf(node: Node): readonly string[] {
  const definition = definitionOf(node);
  const special = definition.special?.(numbersAttr(node, 'params'));
  return special ? [special.name, definition.name] : [definition.name];
}

/** Operands that an approximation of a name is meant for; images of those at the centre of an odd function included. */
export function namedDomain(node: Node, { approximation, knobs }: Selected): Domain & { mirrors: boolean } {
  const definition = definitionOf(node);
  const params = numbersAttr(node, 'params');
  const { factor, offset } = definition.special?.(params) ?? { factor: 1, offset: 0 };
  const { lo, hi } = approximation.domain(knobs);
  const [a, b] = [(lo - offset) / factor, (hi - offset) / factor];
  const [least, most] = [Math.min(a, b), Math.max(a, b)];
  const centre = definition.odd?.(params);
  const mirrors = centre !== undefined && least >= centre;
  return { lo: mirrors ? 2 * centre - most : least, hi: most, mirrors };
}

/** Bounds that operands are brought between; null where they need none. */
export interface Clip {
  readonly lo: number | null;
  readonly hi: number | null;
}

/** Operands below `centre` are mirrored at it: all of them, or those that a comparison tells. */
export interface Mirror {
  readonly centre: number;
  readonly all: boolean;
}

export interface OperandDomain extends Range {
  readonly clip: Clip;
  /** Where it is not undefined, the domain is that of mirrored operands. */
  readonly mirror?: Mirror | undefined;
}

export function operandDomain(node: Node, range: Range | undefined): OperandDomain {
  const definition = definitionOf(node);
  const params = numbersAttr(node, 'params');
  const own = { lo: numberAttr(node, 'lo'), hi: numberAttr(node, 'hi') };
  const calibrated = node.attrs.known === true;
  const given: Range | undefined = calibrated ? { kind: 'calibrated', ...own } : range;
  const usual = definition.domain(params);
  const centre = definition.odd?.(params);
  // What is meant for operands above the centre has them there, whatever intervals say.
  if (centre === undefined || own.lo > centre)
    return limited(definition, params, given, calibrated ? usual : own, calibrated);
  const limits = { lo: usual.lo, hi: distant(own, centre) };
  const domain = limited(
    definition,
    params,
    given && mirroredRange(given, centre, usual.lo),
    limits,
    calibrated,
  );
  const { lo, hi } = given ?? own;
  return lo < centre ? { ...domain, mirror: { centre, all: hi <= centre } } : domain;
}

/** The end of a mirrored domain. */
function distant({ lo, hi }: Domain, centre: number): number {
  return Math.max(hi, 2 * centre - lo);
}

/** A range that touches its centre is not meant for operands below `least`. */
function mirroredRange(range: Range, centre: number, least: number): Range {
  const { kind, lo, hi } = range;
  if (lo > centre) return range;
  const most = distant(range, centre);
  return hi < centre
    ? { kind, lo: 2 * centre - hi, hi: most }
    : { kind: 'assumed', lo: Math.min(least, (centre + most) / 2), hi: most };
}

/** One number alone is no interval to approximate on; above `least`. */
export function interval({ lo, hi }: Domain, least: number): Domain {
  const room = lo < hi ? 0 : Math.min(Math.max(Math.abs(lo), 2 ** -16) / 16, (lo - least) / 2);
  return { lo: lo - room, hi: hi + room };
}

function limited(
  definition: ScalarFunction,
  params: readonly number[],
  given: Range | undefined,
  limits: Domain,
  calibrated: boolean,
): OperandDomain {
  let kind = given?.kind ?? 'proven';
  const end = (side: 'lo' | 'hi', beyond: (a: number, b: number) => boolean) => {
    const [value, limit] = [given?.[side], limits[side]];
    if (value !== undefined && !beyond(value, definition.reach?.[side] ?? limit))
      return { value, clip: null };
    if (definition.tails?.[side] !== undefined) return { value: limit, clip: limit };
    if (calibrated) return { value: value!, clip: null };
    kind = 'assumed';
    return { value: limit, clip: null };
  };
  const lo = end('lo', (a, b) => a < b);
  const hi = end('hi', (a, b) => a > b);
  const clip = { lo: lo.clip, hi: hi.clip };
  if (!(lo.value < hi.value)) {
    // All of the range lies beyond an end without a tail, or is one number: then it is the domain.
    const { lo: least } = definition.exists(params);
    const all = clip.lo === null && clip.hi === null && given !== undefined && given.lo > least;
    if (all && given.kind !== 'assumed') return { kind: given.kind, ...interval(given, least), clip };
    return { kind: 'assumed', ...limits, clip };
  }
  return { kind, lo: lo.value, hi: hi.value, clip };
}

const SAMPLES = 256;

/** Evenly spaced, both ends included. */
export function samplesOf({ lo, hi }: Domain): number[] {
  return Array.from({ length: SAMPLES + 1 }, (_, i) => lo + ((hi - lo) * i) / SAMPLES);
}

/** The range of the exact function for operands of a range; undefined where a tail has no end. */
export function resultRange(node: Node, range: Range | undefined): Range | undefined {
  const fn = functionOf(node);
  const operands = operandDomain(node, range);
  const { tails } = definitionOf(node);
  const values = samplesOf(operands).map(fn);
  for (const side of ['lo', 'hi'] as const) {
    if (operands.clip[side] === null || !tails?.[side]) continue;
    if (range === undefined) return undefined;
    values.push(fn(range[side]));
  }
  if (operands.mirror) values.push(...values.map((v) => -v));
  return { kind: operands.kind, lo: Math.min(...values), hi: Math.max(...values) };
}

/** A domain whose clips begin as early as `tolerance` allows, and by how much results are off for it. */
export function trimmed<D extends Domain & { readonly clip: Clip }>(
  fn: (x: number) => number,
  domain: D,
  tails: ScalarFunction['tails'],
  tolerance: number,
): { domain: D; error: number } {
  let error = 0;
  const end = (side: 'lo' | 'hi'): number => {
    const slope = tails?.[side];
    if (domain.clip[side] === null || slope === undefined) return domain[side];
    // What is left of the function beside the line, from the end inwards.
    const left = (x: number) => fn(x) - slope * x;
    const inwards = samplesOf(domain).slice(1, -1);
    if (side === 'hi') inwards.reverse();
    let [found, least, most] = [domain[side], left(domain[side]), left(domain[side])];
    let own = 0;
    for (const x of inwards) {
      const now = left(x);
      [least, most] = [Math.min(least, now), Math.max(most, now)];
      const off = Math.max(most - now, now - least);
      if (off > tolerance) break;
      [found, own] = [x, off];
    }
    error = Math.max(error, own);
    return found;
  };
  const [lo, hi] = [end('lo'), end('hi')];
  if (!(lo < hi)) return { domain, error: 0 };
  const clip = { lo: domain.clip.lo === null ? null : lo, hi: domain.clip.hi === null ? null : hi };
  return { domain: { ...domain, lo, hi, clip }, error };
}
