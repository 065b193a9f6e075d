// How exact a compiled model is, layer by layer, and whether it stays within what it was compiled for.
//
// The model's operators on doubles stand beside the fixed-point arithmetic of the compiled model, run in the clear with
// every value known: what two parties would compute, rounding included. A layer is a node of the model whose result some
// value of the compiled graph carries; a node that was merged into another one counts to the layer that carries what they
// compute together. The error of a layer is what has added up by there. Its own error is what is left where the operators
// of the layer are given what the layers before it gave in fixed point.

import type { ApproximationOptions } from '../compiler/approximations';
import { type CompileOptions, importModel, optimizing, securingOptions } from '../compiler/compile';
import type { Graph, Node, Value } from '../compiler/ir/graph';
import { type FloatTensor, roundHalfEven } from '../compiler/ops/array';
import { evaluate } from '../compiler/ops/evaluate';
import { selectionsFor } from '../compiler/passes/fixed-point';
import { optimize } from '../compiler/passes/pipeline';
import { producersOf } from '../compiler/passes/rewriter';
import { GraphWeights } from '../compiler/weights';
import { CryptorchError } from '../errors';
import { type ExceededBound, exceededBounds } from './bounds';
import { FunctionOperands, leftFunctionDomains } from './calibrate-domains';
import { everyValue } from './every-value';
import { batches, type Examples, type Interval, widen } from './examples';
import { checkRange, takeInputs } from './numbers';

/** Those of the `compile` that the figures are for, and a seed. */
export interface PrecisionOptions extends CompileOptions {
  /** Of the coins of truncations. Default: a fixed one, so that figures can be compared. */
  readonly seed?: string;
}

/** Differences between two results, in real units. */
export interface Difference {
  /** Largest absolute difference. */
  readonly max: number;
  /** Mean absolute difference. */
  readonly mean: number;
}

/** How exact a layer is. */
export interface LayerPrecision {
  /** Name of the model's node. */
  readonly name: string;
  /** ONNX operator, such as `Conv`. */
  readonly op: string;
  /** Name of the result in the model: a node may have several. */
  readonly result: string;
  /** Shape of the result. */
  readonly shape: readonly number[];
  /** Nodes of the model that are computed with this one. */
  readonly merged: readonly string[];
  /** Fractional bits of the result. */
  readonly scale: number;
  /** Bits that the result is shared in. */
  readonly ring: number;
  /** Lowest and highest value of the result in fixed point. */
  readonly range: readonly [number, number];
  /** Largest absolute value of the exact result. */
  readonly largest: number;
  /** Fixed point against the exact result: everything that has added up by here. */
  readonly error: Difference;
  /** `error.max` relative to `largest`. */
  readonly relative: number;
  /** Fixed point against the exact operators on the layer's operands in fixed point. */
  readonly ownError: Difference;
}

/** What `precision` finds. */
export interface Precision {
  /** In the order of the model. */
  readonly layers: readonly LayerPrecision[];
  /** Everything that was outside of what the model was compiled for; empty where nothing was. */
  readonly exceeded: readonly ExceededBound[];
}

class Differences {
  private max = 0;
  private sum = 0;
  private count = 0;

  /** What is no number in `exact` is left out. */
  add(actual: Float64Array, exact: Float64Array): void {
    actual.forEach((v, i) => {
      const off = Math.abs(v - exact[i]!);
      if (!Number.isFinite(off)) return;
      this.max = Math.max(this.max, off);
      this.sum += off;
      this.count++;
    });
  }

  get(): Difference {
    return { max: this.max, mean: this.count === 0 ? 0 : this.sum / this.count };
  }
}

/** A result of a node of the model, and the core node whose result carries it. */
interface Layer {
  readonly node: Node;
  readonly result: Value;
  readonly merged: readonly string[];
  readonly carrier: Value;
  readonly at: number;
  readonly error: Differences;
  readonly own: Differences;
  largest: number;
}

/** Those results of the model that something carries; of several with the same carrier, the first. */
function layersOf(model: Graph, compiled: Graph): Layer[] {
  const positions = new Map(compiled.nodes.map((n, i) => [n.outputs[0]!, i]));
  const carriers = compiled.carriers ?? new Map<Value, Value>();
  const producers = producersOf(model);
  const seen = new Set<Value>();
  const counted = new Set<Node>();
  /** Nodes before this one whose results nothing carries. */
  const mergedInto = (node: Node): string[] =>
    node.inputs.flatMap((v) => {
      const before = producers.get(v);
      if (!before || carriers.has(v) || counted.has(before)) return [];
      counted.add(before);
      return [...mergedInto(before), before.name];
    });
  return model.nodes.flatMap((node) =>
    node.outputs.flatMap((result) => {
      const carrier = carriers.get(result);
      const at = carrier && positions.get(carrier);
      if (!carrier || at === undefined || seen.has(carrier)) return [];
      seen.add(carrier);
      const [error, own] = [new Differences(), new Differences()];
      return [{ node, result, merged: mergedInto(node), carrier, at, error, own, largest: 0 }];
    }),
  );
}

