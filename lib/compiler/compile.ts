// From a model to everything that a run needs: import, passes, protocols, leakage check, predicted cost.

import { readFile } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { type Communication, type NodeCommunication, type Profile, profile } from '../cost/communication';
import { parseNetwork } from '../cost/network';
import { CryptorchError } from '../errors';
import { type ImportedModel, importOnnx } from '../model/onnx/import';
import { type ApproximationOptions, checkApproximation, DEFAULT_APPROXIMATION } from './approximations';
import { chooseKnobs, slicedBytes } from './choose';
import type { Graph, Node } from './ir/graph';
import { printGraph } from './ir/print';
import { checkLeakage } from './leakage';
import type { Domains } from './passes/domains';
import { lowered, type OptimizeOptions, optimize, type SeenRanges } from './passes/pipeline';
import { slackBounds } from './passes/slack';
import type { OnProblem } from './problem';
import { type Phase, type Program, programHash } from './program';
import type { Knobs } from './protocols/protocol';
import { type SecureOptions, secure } from './secure';
import { GraphWeights, type Weights } from './weights';

export type { Weights } from './weights';

/** A party's index, `secret` (known to nobody: it arrives or stays as shares) or, for outputs, `public` (every party). */
export type OwnerName = number | 'secret' | 'public';

/** What `compile` takes besides the model. Everything has a default. */
export interface CompileOptions {
  /** Computing parties, the dealer not counted. Default 2. */
  readonly parties?: number;
  /**
   * Who knows what: input and output names, and `weights`. Default: inputs and outputs party 0, weights party 1.
   */
  readonly owners?: Readonly<Record<string, OwnerName>>;
  /** Shapes of inputs by name, where the model leaves dimensions open. */
  readonly shapes?: Readonly<Record<string, readonly number[]>>;
  /** What a symbolic first dimension is, where its shape is not given. Default 1. */
  readonly batch?: number;
  /** Fractional bits of inputs and weights. Default 16. */
  readonly fractionalBits?: number;
  /**
   * Intervals of inputs by name, in real units. Ranges of other values follow, and narrow what is sent; inputs outside
   * are refused when a run starts.
   */
  readonly ranges?: Readonly<Record<string, readonly [number, number]>>;
  /**
   * What `calibrate()` saw on examples of inputs: values are then shared in rings just wide enough for what was seen and
   * its margin. A value beyond that wraps around and makes the result wrong. Ranges are part of the public program.
   */
  readonly calibration?: Omit<Calibration, 'values'> & Partial<Calibration>;
  /**
   * Truncations round downwards instead of by a public coin. Outputs then equal the model's fixed-point evaluation with
   * rescales rounded downwards, bit for bit and in every run, but for functions that are approximated by splines, Fourier
   * series or exponentials: these are rounded by their masks, within the stated slack. A truncation takes one more round.
   * Default false.
   */
  readonly exactTruncation?: boolean;
  /**
   * The network between the parties and the dealer: `lan`, `wan`, or bandwidth and round trip such as `400Mbit,4ms`. Forms
   * of comparisons are then chosen for every node by what they cost there. Default: what is fastest within a machine.
   */
  readonly network?: string;
  /** What choosing for a network makes short: `total` (default), or `online` where material is prepared well ahead. */
  readonly prefer?: 'online' | 'total';
  /** How functions are approximated, and how exactly (ARCHITECTURE.md, Approximations). */
  readonly approximation?: Partial<ApproximationOptions>;
  /** Parameters of protocols, for all nodes (ARCHITECTURE.md, Forms and knobs); what is chosen for a network replaces them. */
  readonly knobs?: Partial<Knobs>;
  /**
   * Between three and more parties, openings of at least this many bytes are cut: each slice is opened at one party, which
   * sends it on. Fewer bytes, one round more. Default 1 MiB, or what pays on `network`.
   */
  readonly slicedBytes?: number;
}

/** Intervals in real units: of inputs by name, and of what every operation of the compiled model gave. Plain data. */
export interface Calibration {
  /** Lowest and highest value of each input, by name; rounded outwards to powers of two, margin included. */
  readonly inputs: Readonly<Record<string, readonly [number, number]>>;
  /** The same for the result of every operation, in the order of the compiled graph. */
  readonly values: SeenRanges;
  /** Of the operands of approximated functions, by the node of the model and the function. */
  readonly domains?: Domains;
}

/** An input of a compiled model. */
export interface ModelInput {
  /** Name in the ONNX file. */
  readonly name: string;
  /** Batch dimension included. */
  readonly shape: readonly number[];
  /** Who supplies it, or learns it. */
  readonly owner: OwnerName;
}

