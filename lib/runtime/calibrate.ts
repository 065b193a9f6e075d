// What the values of a model are on examples of its inputs: the cleartext evaluator runs the compiled model.

import { type Calibration, type CompileOptions, compile } from '../compiler/compile';
import { CryptorchError } from '../errors';
import { toFloat64 } from '../tensor';
import { checkDomains, functionDomains } from './calibrate-domains';
import { everyValue } from './every-value';
import { batches, type Examples, type Interval, widen, withMargin } from './examples';
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
  const { graph } = compiled;
  const { ios, run } = everyValue(graph, { parties: compiled.parties }, compiled.weights);
  const values: (Interval | undefined)[] = graph.nodes.map(() => undefined);
  for (const example of examples.flatMap((e) => batches(ios, e))) {
    const taken = takeInputs(ios, example);
    checkRange(ios, taken);
    const results = await run(taken, 'calibration');
    results.forEach((data, i) => {
      values[i] = widen(values[i], data);
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
