// MaxPool(Relu(x)) -> Relu(MaxPool(x)), for every activation f that never decreases: max f(x_i) = f(max x_i).
//
// Activations cost messages per element, and after the pool there are fewer of them. Applies where the pool
// alone uses the activation and returns fewer elements than it takes.

import { elementCount, type Graph, type Node } from '../ir/graph';
import { consumersOf, producersOf, Rewriter } from './rewriter';

function neverDecreases(node: Node): boolean {
  if (node.op === 'LeakyRelu') return Number(node.attrs.alpha ?? 0.01) >= 0;
  return node.op === 'Relu' || node.op === 'Clip';
}

export function reluAfterMax(graph: Graph): Graph {
  const consumers = consumersOf(graph);
  const producers = producersOf(graph);
  const outputs = new Set(graph.outputs);
  const elements = (node: Node) => elementCount(node.outputs[0]!.type.shape);
  /** The pool that an activation moves behind. */
  const poolOf = (node: Node): Node | undefined => {
    const [user, ...others] = consumers.get(node.outputs[0]!) ?? [];
    if (!neverDecreases(node) || !user || others.length > 0 || outputs.has(node.outputs[0]!))
      return undefined;
    return user.op === 'MaxPool' && elements(user) < elements(node) ? user : undefined;
  };
  const rewriter = new Rewriter(graph);
  for (const node of graph.nodes) {
    if (poolOf(node)) continue;
    const before = producers.get(node.inputs[0]!);
    if (!before || poolOf(before) !== node) {
      rewriter.copy(node);
      continue;
    }
    const [x, ...bounds] = before.inputs.map((v) => rewriter.get(v));
    const [pooled] = rewriter.node(node, { inputs: [x!] });
    const [result] = rewriter.node(
      { ...before, outputs: [node.outputs[0]!] },
      { inputs: [pooled!, ...bounds] },
    );
    rewriter.set(node.outputs[0]!, result!);
  }
  return rewriter.build('Identity');
}
