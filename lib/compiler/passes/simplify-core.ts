// Rewrites of the lowered graph, before it has scales: chains of reshapes, of public factors, of public terms
// and of negations become one operation each, and so do equal operations on the same values.

import type { Graph, Node, Value } from '../ir/graph';
import { type FloatTensor, sameShape, tensorOf, zip } from '../ops/array';
import { attributes, numbersAttr } from '../ops/core';
import { consumersOf, Rewriter } from './rewriter';

function constantOf(node: Node): FloatTensor {
  if (node.op === 'neg') return tensorOf([], [-1]);
  return { shape: numbersAttr(node, 'shape'), data: node.attrs.data as Float64Array };
}

/** Bounds of a relu or a clip. */
function boundsOf(node: Node): readonly [number, number] {
  if (node.op === 'relu') return [0, Number.POSITIVE_INFINITY];
  const { lo, hi } = node.attrs as { lo: number | null; hi: number | null };
  return [lo ?? Number.NEGATIVE_INFINITY, hi ?? Number.POSITIVE_INFINITY];
}

/** Two bounds in a row are one clip, unless they cross. */
function clipped(first: Node, second: Node): Merged {
  const [[lo, hi], [least, most]] = [boundsOf(first), boundsOf(second)];
  const [low, high] = [Math.max(lo, least), Math.min(hi, most)];
  if (low >= high) return undefined;
  const bound = (b: number): number | null => (Number.isFinite(b) ? b : null);
  if (low === 0 && high === Number.POSITIVE_INFINITY) return { op: 'relu', attrs: { shift: 0 } };
  return { op: 'clip', attrs: { lo: bound(low), hi: bound(high), shift: 0 } };
}

type Merged = { readonly op: string; readonly attrs: object } | 'nothing' | undefined;

/** What two nodes in a row amount to; `alone`: nothing else uses the first. */
function merge(first: Node, second: Node, alone: boolean): Merged {
  const factor = (n: Node) => n.op === 'mul_const' || n.op === 'neg';
  if (first.op === 'reshape' && second.op === 'reshape') return { op: 'reshape', attrs: second.attrs };
  if (first.op === 'neg' && second.op === 'neg') return 'nothing';
  if (factor(first) && factor(second)) {
    return { op: 'mul_const', attrs: zip(constantOf(first), constantOf(second), (a, b) => a * b) };
  }
  const bounds = (n: Node) => n.op === 'relu' || n.op === 'clip';
  if (alone && bounds(first) && bounds(second)) return clipped(first, second);
  if (first.op === 'add_const' && second.op === 'add_const') {
    return { op: 'add_const', attrs: zip(constantOf(first), constantOf(second), (a, b) => a + b) };
  }
  return undefined;
}

/** Elements of attributes up to which operations are compared with each other. */
const COMPARED = 256;

/** Equal for operations that compute the same; undefined where that is not looked at. */
function keyOf(node: Node): string | undefined {
  let large = false;
  const plain = (_: string, a: unknown): unknown => {
    if (typeof a === 'bigint') return String(a);
    if (!ArrayBuffer.isView(a)) return a;
    const data = a as Float64Array | BigInt64Array;
    large ||= data.length > COMPARED;
    return large ? null : Array.from(data, String);
  };
  const { shape, dtype } = node.outputs[0]!.type;
  const key = JSON.stringify([node.op, node.inputs.map((v) => v.id), node.attrs, shape, dtype], plain);
  return large ? undefined : key;
}

/** A product with a boolean as a number takes the boolean itself: its opening is one bit. */
function byBoolean(node: Node, producers: ReadonlyMap<Value, Node>): readonly Value[] {
  const [a, b] = node.inputs as [Value, Value];
  if (node.op !== 'mul' || a === b) return node.inputs;
  for (const [number, other] of [
    [b, a],
    [a, b],
  ] as const) {
    const before = producers.get(number);
    if (before?.op === 'lift' && other.type.dtype === number.type.dtype) return [other, before.inputs[0]!];
  }
  return node.inputs;
}

export function simplifyCore(graph: Graph): Graph {
  const rewriter = new Rewriter(graph);
  const producers = new Map<Value, Node>();
  const computed = new Map<string, Value>();
  const consumers = consumersOf(graph);
  /** Values of the new graph that one node alone uses. */
  const single = new Set<Value>();
  const usedOnce = (v: Value): boolean => consumers.get(v)?.length === 1 && !graph.outputs.includes(v);
  for (const old of graph.nodes) {
    let node: Node = { ...old, inputs: old.inputs.map((v) => rewriter.get(v)) };
    node = { ...node, inputs: byBoolean(node, producers) };
    let dropped: Value | undefined;
    for (let first = producers.get(node.inputs[0]!); first; first = producers.get(node.inputs[0]!)) {
      const merged = merge(first, node, single.has(node.inputs[0]!));
      if (!merged) break;
      if (merged === 'nothing') {
        dropped = first.inputs[0]!;
        break;
      }
      node = { ...node, op: merged.op, attrs: attributes(merged.attrs), inputs: first.inputs };
    }
    const [from, to] = [node.inputs[0]!.type, node.outputs[0]!.type];
    if (!dropped && node.op === 'reshape' && sameShape(from.shape, to.shape) && from.dtype === to.dtype)
      dropped = node.inputs[0]!;
    const key = keyOf(node);
    const same = dropped ?? (key === undefined ? undefined : computed.get(key));
    if (same) {
      single.delete(same);
      rewriter.set(old.outputs[0]!, same);
      continue;
    }
    const [result] = rewriter.node(node, { inputs: node.inputs }) as [Value];
    if (key !== undefined) computed.set(key, result);
    if (usedOnce(old.outputs[0]!)) single.add(result);
    producers.set(result, { ...node, outputs: [result] });
    rewriter.set(old.outputs[0]!, result);
  }
  return rewriter.build('reshape');
}
