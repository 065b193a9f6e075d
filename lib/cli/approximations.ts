// `cryptorch approximations`: every way in which a function can be computed, how exact it is and what it costs.

import { Command, Option } from 'commander';
import { written } from '../compiler/approximations/registry';
import { approximations, type MeasuredApproximation } from '../runtime/measure';
import { integerFrom } from './options';
import { type Column, milliseconds, renderTable } from './table';

interface Options {
  readonly parties: number;
  readonly network?: string;
  readonly prefer?: 'online' | 'total';
  readonly json?: boolean;
}

export function approximationsCommand(): Command {
  return new Command('approximations')
    .description('list every approximation of functions with its measured errors, rounds and bits')
    .argument('[function]', 'name of a function, such as gelu (default: all)')
    .addOption(
      new Option('-n, --parties <count>', 'computing parties, the dealer not counted')
        .default(2)
        .argParser(integerFrom(2)),
    )
    .option(
      '--network <shape>',
      'choose forms of protocols for lan, wan, or figures such as 400Mbit,4ms, and estimate times there',
    )
    .addOption(
      new Option(
        '--prefer <time>',
        'what to make short on that network: online time alone, or offline and online together',
      ).choices(['online', 'total']),
    )
    .option('--json', 'print one JSON array instead of text')
    .action(run);
}

async function run(name: string | undefined, { json, ...options }: Options): Promise<void> {
  const found = await approximations({ ...options, ...(name !== undefined && { functions: [name] }) });
  process.stdout.write(json ? `${JSON.stringify(found)}\n` : textReport(found));
}

const COLUMNS: readonly Column[] = [
  { title: 'approximation', align: 'left' },
  { title: 'domain', align: 'left' },
  { title: 'max error', align: 'right' },
  { title: 'mean error', align: 'right' },
  { title: 'on its domain', align: 'right' },
  { title: 'product: rounds', align: 'right' },
  { title: 'online', align: 'right' },
  { title: 'ahead', align: 'right' },
  { title: 'input: rounds', align: 'right' },
  { title: 'online', align: 'right' },
  { title: 'ahead', align: 'right' },
];
const TIME: Column = { title: 'ms', align: 'right' };

function textReport(found: readonly MeasuredApproximation[]): string {
  const names = [...new Set(found.map((f) => f.function))];
  const tables = names.map((name) => {
    const own = found.filter((f) => f.function === name);
    const columns = own[0]?.product.seconds === undefined ? COLUMNS : [...COLUMNS, TIME];
    const errors = own[0]?.relative ? 'errors relative to each result' : 'absolute errors';
    return `${name} (${errors}, ${comparedOn(own)})\n${renderTable(columns, own.map(cells))}`;
  });
  return `${tables.join('\n\n')}\n\n${LEGEND}\n`;
}

const LEGEND: string = [
  '* is taken where nothing is asked for and nothing is known of the operands.',
  'Errors: of cleartext runs on the interval that is named first, or what of it is in the domain; the largest one on all of',
  'a domain that is larger; the larger of both operands.',
  'Rounds online; bits that a party sends online, and is sent and sends ahead, for an element: for an operand with the',
  'fractional bits of a product, then for one with those of an input. ms: estimated for 2^14 elements of a product.',
].join('\n');

/** The interval that approximations of a function are compared on. */
export function comparedOn(all: readonly MeasuredApproximation[]): string {
  const lo = Math.min(...all.map(({ measured }) => measured[0]));
  const hi = Math.max(...all.map(({ measured }) => measured[1]));
  return `on ${domainText([lo, hi])}`;
}

/** A row of a table. */
export function cells(m: MeasuredApproximation): string[] {
  const { fixed, product } = m;
  const costs = [product, fixed].flatMap(({ rounds, online, offline }) => [
    `${rounds}`,
    bits(online),
    bits(offline),
  ]);
  const { seconds } = product;
  return [
    `${written(m.name, m.knobs)}${m.default ? ' *' : ''}`,
    domainText(m.domain),
    error(Math.max(product.error.max, fixed.error.max)),
    error(Math.max(product.error.mean, fixed.error.mean)),
    product.furthest === undefined ? '' : error(Math.max(product.furthest, fixed.furthest ?? 0)),
    ...costs,
    ...(seconds === undefined ? [] : [milliseconds(seconds)]),
  ];
}

/** An interval, powers of two as such; `all` where it has no end. */
export function domainText([lo, hi]: MeasuredApproximation['domain']): string {
  if (lo === null && hi === null) return 'all';
  if (lo === null) return `up to ${end(hi!)}`;
  return hi === null ? `from ${end(lo)}` : `[${end(lo)}, ${end(hi)}]`;
}

function end(x: number): string {
  const exponent = Math.log2(Math.abs(x));
  if (Number.isInteger(exponent) && Math.abs(exponent) >= 8) return `${x < 0 ? '-' : ''}2^${exponent}`;
  return String(Number(x.toPrecision(4)));
}

function error(x: number): string {
  return x.toExponential(1);
}

function bits(x: number): string {
  return String(Math.round(x));
}
