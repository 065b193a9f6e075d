// From a node `approximate` to what it becomes: the approximation that was selected, or the cheapest fitted one that is
// exact enough, as core operations on real numbers.

import { CryptorchError } from '../../errors';
import { type Graph, GraphBuilder, type Node, type Type, type Value } from '../ir/graph';
import { sameShape } from '../ops/array';
import { numberAttr, numbersAttr } from '../ops/core';
import { CoreEmitter } from '../ops/emit';
import { FunctionBuilder } from './builder';
import {
  type Clip,
  definitionOf,
  type Mirror,
  namedDomain,
  type OperandDomain,
  operandDomain,
  samplesOf,
  trimmed,
} from './operand-domain';
import type { ApproximationOptions } from './options';
import {
  approximationsOf,
  type Domain,
  type Request,
  type Selected,
  type Selection,
  type Stated,
  select,
  written,
} from './registry';

/** A fitted approximation worse than this is none. */
const WORST_ERROR = 2 ** -5;
/** Part of the tolerance that tails may take. */
const TAILS = 1 / 4;

export interface ChooseOptions {
  /** Fractional bits of the operand, and of inputs and weights. */
  readonly inputScale: number;
  readonly fractionalBits: number;
  readonly approximation: ApproximationOptions;
  /** What the model's author wants, if anything. */
  readonly selection?: Selection | undefined;
}

/** What a node becomes. */
export interface Choice {
  readonly name: string;
  /** As `Proposal.error`. */
  readonly error?: number;
  /** From the operand to the result, in core operations on real numbers. */
  graph(operand: Type): Graph;
}

/** What was found before, since a model computes the same function many times. */
const known = new Map<string, readonly Stated[]>();
const MOST_KNOWN = 256;

/** Of fitted approximations: those within the tolerance first, each part in the order of definition. */
function proposed(request: Request, candidates: readonly Selected[]): readonly Stated[] {
  const { fn: _fn, ...plain } = request;
  const key = JSON.stringify([
    plain,
    candidates.map(({ approximation, knobs }) => [approximation.name, knobs]),
  ]);
  const before = known.get(key);
  if (before) return before;
  const made = candidates
    .map(({ approximation, knobs }) => approximation.propose(request, knobs))
    .filter((p): p is Stated => p?.error !== undefined);
  const good = made.filter((p) => p.error <= request.tolerance);
  const others = made.filter((p) => p.error > request.tolerance).sort((a, b) => a.error - b.error);
  if (known.size >= MOST_KNOWN) known.clear();
  known.set(key, [...good, ...others]);
  return [...good, ...others];
}

function where(node: Node): string {
  return `Node "${node.name}" (${node.origin}) computes ${describe(node)}`;
}

/** @throws CryptorchError VALUE_RANGE where operands are known to be where the function does not exist */
function checkExists(node: Node, params: readonly number[]): void {
  const { range } = node.inputs[0]!.type;
  const { lo, hi } = definitionOf(node).exists(params);
  if (!range || (range.hi > lo && range.lo < hi)) return;
  throw new CryptorchError(
    'VALUE_RANGE',
    `${where(node)} on [${range.lo}, ${range.hi}] (${range.kind}), but its operand must be between ${lo} and ${hi}. ` +
      'Correct the model, or the ranges of its inputs.',
    { node: node.name },
  );
}

/** Part of `approximate`: f(clip(x)) + slope (x - clip(x)). */
function withTails(
  g: FunctionBuilder,
  x: Value,
  clip: Clip,
  tails: { readonly lo?: number; readonly hi?: number },
  inner: (v: Value) => Value,
): Value {
  if (clip.lo === null && clip.hi === null) return inner(x);
  // The bounds' comparisons are those of the clip, which takes its products from the wider ones here too.
  const beyond: Value[] = [];
  if (clip.lo !== null && tails.lo) beyond.push(g.mul(g.sub(g.clip(x, null, clip.lo), clip.lo), tails.lo));
  if (clip.hi !== null && tails.hi) beyond.push(g.mul(g.sub(g.clip(x, clip.hi, null), clip.hi), tails.hi));
  return beyond.reduce((y, tail) => g.add(y, tail), inner(g.clip(x, clip.lo, clip.hi)));
}

/** -f(2 centre - x) for operands below the centre. */
function mirrored(
  g: FunctionBuilder,
  x: Value,
  mirror: Mirror | undefined,
  inner: (v: Value) => Value,
): Value {
  if (mirror === undefined) return inner(x);
  const image = g.add(g.neg(x), 2 * mirror.centre);
  if (mirror.all) return g.neg(inner(image));
  const above = g.atLeast(x, mirror.centre);
  const y = inner(g.select(above, x, image));
  return g.select(above, y, g.neg(y));
}

function graphOf(node: Node, operand: Type, build: (g: FunctionBuilder, x: Value) => Value): Graph {
  const builder = new GraphBuilder(node.name);
  const x = builder.input('x', operand);
  const y = build(new FunctionBuilder(new CoreEmitter(builder, node)), x);
  const graph = y?.type && builder.build([y]);
  const own = graph && (y === x || graph.nodes.some((n) => n.outputs.includes(y)));
  if (own && sameShape(y.type.shape, operand.shape) && y.type.dtype === 'fixed') return graph;
  const given = own ? `${y.type.dtype} of shape [${y.type.shape}]` : 'no value of this graph';
  throw new CryptorchError(
    'INVALID_OPTION',
    `The approximation of ${describe(node)} gives ${given} for an operand of shape [${operand.shape}]; it must give numbers ` +
      'of the same shape.',
    { node: node.name },
  );
}

