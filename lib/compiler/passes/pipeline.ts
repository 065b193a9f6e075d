// The list of passes, from an imported graph to the core graph that protocols are chosen for.

import { CryptorchError } from '../../errors';
import type { Graph } from '../ir/graph';
import { verifyGraph } from '../ir/verify';
import { deadCode } from './dead-code';
import { dropIdentities } from './drop-identities';
import { fixedPoint } from './fixed-point';
import { foldBatchnorm } from './fold-batchnorm';
import { fuseRescale } from './fuse-rescale';
import { checkDeclared, type DeclaredShapes, inferShapes } from './infer-shapes';
import { lower } from './lower';
import { matmulAdd } from './matmul-add';
import { mergePad } from './merge-pad';
import { ranges } from './ranges';
import { reluAfterMax } from './relu-after-max';
import { simplifyCore } from './simplify-core';
import { slackBounds } from './slack';

export interface OptimizeOptions {
  /** Fractional bits of inputs and weights. */
  readonly fractionalBits: number;
  /** Shapes of outputs that the model's file declares: inferred ones must agree. */
  readonly declaredOutputs?: DeclaredShapes | undefined;
  /** Sees the graph after every pass. */
  readonly onPass?: ((name: string, graph: Graph) => void) | undefined;
}

export interface Optimized {
  /** Core operations only, every value with a scale. */
  readonly graph: Graph;
  /** Per output: the bound of ./slack.ts, null where there is none. */
  readonly slack: Map<string, number | null>;
}

interface Pass {
  readonly name: string;
  /** Afterwards the graph is one of core operations with scales. */
  readonly core?: boolean;
  readonly run: (graph: Graph, options: OptimizeOptions) => Graph;
}

export const passes: readonly Pass[] = [
  { name: 'infer-shapes', run: inferShapes },
  { name: 'drop-identities', run: dropIdentities },
  { name: 'merge-pad', run: mergePad },
  { name: 'matmul-add', run: matmulAdd },
  { name: 'fold-batchnorm', run: foldBatchnorm },
  { name: 'relu-after-max', run: reluAfterMax },
  { name: 'dead-nodes', run: (g) => deadCode(g, 'Identity') },
  { name: 'lower', run: lower },
  { name: 'simplify-core', run: simplifyCore },
  { name: 'dead-core', run: (g) => deadCode(g, 'reshape') },
  { name: 'ranges', run: ranges },
  { name: 'fixed-point', core: true, run: (g, options) => fixedPoint(g, options.fractionalBits) },
  { name: 'fuse-rescale', core: true, run: fuseRescale },
  { name: 'dead-code', core: true, run: (g) => deadCode(g, 'reshape') },
];

/**
 * Lowers an imported graph to core operations on fixed-point integers.
 * @throws CryptorchError UNSUPPORTED_OPERATOR, UNSUPPORTED_ATTRIBUTE, INVALID_SHAPE naming the node;
 * INVALID_WEIGHTS or VALUE_RANGE for constants that cannot be written at their scale; INVALID_OPTION.
 */
export function optimize(graph: Graph, options: OptimizeOptions): Optimized {
  const f = options.fractionalBits;
  if (!Number.isInteger(f) || f < 1 || f > 24) {
    throw new CryptorchError('INVALID_OPTION', `fractionalBits is ${f}; give an integer from 1 to 24.`);
  }
  let now = graph;
  for (const pass of passes) {
    now = pass.run(now, options);
    verifyGraph(now, pass.name, { core: pass.core === true });
    options.onPass?.(pass.name, now);
    if (pass.run === inferShapes && options.declaredOutputs) checkDeclared(now, options.declaredOutputs);
  }
  return { graph: now, slack: slackBounds(now) };
}
