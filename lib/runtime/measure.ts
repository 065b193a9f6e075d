// What every approximation of a function costs and how exact it is: the function alone is compiled with it, its errors are
// those of the cleartext run over its domain, rounding included, and what it costs is read off the program.
//
// Two kinds of operands: with the fractional bits of inputs, as what was truncated before has, and with those of a product,
// which many approximations truncate on the way. Nothing is known of their range, as in a model that is compiled without
// ranges. The result keeps the bits that it has.

import { type ApproximationOptions, DEFAULT_APPROXIMATION, type Domain } from '../compiler/approximations';
import {
  type Alternative,
  alternativesOf,
  type FunctionCase,
  functionCases,
  functionGraph,
} from '../compiler/approximations/alternatives';
import type { KnobValues } from '../compiler/approximations/registry';
import { estimate } from '../compiler/choose';
import { type CompileOptions, securingOptions } from '../compiler/compile';
import type { Graph } from '../compiler/ir/graph';
import { printGraph } from '../compiler/ir/print';
import { inFixedPoint } from '../compiler/passes/pipeline';
import { withoutOutputRounding } from '../compiler/passes/without-output-rounding';
import type { Phase, Program } from '../compiler/program';
import { secure } from '../compiler/secure';
import { profile } from '../cost/communication';
import { parseNetwork } from '../cost/network';
import { CryptorchError } from '../errors';
import { runProgram } from './local';

/** What `approximations` takes. */
export interface ApproximationsOptions
  extends Pick<CompileOptions, 'parties' | 'fractionalBits' | 'network' | 'prefer'> {
  /** Names of functions, such as `gelu`. Default: all. */
  readonly functions?: readonly string[];
  /** For fitted approximations, as `compile` takes them. */
  readonly approximation?: Partial<Omit<ApproximationOptions, 'functions'>>;
}

/** How far results are from the function: absolute, or relative to each result where `relative` is said of it. */
export interface FunctionError {
  /** Largest of all operands. */
  readonly max: number;
  /** Of all operands. */
  readonly mean: number;
}

/** For one kind of operands. */
export interface ApproximationFigures {
  /** On the interval that it was measured on. */
  readonly error: FunctionError;
  /** Largest error on all operands that it is meant for, where these are more and errors are absolute. */
  readonly furthest?: number;
  /** Online. */
  readonly rounds: number;
  /** Bits that a party sends online for an element, on average. */
  readonly online: number;
  /** Bits that a party is sent and sends ahead for an element, on average. */
  readonly offline: number;
  /** Estimated seconds for 2^14 elements on the network that was given. */
  readonly seconds?: number;
}

/** One setting of one approximation of a function. */
export interface MeasuredApproximation {
  /** The function, such as `gelu`. */
  readonly function: string;
  /** The approximation, as `compile({ approximation: { functions } })` takes it. */
  readonly name: string;
  /** Its parameters. */
  readonly knobs: KnobValues;
  /** Whether it is taken where nothing is asked for and nothing is known of the operands. */
  readonly default: boolean;
  /** The paper or the code that it is from. */
  readonly source?: string;
  /** Operands that it is meant for; null where there is no end. */
  readonly domain: readonly [number | null, number | null];
  /** The operands that errors are measured on. */
  readonly measured: readonly [number, number];
  /** Whether errors are relative to each result. */
  readonly relative: boolean;
  /** For operands with the fractional bits of inputs. */
  readonly fixed: ApproximationFigures;
  /** For operands with those of a product. */
  readonly product: ApproximationFigures;
}

/** Errors at operands, in their order. */
export interface ErrorCurve {
  readonly operands: Float64Array;
  readonly errors: Float64Array;
}

/** Operands that an approximation is measured on, and elements of the graph whose cost is read. */
const POINTS = 4096;
/** Elements that times are estimated for. */
const ELEMENTS = 2 ** 14;
const PARTIES = 2;
const FRACTIONAL_BITS = 16;
/** Of the coins: the same figures every time. */
export const MEASURING_SEED = 'approximations';

/** Operands with the fractional bits of inputs, or with those of a product. */
export type OperandKind = 'fixed' | 'product';

/** An alternative for both kinds of operands. */
export interface CompiledAlternative extends Readonly<Record<OperandKind, CompiledFunction>> {
  readonly alternative: Alternative;
  /** Whether it is taken where nothing is asked for. */
  readonly isDefault: boolean;
}

