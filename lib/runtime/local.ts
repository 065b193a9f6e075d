// Runs a program with its dealer and parties as threads of this process, over in-memory links: for demonstrations,
// tests and tuning. Everything that crosses a link is counted there, as it would be between machines.

import type { CompiledModel, Weights } from '../compiler/compile';
import { type Io, PHASES, type Phase, type Program } from '../compiler/program';
import { encodePlan } from '../compiler/schedule/plan';
import { cleartextRole, dealerRole, project } from '../compiler/schedule/project';
import type { Communication, NodeCommunication, PhaseCommunication } from '../cost/communication';
import { CryptorchError } from '../errors';
import {
  type InputArray,
  type Isa,
  type LocalConfig,
  type LocalProgress,
  native,
  type PhaseCounters,
} from '../native';
import { checkTensor, type Tensor } from '../tensor';
import { parseNetwork } from './network';
import { drawSeeds, keysOf } from './seeds';

export interface RunOptions {
  /** Makes a run repeatable. Whoever knows it knows every mask: for tests only. */
  readonly seed?: string | number;
  /** The same fixed-point arithmetic without shares, bit for bit what the parties would get with this seed. */
  readonly cleartext?: boolean;
  readonly onProgress?: (event: {
    readonly phase: Phase;
    readonly done: number;
    readonly total: number;
  }) => void;
  /** Most bytes that all roles together may take. Default: the memory of the machine. */
  readonly memoryLimit?: number;
  /** Threads computing at the same time. Default: the number of cores. */
  readonly threads?: number;
  /** Milliseconds after which the run fails. Default: none. */
  readonly timeout?: number;
  /** Cancels the run. */
  readonly signal?: AbortSignal;
  /** Instruction set: `baseline`, `avx2`, `avx512`. Default: the best of this machine. */
  readonly isa?: Isa;
  /** Emulates a network on every link: `lan`, `wan`, or bandwidth and round-trip time such as `400Mbit,4ms`. */
  readonly network?: string;
}

/** What one node of the model caused, as counted; bytes are summed over all senders and receivers. */
export interface CountedNode extends NodeCommunication {
  /** Largest time that any role spent on it, waiting included. */
  readonly seconds: number;
}

export interface Layer {
  readonly name: string;
  readonly op: string;
  readonly shape: readonly number[];
  /** Online, as counted. */
  readonly rounds: number;
  readonly bytes: number;
  readonly seconds: number;
  readonly predicted: Readonly<Record<Phase, NodeCommunication>>;
  readonly counted: Readonly<Record<Phase, CountedNode>>;
}

export interface RunResult {
  readonly outputs: Readonly<Record<string, Tensor>>;
  readonly seconds: Readonly<Record<'compile' | Phase, number>>;
  readonly communication: { readonly predicted: Communication; readonly counted: Communication };
  readonly layers: readonly Layer[];
  /** Bytes of memory planned for each party, then for the dealer. */
  readonly peakBytes: readonly number[];
}

/** Numbers for the inputs and weights of a program, by name. */
export type Numbers = ReadonlyMap<string, InputArray>;

/** What the program layer gives: outputs by name as numbers, and counters. */
export interface ProgramRun {
  readonly outputs: ReadonlyMap<string, Float64Array | BigInt64Array>;
  readonly seconds: Readonly<Record<Phase, number>>;
  readonly counted: Communication;
  readonly nodes: readonly Readonly<Record<Phase, CountedNode>>[];
  readonly peakBytes: readonly number[];
}

/**
 * Runs a compiled model on one batch; outputs are in real units.
 * @throws CryptorchError MISSING_INPUT, UNKNOWN_INPUT, INVALID_INPUT, VALUE_RANGE, OUT_OF_MEMORY, TIMEOUT, CANCELLED
 */
export async function runLocal(
  model: CompiledModel,
  inputs: Readonly<Record<string, Tensor>>,
  options: RunOptions = {},
): Promise<RunResult> {
  const numbers = new Map([...checkInputs(model, inputs), ...weightNumbers(model.weights)]);
  const run = await runProgram(model.program, numbers, options);
  const outputs = Object.fromEntries(
    model.program.ios.flatMap((io) => {
      const data = io.kind === 'output' ? run.outputs.get(io.name) : undefined;
      return data === undefined ? [] : [[io.name, asTensor(io, data)]];
    }),
  );
  const layers = model.layers.map(({ name, op, shape, predicted }, i): Layer => {
    const counted = run.nodes[i] as Layer['counted'];
    return { name, op, shape, ...counted.online, predicted, counted };
  });
  return {
    outputs,
    seconds: { compile: model.seconds, ...run.seconds },
    communication: { predicted: model.predicted, counted: run.counted },
    layers,
    peakBytes: run.peakBytes,
  };
}

