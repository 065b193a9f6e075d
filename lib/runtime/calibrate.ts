// What the values of a model are on examples of its inputs: the cleartext evaluator runs the compiled model with every
// intermediate value as an output.

import { type Calibration, type CompileOptions, compile } from '../compiler/compile';
import type { Graph, Value } from '../compiler/ir/graph';
import { secure } from '../compiler/secure';
import { CryptorchError } from '../errors';
import { toFloat64 } from '../tensor';
import { checkDomains, functionDomains } from './calibrate-domains';
import { batches, type Examples, type Interval, widen, withMargin } from './examples';
import { type Numbers, runProgram } from './local';
import { checkRange, takeInputs } from './numbers';

/** Those of the `compile` that the result is for, and a margin. */
export interface CalibrateOptions extends Omit<CompileOptions, 'calibration'> {
  /** How far beyond what was seen values may go, as a factor. Default 4. */
  readonly margin?: number;
}

/** Outwards to powers of two: intervals of inputs become public, and examples may be private. */
function outwards([lo, hi]: [number, number]): [number, number] {
  const power = (x: number): number => 2 ** Math.ceil(Math.log2(x));
  return [lo < 0 ? -power(-lo) : 0, hi > 0 ? power(hi) : 0];
}

/**
 * The core graph with the result of every node as an output, in whole words: rings say what others need of a value, which
 * may be less than it is.
 */
function exposed(graph: Graph): Graph {
  const results = new Map(graph.nodes.map((n, i) => [n.outputs[0]!, `${i}`]));
  const made = new Map<Value, Value>();
  const whole = (v: Value): Value => {
    const known = made.get(v);
    if (known) return known;
    const { ring: _ring, ...type } = v.type;
    const own = { ...v, type, name: results.get(v) ?? v.name };
    made.set(v, own);
    return own;
  };
  const nodes = graph.nodes.map((n) => ({
    ...n,
    inputs: n.inputs.map(whole),
    outputs: n.outputs.map(whole),
  }));
  return {
    ...graph,
    nodes,
    inputs: graph.inputs.map(whole),
    constants: new Map([...graph.constants].map(([v, c]) => [whole(v), c])),
    outputs: nodes.map((n) => n.outputs[0]!),
  };
}

/**
 * Runs a model in the clear on examples of its inputs (records of tensors, as for `runLocal`; or several batches in a
 * tensor, one after the other along its first axis) and returns what to give to `compile` as `calibration`. Options are those of that `compile`; the examples are not kept.
 * @throws CryptorchError as `compile` and `runLocal`; INVALID_OPTION for a margin below 1 or without examples.
 */
export async function calibrate(
  model: string | Uint8Array,
  examples: readonly Examples[],
  options: CalibrateOptions = {},
): Promise<Calibration> {
  const { margin = 4, ...rest } = options;
  if (!(margin >= 1 && margin <= 2 ** 20))
    throw new CryptorchError('INVALID_OPTION', `The margin is ${margin}; give a factor from 1 to 2^20.`);
  if (examples.length === 0)
    throw new CryptorchError('INVALID_OPTION', 'Calibration needs at least one example of the inputs.');
  const inputs: Record<string, [number, number]> = {};
  for (const name of new Set(examples.flatMap(Object.keys))) {
    const seen = examples.reduce<Interval | undefined>((s, e) => {
      return e[name] === undefined ? s : widen(s, toFloat64(e[name]));
    }, undefined);
    if (seen) inputs[name] = outwards(withMargin(seen, margin));
  }
  // Where rescales are depends on the ranges of inputs: they are those of the model that will be compiled.
  const ranged = { ...rest, ranges: { ...inputs, ...rest.ranges } };
  const domains = await functionDomains(model, examples, ranged, margin);
  const calibration = { inputs: {}, domains };
  const compiled = await compile(model, { ...ranged, calibration });
  const graph = exposed(compiled.graph);
  const program = secure(graph, { parties: compiled.parties });
  const ios = program.ios.filter((io) => io.kind === 'input');
  const values: (Interval | undefined)[] = graph.nodes.map(() => undefined);
  for (const example of examples.flatMap((e) => batches(ios, e))) {
    const taken = takeInputs(ios, example);
    checkRange(ios, taken);
    const numbers: Numbers = new Map([...taken, ...compiled.weights]);
    const { outputs } = await runProgram(program, numbers, { seed: 'calibration', cleartext: true });
    graph.nodes.forEach((_, i) => {
      values[i] = widen(values[i], outputs.get(`${i}`) as ArrayLike<number>);
    });
  }
  checkDomains(graph, values);
  return {
    inputs,
    ...(Object.keys(domains).length > 0 && { domains }),
    values: graph.nodes.map((n, i) => {
      const [lo, hi] = withMargin(values[i]!, margin);
      return { node: n.name, lo, hi };
    }),
  };
}
