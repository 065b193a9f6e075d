// Compares a small model with onnxruntime-node at every stage: float reference, core graph, core graph with
// random rounding. The same checks serve every operator.

import type { ExecutionContext } from 'ava';
import * as ort from 'onnxruntime-node';
import { compile, runLocal, tensor as tensorOf } from '../../lib';
import type { OwnerName } from '../../lib/compiler/compile';
import type { Dtype, Graph, Type } from '../../lib/compiler/ir/graph';
import type { FloatTensor } from '../../lib/compiler/ops/array';
import { evaluate } from '../../lib/compiler/ops/evaluate';
import { evaluateCore } from '../../lib/compiler/ops/evaluate-core';
import { inferShapes } from '../../lib/compiler/passes/infer-shapes';
import { type Optimized, optimize } from '../../lib/compiler/passes/pipeline';
import { CryptorchError, type ErrorName } from '../../lib/errors';
import { importOnnx } from '../../lib/model/onnx/import';
import { toFloat64 } from '../../lib/tensor';
import { type ModelSpec, model, tensor } from '../helpers/onnx';

/** Pseudo-random numbers in [-1, 1), the same for the same seed. */
export function noise(seed: number): () => number {
  let state = (seed * 2654435761 + 12345) >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  };
}

export function randoms(count: number, seed: number = 1, scale: number = 1): number[] {
  const next = noise(seed);
  return Array.from({ length: count }, () => Math.fround(next() * scale));
}

/** A tensor of random weights. */
export function weights(shape: readonly number[], seed: number = 7): ReturnType<typeof tensor> {
  return tensor(
    shape,
    randoms(
      shape.reduce((a, b) => a * b, 1),
      seed,
    ),
  );
}

export interface Compared {
  readonly graph: Graph;
  readonly optimized: Optimized;
  readonly inputs: readonly number[][];
}

const largest = (data: Float64Array): number => data.reduce((m, v) => Math.max(m, Math.abs(v)), 0);

const difference = (a: Float64Array, b: Float64Array): number =>
  a.reduce((m, v, i) => Math.max(m, Math.abs(v - b[i]!)), 0);

function fed(dtype: Dtype, data: readonly number[], shape: number[]): ort.Tensor {
  if (dtype === 'int') return new ort.Tensor('int64', BigInt64Array.from(data, BigInt), shape);
  if (dtype === 'bool') return new ort.Tensor('bool', Uint8Array.from(data), shape);
  return new ort.Tensor('float32', Float32Array.from(data), shape);
}

/** What an input is given: noise, whole numbers from -3 to 3 (where asked for, and for integers), zeros and ones. */
function given({ dtype, shape }: Type, seed: number, { whole, magnitude = 3 }: AgreesOptions): number[] {
  const count = shape.reduce((a, b) => a * b, 1);
  if (dtype === 'fixed' && !whole) return randoms(count, seed, magnitude);
  return randoms(count, seed, 3.5).map((v) => (dtype === 'bool' ? Number(v > 0) : Math.round(v) || 0));
}

async function oracle(bytes: Uint8Array, graph: Graph, inputs: readonly number[][]): Promise<FloatTensor[]> {
  const session = await ort.InferenceSession.create(bytes, { logSeverityLevel: 4 });
  const feeds = graph.inputs.map((v, i) => {
    return [v.name, fed(v.type.dtype, inputs[i]!, [...v.type.shape])] as const;
  });
  const results = await session.run(Object.fromEntries(feeds));
  await session.release();
  return graph.outputs.map((v) => {
    const t = results[v.name]!;
    return { shape: t.dims, data: Float64Array.from(t.data as Float32Array, Number) };
  });
}

export interface AgreesOptions {
  /** Inputs are random numbers up to this magnitude, 3 by default. */
  readonly magnitude?: number;
  /** Intervals of inputs that the model is compiled for. */
  readonly ranges?: Readonly<Record<string, readonly [number, number]>>;
  /** Who has which input, and the weights. */
  readonly owners?: Readonly<Record<string, OwnerName>>;
  /** Inputs are whole numbers of which many are equal. */
  readonly whole?: boolean;
}

/** Runs a model (float32, int64 or boolean inputs) everywhere; shapes and values must agree. */
export async function agrees(
  t: ExecutionContext,
  spec: ModelSpec,
  seed: number = 3,
  options: AgreesOptions = {},
): Promise<Compared> {
  const clear = await clearAgrees(t, spec, seed, options);
  await privately(t, clear, options);
  return clear;
}