/** Everything the core needs to run a program: every role's plan, seeds and numbers. */
export function localConfig(program: Program, numbers: Numbers, options: RunOptions = {}): LocalConfig {
  const n = program.parties;
  const seeds = drawSeeds(n, options.seed);
  const integers = program.ios.flatMap((io, i) => (io.kind === 'output' && io.dtype !== 'fixed' ? [i] : []));
  const roles = options.cleartext ? [cleartextRole(n)] : Array.from({ length: n + 1 }, (_, r) => r);
  return {
    plans: roles.map((role) => encodePlan(project(program, role))),
    keys: roles.map((role) => keysOf(seeds, n, role)),
    inputs: roles.map((role) => program.ios.map((io) => inputOf(io, role, n, numbers))),
    integers: roles.map(() => integers),
    shareSeed: seeds.inputs,
    ...(options.memoryLimit !== undefined && { memoryLimit: options.memoryLimit }),
    ...(options.threads !== undefined && { threads: options.threads }),
    ...(options.timeout !== undefined && { timeoutMs: options.timeout }),
    ...(options.isa !== undefined && { isa: options.isa }),
    ...(options.network !== undefined && { network: parseNetwork(options.network) }),
  };
}

/** Runs a program on numbers for its inputs and weights. */
export async function runProgram(
  program: Program,
  numbers: Numbers,
  options: RunOptions = {},
): Promise<ProgramRun> {
  const n = program.parties;
  const { onProgress, signal } = options;
  const observers = {
    ...(signal && { signal }),
    ...(onProgress && {
      onProgress: ({ phase, steps, of }: LocalProgress) => onProgress({ phase, done: steps, total: of }),
    }),
  };
  const result = await native()
    .runLocal(localConfig(program, numbers, options), observers)
    .catch((error: unknown) => {
      throw named(error, program);
    });
  const outputs = new Map<string, Float64Array | BigInt64Array>();
  program.ios.forEach((io, i) => {
    if (io.kind !== 'output') return;
    const role = options.cleartext || io.owner === 'public' ? 0 : io.owner;
    const data = role === 'secret' ? null : result.roles[role]?.outputs[i];
    if (data) outputs.set(io.name, data);
  });
  const counters = result.roles.map((r) => r.counters);
  return {
    outputs,
    seconds: result.seconds,
    counted: each((phase) => countPhase(counters, phase, n)),
    nodes: program.nodes.map((_, node) => each((phase) => countNode(counters, phase, node, n))),
    peakBytes: result.roles.map((r) => r.peakBytes),
  };
}

function each<T>(f: (phase: Phase) => T): Record<Phase, T> {
  return Object.fromEntries(PHASES.map((phase) => [phase, f(phase)])) as Record<Phase, T>;
}

type RoleCounters = Readonly<Record<Phase, PhaseCounters>>;

function countPhase(roles: readonly RoleCounters[], phase: Phase, n: number): PhaseCommunication {
  const sent = (role: number): readonly number[] => roles[role]?.[phase].bytesSent ?? [];
  const parties = Array.from({ length: n }, (_, p) => p);
  return {
    rounds: Math.max(0, ...roles.map((r) => r[phase].clock)),
    bytesSent: parties.map((p) => sent(p).reduce((a, b) => a + b, 0)),
    dealerBytes: parties.map((p) => sent(dealerRole(n))[p] ?? 0),
  };
}

/** Rounds of a node: exchanges between parties that it takes part in, and one for whatever the dealer sends it. */
function countNode(roles: readonly RoleCounters[], phase: Phase, node: number, n: number): CountedNode {
  const counters = roles.map((r) => r[phase].nodes.find((c) => c.node === node));
  const dealt = counters[dealerRole(n)]?.exchanges ?? 0;
  const exchanges = counters.slice(0, n).map((c) => c?.exchanges ?? 0);
  return {
    rounds: Math.max(0, ...exchanges) - dealt + Math.min(dealt, 1),
    bytes: counters.reduce((sum, c) => sum + (c?.bytes ?? 0), 0),
    seconds: Math.max(0, ...counters.map((c) => c?.seconds ?? 0)),
  };
}

