// Options about compiling that `compile` and `run` share, and what the compiler is given for them.

import { type Command, InvalidArgumentError, Option } from 'commander';
import type { Selection } from '../compiler/approximations';
import type { CompileOptions, OwnerName } from '../compiler/compile';
import { readNpz } from '../model/npz';
import { calibrate } from '../runtime/calibrate';
import { readBytes } from '../runtime/files';
import { integerFrom, parseApproximation, parseOwners } from './options';

export interface CompilingOptions {
  readonly parties: number;
  readonly owners?: Record<string, OwnerName>;
  readonly exactTruncation?: boolean;
  readonly network?: string;
  readonly prefer?: 'online' | 'total';
  readonly range?: Readonly<Record<string, readonly [number, number]>>;
  readonly calibrate?: string;
  readonly margin?: number;
  readonly approximation?: Readonly<Record<string, Selection>>;
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

/** `owners` and `network` say what these two mean to the command. */
export function addCompilingOptions(
  command: Command,
  described: { readonly owners: string; readonly network: string },
): Command {
  return command
    .addOption(
      new Option('-n, --parties <count>', 'computing parties, the dealer not counted')
        .default(2)
        .argParser(integerFrom(2)),
    )
    .addOption(new Option('--owners <list>', described.owners).argParser(parseOwners))
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
    )
    .addOption(
      new Option(
        '--approximation <function=name>',
        'how a function is computed, such as exp=cryptorch,bits=7 (repeatable); `cryptorch approximations` lists what there is',
      ).argParser(parseApproximation),
    )
    .option(
      '--exact-truncation',
      'round downwards instead of by a public coin: outputs are the same in every run, in more rounds',
    )
    .option('--network <shape>', described.network)
    .addOption(
      new Option(
        '--prefer <time>',
        'what to make short on that network: online time alone, or offline and online together',
      ).choices(['online', 'total']),
    );
}

/** What `compile` takes for these options; the model is run on the examples, if there are any. */
export async function compilingOptions(
  model: string,
  options: CompilingOptions,
  shapes: Pick<CompileOptions, 'batch' | 'shapes'>,
): Promise<CompileOptions> {
  const { parties, owners, exactTruncation, network, prefer, range, margin, approximation } = options;
  const known: CompileOptions = {
    parties,
    ...(owners && { owners }),
    ...(range && { ranges: range }),
    ...(approximation && { approximation: { functions: approximation } }),
    ...(exactTruncation && { exactTruncation }),
    ...(network !== undefined && { network }),
    ...(prefer && { prefer }),
  };
  if (options.calibrate === undefined) return known;
  const path = options.calibrate;
  const bytes = await readBytes(path);
  const examples = [Object.fromEntries(readNpz(bytes, path))];
  const calibration = await calibrate(model, examples, {
    ...known,
    ...shapes,
    ...(margin !== undefined && { margin }),
  });
  return { ...known, calibration };
}
