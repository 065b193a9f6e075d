// Rings: in how many low bits every value is shared and opened, from what its consumers need of it.
//
// Backwards from the outputs, which need what their range says: linear operators hand on what their result needs, the
// others need what ../widths.ts says. A truncation may open bits enough for an exact shift instead of repairing a
// wrapped mask; where the shifted value is opened again right away, that saves the second opening. A value without a
// known range takes a whole word, and so does everything that it is computed from by linear operators.

import type { Graph, Node, Value } from '../ir/graph';
import { numberAttr } from '../ops/core';
import { cellBits } from '../ops/lookup';
import {
  BOOLEAN_BITS,
  comparedBits,
  magnitudeOf,
  repairBits,
  shiftOf,
  shrinkBits,
  WORD_BITS,
} from '../widths';
import { consumersOf, Rewriter } from './rewriter';

const CONTRACTIONS: ReadonlySet<string> = new Set(['matmul', 'conv2d']);
/** Whose powers need a truncation's masks, if only by no bits. */
const POLYNOMIALS: ReadonlySet<string> = new Set(['polynomial', 'piecewise']);
const TRUNCATING: ReadonlySet<string> = new Set([...POLYNOMIALS, 'rescale', 'relu', 'leaky_relu', 'clip']);

/** They open their operand as it is. */
const TABLES: ReadonlySet<string> = new Set(['spline', 'exponential', 'fourier', 'lookup']);

const COMPARISONS: ReadonlySet<string> = new Set([
  'arg_max',
  'rank',
  'step',
  'equals',
  'spline',
  'exponential',
]);

/** Bits that an output is revealed in. */
function outputBits(v: Value): number {
  const magnitude = magnitudeOf(v.type);
  return magnitude === undefined ? WORD_BITS : magnitude + 1;
}

class Widths {
  private readonly needed = new Map<Value, number>();
  private readonly consumers: ReadonlyMap<Value, readonly Node[]>;

  constructor(private readonly graph: Graph) {
    this.consumers = consumersOf(graph);
  }

  private need(v: Value, bits: number): void {
    const most = v.type.dtype === 'bool' ? BOOLEAN_BITS : WORD_BITS;
    this.needed.set(v, Math.min(most, Math.max(this.needed.get(v) ?? 1, bits)));
  }

  /** Whether a rescaled value is opened by whoever needs it, but for element-wise products, which do without. */
  private isOpenedNext(v: Value): boolean {
    const nodes = this.consumers.get(v) ?? [];
    const opens = (n: Node): boolean =>
      CONTRACTIONS.has(n.op) || TABLES.has(n.op) || (n.op === 'reshape' && this.isOpenedNext(n.outputs[0]!));
    return nodes.some(opens) && nodes.every((n) => n.op === 'mul' || opens(n));
  }

  /** Bits of its operand that a truncating operator opens. */
  private opened(node: Node, ring: number): number {
    if (shiftOf(node) === 0 && !POLYNOMIALS.has(node.op)) return Math.max(ring, comparedBits(node));
    const [repair, shrink] = [repairBits(node), shrinkBits(node, ring)];
    const again = node.op === 'rescale' && this.isOpenedNext(node.outputs[0]!) ? ring : 0;
    return shrink <= WORD_BITS && shrink <= repair + again ? shrink : repair;
  }

  private operandBits(node: Node, ring: number): number {
    if (TRUNCATING.has(node.op)) return this.opened(node, ring);
    if (node.op === 'max_pool') return Math.max(ring, comparedBits(node));
    if (COMPARISONS.has(node.op)) return comparedBits(node);
    if (node.op === 'fourier') return numberAttr(node, 'period');
    if (node.op === 'lookup') return numberAttr(node, 'below') + cellBits(node);
    return ring;
  }

  run(): Graph {
    for (const v of this.graph.outputs) this.need(v, outputBits(v));
    for (const node of [...this.graph.nodes].reverse()) {
      const ring = this.needed.get(node.outputs[0]!) ?? WORD_BITS;
      const bits = this.operandBits(node, ring);
      for (const v of node.inputs) this.need(v, bits);
    }
    const typed = (v: Value) => ({ ...v.type, ring: this.needed.get(v) ?? WORD_BITS });
    const rewriter = new Rewriter(this.graph, typed);
    for (const [v, constant] of this.graph.constants)
      rewriter.set(v, rewriter.constant(v.name, typed(v), constant));
    for (const node of this.graph.nodes) rewriter.copy(node, { types: node.outputs.map(typed) });
    return rewriter.build('reshape');
  }
}

/** Gives every value of a core graph the ring that its shares are kept in. */
export function ringWidths(graph: Graph): Graph {
  return new Widths(graph).run();
}
