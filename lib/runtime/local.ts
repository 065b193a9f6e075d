// Runs a program with its dealer and parties as threads of this process, over in-memory links: for demonstrations,
// tests and tuning. Everything that crosses a link is counted there, as it would be between machines.

import type { CompiledModel } from '../compiler/compile';
import type { Io, Phase, Program } from '../compiler/program';
import { encodePlan } from '../compiler/schedule/plan';
import { cleartextRole, dealerRole, project } from '../compiler/schedule/project';
import type { Communication, NodeCommunication } from '../cost/communication';
import { parseNetwork } from '../cost/network';
import { type InputArray, type Isa, type LocalConfig, type LocalProgress, native } from '../native';
import type { Tensor } from '../tensor';
import { type CountedNode, countNode, countPhase, eachPhase } from './counters';
import { asTensor, checkRange, namedInput, takeInputs } from './numbers';
import { drawSeeds, keysOf } from './seeds';

/** What `runLocal` takes besides the model and its inputs. */
export interface RunOptions {
  /** Makes a run repeatable. Whoever knows it knows every mask: for tests only. */
  readonly seed?: string | number;
  /** The same fixed-point arithmetic without shares, bit for bit what the parties would get with this seed. */
  readonly cleartext?: boolean;
  /** Called as steps are done: `done` of `total` in the phase. */
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
  /** Instruction set: `baseline`, `avx2`, `avx512core`, `avx512`. Default: the best of this machine. */
  readonly isa?: Isa;
  /** Emulates a network on every link: `lan`, `wan`, or bandwidth and round-trip time such as `400Mbit,4ms`. */
  readonly network?: string;
}

/** What a node of the model cost. */
export interface Layer {
  /** Name of the model's node. */
  readonly name: string;
  /** ONNX operator, such as `Conv`. */
  readonly op: string;
  /** Shape of the node's result. */
  readonly shape: readonly number[];
  /** Which forms of its protocols were chosen, by subject. */
  readonly choices: Readonly<Record<string, string>>;
  /** Online, as counted. */
  readonly rounds: number;
  /** Online, as counted, over all senders and receivers, without frame headers. */
  readonly bytes: number;
  /** Online, the largest time that any role spent on it, waiting included. */
  readonly seconds: number;
  /** Rounds and bytes by phase, as predicted. */
  readonly predicted: Readonly<Record<Phase, NodeCommunication>>;
  /** The same as counted, and seconds. */
  readonly counted: Readonly<Record<Phase, CountedNode>>;
}

/** Outputs of a run and what it cost. */
export interface RunResult {
  /** Outputs by name in real units: float32, or int64 for indices. */
  readonly outputs: Readonly<Record<string, Tensor>>;
  /** Time of compiling and of each phase. */
  readonly seconds: Readonly<Record<'compile' | Phase, number>>;
  /** Rounds and bytes; both sides are equal, or there is a bug. */
  readonly communication: {
    /** Read off the program. */
    readonly predicted: Communication;
    /** Counted by the transport. */
    readonly counted: Communication;
  };
  /** By node of the model, in order. */
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
 * Runs a compiled model on one batch, dealer and parties as threads of this process; outputs are in real units. Inputs have
 * the shapes of `model.inputs`, in any element type; they are copied.
 * @throws CryptorchError MISSING_INPUT, UNKNOWN_INPUT, INVALID_INPUT, VALUE_RANGE, OUT_OF_MEMORY, TIMEOUT, CANCELLED
 */
export async function runLocal(
  model: CompiledModel,
  inputs: Readonly<Record<string, Tensor>>,
  options: RunOptions = {},
): Promise<RunResult> {
  const ios = model.program.ios.filter((io) => io.kind === 'input');
  const taken = takeInputs(ios, inputs);
  checkRange(ios, taken);
  const numbers: Numbers = new Map([...taken, ...model.weights]);
  const run = await runProgram(model.program, numbers, options);
  const outputs = Object.fromEntries(
    model.program.ios.flatMap((io) => {
      const data = io.kind === 'output' ? run.outputs.get(io.name) : undefined;
      return data === undefined ? [] : [[io.name, asTensor(io, data)]];
    }),
  );
  const layers = model.layers.map(({ predicted, ...layer }, i): Layer => {
    const counted = run.nodes[i] as Layer['counted'];
    return { ...layer, ...counted.online, predicted, counted };
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
      throw namedInput(error, program);
    });
  const outputs = new Map<string, Float64Array | BigInt64Array>();
  program.ios.forEach((io, i) => {
    if (io.kind !== 'output') return;
    const role = options.cleartext || io.owner === 'public' ? 0 : io.owner;
    const data = role === 'secret' ? null : result.roles[role]?.outputs[i];
    if (data) outputs.set(io.name, data);
  });
  const counters = result.roles.map((r) => r.counters);
  const [parties, dealer] = options.cleartext
    ? [[], undefined]
    : [counters.slice(0, n), counters[dealerRole(n)]];
  return {
    outputs,
    seconds: result.seconds,
    counted: eachPhase((phase) => countPhase(parties, dealer, phase)),
    nodes: program.nodes.map((_, node) => eachPhase((phase) => countNode(parties, dealer, phase, node))),
    peakBytes: result.roles.map((r) => r.peakBytes),
  };
}

/** The numbers that a role is given: what it owns, and public constants. */
function inputOf(io: Io, role: number, n: number, numbers: Numbers): InputArray | undefined {
  if (io.kind === 'output' || role === dealerRole(n)) return undefined;
  if (io.data !== undefined) return BigInt64Array.from(io.data, BigInt);
  const mine = role === cleartextRole(n) || io.owner === role || typeof io.owner !== 'number';
  return mine ? numbers.get(io.name) : undefined;
}
