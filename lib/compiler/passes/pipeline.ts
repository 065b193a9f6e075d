// The list of passes, from an imported graph to the core graph that protocols are chosen for.

import { CryptorchError } from '../../errors';
import type { ApproximationOptions } from '../approximations';
import type { Graph, Range, Type, Value } from '../ir/graph';
import { verifyGraph } from '../ir/verify';
import { INTEGER_BITS } from '../widths';
import { deadCode } from './dead-code';
import { type Domains, setDomains } from './domains';
import { dropIdentities } from './drop-identities';
import { fixedPoint } from './fixed-point';
import { foldBatchnorm } from './fold-batchnorm';
import { fuseRescale } from './fuse-rescale';
import { checkDeclared, type DeclaredShapes, inferShapes } from './infer-shapes';
import { lower } from './lower';
import { matmulAdd } from './matmul-add';
import { mergePad } from './merge-pad';
import { mergePowers } from './merge-powers';
import { raise } from './raise';
import { ranges } from './ranges';
import { reluAfterMax } from './relu-after-max';
import { Rewriter } from './rewriter';
import { ringWidths } from './ring-widths';
import { simplifyCore } from './simplify-core';
import { skipMaximum } from './skip-maximum';
import { slackBounds } from './slack';

/** What `optimize` takes besides the graph. */
export interface OptimizeOptions {
  /** Fractional bits of inputs and weights. */
  readonly fractionalBits: number;
  /** Intervals of inputs by name, in real units; inputs outside are refused when a run starts. */
  readonly inputRanges?: Readonly<Record<string, readonly [number, number]>> | undefined;
  /** Ranges that a calibration found, of the results of the core graph's nodes. */
  readonly seen?: SeenRanges | undefined;
  /** Where the operands of approximated functions are, as a calibration found. */
  readonly domains?: Domains | undefined;
  /** How functions are approximated. */
  readonly approximation?: ApproximationOptions | undefined;
  /** Shapes of outputs that the model's file declares: inferred ones must agree. */
  readonly declaredOutputs?: DeclaredShapes | undefined;
  /** Sees the graph after every pass. */
  readonly onPass?: ((name: string, graph: Graph) => void) | undefined;
}

/** A lowered graph with its bounds. */
export interface Optimized {
  /** Core operations only, every value with a scale. */
  readonly graph: Graph;
  /** Per output: the bound of ./slack.ts, null where there is none. */
  readonly slack: Map<string, number | null>;
}

/** What a calibration saw of one node's result, margin included, in real units. */
export interface SeenRange {
  /** Name of the node, which tells whether it is of this model. */
  readonly node: string;
  /** Lowest value. */
  readonly lo: number;
  /** Highest value. */
  readonly hi: number;
}

/** Ranges of the results of core nodes, by position. */
export type SeenRanges = readonly SeenRange[];

/** @throws CryptorchError INVALID_OPTION for intervals that are none, or of no input */
function declareRanges(
  graph: Graph,
  declared: Readonly<Record<string, readonly [number, number]>>,
  fractionalBits: number,
): Graph {
  const limit = 2 ** (INTEGER_BITS - fractionalBits);
  for (const [name, [lo, hi]] of Object.entries(declared)) {
    if (!graph.inputs.some((v) => v.name === name)) {
      const names = graph.inputs.map((v) => v.name).join(', ');
      throw new CryptorchError(
        'INVALID_OPTION',
        `A range is given for "${name}", but the inputs are: ${names}.`,
      );
    }
    if (lo > -limit && lo <= hi && hi < limit) continue;
    throw new CryptorchError(
      'INVALID_OPTION',
      `The range of "${name}" is [${lo}, ${hi}]; give two numbers between -${limit} and ${limit}, the lower one first.`,
    );
  }
  const ranged = (v: Value): Type => {
    if (v.type.dtype === 'bool') return { ...v.type, range: { kind: 'proven', lo: 0, hi: 1 } };
    const range = Object.hasOwn(declared, v.name) ? declared[v.name] : undefined;
    return range ? { ...v.type, range: { kind: 'proven', lo: range[0], hi: range[1] } } : v.type;
  };
  const rewriter = new Rewriter(graph, ranged);
  for (const node of graph.nodes) rewriter.copy(node);
  return rewriter.build('Identity');
}

