// Powers of a positive base take in what comes before them, on the lowered graph, before it has scales: a public factor or
// term becomes part of the base, and a power of a power is one power. So the square root of a variance with a divisor
// after it, as exporters write a normalisation, is one reciprocal root of a sum of squares.
//
// approximate power [e, a, b] of x is (b + a x)^e (../approximations/power.ts). Domains are given for x, so they follow.

import { findFunction } from '../approximations';
import type { Attributes, Graph, Node, Value } from '../ir/graph';
import { numbersAttr } from '../ops/core';
import { Rewriter } from './rewriter';

function isPower(node: Node): boolean {
  return node.op === 'approximate' && node.attrs.fn === 'power';
}

/** The one number of a public factor or term; undefined where there are several. */
function scalarOf(node: Node): number | undefined {
  const data = node.attrs.data as Float64Array;
  return data.length === 1 ? data[0] : undefined;
}

/** The attributes of a power that starts one operation earlier; undefined where it cannot. */
function merged(power: Attributes, before: Node): Attributes | undefined {
  const [e, a, b] = power.params as readonly number[] as [number, number, number];
  const [lo, hi] = [Number(power.lo), Number(power.hi)];
  if (before.op === 'add_const') {
    const term = scalarOf(before);
    return term === undefined
      ? undefined
      : { ...power, params: [e, a, b + a * term], lo: lo - term, hi: hi - term };
  }
  if (before.op === 'mul_const') {
    const factor = scalarOf(before);
    return factor === undefined || factor <= 0
      ? undefined
      : { ...power, params: [e, a * factor, b], lo: lo / factor, hi: hi / factor };
  }
  const odd = isPower(before) && findFunction('power').odd?.(numbersAttr(before, 'params')) !== undefined;
  if (isPower(before) && !odd && a === 1 && b === 0) {
    const [inner, ...base] = numbersAttr(before, 'params') as [number, number, number];
    const params = [inner * e, ...base];
    return { ...power, params, ...findFunction('power').domain(params) };
  }
  return undefined;
}

export function mergePowers(graph: Graph): Graph {
  const rewriter = new Rewriter(graph);
  /** By the values of the new graph. */
  const producers = new Map<Value, Node>();
  for (const old of graph.nodes) {
    let input = rewriter.get(old.inputs[0]!);
    let attrs = old.attrs;
    for (let before = producers.get(input); isPower(old) && before; before = producers.get(input)) {
      const now = merged(attrs, before);
      if (!now) break;
      attrs = now;
      input = before.inputs[0]!;
    }
    const inputs = old.inputs.map((v, i) => (i === 0 ? input : rewriter.get(v)));
    const outputs = rewriter.node(old, { inputs, attrs });
    outputs.forEach((v, i) => {
      rewriter.set(old.outputs[i]!, v);
      producers.set(v, { ...old, inputs, attrs, outputs });
    });
  }
  return rewriter.build('reshape');
}
