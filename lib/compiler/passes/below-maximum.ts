// x - max(x) along an axis, as Softmax takes it: what is known of it beyond the ranges of both.

import type { Graph, Node, Value } from '../ir/graph';
import { sameShape } from '../ops/array';
import { windowOf } from '../ops/core';
import { producersOf } from './rewriter';

/** Differences whose second operand is the maximum of all elements that share it in the first: none is above 0. */
export function belowMaximum(graph: Graph): ReadonlyMap<Node, Node> {
  const producers = producersOf(graph);
  const plain = (v: Value): Value => {
    const from = producers.get(v);
    return from?.op === 'reshape' ? plain(from.inputs[0]!) : v;
  };
  const found = new Map<Node, Node>();
  for (const node of graph.nodes) {
    if (node.op !== 'sub') continue;
    const [x, most] = node.inputs as [Value, Value];
    const pool = producers.get(plain(most));
    if (pool?.op !== 'max_pool' || plain(pool.inputs[0]!) !== plain(x)) continue;
    const [outer, k, inner] = x.type.shape;
    const { kernel, pads } = windowOf(pool);
    const rows =
      x.type.shape.length === 3 && kernel[0] === k && kernel[1] === 1 && pads.every((p) => p === 0);
    const column = [outer!, 1, inner!];
    const same =
      sameShape(pool.inputs[0]!.type.shape, x.type.shape) &&
      sameShape(pool.outputs[0]!.type.shape, column) &&
      sameShape(most.type.shape, column);
    if (rows && same) found.set(node, pool);
  }
  return found;
}
