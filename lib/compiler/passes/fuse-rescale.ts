// A rescale joins the Relu, LeakyRelu or Clip that follows it: both come from one opening of the unscaled
// value.
//
// Where others use the rescaled value too, the rescale stays for them: it takes the same opening of the same
// value, so it costs no further message. Otherwise nothing needs it any more and dead-code drops it.

import type { Graph } from '../ir/graph';
import { numberAttr } from '../ops/core';
import { producersOf, Rewriter } from './rewriter';

const fusing = new Set(['relu', 'leaky_relu', 'clip']);

export function fuseRescale(graph: Graph): Graph {
  const producers = producersOf(graph);
  const rewriter = new Rewriter(graph);
  for (const node of graph.nodes) {
    const before = producers.get(node.inputs[0]!);
    if (!fusing.has(node.op) || before?.op !== 'rescale') {
      rewriter.copy(node);
      continue;
    }
    const shift = numberAttr(before, 'bits') + numberAttr(node, 'shift');
    rewriter.copy(node, { inputs: [rewriter.get(before.inputs[0]!)], attrs: { ...node.attrs, shift } });
  }
  return rewriter.build('reshape');
}
