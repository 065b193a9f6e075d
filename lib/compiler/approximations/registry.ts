// Functions of one number that the protocols do not compute by themselves, and the ways in which they can be: which one is
// taken is apart from what is computed and from how it is run.
//
// An operator of a model emits `approximate` with the name of a function. Once ranges and scales are known
// (passes/fixed-point.ts), an approximation turns it into core operations on real numbers, and fixed point is done for them as
// for all others. A function is defined once, in a file of its own. An approximation serves one function, or every one that
// it can be fitted to. Rounds, bytes and errors are read off what was made, as for any operator: nothing is declared.

import { CryptorchError } from '../../errors';
import type { Value } from '../ir/graph';
import type { FunctionBuilder } from './builder';

/** Operands between two ends, in real units; an end may be infinite. */
export interface Domain {
  /** Lowest operand. */
  readonly lo: number;
  /** Highest operand. */
  readonly hi: number;
}

export interface ScalarFunction {
  readonly name: string;
  /** The function for given parameters, on doubles. */
  of(params: readonly number[]): (x: number) => number;
  /** What is fitted in its place: the same in the domain, and smooth beyond where the function itself has a kink at an end. */
  within?(params: readonly number[]): (x: number) => number;
  /** Operands that it is meant for where nothing is known of them; with tails, where it is not yet one of them. */
  domain(params: readonly number[]): Domain;
  /** Operands that it exists for at all: no more than these are taken from a calibration. */
  exists(params: readonly number[]): Domain;
  /** What the tolerance is multiplied by. Default 1. */
  readonly precision?: number;
  /**
   * Slopes beyond the ends of `domain`, where the function is a line as well as it is approximated: f(end) + slope (x - end).
   * 0 where it saturates. Operands beyond an end without a tail are not meant.
   */
  readonly tails?: { readonly lo?: number; readonly hi?: number };
  /** Operands that are taken as they are, without a clip, if they are known to lie there: ends further out than those of `domain`. */
  readonly reach?: { readonly lo?: number; readonly hi?: number };
  /** Many results are added up, so that clips begin at the ends of `domain` and not as early as the tolerance allows. */
  readonly summed?: boolean;
  /** Whether errors count relative to the result. */
  readonly relative: boolean;
  /** What errors count relative to where not to the result: 1 for absolute ones. Default: the largest result. */
  readonly unit?: number;
  /** The function is one of x - origin alone, wide ranges of which have the same relative shape everywhere. */
  origin?(params: readonly number[]): number;
  /**
   * The centre c of a function that is odd about it, f(c - d) = -f(c + d), and has its domain above it: operands that may be
   * below are mirrored, which takes a comparison.
   */
  odd?(params: readonly number[]): number | undefined;
  /** Parameters that stand for all, in tables. Default: there are none. */
  readonly examples?: readonly (readonly number[])[];
  /** The name under which approximations of its own serve it for these parameters, if not its own one. */
  special?(params: readonly number[]): Special | undefined;
}

/** A function of its own name that another one is for some parameters, of factor x + offset. */
export interface Special {
  readonly name: string;
  readonly factor: number;
  readonly offset: number;
}

/** What is to be approximated, and on which operands. */
export interface Request {
  /** Of the function, or of the special one that it is for these parameters. */
  readonly name: string;
  readonly params: readonly number[];
  readonly fn: (x: number) => number;
  readonly domain: Domain;
  /** What errors count relative to; undefined: to each result. */
  readonly unit?: number | undefined;
  readonly origin?: number | undefined;
  /** The function in terms of a special one. */
  readonly special?: Special | undefined;
  /** Fractional bits of the operand, and of inputs and weights. */
  readonly inputScale: number;
  readonly fractionalBits: number;
  /** Largest error, in units. */
  readonly tolerance: number;
  /** Largest degree of a polynomial on one opening. */
  readonly degree: number;
}

/** Parameters of an approximation. */
export type KnobValue = number | string | boolean;
/** A value for every knob that is given. */
export type KnobValues = Readonly<Record<string, KnobValue>>;

