// Every way in which a function can be computed, and a graph of it alone: what the ways are compared by.

import { type Graph, GraphBuilder, type Type } from '../ir/graph';
import { CoreEmitter } from '../ops/emit';
import { FunctionBuilder } from './builder';
import {
  type Approximation,
  allFunctions,
  approximationsOf,
  type Domain,
  type KnobValues,
  type ScalarFunction,
} from './registry';

/** A function for parameters that stand for all of them. */
export interface FunctionCase {
  /** For people: with its parameters, where they do not have a name. */
  readonly name: string;
  /** What approximations of it are asked for by, such as `gelu` or `rsqrt`. */
  readonly selector: string;
  readonly definition: ScalarFunction;
  readonly params: readonly number[];
}

/** One setting of one approximation of a function. */
export interface Alternative extends FunctionCase {
  readonly approximation: Approximation;
  readonly knobs: KnobValues;
  /** Operands that it is meant for: infinite where it has no end. */
  readonly domain: Domain;
  /** What of it lies in the interval that all approximations of the function are compared on. */
  readonly measured: Domain;
}

/** All functions, in the order of the library. */
export function functionCases(): FunctionCase[] {
  const functions = allFunctions();
  return functions.flatMap((definition) =>
    (definition.examples ?? [[]]).map((params) => {
      const selector = definition.special?.(params)?.name ?? definition.name;
      // Another function that is served by the approximations of this one keeps its name.
      const own = functions.some((f) => f !== definition && f.name === selector) ? definition.name : selector;
      const shown = params.length === 0 || selector !== definition.name ? '' : `(${params.join(', ')})`;
      return { name: `${own}${shown}`, selector, definition, params };
    }),
  );
}

/** Every combination of values, those of the last knob changing fastest. */
function settings(knobs: Approximation['knobs']): KnobValues[] {
  return Object.entries(knobs).reduce<KnobValues[]>(
    (list, [knob, values]) => list.flatMap((one) => values.map((value) => ({ ...one, [knob]: value }))),
    [{}],
  );
}

/** Where approximations of a function are compared: its domain, and a quarter more of it beyond a tail. */
function comparedOn({ definition, params }: FunctionCase): Domain {
  const { lo, hi } = definition.domain(params);
  const { tails = {}, relative } = definition;
  // Relative to results that go on falling, a constant is off by any factor.
  const beyond = relative ? 0 : (hi - lo) / 4;
  return {
    lo: tails.lo === undefined ? lo : lo - beyond,
    hi: tails.hi === undefined ? hi : hi + beyond,
  };
}

/** Fitted approximations are made for the function's domain, and for what its tails are. */
function meantFor(
  { definition, params }: FunctionCase,
  { of, domain }: Approximation,
  knobs: KnobValues,
): Domain {
  const [{ lo, hi }, exists] = [definition.domain(params), definition.exists(params)];
  const { tails = {} } = definition;
  if (of !== undefined) return intersection(domain(knobs), exists);
  return {
    lo: tails.lo === undefined ? lo : exists.lo,
    hi: tails.hi === undefined ? hi : exists.hi,
  };
}

function intersection(a: Domain, b: Domain): Domain {
  return { lo: Math.max(a.lo, b.lo), hi: Math.min(a.hi, b.hi) };
}

/** All settings of all approximations of a function, in the order in which they were registered. */
export function alternativesOf(subject: FunctionCase): Alternative[] {
  return approximationsOf(subject.selector).flatMap((approximation) =>
    settings(approximation.knobs).map((knobs) => {
      const domain = meantFor(subject, approximation, knobs);
      const measured = intersection(domain, comparedOn(subject));
      return { ...subject, approximation, knobs, domain, measured };
    }),
  );
}

/** The name of the node whose cost is that of the function. */
const FUNCTION_NODE = 'function';

/** y = f(factor x) of secret numbers, on real numbers; a factor other than 1 makes a product of the operand. */
export function functionGraph({ definition, params }: FunctionCase, elements: number, factor: number): Graph {
  const builder = new GraphBuilder(definition.name);
  const type: Type = { shape: [elements], dtype: 'fixed', owner: 'secret' };
  const x = builder.input('x', type);
  const of = (name: string, origin: string) =>
    new FunctionBuilder(new CoreEmitter(builder, { name, origin }));
  const operand = of('product', 'Mul').mul(x, factor);
  const y = of(FUNCTION_NODE, definition.name).approximate(operand, definition.name, params);
  return builder.build([y]);
}