/** An output of a compiled model. */
export interface ModelOutput extends ModelInput {
  /**
   * Bound on |output - exact arithmetic on the quantised inputs and weights| that rounding can cause, in real units;
   * null where there is none (an index). With `exactTruncation` rounding downwards belongs to that arithmetic, and the
   * bound is 0 for models without functions that are approximated by splines, Fourier series or exponentials.
   */
  readonly slack: number | null;
}

/** Predicted cost of one node of the model, per phase; bytes are summed over all senders and receivers. */
export interface LayerCost {
  /** Name of the model's node. */
  readonly name: string;
  /** ONNX operator, such as `Conv`. */
  readonly op: string;
  /** Shape of the node's result. */
  readonly shape: readonly number[];
  /** Which forms of its protocols were chosen, by subject. */
  readonly choices: Readonly<Record<string, string>>;
  /** Bytes and rounds, by phase. */
  readonly predicted: Readonly<Record<Phase, NodeCommunication>>;
}

/** A compiled model. Everything but `weights` is public. */
export class CompiledModel {
  /** The file's name, or the graph's where the model was given as bytes. */
  readonly name: string;
  /** Computing parties, the dealer not counted. */
  readonly parties: number;
  /** In the order of the file. */
  readonly inputs: readonly ModelInput[];
  /** In the order of the file. */
  readonly outputs: readonly ModelOutput[];
  /** Cost of every node of the model that computes something, in order. */
  readonly layers: readonly LayerCost[];
  /** Rounds, and bytes by party, of every phase: what a run will count. */
  readonly predicted: Communication;
  /** Names of initialisers that are part of the public program. */
  readonly publicInitializers: readonly string[];
  /** Names of initialisers that stay with the weights' owner. */
  readonly privateInitializers: readonly string[];
  /** SHA-256 of everything that the parties must agree on. */
  readonly hash: string;
  /** Seconds that compiling took. */
  readonly seconds: number;

  /** Made by `compile`. */
  constructor(
    imported: ImportedModel,
    /** Core operations on integers, every value with its scale and ring. Public but for the data of private constants. */
    readonly graph: Graph,
    /** The joint computation of all roles. Public. */
    readonly program: Program,
    /** Weights by name, as integers at their scale. **Private** to their owner. */
    readonly weights: Weights,
    slack: ReadonlyMap<string, number | null>,
    started: number,
  ) {
    this.name = graph.name;
    this.parties = program.parties;
    const named = (kind: 'input' | 'output'): ModelInput[] =>
      program.ios.filter((io) => io.kind === kind).map(({ name, shape, owner }) => ({ name, shape, owner }));
    this.inputs = named('input');
    this.outputs = named('output').map((o) => ({ ...o, slack: slack.get(o.name) ?? null }));
    const cost: Profile = profile(program);
    this.predicted = cost.total;
    this.layers = program.nodes.map(({ name, op, shape, choices = {} }, i) => ({
      name,
      op,
      shape,
      choices,
      predicted: cost.nodes[i] as LayerCost['predicted'],
    }));
    this.publicInitializers = imported.publicInitializers.map((i) => i.name);
    this.privateInitializers = imported.privateInitializers.map((i) => i.name);
    this.hash = programHash(program);
    this.seconds = (performance.now() - started) / 1000;
  }

  /** The compiled graph as text. */
  printIr(): string {
    return printGraph(this.graph);
  }
}

/**
 * Compiles an ONNX model to a program on secret shares. Nothing is sent and the native core is not loaded.
 * @param model path of an ONNX file (opset 11 to 23), with what it keeps in files of its folder; or the bytes of one file
 * @param options who knows what, batch, ranges, network
 * @throws CryptorchError FILE, INVALID_MODEL, INVALID_WEIGHTS, UNSUPPORTED_OPSET, UNSUPPORTED_OPERATOR,
 * UNSUPPORTED_ATTRIBUTE, UNSUPPORTED_DATA, INVALID_SHAPE, VALUE_RANGE or INVALID_OPTION; the message names the node or
 * the option, and what to do. LEAKAGE and INTERNAL are bugs of this package.
 */
export async function compile(
  model: string | Uint8Array,
  options: CompileOptions = {},
): Promise<CompiledModel> {
  const started = performance.now();
  checkParties(options.parties ?? 2);
  return compileImported(await importModel(model, options), options, started);
}

/** Compiles what `importModel` gave for the same options; `started` is when that began, in milliseconds. */
export function compileImported(
  imported: ImportedModel,
  options: CompileOptions,
  started: number,
): CompiledModel {
  const { graph, slack } = optimize(imported.graph, optimizing(imported, options));
  const securing = securingOptions(graph, options);
  const bounds = securing.knobs?.truncation === 'floor' ? slackBounds(graph, true) : slack;
  const program = secure(graph, securing);
  checkLeakage(program);
  return new CompiledModel(imported, graph, program, new GraphWeights(graph), bounds, started);
}

