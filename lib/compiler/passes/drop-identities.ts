// Drops operators that change nothing at inference: Identity, Dropout, and casts within one kind of number.

import type { Graph, Node } from '../ir/graph';
import { Rewriter } from './rewriter';

const casts: ReadonlySet<string> = new Set(['Cast', 'CastLike']);

function isIdentity(node: Node): boolean {
  const [from, to] = [node.inputs[0]!.type.dtype, node.outputs[0]!.type.dtype];
  return node.op === 'Identity' || node.op === 'Dropout' || (casts.has(node.op) && from === to);
}

export function dropIdentities(graph: Graph): Graph {
  const rewriter = new Rewriter(graph);
  for (const node of graph.nodes) {
    if (!isIdentity(node)) {
      rewriter.copy(node);
      continue;
    }
    rewriter.set(node.outputs[0]!, rewriter.get(node.inputs[0]!));
    const mask = node.outputs[1];
    if (mask && mask.name !== '') {
      const data = new BigInt64Array(mask.type.shape.reduce((a, b) => a * b, 1)).fill(1n);
      rewriter.set(
        mask,
        rewriter.constant(mask.name, { ...mask.type, owner: 'public' }, { data, private: false }),
      );
    }
  }
  return rewriter.build('Identity');
}
