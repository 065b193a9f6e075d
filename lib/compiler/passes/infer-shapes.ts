// Shapes, element types and owners of every value of an imported model.
//
// Walks the nodes in order. Where all inputs of a node are known at compile time the node is folded on the
// spot (./fold-constants.ts), because shapes further down may depend on its value: Shape, Gather, Concat,
// Reshape. All restrictions of operators are checked here, so `problemsOf` finds every problem of a model
// without lowering it.

import { CryptorchError } from '../../errors';
import { elementCount, type Graph, type Node, type Value } from '../ir/graph';
import { type KnownInput, MOST_KNOWN_ELEMENTS, OpContext, show } from '../ops/context';
import { joinOwners } from '../ops/emit';
import { findOp, type OpDefinition, type Shaped } from '../ops/index';
import { attempt, type OnProblem } from '../problem';
import { foldNode } from './fold-constants';
import { Rewriter } from './rewriter';

function contextOf(graph: Rewriter, node: Node): OpContext {
  const inputs = node.inputs.map((old) => {
    if (old.name === '') return undefined;
    const now = graph.get(old);
    return { type: now.type, constant: graph.builder.constants.get(now) };
  });
  return new OpContext(node, inputs, [], graph.graph.opset);
}

function definitionOf(node: Node, opset: number): OpDefinition {
  const definition = findOp(node.op);
  if (definition) {
    const [first, last] = definition.opset;
    if (opset >= first && opset <= last) return definition;
    const exists = opset < first ? `exists from opset ${first} on` : `is understood up to opset ${last}`;
    const remedy = 'Export the model with another opset_version, or convert it with onnx.version_converter.';
    throw new CryptorchError(
      'UNSUPPORTED_OPSET',
      `Node "${node.name}" uses the operator ${node.op}, which ${exists}, in a model of opset ${opset}. ${remedy}`,
      { node: node.name, operator: node.op, opset, first, last, remedy },
    );
  }
  const remedy = 'Replace it in the model by supported operators, or cut the model before or after it.';
  throw new CryptorchError(
    'UNSUPPORTED_OPERATOR',
    `Node "${node.name}" uses the operator ${node.op}, which has no private computation here. ${remedy}`,
    { node: node.name, operator: node.op, remedy },
  );
}

function needFixed(c: OpContext): void {
  const other = c.inputs.find((k) => k && !k.constant && k.type.dtype !== 'fixed');
  if (!other) return;
  throw c.unsupported(
    `computes on secret ${other.type.dtype} values`,
    'Give the model floating-point inputs.',
  );
}

function inferNode(rewriter: Rewriter, node: Node, used: ReadonlySet<Value>): void {
  const definition = definitionOf(node, rewriter.graph.opset);
  const c = contextOf(rewriter, node);
  const values = c.inputs.filter((k, i) => k && !definition.typeOnly?.includes(i)) as KnownInput[];
  const owner = values.map((k) => k.type.owner).reduce(joinOwners, 'public');
  const shaped: readonly Shaped[] = definition.infer(c);
  if (node.branches) {
    inlineBranch(rewriter, node, node.branches[c.known(0, 'condition')[0] === 0 ? 1 : 0]);
    return;
  }
  const isKnown = values.every((k) => k.constant !== undefined);
  const types = node.outputs.map((v, i) => {
    const s = shaped[i];
    if (s) c.needSize(s.shape, isKnown ? MOST_KNOWN_ELEMENTS : undefined);
    if (s) return { shape: s.shape, dtype: s.dtype, owner };
    if (used.has(v))
      throw c.unsupported(`has an output ${v.name} that is not computed`, 'Do not use that output.');
    return { ...v.type, owner };
  });
  // What has no elements is known, and nobody need hold it.
  if (types.every(({ shape }) => elementCount(shape) === 0)) {
    node.outputs.forEach((old, i) => {
      const { shape, dtype } = types[i]!;
      const data = dtype === 'fixed' ? new Float64Array(0) : new BigInt64Array(0);
      const type = { shape, dtype, owner: 'public' as const };
      rewriter.set(old, rewriter.constant(old.name, type, { data, private: false }));
    });
    return;
  }
  if (isKnown) {
    foldNode(rewriter, node, definition, c, types);
    return;
  }
  if (!definition.lower) {
    const remedy = `${node.op} is supported on values known when the model is compiled only.`;
    throw c.error('UNSUPPORTED_OPERATOR', 'computes on secret values', remedy);
  }
  if (!definition.integers) needFixed(c);
  rewriter.copy(node, { types });
}