/**
 * What becomes of a core graph with these options: who learns what, and the forms of protocols of its nodes.
 * @throws CryptorchError INVALID_OPTION
 */
export function securingOptions(graph: Graph, options: CompileOptions): SecureOptions {
  const { owners = {} } = options;
  const parties = checkParties(options.parties ?? 2);
  checkOwners(owners, parties);
  const outputOwners = Object.fromEntries(graph.outputs.map((v) => [v.name, owners[v.name] ?? 0]));
  const knobs: Partial<Knobs> = {
    ...options.knobs,
    ...(options.exactTruncation && { truncation: 'floor' }),
  };
  const { network, prefer = 'total' } = options;
  if (network === undefined && options.prefer !== undefined) {
    const message = `prefer is "${options.prefer}", but nothing is chosen without a network; give network too.`;
    throw new CryptorchError('INVALID_OPTION', message);
  }
  const link = network === undefined ? undefined : parseNetwork(network);
  const forLink = link && chooseKnobs(graph, { parties, network: link, prefer, knobs });
  const choose = (node: Node): Partial<Knobs> => ({
    ...forLink?.(node),
    ...(makesOutput(node, graph) && { truncation: 'floor' }),
  });
  const least = options.slicedBytes ?? (link && slicedBytes(link, parties));
  return { parties, outputOwners, knobs, choose, ...(least !== undefined && { slicedBytes: least }) };
}

/**
 * The model in core operations on real numbers, its functions not approximated: for calibration.
 * @throws CryptorchError as `compile`
 */
export async function realGraph(model: string | Uint8Array, options: CompileOptions = {}): Promise<Graph> {
  const imported = await importModel(model, options);
  return lowered(imported.graph, optimizing(imported, options));
}

/** What `optimize` is given for these options. */
export function optimizing(
  imported: ImportedModel,
  { calibration, ...options }: CompileOptions,
): OptimizeOptions {
  return {
    fractionalBits: options.fractionalBits ?? 16,
    inputRanges: { ...calibration?.inputs, ...options.ranges },
    seen: calibration?.values,
    domains: calibration?.domains,
    approximation: checkApproximation({ ...DEFAULT_APPROXIMATION, ...options.approximation }),
    declaredOutputs: imported.declaredOutputs,
  };
}

/**
 * Whether a rescale makes an output. It rounds downwards: the public coin of a cheaper one, next to its result, would
 * tell the receiver a little of the digits below, and of more of them with every run.
 */
function makesOutput(node: Node, graph: Graph): boolean {
  return node.op === 'rescale' && node.outputs.some((v) => graph.outputs.includes(v));
}

/** Imports a model from its file, with what it keeps in files beside it, or from the file's bytes. */
export async function importModel(
  model: string | Uint8Array,
  { shapes, batch, owners }: CompileOptions,
  onProblem?: OnProblem,
): Promise<ImportedModel> {
  const options = { shapes, batch, owners, onProblem };
  if (typeof model !== 'string') return importOnnx(model, options);
  const name = basename(model);
  return importOnnx(await readModelFile(model), { ...options, name, folder: dirname(model) });
}

async function readModelFile(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (error) {
    const tooLarge = (error as NodeJS.ErrnoException).code === 'ERR_FS_FILE_TOO_LARGE';
    const message = tooLarge
      ? `The model ${path} is larger than 2 GiB, which no ONNX file can be: save it with onnx.save(model, path, save_as_external_data=True).`
      : `Cannot read the model ${path}: ${(error as Error).message}.`;
    throw new CryptorchError(tooLarge ? 'INVALID_MODEL' : 'FILE', message, { path }, error);
  }
}

/** Parties are bits of a 32-bit set, and a kernel takes at most 16 contributions. */
const MOST_PARTIES = 16;

function checkParties(parties: number): number {
  if (Number.isInteger(parties) && parties >= 2 && parties <= MOST_PARTIES) return parties;
  throw new CryptorchError(
    'INVALID_OPTION',
    `parties is ${parties}; give an integer from 2 to ${MOST_PARTIES}.`,
  );
}

function checkOwners(owners: Readonly<Record<string, OwnerName>>, parties: number): void {
  for (const [name, owner] of Object.entries(owners)) {
    if (typeof owner !== 'number' || owner < parties) continue;
    throw new CryptorchError(
      'INVALID_OPTION',
      `The owner of "${name}" is party ${owner}, but the parties are 0 to ${parties - 1}.`,
      { name },
    );
  }
}