/** What an approximation builds, which may be one from outside the package. @throws CryptorchError INVALID_OPTION */
function built<T>(node: Node, build: () => T): T {
  try {
    return build();
  } catch (error) {
    if (CryptorchError.is(error)) throw error;
    const why = error instanceof Error ? error.message : String(error);
    const message = `The approximation of ${describe(node)} cannot be built: ${why}. Correct it, or take another one.`;
    throw new CryptorchError('INVALID_OPTION', message, { node: node.name }, error);
  }
}

/** The largest result, which absolute errors are measured against. */
function largest(fn: (x: number) => number, domain: Domain): number {
  return Math.max(...samplesOf(domain).map((x) => Math.abs(fn(x))));
}

/** @throws CryptorchError VALUE_RANGE where nothing is exact enough, or the function does not exist */
export function choose(node: Node, options: ChooseOptions): Choice {
  const definition = definitionOf(node);
  const params = numbersAttr(node, 'params');
  checkExists(node, params);
  const { approximation, selection, inputScale, fractionalBits } = options;
  const special = definition.special?.(params);
  const name = special?.name ?? definition.name;
  const fn = (definition.within ?? definition.of)(params);
  const operands = operandDomain(node, node.inputs[0]!.type.range);
  const request: Request = {
    name,
    params,
    fn,
    domain: { lo: operands.lo, hi: operands.hi },
    unit: definition.relative ? undefined : (definition.unit ?? largest(fn, operands)),
    origin: definition.origin?.(params),
    special,
    inputScale,
    fractionalBits,
    tolerance: approximation.tolerance * (definition.precision ?? 1),
    degree: approximation.degree,
  };
  const wanted = selection === undefined ? undefined : select(name, selection);
  if (wanted?.approximation.fitted === false) return named(node, request, operands, wanted);
  const fitted = approximationsOf(name).filter((a) => a.fitted);
  return bestFit(node, request, operands, wanted ? [wanted] : fitted.map((a) => select(name, a.name)));
}

/** The best of fitted approximations, with its tails. */
function bestFit(
  node: Node,
  request: Request,
  operands: OperandDomain,
  candidates: readonly Selected[],
): Choice {
  const { tails = {}, summed = false } = definitionOf(node);
  const { fn, unit, inputScale, fractionalBits } = request;
  const given = request.tolerance * TAILS * (unit ?? 0);
  const { domain, error } =
    unit === undefined || summed ? { domain: operands, error: 0 } : trimmed(fn, operands, tails, given);
  const { clip } = domain;
  const clipped = clip.lo !== null || clip.hi !== null;
  const off = error / (unit ?? 1);
  const inner: Request = {
    ...request,
    domain: { lo: domain.lo, hi: domain.hi },
    tolerance: request.tolerance - off,
    inputScale: clipped ? Math.min(inputScale, fractionalBits) : inputScale,
  };
  const found = proposed(inner, candidates)[0];
  if (found === undefined || found.error > WORST_ERROR) {
    throw new CryptorchError(
      'VALUE_RANGE',
      `${where(node)} on [${domain.lo}, ${domain.hi}] (${domain.kind}), for which there is no approximation. ` +
        'Calibrate the model on examples, so that the range is known.',
      { node: node.name },
    );
  }
  const build = (g: FunctionBuilder, x: Value) =>
    mirrored(g, x, domain.mirror, (u) => withTails(g, u, clip, tails, (v) => found.build(g, v)));
  return {
    name: found.name,
    error: found.error + off,
    graph: (operand) => graphOf(node, operand, build),
  };
}

/** What was asked for. @throws CryptorchError VALUE_RANGE where operands are known to lie beyond what it is meant for */
function named(node: Node, request: Request, { mirror }: OperandDomain, selected: Selected): Choice {
  const { approximation, knobs } = selected;
  const { range } = node.inputs[0]!.type;
  const { lo, hi, mirrors } = namedDomain(node, selected);
  const own = { lo: numberAttr(node, 'lo'), hi: numberAttr(node, 'hi') };
  const usual = definitionOf(node).domain(request.params);
  // An operator that gives a domain knows more of its operands than intervals do, but for that they may have either sign.
  const centre = definitionOf(node).odd?.(request.params) ?? Number.NEGATIVE_INFINITY;
  const told = own.lo > centre && (own.lo !== usual.lo || own.hi !== usual.hi);
  const known = node.attrs.known === true;
  const seen = known || told ? { kind: known ? 'calibrated' : 'assumed', ...own } : range;
  const name = written(approximation.name, knobs);
  if (seen !== undefined && seen.kind !== 'assumed' && !(seen.lo >= lo && seen.hi <= hi)) {
    throw new CryptorchError(
      'VALUE_RANGE',
      `${where(node)} on [${seen.lo}, ${seen.hi}] (${seen.kind}), but the approximation ${name} is meant for [${lo}, ${hi}]. ` +
        'Take another one for this node.',
      { node: node.name },
    );
  }
  const made = approximation.propose(request, knobs);
  if (made === undefined) throw new Error(`${name} has no form`);
  const build = (g: FunctionBuilder, x: Value) =>
    mirrored(g, x, mirrors ? mirror : undefined, (u) => built(node, () => made.build(g, u)));
  return { name, graph: (operand) => graphOf(node, operand, build) };
}

/** The function of a node, for people. */
export function describe(node: Node): string {
  return `${node.attrs.fn}(${numbersAttr(node, 'params').join(', ')})`;
}
