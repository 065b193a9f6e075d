// Drops nodes and constants that no output depends on. Inputs stay: they are the interface of the model.

import type { Graph, Value } from '../ir/graph';
import { Rewriter } from './rewriter';

export function deadCode(graph: Graph, identity: 'Identity' | 'reshape'): Graph {
  const live = new Set<Value>(graph.outputs);
  for (const node of [...graph.nodes].reverse()) {
    if (!node.outputs.some((v) => live.has(v))) continue;
    for (const v of node.inputs) live.add(v);
  }
  const rewriter = new Rewriter(graph);
  for (const node of graph.nodes) {
    if (node.outputs.some((v) => live.has(v))) rewriter.copy(node);
  }
  return rewriter.build(identity);
}
