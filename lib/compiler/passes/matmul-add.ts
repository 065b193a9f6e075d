// Add(MatMul(x, W), c) -> Gemm(x, W, c), where W and c are constants and c broadcasts into the product: one
// layer of the model is one node, and a normalisation that follows can be folded into it.

import type { Graph, Node } from '../ir/graph';
import { broadcastShapes, sameShape } from '../ops/array';
import { consumersOf, producersOf, Rewriter } from './rewriter';

export function matmulAdd(graph: Graph): Graph {
  const consumers = consumersOf(graph);
  const producers = producersOf(graph);
  const outputs = new Set(graph.outputs);
  /** The product under an Add, and which input the constant is. */
  const productOf = (add: Node): { product: Node; bias: 0 | 1 } | undefined => {
    if (add.op !== 'Add') return undefined;
    const bias = graph.constants.has(add.inputs[0]!) ? 0 : 1;
    const [sum, term] = [add.inputs[1 - bias]!, add.inputs[bias]!];
    const product = producers.get(sum);
    if (product?.op !== 'MatMul' || consumers.get(sum)!.length > 1 || outputs.has(sum)) return undefined;
    const matrices = product.inputs.every((v) => v.type.shape.length === 2);
    const constants = graph.constants.has(term) && graph.constants.has(product.inputs[1]!);
    const within = broadcastShapes(sum.type.shape, term.type.shape) ?? [];
    return matrices && constants && sameShape(within, sum.type.shape) ? { product, bias } : undefined;
  };
  const rewriter = new Rewriter(graph);
  for (const node of graph.nodes) {
    const user = consumers.get(node.outputs[0]!)?.[0];
    if (user && productOf(user)?.product === node) continue;
    const found = productOf(node);
    if (!found) {
      rewriter.copy(node);
      continue;
    }
    const inputs = [...found.product.inputs, node.inputs[found.bias]!].map((v) => rewriter.get(v));
    const from = { ...found.product, origin: 'Gemm', outputs: node.outputs };
    rewriter.set(node.outputs[0]!, rewriter.node(from, { op: 'Gemm', inputs, attrs: {} })[0]!);
  }
  return rewriter.build('Identity');
}
