// What values of a compiled model may be, and which of them were something else: intervals of inputs, ranges that were
// proven, calibrated or assumed, domains of approximations, and what fits the bits that values are opened in.

import { namesOf } from '../compiler/approximations';
import type { Graph, Node, Range, Value } from '../compiler/ir/graph';
import { comparedBits, INTEGER_BITS, magnitudeOf, magnitudeOfDifference, shiftOf } from '../compiler/widths';
import { type LeftDomain, leftDomains } from './calibrate-domains';
import type { Interval } from './examples';

/** What kind of bound it is: one of an input, a range by what it rests on, a domain, the ring, or none that exists. */
export type BoundKind = 'input' | Range['kind'] | 'domain' | 'ring' | 'undefined';

/** A value outside of what the model was compiled for. */
export interface ExceededBound {
  /** Name of the model's node, or of the input. */
  readonly layer: string;
  /** ONNX operator of the node; `Input` for an input. */
  readonly op: string;
  /** `undefined` where the exact result is no number. */
  readonly bound: BoundKind;
  /** Which value of the layer. */
  readonly what: string;
  /** Where it had to be, null for an end that there is not; null where there is no number. */
  readonly limits: readonly [number | null, number | null] | null;
  /** What it was: of several, the one furthest outside; null where there is no number. */
  readonly value: number | null;
  /** What to do. */
  readonly remedy: string;
}

/** What values were, by position: of inputs, of nodes, and what results had to be on the operands that they had. */
export interface SeenValues {
  readonly inputs: readonly (Interval | undefined)[];
  readonly values: readonly (Interval | undefined)[];
  readonly wanted: ReadonlyMap<Value, Interval>;
  /** Results of which some element is no number. */
  readonly noNumbers: ReadonlySet<Value>;
  /** Functions of the model whose operands left the domains of their approximations. */
  readonly left: readonly LeftDomain[];
}

const REMEDIES: Readonly<Record<BoundKind, string>> = {
  input:
    'A run refuses it: give the input a wider range, calibrate on examples like these, or scale the data.',
  proven: 'It follows from something before it that was exceeded: mend that first.',
  calibrated: 'Calibrate on examples like these as well, or with a larger margin.',
  assumed: 'Calibrate on examples like these, so that its range is known.',
  domain:
    'Calibrate on examples like these, or with a larger margin: functions are then made for such operands. Take another ' +
    'approximation for this node, if one was asked for by name.',
  ring: 'The result may be wrong: calibrate on examples like these, or compile with fewer fractional bits.',
  undefined: 'Its operands are outside of where the operator exists: correct the model or the data.',
};

/** Limits that were computed in doubles are off by this, relative to the larger one. */
const ROUNDING = 2 ** -40;

/** The end of what was seen that is outside of the limits, the further one; undefined where none is. */
function beyond(seen: Interval, [lo, hi]: readonly [number, number], room = 0): number | undefined {
  const most = room + ROUNDING * Math.max(Math.abs(lo), Math.abs(hi));
  const [below, above] = [lo - seen.lo, seen.hi - hi];
  if (below <= most && above <= most) return undefined;
  return below > above ? seen.lo : seen.hi;
}

const DIFFERING: ReadonlySet<string> = new Set(['max_pool', 'arg_max', 'rank']);

class Bounds {
  private readonly found = new Map<string, ExceededBound>();

  constructor(
    private readonly graph: Graph,
    private readonly seen: SeenValues,
  ) {}

  private add(
    at: { readonly layer: string; readonly op: string },
    bound: BoundKind,
    what: string,
    limits: readonly [number | null, number | null] | null,
    value: number | null | undefined,
  ): void {
    if (value === undefined) return;
    const { layer, op } = at;
    // A value that is only moved is one.
    const key = JSON.stringify([layer, bound, limits, value]);
    if (this.found.has(key)) return;
    this.found.set(key, { layer, op, bound, what, limits, value, remedy: REMEDIES[bound] });
  }

  private input(v: Value, seen: Interval | undefined): void {
    const { range, scale = 0 } = v.type;
    if (!seen || !range) return;
    const limits = [range.lo, range.hi] as const;
    this.add(
      { layer: v.name, op: 'Input' },
      'input',
      'input',
      limits,
      beyond(seen, limits, 2 ** -(scale + 1)),
    );
  }

  /** Integers that do not fit the bits that they are compared or truncated in. */
  private operand(node: Node, seen: Interval | undefined): void {
    const opens = comparedBits(node) > 0 || shiftOf(node) > 0 || node.op === 'polynomial';
    const { type } = node.inputs[0]!;
    const differs = DIFFERING.has(node.op);
    const k = differs ? magnitudeOfDifference(type) : magnitudeOf(type);
    if (!opens || !seen || k === undefined) return;
    const limit = 0.75 * 2 ** (k - (type.scale ?? 0));
    const limits = [-limit, limit] as const;
    const value = beyond(differs ? { lo: 0, hi: seen.hi - seen.lo } : seen, limits);
    this.add(
      layerOf(node),
      'ring',
      `${differs ? 'difference of operands' : 'operand'} of ${node.op}`,
      limits,
      value,
    );
  }

  private result(node: Node, seen: Interval | undefined): void {
    const [result] = node.outputs as [Value];
    const { range, scale = 0 } = result.type;
    const what = `result of ${node.op}`;
    if (range && seen) {
      const limits = [range.lo, range.hi] as const;
      this.add(layerOf(node), range.kind, what, limits, beyond(seen, limits));
    }
    // What has wrapped around is small again: the exact result tells.
    const limit = 2 ** (INTEGER_BITS - scale);
    for (const own of [seen, this.seen.wanted.get(result)])
      if (own) this.add(layerOf(node), 'ring', what, [-limit, limit], beyond(own, [-limit, limit]));
    if (this.seen.noNumbers.has(result)) this.add(layerOf(node), 'undefined', 'exact result', null, null);
  }

  run(): ExceededBound[] {
    const { inputs, values } = this.seen;
    const known = new Map<Value, Interval | undefined>();
    this.graph.inputs.forEach((v, i) => {
      this.input(v, inputs[i]);
      known.set(v, inputs[i]);
    });
    const told = new Set<string>();
    for (const { node, lo, hi, value } of this.seen.left) {
      told.add(node.name);
      this.add(layerOf(node), 'domain', `operand of ${namesOf(node)[0]}`, [end(lo), end(hi)], value);
    }
    // What an approximation makes of an operand may leave the domain of a polynomial or a table within it.
    const left = new Map(leftDomains(this.graph, values, inputs).map((d) => [d.node, d]));
    this.graph.nodes.forEach((node, i) => {
      const domain = told.has(node.name) ? undefined : left.get(node);
      if (domain) {
        const { lo, hi, value } = domain;
        this.add(layerOf(node), 'domain', `operand of ${node.op}`, [lo, hi], value);
      }
      this.operand(node, known.get(node.inputs[0]!));
      this.result(node, values[i]);
      known.set(node.outputs[0]!, values[i]);
    });
    return [...this.found.values()];
  }
}

function end(x: number): number | null {
  return Number.isFinite(x) ? x : null;
}

function layerOf(node: Node): { layer: string; op: string } {
  return { layer: node.name, op: node.origin };
}

/** Everything that was outside of what the graph was compiled for: inputs, functions, then in the order of the graph. */
export function exceededBounds(graph: Graph, seen: SeenValues): ExceededBound[] {
  return new Bounds(graph, seen).run();
}