interface Compiled {
  /** The model with types. */
  readonly real: Graph;
  /** Core operations on real numbers, with ranges, functions not approximated yet. */
  readonly lowered: Graph;
  /** It knows what carries results of `real`. */
  readonly graph: Graph;
  readonly approximation: ApproximationOptions;
}

async function compiledGraphs(model: string | Uint8Array, options: CompileOptions): Promise<Compiled> {
  const imported = await importModel(model, options);
  const seen = new Map<string, Graph>();
  const own = optimizing(imported, options);
  const { graph } = optimize(imported.graph, { ...own, onPass: (name, g) => seen.set(name, g) });
  return {
    real: seen.get('infer-shapes')!,
    lowered: seen.get('ranges')!,
    graph,
    approximation: own.approximation!,
  };
}

/** What an input is as integers at its scale. */
function quantised(data: ArrayLike<number>, scale: number): Float64Array {
  return Float64Array.from(data, (x) => roundHalfEven(x * 2 ** scale) * 2 ** -scale);
}

/**
 * Runs a model on examples of its inputs in double precision and in fixed point, and says how far they are apart at every
 * layer, and which ranges, domains and rings values leave. Examples are as for `calibrate`: records of tensors, or several
 * batches in a tensor, one after the other along its first axis. Inputs outside their range are computed with and reported,
 * where a run would refuse them. Nothing is sent and nothing private: **it sees inputs and weights in the clear**.
 * @throws CryptorchError as `compile` and `runLocal`; INVALID_OPTION without examples
 */
export async function precision(
  model: string | Uint8Array,
  examples: readonly Examples[],
  options: PrecisionOptions = {},
): Promise<Precision> {
  const { seed = 'precision', ...rest } = options;
  if (examples.length === 0)
    throw new CryptorchError('INVALID_OPTION', 'Precision needs at least one example of the inputs.');
  const { real, lowered, graph, approximation } = await compiledGraphs(model, rest);
  const operands = new FunctionOperands(lowered);
  const { ios, run } = everyValue(graph, securingOptions(graph, rest), new GraphWeights(graph));
  const layers = layersOf(real, graph);
  const byResult = new Map(layers.map((layer) => [layer.result, layer]));
  const inputs: (Interval | undefined)[] = ios.map(() => undefined);
  const values: (Interval | undefined)[] = graph.nodes.map(() => undefined);
  /** What results are exactly, on operands in fixed point. */
  const wanted = new Map<Value, Interval>();
  const noNumbers = new Set<Value>();
  for (const example of examples.flatMap((e) => batches(ios, e))) {
    const taken = takeInputs(ios, example);
    checkRange(
      ios.map(({ range: _range, ...io }) => io),
      taken,
    );
    const given = ios.map(({ name }) => Float64Array.from(taken.get(name) as ArrayLike<number>, Number));
    const results = await run(taken, seed);
    operands.add(given);
    given.forEach((data, i) => {
      inputs[i] = widen(inputs[i], data);
    });
    results.forEach((data, i) => {
      values[i] = widen(values[i], data);
    });
    evaluate(real, given, (v, exact) => {
      const layer = byResult.get(v);
      if (!layer) return exact;
      layer.error.add(results[layer.at]!, exact.data);
      for (const x of exact.data) if (Math.abs(x) > layer.largest) layer.largest = Math.abs(x);
      return exact;
    });
    const starts = given.map((data, i) => quantised(data, ios[i]!.scale));
    evaluate(real, starts, (v, exact): FloatTensor => {
      const layer = byResult.get(v);
      if (!layer) return exact;
      wanted.set(layer.carrier, widen(wanted.get(layer.carrier), exact.data));
      if (exact.data.some(Number.isNaN)) noNumbers.add(layer.carrier);
      const data = results[layer.at]!;
      layer.own.add(data, exact.data);
      return { shape: exact.shape, data };
    });
  }
  const left = leftFunctionDomains(operands, selectionsFor(lowered, approximation));
  return {
    layers: layers.map((layer) => described(layer, values[layer.at]!)),
    exceeded: exceededBounds(graph, { inputs, values, wanted, noNumbers, left }),
  };
}

function described(
  { node, result, merged, carrier, error, own, largest }: Layer,
  seen: Interval,
): LayerPrecision {
  const { name, op } = node;
  const { scale = 0, ring = 64 } = carrier.type;
  const total = error.get();
  return {
    name,
    op,
    result: result.name,
    shape: result.type.shape,
    merged,
    scale,
    ring,
    range: [seen.lo, seen.hi],
    largest,
    error: total,
    relative: total.max === 0 ? 0 : total.max / largest,
    ownError: own.get(),
  };
}
