// Where the operands of approximated functions are on examples, and whether a compiled model stays where its
// approximations are made for.

import {
  type Domain,
  describe,
  findFunction,
  namesOf,
  operandDomain,
  type Selection,
} from '../compiler/approximations';
import { namedDomain } from '../compiler/approximations/operand-domain';
import { select } from '../compiler/approximations/registry';
import { type CompileOptions, realGraph } from '../compiler/compile';
import type { Graph, Node, Value } from '../compiler/ir/graph';
import { numberAttr, numbersAttr } from '../compiler/ops/core';
import { evaluateCore } from '../compiler/ops/evaluate-core';
import { exponentialDomain, exponentialOf } from '../compiler/ops/exponential';
import { splineOf } from '../compiler/ops/spline';
import { deadCode } from '../compiler/passes/dead-code';
import { approximated, type Domains } from '../compiler/passes/domains';
import { producersOf } from '../compiler/passes/rewriter';
import { CryptorchError } from '../errors';
import { batches, type Examples, type Interval, widen, withMargin } from './examples';
import { takeInputs } from './numbers';

/** What the operands of a lowered graph's functions are on examples, on real numbers. */
export class FunctionOperands {
  /** By name, as calibrations have them. */
  readonly functions: ReadonlyMap<string, Node>;
  private readonly operands: readonly Value[];
  /** Nothing behind the last of them is needed. */
  private readonly needed: Graph;
  private readonly seen = new Map<Value, Interval>();

  constructor(graph: Graph) {
    this.functions = approximated(graph);
    this.operands = [...new Set([...this.functions.values()].map((node) => node.inputs[0]!))];
    this.needed = deadCode({ ...graph, outputs: this.operands }, 'reshape');
  }

  /** Runs an example: an array for every input of the graph. */
  add(inputs: readonly Float64Array[]): void {
    if (this.operands.length === 0) return;
    const results = evaluateCore(this.needed, inputs);
    this.operands.forEach((v, i) => {
      this.seen.set(v, widen(this.seen.get(v), results[i]!.data));
    });
  }

  of(node: Node): Interval {
    return this.seen.get(node.inputs[0]!)!;
  }
}

/**
 * Where the operands of approximated functions are, on real numbers: which approximation a function takes depends on it, so
 * it has to be known before any is taken.
 */
export async function functionDomains(
  model: string | Uint8Array,
  examples: readonly Examples[],
  options: CompileOptions,
  margin: number,
): Promise<Domains> {
  const graph = await realGraph(model, options);
  const operands = new FunctionOperands(graph);
  if (operands.functions.size === 0) return {};
  const ios = graph.inputs.map(({ name, type: { shape } }) => ({ name, shape }));
  for (const example of examples.flatMap((e) => batches(ios, e))) {
    const taken = takeInputs(ios, example);
    operands.add(ios.map(({ name }) => Float64Array.from(taken.get(name) as ArrayLike<number>, Number)));
  }
  return Object.fromEntries(
    [...operands.functions].map(([name, node]) => [name, domainOf(node, operands.of(node), margin)]),
  );
}

/** @throws CryptorchError VALUE_RANGE where a function does not exist for an operand that was seen */
function domainOf(node: Node, interval: Interval, margin: number): readonly [number, number] {
  const { lo: least, hi: most } = findFunction(String(node.attrs.fn)).exists(numbersAttr(node, 'params'));
  if (!(interval.lo > least && interval.hi < most)) {
    const value = interval.lo > least ? interval.hi : interval.lo;
    throw new CryptorchError(
      'VALUE_RANGE',
      `Node "${node.name}" (${node.origin}) computes ${describe(node)} of ${value} on an example, but its operand must ` +
        `be between ${least} and ${most}. Correct the model or the example.`,
      { node: node.name, value },
    );
  }
  const [lo, hi] = withMargin(interval, margin);
  return [Math.max(lo, (interval.lo + least) / 2), Math.min(hi, most)];
}

/** What an approximated function is made for: the operand of this node. */
function domainOfNode(node: Node): { lo: number; hi: number } | undefined {
  if (node.op === 'polynomial' || node.op === 'fourier')
    return { lo: Number(node.attrs.lo), hi: Number(node.attrs.hi) };
  if (node.op === 'exponential') return exponentialDomain(exponentialOf(node));
  if (node.op !== 'spline') return undefined;
  const { borders, inputScale } = splineOf(node);
  return { lo: 2 ** (borders[0]! - inputScale), hi: 2 ** (borders.at(-1)! - inputScale) };
}

