// Without what rounds outputs before they are revealed: that is no part of what an operator or a function costs.

import type { Graph } from '../ir/graph';

export function withoutOutputRounding(graph: Graph): Graph {
  const rounding = graph.nodes.filter((n) => n.op === 'rescale' && graph.outputs.includes(n.outputs[0]!));
  const before = new Map(rounding.map((n) => [n.outputs[0]!, n.inputs[0]!]));
  const nodes = graph.nodes.filter((n) => !rounding.includes(n));
  return { ...graph, nodes, outputs: graph.outputs.map((v) => before.get(v) ?? v) };
}