/** The numbers that a role is given: what it owns, and public constants. */
function inputOf(io: Io, role: number, n: number, numbers: Numbers): InputArray | undefined {
  if (io.kind === 'output' || role === dealerRole(n)) return undefined;
  if (io.data !== undefined) return BigInt64Array.from(io.data, BigInt);
  const mine = role === cleartextRole(n) || io.owner === role || typeof io.owner !== 'number';
  return mine ? numbers.get(io.name) : undefined;
}

function weightNumbers(weights: Weights): [string, InputArray][] {
  return [...weights];
}

/** Tensors as arrays the core reads, after checking names, shapes and types. */
function checkInputs(model: CompiledModel, inputs: Readonly<Record<string, Tensor>>): [string, InputArray][] {
  const names = model.inputs.map((i) => i.name);
  const extra = Object.keys(inputs).find((name) => !names.includes(name));
  if (extra !== undefined) {
    throw new CryptorchError(
      'UNKNOWN_INPUT',
      `The model has no input "${extra}"; its inputs are ${names.join(', ')}.`,
      { input: extra, inputs: names },
    );
  }
  return model.inputs.map(({ name, shape }) => {
    if (!Object.hasOwn(inputs, name)) {
      const message = `Input "${name}" of shape [${shape.join(', ')}] is missing; give a tensor for every input: ${names.join(', ')}.`;
      throw new CryptorchError('MISSING_INPUT', message, { input: name, inputs: names });
    }
    const tensor = checkTensor(inputs[name], `Input "${name}"`);
    if (tensor.shape.join() !== shape.join()) {
      const message = `Input "${name}" has shape [${tensor.shape.join(', ')}], but the model was compiled for [${shape.join(', ')}]. Compile it for this shape, or reshape the input.`;
      throw new CryptorchError('INVALID_INPUT', message, {
        input: name,
        shape: tensor.shape,
        expected: shape,
      });
    }
    return [name, asInput(tensor)];
  });
}

function asInput({ data }: Tensor): InputArray {
  if (
    data instanceof Float32Array ||
    data instanceof Float64Array ||
    data instanceof Int32Array ||
    data instanceof BigInt64Array
  )
    return data;
  return Float64Array.from(data as ArrayLike<number>, Number);
}

function asTensor(io: Io, data: Float64Array | BigInt64Array): Tensor {
  const shape = [...io.shape];
  if (data instanceof BigInt64Array) return { shape, dtype: 'int64', data };
  return { shape, dtype: 'float32', data: Float32Array.from(data) };
}

/** The core knows inputs by number; people know them by name. */
function named(error: unknown, program: Program): unknown {
  if (!CryptorchError.is(error)) return error;
  const io = typeof error.details.io === 'number' ? program.ios[error.details.io] : undefined;
  if (io === undefined) return error;
  const what = io.kind === 'weight' ? `Weight "${io.name}"` : `Input "${io.name}"`;
  if (error.code !== 'ERR_CRYPTORCH_VALUE_RANGE')
    return new CryptorchError(
      nameOf(error),
      `${what}: ${error.message}`,
      { ...error.details, input: io.name },
      error,
    );
  const index = Number(error.details.index);
  const limit = 2 ** (62 - io.scale);
  const reason =
    { nan: 'is not a number', infinite: 'is infinite' }[String(error.details.reason)] ?? 'is too large';
  const message = `${what}: the value at [${position(index, io.shape).join(', ')}] ${reason}; with ${io.scale} fractional bits, values must lie between -${limit} and ${limit}.`;
  return new CryptorchError(
    'VALUE_RANGE',
    message,
    { input: io.name, index, position: position(index, io.shape), reason: error.details.reason, limit },
    error,
  );
}

function nameOf(error: CryptorchError): ConstructorParameters<typeof CryptorchError>[0] {
  return error.code.replace('ERR_CRYPTORCH_', '') as ConstructorParameters<typeof CryptorchError>[0];
}

function position(index: number, shape: readonly number[]): number[] {
  const result: number[] = [];
  let rest = index;
  for (const dim of [...shape].reverse()) {
    result.unshift(rest % dim);
    rest = Math.floor(rest / dim);
  }
  return result;
}