/** An operand of an approximated function that was outside of what the approximation is made for. */
export interface LeftDomain {
  readonly node: Node;
  /** Ends of the domain. */
  readonly lo: number;
  readonly hi: number;
  /** The operand that was furthest outside. */
  readonly value: number;
}

/** What the approximation of a node is meant for, in terms of its operand: without end where it has a tail. */
function meantFor(node: Node, selection: Selection | undefined): Domain {
  const [name] = namesOf(node) as [string];
  const selected = selection === undefined ? undefined : select(name, selection);
  if (selected?.approximation.fitted === false) return namedDomain(node, selected);
  const { lo, hi, clip, mirror } = operandDomain(node, node.inputs[0]!.type.range);
  return {
    lo: clip.lo !== null ? Number.NEGATIVE_INFINITY : mirror ? 2 * mirror.centre - hi : lo,
    hi: clip.hi !== null ? Number.POSITIVE_INFINITY : hi,
  };
}

/** Ends of domains that follow from ranges are as exact as those; operands may be off by what was rounded before. */
const ROUNDED = 2 ** -14;

/** Every function whose operand was outside of what its approximation is meant for; the graph has ranges. */
export function leftFunctionDomains(
  operands: FunctionOperands,
  selections: ReadonlyMap<Node, Selection>,
): LeftDomain[] {
  return [...operands.functions.values()].flatMap((node) => {
    const { lo, hi } = meantFor(node, selections.get(node));
    const seen = operands.of(node);
    const room = (end: number): number => ROUNDED * Math.max(1, Math.abs(end));
    const [below, above] = [seen.lo < lo - room(lo), seen.hi > hi + room(hi)];
    if (!below && !above) return [];
    return [{ node, lo, hi, value: below && (!above || lo - seen.lo > seen.hi - hi) ? seen.lo : seen.hi }];
  });
}

/** What was its operand before the approximation itself has moved it to where its polynomial or its tables are. */
function original(node: Node, before: Node | undefined): (v: number) => number {
  const own = before?.name === node.name && ['add_const', 'mul_const'].includes(before.op);
  const data = own ? (before.attrs.data as BigInt64Array) : [];
  if (data.length !== 1) return (v) => v;
  if (before?.op === 'mul_const') return (v) => v / (Number(data[0]) * 2 ** -numberAttr(before, 'scale'));
  return (v) => v - Number(data[0]) * 2 ** -before!.outputs[0]!.type.scale!;
}

/**
 * Every approximation of a compiled graph whose domain its operand left by more than rounding; `inputs` and `values` are
 * what its inputs are and its nodes gave.
 */
export function leftDomains(
  graph: Graph,
  values: readonly (Interval | undefined)[],
  inputs: readonly (Interval | undefined)[] = [],
): LeftDomain[] {
  const known = new Map<Value, Interval | undefined>([
    ...graph.inputs.map((v, i) => [v, inputs[i]] as const),
    ...graph.nodes.map((n, i) => [n.outputs[0]!, values[i]] as const),
  ]);
  const producers = producersOf(graph);
  return graph.nodes.flatMap((node) => {
    const operand = node.inputs[0]!;
    const domain = domainOfNode(node);
    const seen = known.get(operand);
    if (!domain || !seen) return [];
    const { lo, hi } = domain;
    const room = 2 * 2 ** -(operand.type.scale ?? 0);
    if (seen.lo >= lo - room && seen.hi <= hi + room) return [];
    const from = original(node, producers.get(operand));
    const value = lo - seen.lo > seen.hi - hi ? seen.lo : seen.hi;
    return [{ node, lo: from(lo), hi: from(hi), value: from(value) }];
  });
}

/** @throws CryptorchError VALUE_RANGE where the compiled model left a domain that its approximations are made for */
export function checkDomains(graph: Graph, values: readonly (Interval | undefined)[]): void {
  const [left] = leftDomains(graph, values);
  if (!left) return;
  const { node, lo, hi, value } = left;
  throw new CryptorchError(
    'VALUE_RANGE',
    `Node "${node.name}" (${node.origin}) is approximated on [${lo}, ${hi}], but its operand was ${value}. ` +
      'Give a larger margin, or check the examples.',
    { node: node.name, value },
  );
}
