// `cryptorch run`: compiles a model and computes it on the given inputs, dealer and parties as threads of this process.
//
// Standard output carries the result (tables, or exactly one JSON object with --json); progress and messages go to
// standard error.

import { access, constants, writeFile } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { Command, Option } from 'commander';
import { PHASES } from '../compiler/program';
import { CryptorchError } from '../errors';
import { type CompiledModel, compile, type OwnerName, type RunResult, runLocal } from '../index';
import { readNpy } from '../model/npy';
import { writeNpz } from '../model/npz';
import { readBytes } from '../runtime/files';
import type { Tensor } from '../tensor';
import { addCompilingOptions, type CompilingOptions, compilingOptions } from './compile-options';
import { parseInput } from './options';
import { type Progress, progressTo } from './progress';
import { agrees, layerTables, summary, times } from './report';

interface RunOptions extends CompilingOptions {
  readonly input?: ReadonlyMap<string, string>;
  readonly cleartext?: boolean;
  readonly seed?: string;
  readonly out?: string;
  readonly json?: boolean;
  readonly printIr?: boolean;
}

export function runCommand(): Command {
  const command = new Command('run')
    .description('compute an ONNX model on secret shares, all parties in this process')
    .argument('<model>', 'ONNX file')
    .addOption(
      new Option('-i, --input <name=file>', 'input tensor, a batch in a .npy file (repeatable)').argParser(
        parseInput,
      ),
    )
    .option('--cleartext', 'the same fixed-point arithmetic without shares: fast, not private')
    .option('--seed <text>', 'seed of all randomness, for reproducible runs only')
    .option('-o, --out <file>', 'write the outputs to a .npz file')
    .option('--json', 'print one JSON object instead of tables')
    .option('--print-ir', 'print the compiled graph');
  return addCompilingOptions(command, {
    owners: 'who knows what: NAME=PARTY, NAME=secret or NAME=public, for inputs, outputs and `weights`',
    network:
      'emulate a network, and choose forms for it: lan, wan, or bandwidth and round trip such as 400Mbit,4ms',
  }).action(run);
}

async function run(path: string, options: RunOptions): Promise<void> {
  const progress = progressTo(process.stderr);
  if (options.out !== undefined) await checkWritable(options.out);
  const inputs = await readInputs(options.input ?? new Map());
  const shapes = Object.fromEntries(Object.entries(inputs).map(([name, { shape }]) => [name, [...shape]]));
  const model = await compile(path, { ...(await compilingOptions(path, options, { shapes })), shapes });
  if (options.printIr) {
    (options.json ? process.stderr : process.stdout).write(`${model.printIr().trimEnd()}\n`);
    if (Object.keys(inputs).length === 0) return;
  }
  announce(model, options, progress);
  const result = await runLocal(model, inputs, {
    ...(options.seed !== undefined && { seed: options.seed }),
    ...(options.cleartext && { cleartext: true }),
    ...(options.network !== undefined && { network: options.network }),
    onProgress: (event) => progress.update(event),
  }).finally(() => progress.end());
  progress.note(times(result));
  if (options.out !== undefined) await writeOutputs(options.out, result.outputs, progress);
  if (options.json) {
    process.stdout.write(`${JSON.stringify(jsonReport(basename(path), model, result))}\n`);
  } else {
    process.stdout.write(textReport(model, result, options.cleartext === true));
  }
}

/** The object that --json prints. */
function jsonReport(name: string, model: CompiledModel, result: RunResult): unknown {
  const traffic = (side: 'predicted' | 'counted'): unknown =>
    Object.fromEntries(
      PHASES.map((phase) => {
        const { rounds, bytesSent, dealerBytes } = result.communication[side][phase];
        return [phase, { rounds, bytesSent, dealerBytes }];
      }),
    );
  const { compile, setup, offline, online } = result.seconds;
  return {
    model: name,
    parties: model.parties,
    outputs: Object.fromEntries(Object.entries(result.outputs).map(([key, { shape }]) => [key, { shape }])),
    seconds: { compile, setup, offline, online },
    communication: { predicted: traffic('predicted'), counted: traffic('counted') },
    layers: result.layers.map(({ name, op, shape, choices, rounds, bytes, seconds }) => ({
      name,
      op,
      shape,
      choices,
      rounds,
      bytes,
      seconds,
    })),
  };
}

function textReport(model: CompiledModel, result: RunResult, cleartext: boolean): string {
  const parts: string[] = [];
  if (!cleartext) {
    parts.push(layerTables(result), summary(result));
    if (!agrees(result)) parts.push('Prediction and count differ: please report this.');
  }
  const outputs = Object.entries(result.outputs).map(([name, { dtype, shape, data }]) => {
    const slack = model.outputs.find((output) => output.name === name)?.slack;
    const bound = !slack ? '' : `, rounding at most ${slack.toPrecision(3)}`;
    const first = Array.from(data.subarray(0, 10) as ArrayLike<number | bigint>, (v) =>
      typeof v === 'bigint' ? v : Number(v.toPrecision(6)),
    );
    return `${name}: ${dtype} [${shape.join(', ')}]${bound}\n  ${first.join(' ')}${data.length > 10 ? ' ...' : ''}`;
  });
  return `${[...parts, outputs.join('\n')].join('\n\n')}\n`;
}

function announce(model: CompiledModel, options: RunOptions, progress: Progress): void {
  const who = (owner: OwnerName): string => (typeof owner === 'number' ? `party ${owner}` : owner);
  const list = (values: CompiledModel['inputs']): string =>
    values.map(({ name, shape, owner }) => `${name} [${shape.join(', ')}] (${who(owner)})`).join(', ');
  progress.note(
    `${model.parties} parties and a dealer; inputs ${list(model.inputs)}; outputs ${list(model.outputs)}`,
  );
  if (options.cleartext) progress.note('Cleartext: nothing is private in this run.');
  else if (options.seed !== undefined)
    progress.note('A seed that others know makes every mask known to them: for tests only.');
}

async function readInputs(files: ReadonlyMap<string, string>): Promise<Record<string, Tensor>> {
  const entries = [...files].map(
    async ([name, path]) => [name, readNpy(await readBytes(path), path)] as const,
  );
  return Object.fromEntries(await Promise.all(entries));
}

/** Found out before a long run rather than after it. */
async function checkWritable(path: string): Promise<void> {
  try {
    await access(dirname(path), constants.W_OK);
  } catch (error) {
    throw new CryptorchError('FILE', `Cannot write ${path}: ${(error as Error).message}.`, { path }, error);
  }
}

async function writeOutputs(
  path: string,
  outputs: Record<string, Tensor>,
  progress: Progress,
): Promise<void> {
  try {
    await writeFile(path, writeNpz(outputs));
  } catch (error) {
    if (CryptorchError.is(error)) throw error;
    throw new CryptorchError('FILE', `Cannot write ${path}: ${(error as Error).message}.`, { path }, error);
  }
  progress.note(`outputs written to ${path}`);
}