interface Cleartext extends Compared {
  readonly bytes: Uint8Array;
  readonly expected: readonly FloatTensor[];
  readonly core: readonly FloatTensor[];
}

/** The same without a private run: for further forms of an operator. */
export async function clearAgrees(
  t: ExecutionContext,
  spec: ModelSpec,
  seed: number = 3,
  options: AgreesOptions = {},
): Promise<Cleartext> {
  const bytes = model(spec);
  const { ranges = {}, owners = {} } = options;
  const imported = importOnnx(bytes, { owners }).graph;
  const inputs = imported.inputs.map((v, i) => given(v.type, seed + i, options));
  const expected = await oracle(bytes, imported, inputs);

  const graph = inferShapes(imported);
  const reference = evaluate(graph, inputs);
  const optimized = optimize(imported, { fractionalBits: 16, inputRanges: ranges });
  const core = evaluateCore(optimized.graph, inputs);
  const next = noise(seed + 99);
  // A truncation with a coin: up or down to the next unit.
  const rounded = evaluateCore(optimized.graph, inputs, {
    rescale: (x, scale) => Math.floor(x * 2 ** scale + (next() + 1) / 2) * 2 ** -scale,
  });
  expected.forEach((e, i) => {
    const output = optimized.graph.outputs[i]!;
    t.is(output.name, imported.outputs[i]!.name);
    t.deepEqual([...graph.outputs[i]!.type.shape], [...e.shape], 'shape');
    t.deepEqual([...output.type.shape], [...e.shape], 'core shape');
    const scale = Math.max(largest(e.data), 1e-6);
    t.true(difference(reference[i]!.data, e.data) <= 1e-4 * scale, 'float reference');
    t.true(difference(core[i]!.data, e.data) <= 1e-2 * scale, 'core graph');
    const slack = optimized.slack.get(output.name)!;
    if (slack !== null) t.true(difference(core[i]!.data, rounded[i]!.data) <= slack + 1e-12, 'slack');
  });
  return { graph, optimized, inputs, bytes, expected, core };
}

/** The private computation, for two parties or three: onnxruntime's values, the slack bound, the predicted cost. */
async function privately(
  t: ExecutionContext,
  { bytes, inputs, expected, core }: Cleartext,
  { ranges = {}, owners = {} }: AgreesOptions,
): Promise<void> {
  const compiled = await compile(bytes, { parties: 2 + (bytes.length % 2), ranges, owners });
  const tensors = compiled.inputs.map(({ name, shape }, i) => [name, tensorOf(inputs[i]!, shape)] as const);
  const seed = bytes.length;
  const run = await runLocal(compiled, Object.fromEntries(tensors), { seed });
  compiled.outputs.forEach(({ name, slack }, i) => {
    const actual = toFloat64(run.outputs[name]!);
    const scale = Math.max(largest(expected[i]!.data), 1e-6);
    t.true(difference(actual, expected[i]!.data) <= 1e-2 * scale, `private ${name}`);
    // Outputs are float32: half a unit of its last place on top.
    const slop = scale * 2 ** -23;
    if (slack !== null) t.true(difference(actual, core[i]!.data) <= slack + slop, `private slack of ${name}`);
  });
  t.deepEqual(run.communication.counted, run.communication.predicted, 'predicted communication');
  const clear = await runLocal(compiled, Object.fromEntries(tensors), { seed, cleartext: true });
  t.deepEqual(clear.outputs, run.outputs, 'cleartext replay');
}

/** Core operations of a compiled model, in order. */
export function coreOps(compared: Compared): string[] {
  return operations(compared.optimized.graph);
}

/** Operations of a core graph, in order, but for the rounding of an output before it is revealed. */
export function operations({ nodes, outputs }: Graph): string[] {
  return nodes.filter((n) => n.op !== 'rescale' || !outputs.includes(n.outputs[0]!)).map((n) => n.op);
}

/** The model is refused with this code by a message that has all of the given parts. */
export function refuses(t: ExecutionContext, spec: ModelSpec, code: ErrorName, ...parts: string[]): void {
  const error = t.throws(() => optimize(importOnnx(model(spec)).graph, { fractionalBits: 16 }), {
    instanceOf: CryptorchError,
  });
  t.is(error?.code, `ERR_CRYPTORCH_${code}`, error?.message);
  for (const part of parts) t.true(error!.message.includes(part), `"${part}" in: ${error!.message}`);
}
