// Rewrites of the lowered graph, before it has scales: chains of reshapes, of public factors, of public terms
// and of negations become one operation each.

import type { Graph, Node, Value } from '../ir/graph';
import { type FloatTensor, sameShape, tensorOf, zip } from '../ops/array';
import { attributes, numbersAttr } from '../ops/core';
import { Rewriter } from './rewriter';

function constantOf(node: Node): FloatTensor {
  if (node.op === 'neg') return tensorOf([], [-1]);
  return { shape: numbersAttr(node, 'shape'), data: node.attrs.data as Float64Array };
}

type Merged = { readonly op: string; readonly attrs: object } | 'nothing' | undefined;

/** What two nodes in a row amount to. */
function merge(first: Node, second: Node): Merged {
  const factor = (n: Node) => n.op === 'mul_const' || n.op === 'neg';
  if (first.op === 'reshape' && second.op === 'reshape') return { op: 'reshape', attrs: second.attrs };
  if (first.op === 'neg' && second.op === 'neg') return 'nothing';
  if (factor(first) && factor(second)) {
    return { op: 'mul_const', attrs: zip(constantOf(first), constantOf(second), (a, b) => a * b) };
  }
  if (first.op === 'add_const' && second.op === 'add_const') {
    return { op: 'add_const', attrs: zip(constantOf(first), constantOf(second), (a, b) => a + b) };
  }
  return undefined;
}

export function simplifyCore(graph: Graph): Graph {
  const rewriter = new Rewriter(graph);
  const producers = new Map<Value, Node>();
  for (const old of graph.nodes) {
    let node: Node = { ...old, inputs: old.inputs.map((v) => rewriter.get(v)) };
    let dropped: Value | undefined;
    for (let first = producers.get(node.inputs[0]!); first; first = producers.get(node.inputs[0]!)) {
      const merged = merge(first, node);
      if (!merged) break;
      if (merged === 'nothing') {
        dropped = first.inputs[0]!;
        break;
      }
      node = { ...node, op: merged.op, attrs: attributes(merged.attrs), inputs: first.inputs };
    }
    if (
      !dropped &&
      node.op === 'reshape' &&
      sameShape(node.inputs[0]!.type.shape, node.outputs[0]!.type.shape) &&
      node.inputs[0]!.type.dtype === node.outputs[0]!.type.dtype
    ) {
      dropped = node.inputs[0]!;
    }
    if (dropped) {
      rewriter.set(old.outputs[0]!, dropped);
      continue;
    }
    const outputs = rewriter.node(node, { inputs: node.inputs });
    producers.set(outputs[0]!, { ...node, outputs });
    rewriter.set(old.outputs[0]!, outputs[0]!);
  }
  return rewriter.build('reshape');
}
