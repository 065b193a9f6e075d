// Softmax without its maximum, where ranges allow: e^(x - c) / sum e^(x - c) is the same for every c.
//
// With the upper end of a known range for c, exponents are at most 0, and as long as the range is narrow, the sum stays where
// its reciprocal is exact: terms are computed relative to themselves then, not to 1. The maximum is most of the rounds and
// half of the bytes of a Softmax.

import { type ApproximationOptions, DEFAULT_APPROXIMATION } from '../approximations';
import type { Graph, Node, Range, Value } from '../ir/graph';
import { belowMaximum } from './below-maximum';
import { deadCode } from './dead-code';
import { selectionsFor } from './fixed-point';
import { ranges } from './ranges';
import { consumersOf, Rewriter } from './rewriter';

/** Widest range: then a product of a term and the reciprocal of a sum still fits a word at the usual scales. */
const WIDEST = 8;

function known({ type: { range } }: Value): Range | undefined {
  return range === undefined || range.kind === 'assumed' ? undefined : range;
}

/**
 * Differences x - max(x) of which only terms of sums are taken, and the range of x. The maximum itself must be taken by
 * nothing else: a logarithm of a sum adds it again. Terms that are computed in a way that was asked for keep it, since that is
 * meant for them as they are.
 */
function skippable(graph: Graph, approximation: ApproximationOptions): Map<Node, Range> {
  const selections = selectionsFor(graph, approximation);
  // The terms become exponentials of another name.
  if (Object.hasOwn(approximation.functions, 'exp')) return new Map();
  const consumers = consumersOf(graph);
  const takenBy = (v: Value, node: Node): boolean =>
    !graph.outputs.includes(v) &&
    (consumers.get(v) ?? []).every((n) => n === node || (n.op === 'reshape' && takenBy(n.outputs[0]!, node)));
  const found = new Map<Node, Range>();
  for (const [node, pool] of belowMaximum(graph)) {
    const range = known(node.inputs[0]!);
    const terms = (consumers.get(node.outputs[0]!) ?? []).every(
      (n) => n.op === 'approximate' && n.attrs.fn === 'decay' && !selections.has(n),
    );
    const plain = !graph.outputs.includes(node.outputs[0]!);
    if (range && range.hi - range.lo <= WIDEST && terms && plain && takenBy(pool.outputs[0]!, node))
      found.set(node, range);
  }
  return found;
}

/** Needs ranges, and finds them again. */
export function skipMaximum(
  graph: Graph,
  approximation: ApproximationOptions = DEFAULT_APPROXIMATION,
): Graph {
  const skipped = skippable(graph, approximation);
  return skipped.size === 0 ? graph : ranges(deadCode(without(graph, skipped), 'reshape'));
}

function without(graph: Graph, skipped: ReadonlyMap<Node, Range>): Graph {
  const rewriter = new Rewriter(graph);
  /** By how much less than 1 the least of these may be: terms, and sums of them. */
  const less = new Map<Value, number>();
  for (const node of graph.nodes) {
    const range = skipped.get(node);
    const [x, out] = [node.inputs[0]!, node.outputs[0]!];
    const factor = less.get(x);
    if (range !== undefined) {
      const attrs = { data: Float64Array.of(-range.hi), shape: [] };
      rewriter.copy(node, { op: 'add_const', inputs: [rewriter.get(x)], attrs });
      less.set(out, Math.exp(range.lo - range.hi));
    } else if (factor !== undefined && node.op === 'approximate' && node.attrs.fn === 'decay') {
      const attrs = { ...node.attrs, fn: 'exp', lo: Math.log(factor), hi: 0, known: false };
      rewriter.copy(node, { attrs });
      less.set(out, factor);
    } else if (factor !== undefined && node.op === 'approximate') {
      rewriter.copy(node, { attrs: { ...node.attrs, lo: Number(node.attrs.lo) * factor } });
    } else {
      rewriter.copy(node);
      if (factor !== undefined && (node.op === 'sum' || node.op === 'reshape')) less.set(out, factor);
    }
  }
  return rewriter.build('reshape');
}
