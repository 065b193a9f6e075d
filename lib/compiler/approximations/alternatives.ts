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
  written,
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
  /** With its knobs, for people. */
  readonly title: string;
  /** Operands that it is meant for: infinite where it has no end. */
  readonly domain: Domain;
  /** Operands that it is measured on: beyond a tail, a quarter more of the domain, unless errors are relative. */
  readonly measured: Domain;
}

/** All functions, in the order of the library. */
export function functionCases(): FunctionCase[] {
  return allFunctions().flatMap((definition) =>
    (definition.examples ?? [[]]).map((params) => {
      const selector = definition.special?.(params)?.name ?? definition.name;
      const shown = params.length === 0 || selector !== definition.name ? '' : `(${params.join(', ')})`;
      return { name: `${selector}${shown}`, selector, definition, params };
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

function domainsOf(
  { definition, params }: FunctionCase,
  { of, domain }: Approximation,
  knobs: KnobValues,
): Pick<Alternative, 'domain' | 'measured'> {
  const [own, exists] = [definition.domain(params), definition.exists(params)];
  const { tails = {} } = definition;
  const fitted = {
    lo: tails.lo === undefined ? own.lo : Number.NEGATIVE_INFINITY,
    hi: tails.hi === undefined ? own.hi : Number.POSITIVE_INFINITY,
  };
  const meant = of === undefined ? fitted : domain(knobs);
  // Relative to results that go on falling, a constant is off by any factor.
  const beyond = definition.relative ? 0 : (own.hi - own.lo) / 4;
  const measured = {
    lo: Number.isFinite(meant.lo) ? meant.lo : own.lo - (tails.lo === undefined ? 0 : beyond),
    hi: Number.isFinite(meant.hi) ? meant.hi : own.hi + (tails.hi === undefined ? 0 : beyond),
  };
  return {
    domain: { lo: Math.max(meant.lo, exists.lo), hi: Math.min(meant.hi, exists.hi) },
    measured: { lo: Math.max(measured.lo, exists.lo), hi: Math.min(measured.hi, exists.hi) },
  };
}

/** All settings of all approximations of a function, in the order in which they were registered. */
export function alternativesOf(subject: FunctionCase): Alternative[] {
  return approximationsOf(subject.selector).flatMap((approximation) =>
    settings(approximation.knobs).map((knobs) => ({
      ...subject,
      approximation,
      knobs,
      title: written(approximation.name, knobs),
      ...domainsOf(subject, approximation, knobs),
    })),
  );
}

/** The name of the node whose cost is that of the function. */
export const FUNCTION_NODE = 'function';

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
