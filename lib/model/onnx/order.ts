// The order in which a model's nodes can be computed, and the checks that make one exist.
//
// Every name has exactly one definition and every input a name that is defined (single assignment); nodes are sorted
// topologically (Kahn), keeping the file's order where it is free; nodes that no output depends on are dropped.

import { namesRead } from './branches';
import type { GraphProto, NodeProto } from './onnx_pb';
import { invalidModel, quote } from './reader';

export interface OrderedNode {
  readonly proto: NodeProto;
  readonly name: string;
}

export interface OrderedNodes {
  readonly nodes: readonly OrderedNode[];
  /** Names that the nodes and the outputs read. */
  readonly used: ReadonlySet<string>;
}

/**
 * @param nodes those of the graph, calls of functions inlined
 * @param sources names that are defined outside the nodes: inputs, initializers
 * @throws CryptorchError INVALID_MODEL
 */
export function orderNodes(
  graph: GraphProto,
  nodes: readonly NodeProto[],
  sources: ReadonlySet<string>,
): OrderedNodes {
  const all = named(nodes);
  const producer = producers(all, sources);
  checkDefined(graph, all, sources, producer);
  return live(graph, sorted(all, producer));
}

/** Nodes with a unique name each: the file's, or operator and position. */
function named(protos: readonly NodeProto[]): OrderedNode[] {
  const taken = new Set(protos.map((p) => p.name));
  const seen = new Set<string>();
  return protos.map((proto, i) => {
    if (proto.opType === '')
      throw invalidModel(`Node ${i} has no operator. Export the model again.`, { index: i });
    let { name } = proto;
    if (name === '' || seen.has(name)) {
      const base = `${name || proto.opType}_${i}`;
      name = base;
      for (let k = 1; taken.has(name) || seen.has(name); k++) name = `${base}.${k}`;
    }
    seen.add(name);
    return { proto, name };
  });
}

function producers(nodes: readonly OrderedNode[], sources: ReadonlySet<string>): Map<string, number> {
  const producer = new Map<string, number>();
  nodes.forEach(({ proto, name }, i) => {
    for (const output of proto.output) {
      if (output === '') continue;
      const other = producer.get(output);
      if (other !== undefined || sources.has(output)) {
        const by = other === undefined ? 'an input or initializer' : `node ${quote(nodes[other]!.name)}`;
        throw invalidModel(
          `Node ${quote(name)} (${proto.opType}) produces ${quote(output)}, which ${by} defines already. Every value must have one name of its own.`,
          { node: name, value: output },
        );
      }
      producer.set(output, i);
    }
  });
  return producer;
}

function checkDefined(
  graph: GraphProto,
  nodes: readonly OrderedNode[],
  sources: ReadonlySet<string>,
  producer: ReadonlyMap<string, number>,
): void {
  const defined = (value: string): boolean => sources.has(value) || producer.has(value);
  for (const { proto, name } of nodes) {
    const missing = namesRead(proto).find((value) => !defined(value));
    if (missing !== undefined) {
      throw invalidModel(
        `Node ${quote(name)} (${proto.opType}) reads ${quote(missing)}, which nothing in the model defines. Export the model again.`,
        { node: name, value: missing },
      );
    }
  }
  for (const { name } of graph.output) {
    if (!defined(name)) {
      throw invalidModel(
        `Output ${quote(name)} is defined by nothing in the model. Export the model again.`,
        { value: name },
      );
    }
  }
}

/** The nodes in topological order, as near to the file's order as that allows. */
function sorted(
  nodes: readonly OrderedNode[],
  producer: ReadonlyMap<string, number>,
): readonly OrderedNode[] {
  const waiting = nodes.map(() => 0);
  const readers = nodes.map((): number[] => []);
  nodes.forEach(({ proto }, i) => {
    for (const value of namesRead(proto)) {
      const p = producer.get(value);
      if (p === undefined) continue;
      waiting[i]!++;
      readers[p]!.push(i);
    }
  });
  // One walk through the file. A reader that becomes ready further on is met there; one that was passed already is
  // taken at once.
  const order: OrderedNode[] = [];
  const visit = (start: number): void => {
    const ready = [start];
    for (let i = ready.pop(); i !== undefined; i = ready.pop()) {
      order.push(nodes[i]!);
      waiting[i] = -1;
      for (const r of readers[i]!) if (--waiting[r]! === 0 && r < start) ready.push(r);
    }
  };
  for (let i = 0; i < nodes.length; i++) if (waiting[i] === 0) visit(i);
  if (order.length < nodes.length) throw cycle(nodes, producer, waiting);
  return order;
}

function cycle(
  nodes: readonly OrderedNode[],
  producer: ReadonlyMap<string, number>,
  waiting: readonly number[],
): Error {
  // Going from any waiting node to one that it waits for ends in the cycle.
  const path: number[] = [];
  const at = new Map<number, number>();
  let i = waiting.findIndex((w) => w > 0);
  while (!at.has(i)) {
    at.set(i, path.length);
    path.push(i);
    i = namesRead(nodes[i]!.proto)
      .map((v) => producer.get(v))
      .find((p) => p !== undefined && waiting[p]! > 0)!;
  }
  const loop = path.slice(at.get(i)).reverse();
  const start = loop.indexOf(loop.reduce((a, b) => Math.min(a, b)));
  const names = [...loop.slice(start), ...loop.slice(0, start)].map((k) => nodes[k]!.name);
  const shown = names.slice(0, 8).map(quote).join(' -> ');
  return invalidModel(
    `The model is cyclic: ${shown}${names.length > 8 ? ' -> ...' : ''} -> ${quote(names[0]!)}. A value cannot depend on itself.`,
    { nodes: names },
  );
}

function live(graph: GraphProto, order: readonly OrderedNode[]): OrderedNodes {
  const used = new Set(graph.output.map((o) => o.name));
  const kept: OrderedNode[] = [];
  for (const node of [...order].reverse()) {
    if (!node.proto.output.some((o) => o !== '' && used.has(o))) continue;
    kept.push(node);
    for (const value of namesRead(node.proto)) used.add(value);
  }
  return { nodes: kept.reverse(), used };
}
