// BatchNormalization into the weights of the Conv, Gemm or MatMul before it.
//
// a (W x + c) + b = (a W) x + (a c + b), per output channel. Applies where weights and bias are constants and
// nothing else uses the unnormalised result. Computed in double precision; what comes out is private where a
// part of it was.

import type { Attributes, Graph, Node, Owner, Value } from '../ir/graph';
import { expand, type FloatTensor, tensorOf, zip } from '../ops/array';
import { OpContext, toDoubles } from '../ops/context';
import { batchNormFactors } from '../ops/normalization';
import { consumersOf, producersOf, Rewriter } from './rewriter';

interface Linear {
  readonly weights: FloatTensor;
  readonly bias: FloatTensor;
  readonly op: 'Conv' | 'ConvTranspose' | 'Gemm';
  readonly attrs: Attributes;
  /** Shape with which a factor per channel multiplies the weights. */
  readonly channel: readonly number[];
}

function tensorAt(graph: Graph, v: Value | undefined): FloatTensor | undefined {
  const constant = v && graph.constants.get(v);
  return constant && { shape: v.type.shape, data: toDoubles(constant.data) };
}

/**
 * The linear operator before a normalisation of this many channels, when its weights and bias are constant.
 */
function linearForm(graph: Graph, node: Node | undefined, channels: number): Linear | undefined {
  const weights = tensorAt(graph, node?.inputs[1]);
  const input = node?.inputs[2];
  const bias = input && input.name !== '' ? tensorAt(graph, input) : tensorOf([], [0]);
  if (!node || !weights || !bias) return undefined;
  const { attrs } = node;
  if (node.op === 'Conv') {
    return { weights, bias, op: 'Conv', attrs, channel: [channels, ...weights.shape.slice(1).map(() => 1)] };
  }
  if (node.op === 'ConvTranspose' && (attrs.group ?? 1) === 1) {
    const channel = [1, channels, ...weights.shape.slice(2).map(() => 1)];
    return { weights, bias, op: 'ConvTranspose', attrs, channel };
  }
  if (node.op === 'Gemm') {
    const beta = Number(attrs.beta ?? 1);
    const scaledBias = { shape: bias.shape, data: bias.data.map((x) => x * beta) };
    const channel = attrs.transB ? [channels, 1] : [channels];
    return { weights, bias: scaledBias, op: 'Gemm', attrs: { ...attrs, beta: 1 }, channel };
  }
  const isMatrix = node.inputs[0]!.type.shape.length === 2 && weights.shape.length === 2;
  return node.op === 'MatMul' && isMatrix
    ? { weights, bias, op: 'Gemm', attrs: {}, channel: [channels] }
    : undefined;
}

export function foldBatchnorm(graph: Graph): Graph {
  const consumers = consumersOf(graph);
  const producers = producersOf(graph);
  const outputs = new Set(graph.outputs);
  const formOf = (norm: Node | undefined): Linear | undefined => {
    const x = norm?.inputs[0];
    if (norm?.op !== 'BatchNormalization' || !x || consumers.get(x)!.length > 1 || outputs.has(x))
      return undefined;
    return linearForm(graph, producers.get(x), x.type.shape[1]!);
  };
  const rewriter = new Rewriter(graph);
  for (const node of graph.nodes) {
    const user = consumers.get(node.outputs[0]!)?.[0];
    if (user && producers.get(user.inputs[0]!) === node && formOf(user)) continue;
    const form = formOf(node);
    if (form) fold(rewriter, node, producers.get(node.inputs[0]!)!, form);
    else rewriter.copy(node);
  }
  return rewriter.build('Identity');
}

function fold(rewriter: Rewriter, norm: Node, linear: Node, form: Linear): void {
  const { graph } = rewriter;
  const known = norm.inputs.map((v) => ({ type: v.type, constant: graph.constants.get(v) }));
  const { a, b } = batchNormFactors(new OpContext(norm, known, [], graph.opset));
  const multiply = (x: number, y: number) => x * y;
  const weights = zip(form.weights, { shape: form.channel, data: a.data }, multiply);
  const bias = zip(
    expand(zip(form.bias, a, multiply), zip(form.bias, b, multiply).shape),
    b,
    (x, y) => x + y,
  );
  const parts = [...linear.inputs.slice(1), ...norm.inputs.slice(1)];
  const secret = parts.find((v) => graph.constants.get(v)?.private);
  const owner: Owner = secret ? secret.type.owner : 'public';
  const constant = (what: string, t: FloatTensor) => {
    const type = { shape: t.shape, dtype: 'fixed' as const, owner };
    return rewriter.constant(`${linear.name}:${what}`, type, { data: t.data, private: secret !== undefined });
  };
  const inputs = [rewriter.get(linear.inputs[0]!), constant('weights', weights), constant('bias', bias)];
  const from = { ...linear, outputs: [norm.outputs[0]!], origin: form.op };
  const [result] = rewriter.node(from, { op: form.op, inputs, attrs: form.attrs });
  rewriter.set(norm.outputs[0]!, result!);
}