/** An approximation by its name, with knobs if they are not to be the default ones. */
export type Selection =
  | string
  | ({
      /** Of the approximation. */
      readonly name: string;
    } & KnobValues);

/** What an approximation makes of a request. */
export interface Proposal {
  readonly name: string;
  /** Bound on the error, as the request counts it, the rounding of its integers included; undefined where none is known. */
  readonly error?: number;
  /** The function of x, in core operations on real numbers. */
  build(g: FunctionBuilder, x: Value): Value;
}

/** The proposal of a fitted approximation. */
export type Stated = Proposal & { readonly error: number };

/** A way to compute a function, registered with `defineApproximation`. */
export interface Approximation {
  readonly name: string;
  /** The function that it serves; undefined: all of them. */
  readonly of?: string;
  /** It is made for each request with an error that is known, so that it may be taken without being asked for. */
  readonly fitted: boolean;
  /** Values of its parameters, the default one first. */
  readonly knobs: Readonly<Record<string, readonly KnobValue[]>>;
  /** Operands that it is meant for. */
  domain(knobs: KnobValues): Domain;
  /** What it is an approximation of, on doubles, if not the function that it serves. */
  readonly reference?: (x: number) => number;
  /** The paper or the code that it is from. */
  readonly source?: string;
  /** Undefined where it has no form for this request. */
  propose(request: Request, knobs: KnobValues): Proposal | undefined;
}

/** What `defineApproximation` takes. */
export interface ApproximationDefinition<K extends Readonly<Record<string, readonly KnobValue[]>>> {
  /** Unique among those of the function. */
  readonly name: string;
  /** The function that it serves, such as `gelu`; `cryptorch approximations` lists them. */
  readonly of: string;
  /** Values of its parameters, the default one first: `{ order: [4, 2] }`. */
  readonly knobs?: K;
  /** Operands that it is meant for, in real units. Default: all. Operands known to lie beyond are refused. */
  readonly domain?: Domain | ((knobs: KnobsOf<K>) => Domain);
  /** What errors are measured against, on doubles. Default: the function that it serves. */
  readonly reference?: (x: number) => number;
  /** The paper or the code that it is from. */
  readonly source?: string;
  /**
   * The function of x in graph arithmetic on real numbers: scales, truncations and rings are for the compiler. `params`: of
   * the function, such as the slope of `elu`.
   */
  build(g: FunctionBuilder, x: Value, knobs: KnobsOf<K>, params: readonly number[]): Value;
}

/** A value for every knob. */
export type KnobsOf<K extends Readonly<Record<string, readonly KnobValue[]>>> = {
  readonly [N in keyof K]: K[N][number];
};

const functions = new Map<string, ScalarFunction>();
const approximations: Approximation[] = [];
const EVERYWHERE: Domain = { lo: Number.NEGATIVE_INFINITY, hi: Number.POSITIVE_INFINITY };

export function defineFunction(definition: ScalarFunction): ScalarFunction {
  if (functions.has(definition.name)) throw new Error(`function ${definition.name} is defined twice`);
  functions.set(definition.name, definition);
  return definition;
}

/**
 * Registers a way to compute a function. Files of the library call it while functions are still being defined; others
 * call it by ./outside.ts.
 * @throws CryptorchError INVALID_OPTION where the function has one of that name
 */
export function defineApproximation<
  const K extends Readonly<Record<string, readonly KnobValue[]>> = Record<never, never>,