/** Puts the graph in the place of the node. */
function inlineBranch(rewriter: Rewriter, node: Node, graph: Graph): void {
  graph.inputs.forEach((v, i) => {
    rewriter.set(v, rewriter.get(node.inputs[i + 1]!));
  });
  for (const [v, constant] of graph.constants) {
    rewriter.set(v, rewriter.constant(v.name, v.type, constant));
  }
  const used = usedValues(graph);
  for (const inner of graph.nodes) inferNode(rewriter, inner, used);
  node.outputs.forEach((v, i) => {
    rewriter.set(v, rewriter.get(graph.outputs[i]!));
  });
}

function usedValues(graph: Graph): Set<Value> {
  return new Set([...graph.nodes.flatMap((n) => n.inputs), ...graph.outputs]);
}

function producerOf(graph: Graph, output: string): Node | undefined {
  return graph.nodes.find((n) => n.outputs.some((v) => v.name === output));
}

/** An output without elements is nothing that parties could compute. */
function needElements({ name }: Value, shape: readonly number[], node: Node | undefined): void {
  if (elementCount(shape) > 0) return;
  throw new CryptorchError(
    'INVALID_SHAPE',
    `Output "${name}" (node "${node?.name ?? name}") is empty: its shape is ${show(shape)}. Take it out of the ` +
      "model's outputs, or correct what leaves nothing of its input.",
    { output: name, node: node?.name, shapes: [shape] },
  );
}

/**
 * Gives every value its type; from here on the graph knows what carries the results of its nodes.
 * @throws CryptorchError for the first node that cannot be computed.
 */
export function inferShapes(graph: Graph): Graph {
  const rewriter = new Rewriter(graph);
  const used = usedValues(graph);
  for (const node of graph.nodes) inferNode(rewriter, node, used);
  for (const v of graph.outputs) needElements(v, rewriter.get(v).type.shape, producerOf(graph, v.name));
  const inferred = rewriter.build('Identity');
  const results = inferred.nodes.flatMap((n) => n.outputs).filter((v) => v.name !== '');
  return { ...inferred, carriers: new Map(results.map((v) => [v, v])) };
}

/** Shapes of outputs as the model's file declares them; undefined dimensions may be anything. */
export type DeclaredShapes = ReadonlyMap<string, readonly (number | undefined)[] | undefined>;

/** @throws CryptorchError INVALID_SHAPE where an output has another shape than the model says. */
export function checkDeclared(graph: Graph, declared: DeclaredShapes): void {
  for (const { name, type } of graph.outputs) {
    const says = declared.get(name);
    if (
      !says ||
      (says.length === type.shape.length && says.every((d, i) => d === undefined || d === type.shape[i]))
    )
      continue;
    const saysText = `[${says.map((d) => d ?? '?').join(', ')}]`;
    const node = producerOf(graph, name);
    throw new CryptorchError(
      'INVALID_SHAPE',
      `Output "${name}" (node "${node?.name ?? name}") has shape ${show(type.shape)}, but the model declares ` +
        `${saysText}. Correct the declared shape, or give inputs of the shapes that the model was exported with.`,
      { output: name, node: node?.name, shapes: [type.shape, says] },
    );
  }
}

/**
 * Every problem of an imported model. What a node with a problem gives is unknown: nodes that use it are looked at only
 * as far as their operator.
 */
export function problemsOf(graph: Graph, onProblem: OnProblem): void {
  const rewriter = new Rewriter(graph);
  const used = usedValues(graph);
  for (const node of graph.nodes) {
    const complete = node.inputs.every((v) => rewriter.has(v));
    const look = (): unknown =>
      complete ? inferNode(rewriter, node, used) : definitionOf(node, graph.opset);
    attempt({ node: node.name, operator: node.op }, look, onProblem);
  }
  for (const v of graph.outputs) {
    if (!rewriter.has(v)) continue;
    const node = producerOf(graph, v.name);
    const look = () => needElements(v, rewriter.get(v).type.shape, node);
    attempt({ node: node?.name ?? v.name, operator: node?.op ?? 'Output' }, look, onProblem);
  }
}