/** A function by itself, compiled for one kind of operands. */
export interface CompiledFunction {
  readonly subject: FunctionCase;
  readonly graph: Graph;
  /** What inputs are multiplied by before the function. */
  readonly factor: number;
}

/**
 * Compiles a function with an approximation; without one, as it is where nothing is asked for.
 * @throws CryptorchError as `compile`; VALUE_RANGE for a fitted approximation that is not exact enough on its domain
 */
export function compileFunction(
  subject: FunctionCase,
  selected: Pick<Alternative, 'approximation' | 'knobs'> | undefined,
  kind: OperandKind,
  { fractionalBits = FRACTIONAL_BITS, approximation }: ApproximationsOptions = {},
): CompiledFunction {
  const factor = kind === 'product' ? 1 + 2 ** -fractionalBits : 1;
  const real = functionGraph(subject, POINTS, factor);
  const selection = selected && { name: selected.approximation.name, ...selected.knobs };
  const functions = selection ? { [subject.selector]: selection } : {};
  const options = { ...DEFAULT_APPROXIMATION, ...approximation, functions };
  const graph = withoutOutputRounding(inFixedPoint(real, { fractionalBits, approximation: options }));
  return { subject, graph, factor };
}

/** Evenly spaced over an interval, by magnitude where the function starts at an origin; multiples of an input's unit. */
export function inputsFor(
  { definition, params }: FunctionCase,
  { lo, hi }: Domain,
  fractionalBits: number = FRACTIONAL_BITS,
): Float64Array {
  const origin = definition.origin?.(params);
  const at = (part: number): number => {
    if (origin === undefined) return lo + (hi - lo) * part;
    return origin + (lo - origin) ** (1 - part) * (hi - origin) ** part;
  };
  const unit = 2 ** -fractionalBits;
  const [first, last] = [Math.ceil(lo / unit), Math.floor(hi / unit)];
  return Float64Array.from({ length: POINTS }, (_, i) => {
    return Math.min(Math.max(Math.round(at(i / (POINTS - 1)) / unit), first), last) * unit;
  });
}

/** The program of a function, its operand and its result as shares. */
export function programOfFunction({ graph }: CompiledFunction, options: ApproximationsOptions = {}): Program {
  const { parties = PARTIES, network, prefer } = options;
  const owners = { [graph.outputs[0]!.name]: 'secret' as const };
  const known = { parties, owners, ...(network !== undefined && { network }), ...(prefer && { prefer }) };
  return secure(graph, securingOptions(graph, known));
}

/** How far results for these inputs are from the function, each relative to it where that is how its errors count. */
export function errorsOf(
  { definition, params, approximation }: Alternative,
  factor: number,
  inputs: Float64Array,
  results: Float64Array,
): Float64Array {
  const exact = approximation.reference ?? definition.of(params);
  return inputs.map((x, i) => {
    const wanted = exact(x * factor);
    return Math.abs(results[i]! - wanted) / (definition.relative ? Math.abs(wanted) : 1);
  });
}

/** Errors of a cleartext run on an interval. */
export async function errorCurve(
  alternative: Alternative,
  { factor }: CompiledFunction,
  program: Program,
  interval: Domain,
  fractionalBits: number = FRACTIONAL_BITS,
): Promise<ErrorCurve> {
  const inputs = inputsFor(alternative, interval, fractionalBits);
  const numbers = new Map([['x', inputs]]);
  const { outputs } = await runProgram(program, numbers, { seed: MEASURING_SEED, cleartext: true });
  const [results] = [...outputs.values()] as [Float64Array];
  return { operands: inputs.map((x) => x * factor), errors: errorsOf(alternative, factor, inputs, results) };
}

/** All operands that it is meant for, where they are more than those that it is compared on; products of them fit. */
function furtherThan({ domain, measured, definition }: Alternative): Domain | undefined {
  const isMore = domain.lo < measured.lo || domain.hi > measured.hi;
  const isBounded = Number.isFinite(domain.lo) && Number.isFinite(domain.hi);
  return isMore && isBounded && !definition.relative ? domain : undefined;
}

