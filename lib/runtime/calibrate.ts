// What the values of a model are on examples of its inputs: the cleartext evaluator runs the compiled model with every
// intermediate value as an output.

import { type Calibration, type CompileOptions, compile } from '../compiler/compile';
import type { Graph } from '../compiler/ir/graph';
import type { Io } from '../compiler/program';
import { secure } from '../compiler/secure';
import { CryptorchError } from '../errors';
import { type Tensor, toFloat64 } from '../tensor';
import { type Numbers, runProgram } from './local';
import { checkRange, takeInputs } from './numbers';

/** Tensors by the name of the input. */
export type Examples = Readonly<Record<string, Tensor>>;

/** Those of the `compile` that the result is for, and a margin. */
export interface CalibrateOptions extends Omit<CompileOptions, 'calibration'> {
  /** How far beyond what was seen values may go, as a factor. Default 4. */
  readonly margin?: number;
}

interface Interval {
  lo: number;
  hi: number;
}

function widen(seen: Interval | undefined, data: ArrayLike<number>): Interval {
  const { lo, hi } = seen ?? { lo: Number.POSITIVE_INFINITY, hi: Number.NEGATIVE_INFINITY };
  const interval = { lo, hi };
  for (let i = 0; i < data.length; i++) {
    const x = Number(data[i]);
    if (x < interval.lo) interval.lo = x;
    if (x > interval.hi) interval.hi = x;
  }
  return interval;
}

/** With `margin` times as far from zero; what never was below zero stays so, and what was always zero gets room. */
function withMargin({ lo, hi }: Interval, margin: number): [number, number] {
  if (lo === 0 && hi === 0) return [-margin, margin];
  return [lo < 0 ? lo * margin : lo / margin, hi > 0 ? hi * margin : hi / margin];
}

/** Outwards to powers of two: intervals of inputs become public, and examples may be private. */
function outwards([lo, hi]: [number, number]): [number, number] {
  const power = (x: number): number => 2 ** Math.ceil(Math.log2(x));
  return [lo < 0 ? -power(-lo) : 0, hi > 0 ? power(hi) : 0];
}

/** One example per batch of a program: tensors may hold several, one after the other along their first axis. */
function batches(ios: readonly Io[], example: Examples): Examples[] {
  const counts = ios.map(({ name, shape }) => {
    const given = example[name]?.shape ?? [];
    const several = given.length === shape.length && given.slice(1).join() === shape.slice(1).join();
    const count = several ? (given[0] ?? 1) / (shape[0] ?? 1) : 1;
    return Number.isInteger(count) && count > 0 ? count : 1;
  });
  const count = Math.min(...counts);
  if (count === 1 || counts.some((c) => c !== count)) return [example];
  return Array.from({ length: count }, (_, k) =>
    Object.fromEntries(
      ios.map(({ name, shape }) => {
        const { dtype, data } = example[name] as Tensor;
        const size = data.length / count;
        return [name, { shape, dtype, data: data.subarray(k * size, (k + 1) * size) }];
      }),
    ),
  );
}

/** The core graph with the result of every node as an output. */
function exposed(graph: Graph): Graph {
  const values = graph.nodes.map((n) => n.outputs[0]!);
  const names = new Map(values.map((v, i) => [v, { ...v, name: `${i}` }]));
  const named = <T extends Graph['inputs'][number]>(v: T): T => (names.get(v) as T | undefined) ?? v;
  const nodes = graph.nodes.map((n) => ({
    ...n,
    inputs: n.inputs.map(named),
    outputs: n.outputs.map(named),
  }));
  return { ...graph, nodes, outputs: values.map(named) };
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
  const compiled = await compile(model, { ...rest, ranges: { ...inputs, ...rest.ranges } });
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
  return {
    inputs,
    values: graph.nodes.map((n, i) => {
      const [lo, hi] = withMargin(values[i]!, margin);
      return { node: n.name, lo, hi };
    }),
  };
}
