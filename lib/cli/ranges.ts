// Options of `compile` and `run` that say what values are in, and so how few bits they are sent in.

import { readFile } from 'node:fs/promises';
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { CompileOptions } from '../compiler/compile';
import { CryptorchError } from '../errors';
import { readNpz } from '../model/npz';
import { calibrate } from '../runtime/calibrate';

export interface RangeOptions {
  readonly range?: Readonly<Record<string, readonly [number, number]>>;
  readonly calibrate?: string;
  readonly margin?: number;
}

/** Collects `NAME=LO:HI` of a repeatable option. */
export function parseRange(
  text: string,
  before: Readonly<Record<string, readonly [number, number]>> = {},
): Record<string, readonly [number, number]> {
  const match = /^(.+)=([^:=]+):([^:=]+)$/.exec(text);
  const [lo, hi] = [Number(match?.[2]), Number(match?.[3])];
  if (match === null || !Number.isFinite(lo) || !Number.isFinite(hi) || lo > hi)
    throw new InvalidArgumentError('Write NAME=LO:HI with two numbers, the lower one first.');
  const name = match[1] as string;
  if (Object.hasOwn(before, name)) throw new InvalidArgumentError(`The range of ${name} is given twice.`);
  return { ...before, [name]: [lo, hi] };
}

function parseMargin(text: string): number {
  const margin = Number(text);
  if (!(margin >= 1 && margin <= 2 ** 20)) throw new InvalidArgumentError('Write a factor from 1 to 2^20.');
  return margin;
}

export function addRangeOptions(command: Command): Command {
  return command
    .addOption(
      new Option(
        '--range <name=lo:hi>',
        'interval of an input (repeatable): narrows what is sent, refuses inputs outside',
      ).argParser(parseRange),
    )
    .option(
      '--calibrate <file.npz>',
      'examples of the inputs by name: values are sent in as many bits as these and the margin need',
    )
    .addOption(
      new Option('--margin <factor>', 'how far beyond the examples values may go (default: 4)').argParser(
        parseMargin,
      ),
    );
}

/** What `compile` takes of these options, the model having been run on the examples. */
export async function rangesOf(
  model: string,
  options: RangeOptions,
  compileOptions: CompileOptions,
): Promise<Pick<CompileOptions, 'ranges' | 'calibration'>> {
  const ranges = options.range ?? {};
  if (options.calibrate === undefined) return { ranges };
  const path = options.calibrate;
  const bytes = await readFile(path).catch((error: Error) => {
    throw new CryptorchError('FILE', `Cannot read ${path}: ${error.message}.`, { path }, error);
  });
  const examples = [Object.fromEntries(readNpz(bytes, path))];
  const margin = options.margin === undefined ? {} : { margin: options.margin };
  return { ranges, calibration: await calibrate(model, examples, { ...compileOptions, ranges, ...margin }) };
}
