// An ONNX-level graph on doubles, by the references of its operators. Shapes must have been inferred.

import type { Graph, Value } from '../ir/graph';
import type { FloatTensor } from './array';
import { OpContext, toDoubles } from './context';
import { findOp } from './index';

/**
 * Outputs of the graph for one array per input, in the graph's order. `instead` sees every computed value, and says what
 * is computed with in its place.
 */
export function evaluate(
  graph: Graph,
  inputs: readonly ArrayLike<number>[],
  instead: (v: Value, computed: FloatTensor) => FloatTensor = (_, computed) => computed,
): FloatTensor[] {
  const values = new Map<Value, FloatTensor>();
  graph.inputs.forEach((v, i) => {
    values.set(v, { shape: v.type.shape, data: Float64Array.from(inputs[i]!) });
  });
  for (const [v, constant] of graph.constants) {
    values.set(v, { shape: v.type.shape, data: toDoubles(constant.data) });
  }
  for (const node of graph.nodes) {
    const present = node.inputs.map((v) => (v.name === '' ? undefined : v));
    const known = present.map((v) => v && { type: v.type, constant: graph.constants.get(v) });
    const types = node.outputs.map((v) => v.type);
    const ins = present.map((v) => v && values.get(v)!);
    findOp(node.op)!
      .reference(new OpContext(node, known, types, graph.opset), ins)
      .forEach((t, i) => {
        if (node.outputs[i]) values.set(node.outputs[i], instead(node.outputs[i], t));
      });
  }
  return graph.outputs.map((v) => values.get(v)!);
}
