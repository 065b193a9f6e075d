// Conv(Pad(x)) -> Conv with that padding, where zeros are added around the spatial dimensions only.

import type { Graph, Node } from '../ir/graph';
import { toDoubles } from '../ops/context';
import { producersOf, Rewriter } from './rewriter';

/** Pads of a Pad node that a convolution can take over: all of them, dimensions N and C included. */
function spatialPads(graph: Graph, pad: Node | undefined): number[] | undefined {
  if (pad?.op !== 'Pad' || pad.inputs[3] || (pad.attrs.mode ?? 'constant') !== 'constant') return undefined;
  const known = (i: number) => {
    const constant = pad.inputs[i] && graph.constants.get(pad.inputs[i]);
    return constant && Array.from(toDoubles(constant.data));
  };
  const value = known(2)?.[0] ?? pad.attrs.value ?? 0;
  const pads = known(1) ?? (pad.attrs.pads as number[] | undefined);
  if (!pads || value !== 0) return undefined;
  const rank = pads.length / 2;
  const fits = pads.every((p, i) => p >= 0 && (p === 0 || i % rank > 1));
  return fits ? pads.filter((_, i) => i % rank > 1) : undefined;
}

export function mergePad(graph: Graph): Graph {
  const producers = producersOf(graph);
  const rewriter = new Rewriter(graph);
  for (const node of graph.nodes) {
    const before = producers.get(node.inputs[0]!);
    const pads = spatialPads(graph, before);
    if (node.op !== 'Conv' || !pads || (node.attrs.auto_pad ?? 'NOTSET') !== 'NOTSET') {
      rewriter.copy(node);
      continue;
    }
    const own = (node.attrs.pads as number[] | undefined) ?? pads.map(() => 0);
    const inputs = [before!.inputs[0]!, ...node.inputs.slice(1)].map((v) => rewriter.get(v));
    rewriter.copy(node, { inputs, attrs: { ...node.attrs, pads: own.map((p, i) => p + pads[i]!) } });
  }
  return rewriter.build('Identity');
}