/** @throws CryptorchError INVALID_OPTION where they were seen in another model */
function seenBy(graph: Graph, seen: SeenRanges | undefined): (Range | undefined)[] {
  if (seen === undefined) return [];
  const same = seen.length === graph.nodes.length && graph.nodes.every((n, i) => n.name === seen[i]?.node);
  if (!same) {
    throw new CryptorchError(
      'INVALID_OPTION',
      'The calibration belongs to another model, or to other compile options; calibrate again.',
    );
  }
  return graph.nodes.map((n, i) => {
    const { lo, hi } = seen[i]!;
    if (!(lo <= hi)) {
      throw new CryptorchError(
        'INVALID_OPTION',
        `The calibration says [${lo}, ${hi}] of node "${n.name}"; calibrate again.`,
      );
    }
    return n.outputs[0]!.type.dtype === 'fixed' ? { kind: 'calibrated', lo, hi } : undefined;
  });
}

/** A function from a graph to a graph, by name. */
export interface Pass {
  /** For messages and printed graphs. */
  readonly name: string;
  /** Afterwards the graph is one of core operations with scales. */
  readonly core?: boolean;
  /** Builds a new graph; the old one stays what it was. */
  readonly run: (graph: Graph, options: OptimizeOptions) => Graph;
}

/** All passes in the order in which they run. */
export const passes: readonly Pass[] = [
  { name: 'infer-shapes', run: inferShapes },
  { name: 'drop-identities', run: dropIdentities },
  { name: 'raise', run: raise },
  { name: 'merge-pad', run: mergePad },
  { name: 'matmul-add', run: matmulAdd },
  { name: 'fold-batchnorm', run: foldBatchnorm },
  { name: 'relu-after-max', run: reluAfterMax },
  { name: 'dead-nodes', run: (g) => deadCode(g, 'Identity') },
  { name: 'lower', run: lower },
  { name: 'simplify-core', run: simplifyCore },
  { name: 'merge-powers', run: mergePowers },
  { name: 'dead-core', run: (g) => deadCode(g, 'reshape') },
  { name: 'domains', run: (g, options) => setDomains(g, options.domains) },
  { name: 'ranges', run: (g) => ranges(g) },
  { name: 'skip-maximum', run: (g, options) => skipMaximum(g, options.approximation) },
  {
    name: 'fixed-point',
    core: true,
    run: (g, options) => fixedPoint(g, options.fractionalBits, options.approximation),
  },
  { name: 'fuse-rescale', core: true, run: fuseRescale },
  { name: 'dead-code', core: true, run: (g) => deadCode(g, 'reshape') },
  { name: 'integer-ranges', core: true, run: (g, options) => ranges(g, seenBy(g, options.seen)) },
  { name: 'ring-widths', core: true, run: ringWidths },
];

/**
 * Lowers an imported graph to core operations on fixed-point integers.
 * @throws CryptorchError UNSUPPORTED_OPERATOR, UNSUPPORTED_ATTRIBUTE, INVALID_SHAPE naming the node;
 * INVALID_WEIGHTS or VALUE_RANGE for constants that cannot be written at their scale; INVALID_OPTION.
 */
export function optimize(graph: Graph, options: OptimizeOptions): Optimized {
  const now = run(graph, options);
  return { graph: now, slack: slackBounds(now) };
}

/**
 * The graph of core operations on real numbers, functions not approximated yet: what the passes up to the one that dead
 * operations are removed by make of a model.
 * @throws CryptorchError as `optimize`
 */
export function lowered(graph: Graph, options: OptimizeOptions): Graph {
  return run(graph, options, upTo('dead-core'));
}

/**
 * What becomes of a graph of core operations on real numbers, with functions that are not approximated yet.
 * @throws CryptorchError as `optimize`
 */
export function inFixedPoint(graph: Graph, options: OptimizeOptions): Graph {
  return run(graph, options, passes.slice(upTo('dead-core').length));
}

function upTo(last: string): readonly Pass[] {
  return passes.slice(0, passes.findIndex(({ name }) => name === last) + 1);
}

function run(graph: Graph, options: OptimizeOptions, list: readonly Pass[] = passes): Graph {
  const f = options.fractionalBits;
  if (!Number.isInteger(f) || f < 1 || f > 24) {
    throw new CryptorchError('INVALID_OPTION', `fractionalBits is ${f}; give an integer from 1 to 24.`);
  }
  let now = declareRanges(graph, options.inputRanges ?? {}, f);
  for (const pass of list) {
    now = pass.run(now, options);
    verifyGraph(now, pass.name, { core: pass.core === true });
    options.onPass?.(pass.name, now);
    if (pass.run === inferShapes && options.declaredOutputs) checkDeclared(now, options.declaredOutputs);
  }
  return now;
}
