// Who has to see the opening of a value, looking ahead over all its consumers.
//
// A product with weights that one party holds needs the opening of its other factor at that party only. If every
// operator that opens a value is such a product, of one and the same holder, the value is opened for that holder
// alone; a single other consumer needs an opening that everybody sees, which then serves the products too.

import type { Graph, Node, Value } from './ir/graph';
import { belowMaximum } from './passes/below-maximum';
import { consumersOf } from './passes/rewriter';
import type { PartySet } from './program';

const PRODUCTS: ReadonlySet<string> = new Set(['mul', 'matmul', 'conv2d']);
const OPENING: ReadonlySet<string> = new Set([
  ...PRODUCTS,
  'rescale',
  'polynomial',
  'piecewise',
  'relu',
  'leaky_relu',
  'clip',
  'max_pool',
  'arg_max',
  'spline',
  'fourier',
  'lookup',
  'exponential',
  'rank',
  'step',
  'equals',
  'lift',
]);

/** Audience that an operator needs for the opening of its i-th input; 0 stands for everybody, null for no opening. */
function audience(node: Node, i: number): PartySet | null {
  if (!OPENING.has(node.op)) return null;
  if (!PRODUCTS.has(node.op)) return 0;
  const [one, other] = [node.inputs[i] as Value, node.inputs[1 - i] as Value];
  // The opened bit chooses between public values.
  if ((one.type.dtype === 'bool') !== (other.type.dtype === 'bool')) return 0;
  if (other.type.owner === 'public') return null;
  return typeof other.type.owner === 'number' ? 2 ** other.type.owner : 0;
}

/**
 * Operands of maxima that are opened anyway: x where x - max(x) is opened, since that takes the openings of x and of its
 * maxima, of which there are few (protocols/linear.ts).
 */
export function openedLater(graph: Graph): ReadonlySet<Value> {
  const consumers = consumersOf(graph);
  const opens = (v: Value): boolean =>
    (consumers.get(v) ?? []).some((n) =>
      n.op === 'reshape' ? opens(n.outputs[0]!) : OPENING.has(n.op) && !PRODUCTS.has(n.op),
    );
  const differences = [...belowMaximum(graph)].filter(([node]) => opens(node.outputs[0]!));
  return new Set(differences.map(([, pool]) => pool.inputs[0]!));
}

/** For values that only one party has to see opened: that party. */
export function openingHints(graph: Graph): Map<Value, PartySet> {
  const audiences = new Map<Value, Set<PartySet>>();
  const of = (v: Value): Set<PartySet> => audiences.get(v) ?? new Set();
  for (const node of [...graph.nodes].reverse()) {
    node.inputs.forEach((v, i) => {
      const known = of(v);
      const needed = audience(node, i);
      if (needed !== null) known.add(needed);
      if (node.op === 'reshape') for (const a of of(node.outputs[0] as Value)) known.add(a);
      audiences.set(v, known);
    });
  }
  const hints = new Map<Value, PartySet>();
  for (const [v, set] of audiences) {
    const [only] = set;
    if (set.size === 1 && only !== undefined && only !== 0) hints.set(v, only);
  }
  // A reshaped value is the same shares: whatever its source needs, it needs.
  for (const node of graph.nodes) {
    if (node.op !== 'reshape') continue;
    const [from, to] = [node.inputs[0] as Value, node.outputs[0] as Value];
    const hint = hints.get(from);
    if (hint === undefined) hints.delete(to);
    else hints.set(to, hint);
  }
  return hints;
}
