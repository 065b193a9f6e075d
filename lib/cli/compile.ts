// `cryptorch compile`: an ONNX model as the public program file and the private weights file of a deployment.

import { join } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { type CompiledModel, compile, type OwnerName } from '../compiler/compile';
import { Deployment } from '../runtime/deployment';
import { addCompilingOptions, type CompilingOptions, compilingOptions } from './compile-options';
import { integerFrom } from './options';
import { choiceCounts } from './report';
import { grouped } from './table';

interface Options extends CompilingOptions {
  readonly out: string;
  readonly name?: string;
  readonly batch: readonly number[];
}

export function compileCommand(): Command {
  const command = new Command('compile')
    .description('compile an ONNX model to a public program and a private weights file')
    .argument('<model>', 'ONNX file')
    .requiredOption('-o, --out <folder>', 'folder of the deployment')
    .option('--name <name>', 'name of the deployment: a-z, 0-9 and "-" (default: that of the file)')
    .addOption(
      new Option('--batch <sizes>', 'batch sizes of the programs, separated by commas')
        .default([1], '1')
        .argParser(parseBatches),
    );
  return addCompilingOptions(command, {
    owners: 'who knows what: NAME=PARTY or public, for inputs, outputs and `weights`, separated by commas',
    network: 'choose forms of protocols for lan, wan, or figures such as 400Mbit,4ms',
  }).action(run);
}

function parseBatches(text: string): number[] {
  const sizes = text.split(',').map((part) => integerFrom(1)(part.trim()));
  if (new Set(sizes).size < sizes.length) throw new InvalidArgumentError('A batch size is given twice.');
  return sizes;
}

async function run(path: string, options: Options): Promise<void> {
  const models: CompiledModel[] = [];
  const [first = 1] = options.batch;
  // One calibration for all batch sizes: they share the state of the weights.
  const known = await compilingOptions(path, options, { batch: first });
  for (const batch of options.batch) models.push(await compile(path, { ...known, batch }));
  const name = options.name ?? nameOf(path);
  const deployment = await Deployment.create(options.out, name, models);
  process.stdout.write(`${describe(deployment, models)}\n`);
}

/** digits.onnx -> digits */
function nameOf(path: string): string {
  const base = path.split(/[\\/]/).at(-1) as string;
  return base
    .replace(/\.onnx$/i, '')
    .toLowerCase()
    .replace(/[^a-z0-9-]+/g, '-')
    .slice(0, 64);
}

function describe(deployment: Deployment, models: readonly CompiledModel[]): string {
  const [model] = models as [CompiledModel];
  const who = (owner: OwnerName): string => (typeof owner === 'number' ? `party ${owner}` : 'every party');
  const weights = deployment.programs[0]?.ios.filter((io) => io.kind === 'weight') ?? [];
  const holders = [...new Set(weights.map((io) => who(io.owner)))].join(', ') || 'nobody';
  const list = (names: readonly string[]): string => (names.length === 0 ? 'none' : names.join(', '));
  const choices = choiceCounts(models.flatMap((m) => m.layers));
  return [
    `Deployment "${deployment.name}" for ${deployment.parties} parties and a dealer.`,
    '',
    ...models.map((m) => {
      const inputs = m.inputs.map((i) => `${i.name} [${i.shape.join(', ')}] from ${who(i.owner)}`);
      const outputs = m.outputs.map((o) => `${o.name} [${o.shape.join(', ')}] to ${who(o.owner)}`);
      const { rounds, bytesSent } = m.predicted.online;
      const bytes = bytesSent.reduce((a, b) => a + b, 0);
      return `  ${inputs.join(', ')} -> ${outputs.join(', ')}: ${rounds} rounds, ${grouped(bytes)} bytes online`;
    }),
    ...(choices.length === 0 ? [] : [`  Layers by what was chosen for them: ${choices.join('; ')}.`]),
    '',
    `${join(deployment.folder, 'program.json')} is public: give it to every role.`,
    `${deployment.weightsPath} is private: it belongs to ${holders} alone.`,
    '',
    `Public initialisers: ${list(model.publicInitializers)}.`,
    `Private initialisers: ${list(model.privateInitializers)}.`,
    'Public as well: the structure of the model, all shapes and scales, and whatever was derived from private data when',
    'it was compiled, such as calibrated ranges and choices made by tuning.',
  ].join('\n');
}
