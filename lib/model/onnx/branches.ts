// The two graphs of an `If`, and which values of the graph around them they read.

import { AttributeProto_AttributeType as A, type GraphProto, type NodeProto } from './onnx_pb';
import { invalidModel, isDefaultDomain } from './reader';

export function isIf(proto: NodeProto): boolean {
  return proto.opType === 'If' && isDefaultDomain(proto.domain);
}

/**
 * The graphs for a condition that holds and for one that does not; `what` names the node in errors.
 * @throws CryptorchError INVALID_MODEL
 */
export function branchesOf(proto: NodeProto, what: string): readonly [GraphProto, GraphProto] {
  const wrong = (why: string) =>
    invalidModel(`The ${what} ${why}. Export the model again.`, { node: proto.name });
  const branch = (name: string): GraphProto => {
    const [attribute, ...more] = proto.attribute.filter((a) => a.name === name);
    if (attribute?.type !== A.GRAPH || !attribute.g || more.length > 0)
      throw wrong(`has not one graph ${name}`);
    if (attribute.g.input.length > 0) throw wrong(`has a ${name} with inputs`);
    if (attribute.g.output.length !== proto.output.length)
      throw wrong(`has ${proto.output.length} outputs, but its ${name} has ${attribute.g.output.length}`);
    return attribute.g;
  };
  return [branch('then_branch'), branch('else_branch')];
}

/** Names that a graph reads and does not define. */
function freeNames(graph: GraphProto): string[] {
  const defined = new Set([...graph.initializer.map((t) => t.name), ...graph.node.flatMap((n) => n.output)]);
  const read = [...graph.node.flatMap(namesRead), ...graph.output.map((o) => o.name)];
  return [...new Set(read)].filter((name) => !defined.has(name));
}

/** Names from outside that the graphs of a node read. */
export function capturedNames(proto: NodeProto): string[] {
  const graphs = proto.attribute.flatMap((a) => (a.type === A.GRAPH && a.g ? [a.g] : []));
  return [...new Set(graphs.flatMap(freeNames))];
}

/** All names that a node reads. */
export function namesRead(proto: NodeProto): readonly string[] {
  const inputs = proto.input.filter((name) => name !== '');
  return proto.attribute.some((a) => a.type === A.GRAPH) ? [...inputs, ...capturedNames(proto)] : inputs;
}
