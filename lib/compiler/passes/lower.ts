// From ONNX operators to core operations, each by the `lower` of its definition. Scales come later: data,
// bounds and factors in attributes are still real numbers.

import type { Graph } from '../ir/graph';
import { LowerContext } from '../ops/context';
import { CoreEmitter } from '../ops/emit';
import { findOp } from '../ops/index';
import { Rewriter } from './rewriter';

export function lower(graph: Graph): Graph {
  const rewriter = new Rewriter(graph);
  for (const node of graph.nodes) {
    const inputs = node.inputs.map((v) => {
      if (v.name === '') return undefined;
      const constant = graph.constants.get(v);
      return { type: constant ? v.type : rewriter.get(v).type, constant };
    });
    const types = node.outputs.map((v) => v.type);
    const core = new CoreEmitter(rewriter.builder, node);
    const value = (i: number) => rewriter.get(node.inputs[i]!);
    const c = new LowerContext(node, inputs, types, core, value, graph.opset);
    findOp(node.op)!.lower!(c).forEach((v, i) => {
      rewriter.set(node.outputs[i]!, v);
    });
  }
  return rewriter.build('reshape');
}
