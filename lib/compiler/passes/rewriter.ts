// Rebuilding a graph: what every pass starts from.
//
// A rewriter walks a graph's values to values of a graph under construction. Inputs are taken over as they
// are, constants when something uses them. At the end every output gets its name back and a node of its own,
// so that outputs are told apart by name after any pass.

import type { Attributes, Constant, Graph, Node, Type, Value } from '../ir/graph';
import { GraphBuilder } from '../ir/graph';

export class Rewriter {
  readonly builder: GraphBuilder;
  private readonly to = new Map<Value, Value>();

  constructor(
    readonly graph: Graph,
    inputType: (v: Value) => Type = (v) => v.type,
  ) {
    this.builder = new GraphBuilder(graph.name, graph.opset);
    for (const v of graph.inputs) this.to.set(v, this.builder.input(v.name, inputType(v)));
  }

  /** The new value that stands for an old one. */
  get(old: Value): Value {
    const known = this.to.get(old);
    if (known) return known;
    const constant = this.graph.constants.get(old);
    if (!constant) throw new Error(`value ${old.name} is used before it is computed`);
    return this.set(old, this.builder.constant(old.name, old.type, constant));
  }

  has(old: Value): boolean {
    return this.to.has(old) || this.graph.constants.has(old);
  }

  set(old: Value, now: Value): Value {
    this.to.set(old, now);
    return now;
  }

  constant(name: string, type: Type, constant: Constant): Value {
    return this.builder.constant(name, type, constant);
  }

  /** Appends a node like `from`; its outputs keep the names of the old ones, with the given types. */
  node(
    from: Node,
    change: { op?: string; inputs?: readonly Value[]; types?: readonly Type[]; attrs?: Attributes } = {},
  ): Value[] {
    const types = change.types ?? from.outputs.map((v) => v.type);
    const inputs = change.inputs ?? from.inputs.map((v) => this.get(v));
    const outputs = from.outputs.map((v, i) => this.builder.value(v.name, types[i]!));
    const { name, origin } = from;
    const [op, attrs] = [change.op ?? from.op, change.attrs ?? from.attrs];
    const branches = from.branches && { branches: from.branches };
    const id = this.builder.nodes.length;
    this.builder.nodes.push({ id, name, origin, op, inputs, outputs, attrs, ...branches });
    return outputs;
  }

  /** Takes a node over and maps its outputs. */
  copy(from: Node, change: Parameters<Rewriter['node']>[1] = {}): void {
    this.node(from, change).forEach((v, i) => {
      this.set(from.outputs[i]!, v);
    });
  }

  /**
   * The new graph. `identity` is the operation that gives an input or a constant a name of its own as an
   * output.
   */
  build(identity: 'Identity' | 'reshape'): Graph {
    const outputs = this.graph.outputs.map((old) => ({ name: old.name, value: this.get(old) }));
    const produced = new Set(this.builder.nodes.flatMap((n) => n.outputs));
    const renamed = new Map<Value, Value>();
    const final = outputs.map(({ name, value }) => {
      if (produced.has(value) && !renamed.has(value)) {
        const own = value.name === name ? value : { ...value, name };
        renamed.set(value, own);
        return own;
      }
      const attrs = identity === 'reshape' ? { shape: value.type.shape } : {};
      const from = { name, origin: 'Identity' };
      const out = this.builder.node(from, identity, [value], [value.type], attrs)[0]!;
      const own = { ...out, name };
      renamed.set(out, own);
      return own;
    });
    const now = (v: Value) => renamed.get(v) ?? v;
    const nodes = this.builder.nodes.map((n) => ({
      ...n,
      inputs: n.inputs.map(now),
      outputs: n.outputs.map(now),
    }));
    const carriers = this.carriers(produced, now);
    return { ...this.builder.build(final), nodes, ...(carriers && { carriers }) };
  }

  private carriers(
    produced: ReadonlySet<Value>,
    now: (v: Value) => Value,
  ): ReadonlyMap<Value, Value> | undefined {
    const { carriers } = this.graph;
    return (
      carriers &&
      new Map(
        [...carriers].flatMap(([result, old]) => {
          const value = this.to.get(old);
          return value && produced.has(value) ? [[result, now(value)] as const] : [];
        }),
      )
    );
  }
}

/** Nodes that use a value, for every value that is used. */
export function consumersOf(graph: Graph): Map<Value, Node[]> {
  const uses = new Map<Value, Node[]>();
  for (const node of graph.nodes) {
    for (const v of node.inputs) {
      const known = uses.get(v);
      if (known) known.push(node);
      else uses.set(v, [node]);
    }
  }
  return uses;
}

/** The node that computes a value, for every value that is computed. */
export function producersOf(graph: Graph): Map<Value, Node> {
  return new Map(graph.nodes.flatMap((n) => n.outputs.map((v) => [v, n] as const)));
}
