// The page and the charts of approximations: what `cryptorch approximations` prints, of every approximation of the package;
// of those that are fitted, with the knobs that they have by themselves. A chart has the largest error in each part of the
// interval that the approximations of a function are compared on.

import { cells, comparedOn } from '../lib/cli/approximations';
import type { Alternative } from '../lib/compiler/approximations/alternatives';
import {
  type CompiledAlternative,
  compiledAlternatives,
  type ErrorCurve,
  errorCurve,
  type MeasuredApproximation,
  measure,
  programOfFunction,
} from '../lib/runtime/measure';
import { chart, type Line } from './chart';

/** What is known of a function. */
interface FunctionPart {
  readonly name: string;
  readonly approximations: readonly MeasuredApproximation[];
  /** Name of the chart's file, and what is in it. */
  readonly chart: { readonly file: string; readonly svg: string };
}

/** Parts of an interval in a chart. */
const PARTS = 128;
/** What a chart shows of results that are exact. */
const LEAST = 1e-7;

/** Whether all knobs have their default values. */
function hasDefaults({ approximation, knobs }: Alternative): boolean {
  return Object.entries(approximation.knobs).every(([knob, values]) => knobs[knob] === values[0]);
}

function isListed(alternative: Alternative): boolean {
  return alternative.approximation.of !== undefined || hasDefaults(alternative);
}

/** The largest error in each part, at its middle. */
function line(title: string, { operands, errors }: ErrorCurve): Line {
  const size = errors.length / PARTS;
  const points = Array.from({ length: PARTS }, (_, i) => {
    const part = errors.subarray(i * size, (i + 1) * size);
    const most = part.reduce((a, b) => Math.max(a, b));
    return [operands[Math.floor((i + 0.5) * size)]!, Math.max(most, LEAST)] as const;
  });
  return { title, points };
}

async function chartOf(name: string, all: readonly CompiledAlternative[]): Promise<FunctionPart['chart']> {
  const lines: Line[] = [];
  for (const { alternative, product } of all.filter((one) => hasDefaults(one.alternative))) {
    const program = programOfFunction(product);
    const curve = await errorCurve(alternative, product, program, alternative.measured);
    lines.push(line(alternative.approximation.name, curve));
  }
  const { definition, params } = all[0]!.alternative;
  const byMagnitude = definition.origin !== undefined && definition.origin(params) === 0;
  const kind = definition.relative ? 'relative' : 'absolute';
  const svg = chart(`${name}: ${kind} error`, 'operand', lines, {
    x: byMagnitude ? 'logarithmic' : 'linear',
    marks: false,
  });
  const file = name.replaceAll(/[^\w.-]+/g, '-').replace(/-$/, '');
  return { file: `approximations-${file}.svg`, svg };
}

async function measureAll(): Promise<FunctionPart[]> {
  const byName = new Map<string, CompiledAlternative[]>();
  for (const one of compiledAlternatives({}, isListed)) {
    const { name } = one.alternative;
    byName.set(name, [...(byName.get(name) ?? []), one]);
  }
  const parts: FunctionPart[] = [];
  for (const [name, all] of byName) {
    const approximations: MeasuredApproximation[] = [];
    for (const one of all) approximations.push(await measure(one));
    parts.push({ name, approximations, chart: await chartOf(name, all) });
  }
  return parts;
}

let known: Promise<FunctionPart[]> | undefined;

/** Measured once, whoever asks. */
function parts(): Promise<FunctionPart[]> {
  known ??= measureAll();
  return known;
}

const HEADER: readonly string[] = [
  '| approximation | domain | max error | mean error | on its domain | rounds | online | ahead | rounds | online | ahead |',
  '|---|---|---|---|---|---|---|---|---|---|---|',
];

function section({ name, approximations, chart: { file } }: FunctionPart): string {
  const kind = approximations[0]!.relative ? 'Errors relative to each result' : 'Absolute errors';
  const sources = new Map(approximations.flatMap((a) => (a.source ? [[a.name, a.source] as const] : [])));
  return [
    `### ${name}`,
    '',
    `![error of every approximation of ${name}](charts/${file})`,
    '',
    `${kind}, ${comparedOn(approximations)}.`,
    '',
    ...HEADER,
    ...approximations.map((a) => `| ${cells(a).join(' | ')} |`),
    ...(sources.size === 0 ? [] : ['', ...[...sources].map(([own, source]) => `- ${own}: ${source}`)]),
  ].join('\n');
}

/** A section for every function. */
export async function approximationSections(): Promise<string> {
  return (await parts()).map(section).join('\n\n');
}

/** Charts by file. */
export async function approximationCharts(): Promise<ReadonlyMap<string, string>> {
  return new Map((await parts()).map(({ chart: { file, svg } }) => [`docs/charts/${file}`, svg]));
}
