// `cryptorch precision`: how exact every layer of a compiled model is on examples, and which bounds they exceed. Exit code 1
// where some are exceeded.

import { basename } from 'node:path';
import { Command, Option } from 'commander';
import { readNpz } from '../model/npz';
import type { BoundKind, ExceededBound } from '../runtime/bounds';
import { readBytes } from '../runtime/files';
import { type LayerPrecision, type Precision, precision } from '../runtime/precision';
import { addCompilingOptions, type CompilingOptions, compilingOptions } from './compile-options';
import { integerFrom } from './options';
import { type Column, renderTable } from './table';

interface Options extends CompilingOptions {
  readonly data: string;
  readonly batch?: number;
  readonly seed?: string;
  readonly json?: boolean;
}

export function precisionCommand(): Command {
  const command = new Command('precision')
    .description(
      'compare fixed point with double precision, layer by layer, and list every bound that is exceeded',
    )
    .argument('<model>', 'ONNX file')
    .requiredOption('--data <file.npz>', 'examples of the inputs by name')
    .addOption(
      new Option('--batch <size>', 'examples computed at a time (default: all)').argParser(integerFrom(1)),
    )
    .option('--seed <text>', 'seed of the coins that truncations round by')
    .option('--json', 'print one JSON object instead of text');
  return addCompilingOptions(command, {
    owners: 'who knows what: NAME=PARTY, NAME=secret or NAME=public, for inputs, outputs and `weights`',
    network: 'choose forms of protocols for lan, wan, or figures such as 400Mbit,4ms',
  }).action(run);
}

async function run(path: string, options: Options): Promise<void> {
  const { data, batch, seed } = options;
  const examples = Object.fromEntries(readNpz(await readBytes(data), data));
  const shapes = Object.fromEntries(Object.entries(examples).map(([name, { shape }]) => [name, shape]));
  const known = batch === undefined ? { shapes } : { batch };
  const result = await precision(path, [examples], {
    ...(await compilingOptions(path, options, known)),
    ...known,
    ...(seed !== undefined && { seed }),
  });
  const name = basename(path);
  process.stdout.write(
    options.json ? `${JSON.stringify({ model: name, ...result })}\n` : textReport(name, result),
  );
  if (result.exceeded.length > 0) process.exitCode = 1;
}

function textReport(name: string, { layers, exceeded }: Precision): string {
  const found =
    exceeded.length === 0
      ? [`${name} stays within everything that it was compiled for.`]
      : [`${name} exceeds ${exceeded.length === 1 ? 'one bound' : `${exceeded.length} bounds`}.`];
  return `${[layerTable(layers), ...found, ...exceeded.map(boundText)].join('\n\n')}\n`;
}

const COLUMNS: readonly Column[] = [
  { title: 'layer', align: 'left', limit: 34 },
  { title: 'operator', align: 'left' },
  { title: 'scale', align: 'right' },
  { title: 'bits', align: 'right' },
  { title: 'lowest', align: 'right' },
  { title: 'highest', align: 'right' },
  { title: 'max error', align: 'right' },
  { title: 'mean error', align: 'right' },
  { title: 'relative', align: 'right' },
  { title: 'own error', align: 'right' },
];

function layerTable(layers: readonly LayerPrecision[]): string {
  const rows = layers.map(({ name, op, scale, ring, range, error, relative, ownError }) => [
    name,
    op,
    `${scale}`,
    `${ring}`,
    ...[...range, error.max, error.mean, relative, ownError.max].map(figure),
  ]);
  return renderTable(COLUMNS, rows);
}

/** In whose terms the limits of a bound are. */
const LIMITS: Readonly<Record<Exclude<BoundKind, 'undefined'>, string>> = {
  input: 'its declared range',
  proven: 'its proven range',
  calibrated: 'its calibrated range',
  assumed: 'its assumed range',
  domain: 'the domain',
  ring: 'what its bits hold',
};

function boundText({ layer, op, bound, what, limits, value, remedy }: ExceededBound, i: number): string {
  const problem =
    bound === 'undefined' || limits === null || value === null
      ? `the ${what} is no number`
      : `the ${what} was ${figure(value)}, outside of ${LIMITS[bound]} ${interval(limits)}`;
  return `${i + 1}. ${layer} (${op}): ${problem}.\n   What to do: ${remedy}`;
}

function interval([lo, hi]: NonNullable<ExceededBound['limits']>): string {
  if (lo === null) return `(at most ${figure(hi!)})`;
  return hi === null ? `(at least ${figure(lo)})` : `[${figure(lo)}, ${figure(hi)}]`;
}

/** Four digits say enough of an error. */
function figure(x: number): string {
  const size = Math.abs(x);
  if (size !== 0 && (size < 1e-3 || size >= 1e6)) return x.toExponential(2);
  return String(Number(x.toPrecision(4)));
}