async function figuresOf(
  alternative: Alternative,
  compiled: CompiledFunction,
  options: ApproximationsOptions,
): Promise<ApproximationFigures> {
  const { parties = PARTIES, fractionalBits, network, prefer = 'total' } = options;
  const program = programOfFunction(compiled, options);
  const errorsOn = async (interval: Domain): Promise<Float64Array> =>
    (await errorCurve(alternative, compiled, program, interval, fractionalBits)).errors;
  const [errors, further] = [await errorsOn(alternative.measured), furtherThan(alternative)];
  const most = (list: Float64Array): number => list.reduce((a, b) => Math.max(a, b));
  const { nodes, total } = profile(program);
  const sum = (phase: Phase): number => nodes.reduce((bytes, node) => bytes + node[phase].bytes, 0);
  const bits = (phase: Phase): number => (8 * sum(phase)) / parties / POINTS;
  const { rounds } = total.online;
  const scaled = (phase: Phase) => ({ rounds, bytes: (sum(phase) * ELEMENTS) / POINTS });
  const communication = { setup: scaled('setup'), offline: scaled('offline'), online: scaled('online') };
  const link = network === undefined ? undefined : { parties, prefer, network: parseNetwork(network) };
  return {
    error: { max: most(errors), mean: errors.reduce((a, b) => a + b) / POINTS },
    ...(further && { furthest: most(await errorsOn(further)) }),
    rounds,
    online: bits('online'),
    offline: bits('offline'),
    ...(link && { seconds: estimate({ communication, choices: {} }, link, false) }),
  };
}

/** The cases of the functions that are asked for. */
function casesOf(wanted: readonly string[] | undefined): FunctionCase[] {
  const all = functionCases();
  const asked = ({ name, selector, definition }: FunctionCase, by: string): boolean =>
    [name, selector, definition.name].includes(by);
  const unknown = wanted?.find((name) => !all.some((c) => asked(c, name)));
  if (unknown === undefined) return all.filter((c) => wanted?.some((name) => asked(c, name)) ?? true);
  const message = `There is no function "${unknown}"; there are: ${all.map((c) => c.name).join(', ')}.`;
  throw new CryptorchError('INVALID_OPTION', message, { name: unknown });
}

/** An alternative compiled for both kinds of operands; undefined for a fitted one that has no form on its domain. */
function compiledFor(
  alternative: Alternative,
  options: ApproximationsOptions,
): Record<OperandKind, CompiledFunction> | undefined {
  const of = (kind: OperandKind): CompiledFunction =>
    compileFunction(alternative, alternative, kind, options);
  try {
    return { fixed: of('fixed'), product: of('product') };
  } catch (error) {
    if (alternative.approximation.of === undefined && CryptorchError.is(error, 'VALUE_RANGE'))
      return undefined;
    throw error;
  }
}

/** Alternatives of functions as they are measured, those that have a form. */
export function* compiledAlternatives(
  options: ApproximationsOptions,
  wanted: (alternative: Alternative) => boolean = () => true,
): Generator<CompiledAlternative> {
  for (const subject of casesOf(options.functions)) {
    const taken = printGraph(compileFunction(subject, undefined, 'fixed', options).graph);
    let isFound = false;
    for (const alternative of alternativesOf(subject).filter(wanted)) {
      const compiled = compiledFor(alternative, options);
      if (!compiled) continue;
      const isDefault: boolean = !isFound && printGraph(compiled.fixed.graph) === taken;
      isFound ||= isDefault;
      yield { alternative, ...compiled, isDefault };
    }
  }
}

/** The figures of an alternative for both kinds of operands. */
export async function measure(
  { alternative, isDefault, fixed, product }: CompiledAlternative,
  options: ApproximationsOptions = {},
): Promise<MeasuredApproximation> {
  const end = (x: number): number | null => (Number.isFinite(x) ? x : null);
  const { name, definition, approximation, knobs, domain, measured } = alternative;
  return {
    function: name,
    name: approximation.name,
    knobs,
    default: isDefault,
    ...(approximation.source !== undefined && { source: approximation.source }),
    domain: [end(domain.lo), end(domain.hi)],
    measured: [measured.lo, measured.hi],
    relative: definition.relative,
    fixed: await figuresOf(alternative, fixed, options),
    product: await figuresOf(alternative, product, options),
  };
}

/**
 * Measures every approximation of functions with every setting of its knobs: those of the package and those that were
 * registered with `defineApproximation`. Fitted approximations that are not exact enough on the function's domain are left
 * out.
 * @throws CryptorchError INVALID_OPTION for a function or a network that is not known, or options as of `compile`
 */
export async function approximations(options: ApproximationsOptions = {}): Promise<MeasuredApproximation[]> {
  const found: MeasuredApproximation[] = [];
  for (const compiled of compiledAlternatives(options)) found.push(await measure(compiled, options));
  return found;
}