>(definition: ApproximationDefinition<K>): void {
  const { name, of, knobs = {}, domain = EVERYWHERE, reference, source } = definition;
  if (typeof name !== 'string' || typeof of !== 'string' || typeof definition.build !== 'function') {
    const message =
      'An approximation needs a `name`, the function that it is `of`, and `build(g, x, knobs)`.';
    throw new CryptorchError('INVALID_OPTION', message);
  }
  const empty = Object.entries(knobs).find(([, values]) => !(Array.isArray(values) && values.length > 0));
  if (empty !== undefined) {
    const message = `The knob ${empty[0]} of ${name} has no values; list them, the default one first.`;
    throw new CryptorchError('INVALID_OPTION', message, { knob: empty[0] });
  }
  register({
    name,
    of,
    fitted: false,
    knobs,
    ...(reference && { reference }),
    ...(source !== undefined && { source }),
    domain: (values) => {
      const { lo, hi } = typeof domain === 'function' ? domain(values as KnobsOf<K>) : domain;
      if (lo < hi) return { lo, hi };
      const message = `${written(name, values)} of ${of} has the domain [${lo}, ${hi}]; give two numbers, the lower one first.`;
      throw new CryptorchError('INVALID_OPTION', message, { name });
    },
    propose: ({ params, special }, values) => ({
      name: written(name, values),
      build: (g, x) => definition.build(g, standard(g, x, special), values as KnobsOf<K>, params),
    }),
  });
}

/** The operand of a special function. */
function standard(g: FunctionBuilder, x: Value, special: Special | undefined): Value {
  return special === undefined ? x : g.add(g.mul(x, special.factor), special.offset);
}

/** An approximation that is fitted to what it is asked for. Those come in the order of their cost. */
export function defineFitted(definition: Omit<Approximation, 'domain' | 'fitted'>): void {
  register({ ...definition, fitted: true, domain: () => EVERYWHERE });
}

function register(definition: Approximation): void {
  const { name, of } = definition;
  const same = approximations.some((a) => a.name === name && (a.of === undefined || a.of === of));
  if (same) {
    const message = `There is an approximation "${name}" of ${of ?? 'all functions'} already; take another name.`;
    throw new CryptorchError('INVALID_OPTION', message, { name });
  }
  approximations.push(definition);
}

export function findFunction(name: string): ScalarFunction {
  const found = functions.get(name);
  if (!found) throw new Error(`there is no function ${name}`);
  return found;
}

export function allFunctions(): readonly ScalarFunction[] {
  return [...functions.values()];
}

/** Those that serve the function of this name. */
export function approximationsOf(name: string): readonly Approximation[] {
  return approximations.filter(({ of }) => of === undefined || of === name);
}

/** Names of everything that approximations can be chosen for. */
export function approximable(): readonly string[] {
  const special = (f: ScalarFunction) =>
    (f.examples ?? []).flatMap((params) => f.special?.(params)?.name ?? []);
  return [...new Set(allFunctions().flatMap((f) => [f.name, ...special(f)]))];
}

/** `name`, with its knobs for people. */
export function written(name: string, knobs: KnobValues): string {
  const all = Object.entries(knobs).map(([knob, value]) => `${knob} ${value}`);
  return all.length === 0 ? name : `${name} (${all.join(', ')})`;
}

/** A selected approximation and its knobs. */
export interface Selected {
  readonly approximation: Approximation;
  readonly knobs: KnobValues;
}

/** @throws CryptorchError INVALID_OPTION for what does not exist */
export function select(name: string, selection: Selection): Selected {
  const { name: wanted, ...given } = typeof selection === 'string' ? { name: selection } : selection;
  const all = approximationsOf(name);
  const approximation = all.find((a) => a.name === wanted);
  if (approximation === undefined) {
    const message = `There is no approximation "${wanted}" of ${name}; there are: ${all.map((a) => a.name).join(', ')}.`;
    throw new CryptorchError('INVALID_OPTION', message, { name: wanted });
  }
  for (const [knob, value] of Object.entries<KnobValue>(given)) {
    const values = Object.hasOwn(approximation.knobs, knob) ? approximation.knobs[knob] : undefined;
    if (values?.includes(value)) continue;
    const known = Object.keys(approximation.knobs).join(', ') || 'none';
    const message = values
      ? `The knob ${knob} of ${wanted} is ${value}; give one of ${values.join(', ')}.`
      : `${wanted} has no knob ${knob}; its knobs: ${known}.`;
    throw new CryptorchError('INVALID_OPTION', message, { knob });
  }
  const defaults = Object.entries(approximation.knobs).map(([knob, values]) => [knob, values[0]!]);
  return { approximation, knobs: { ...Object.fromEntries(defaults), ...given } };
}
