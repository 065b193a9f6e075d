// `npm run bench -- scale [--json] [--svg FILE] [--most ELEMENTS] [FILTER]`: how time, bytes and memory grow with the number of elements
// (1e3 to 1e8) and with the number of parties (2 to 5), for a ReLU with truncation on shares and for a linear layer with weights of one
// party (rows of 256, 256 x 64 weights). Parties and dealer are threads of this process, links unshaped. What would take more than half of
// the memory that is free now is not run, and the table says so: its bytes, rounds and memory are those of the program, which a run
// never exceeds.

import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { freemem } from 'node:os';
import { renderTable } from '../lib/cli/table';
import { type Graph, GraphBuilder, type Type } from '../lib/compiler/ir/graph';
import type { Program } from '../lib/compiler/program';
import { project } from '../lib/compiler/schedule/project';
import { secure } from '../lib/compiler/secure';
import { profile } from '../lib/cost/communication';
import { runProgram } from '../lib/runtime/local';
import { chart } from '../scripts/chart';
import { environment, median } from './runs';

interface Scaled {
  readonly work: string;
  readonly elements: number;
  readonly parties: number;
  /** Seconds of preparing: compiling, and planning every role. */
  readonly planning: number;
  /** Milliseconds, null where it was not run. */
  readonly offline: number | null;
  readonly online: number | null;
  readonly rounds: number;
  /** Of the party that sends most, and of the dealer in all. */
  readonly bytesSent: number;
  readonly bytesDealt: number;
  /** Of the party that takes most: state, material and work. */
  readonly bytesPlanned: number;
  /** Of all roles together. */
  readonly bytesPlannedAll: number;
}

const COLUMNS = 256;
const OUTPUTS = 64;
const MOST = 1e8;

const fixed = (shape: readonly number[], scale: number, owner: number | 'secret' = 'secret'): Type => ({
  shape,
  dtype: 'fixed',
  owner,
  scale,
});

interface Work {
  readonly name: string;
  readonly graph: (elements: number) => Graph;
}

const WORKS: readonly Work[] = [
  {
    name: 'ReLU',
    graph: (elements) => {
      const b = new GraphBuilder('relu');
      const x = b.input('x', fixed([elements], 32));
      const y = b.node({ name: 'relu', origin: 'Relu' }, 'relu', [x], [fixed([elements], 16)], { shift: 16 });
      return b.build(y);
    },
  },
  {
    name: 'linear',
    graph: (elements) => {
      const rows = Math.ceil(elements / COLUMNS);
      const b = new GraphBuilder('linear');
      const x = b.input('x', fixed([rows, COLUMNS], 16));
      const data = new Float64Array(COLUMNS * OUTPUTS);
      const w = b.constant('w', fixed([COLUMNS, OUTPUTS], 16, 1), { data, private: true });
      const y = b.node({ name: 'linear', origin: 'MatMul' }, 'matmul', [x, w], [fixed([rows, OUTPUTS], 32)]);
      return b.build(y);
    },
  },
];

/** Bytes that can be taken without harm to others on this machine. */
function available(): number {
  try {
    const found = /^MemAvailable:\s+(\d+) kB$/m.exec(readFileSync('/proc/meminfo', 'utf8'))?.[1];
    return found === undefined ? freemem() : 1024 * Number(found);
  } catch {
    return freemem();
  }
}

/** Numbers between -1 and 1; written in a loop because Float64Array.from() takes minutes for 1e8 of them. */
function waves(shape: readonly number[]): Float64Array {
  const data = new Float64Array(shape.reduce((a, b) => a * b, 1));
  for (let i = 0; i < data.length; i++) data[i] = Math.sin(i);
  return data;
}

async function measure(work: Work, elements: number, parties: number): Promise<Scaled> {
  const started = performance.now();
  const graph = work.graph(elements);
  const outputOwners = Object.fromEntries(graph.outputs.map((v) => [v.name, 'secret' as const]));
  const program: Program = secure(graph, { parties, outputOwners });
  const plans = Array.from({ length: parties + 1 }, (_, role) => project(program, role).bytes);
  const planning = (performance.now() - started) / 1000;
  const planned = plans.map(({ state, material, work: temporary }) => state + material + temporary);
  const { online, offline } = profile(program).total;
  const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
  const found = {
    work: work.name,
    elements,
    parties,
    planning,
    rounds: online.rounds,
    bytesSent: Math.max(...online.bytesSent),
    bytesDealt: sum(offline.dealerBytes),
    bytesPlanned: Math.max(...planned.slice(0, parties)),
    bytesPlannedAll: sum(planned),
  };
  // Besides what is planned: frames on their way, and each party's copy of the inputs.
  const inputs = 8 * elements * (parties + 1);
  const needed =
    found.bytesPlannedAll + Math.max(found.bytesSent, found.bytesDealt / parties) * parties + inputs;
  if (needed > available() / 2) return { ...found, offline: null, online: null };
  const numbers = new Map(
    program.ios.filter((io) => io.kind !== 'output').map((io) => [io.name, waves(io.shape)] as const),
  );
  const seconds: { offline: number; online: number }[] = [];
  const repeats = elements <= 1e6 ? 6 : 2;
  for (let i = 0; i < repeats; i++) seconds.push((await runProgram(program, numbers)).seconds);
  const of = (phase: 'offline' | 'online'): number => 1000 * median(seconds.slice(1).map((s) => s[phase]));
  return { ...found, offline: of('offline'), online: of('online') };
}

function rows(measured: readonly Scaled[]): string[][] {
  return measured.map((m) => {
    const time = (ms: number | null): string => (ms === null ? 'not run' : ms.toPrecision(3));
    const each = (amount: number): string => (amount / m.elements).toPrecision(3);
    return [
      m.work,
      m.elements.toExponential(0).replace('+', ''),
      `${m.parties}`,
      (1000 * m.planning).toPrecision(2),
      time(m.offline),
      time(m.online),
      m.online === null ? '' : each(m.online * 1e6),
      `${m.rounds}`,
      (m.bytesSent / 1e6).toPrecision(3),
      each(m.bytesSent),
      (m.bytesPlanned / 1e6).toPrecision(3),
      each(m.bytesPlanned),
    ];
  });
}

const TITLES = [
  'planning ms',
  'offline ms',
  'online ms',
  'ns each',
  'rounds',
  'MB a party',
  'bytes each',
  'memory MB a party',
  'bytes each',
];

export async function main(args: readonly string[]): Promise<void> {
  const option = (name: string): string | undefined => {
    const at = args.indexOf(name);
    return at < 0 ? undefined : args[at + 1];
  };
  const most = Number(option('--most') ?? MOST);
  const given = [option('--most'), option('--svg')];
  const filter = args.find((a) => !a.startsWith('--') && !given.includes(a)) ?? '';
  const measured: Scaled[] = [];
  const cases = [
    ...[1e3, 1e4, 1e5, 1e6, 1e7, 1e8].filter((n) => n <= most).map((elements) => ({ elements, parties: 2 })),
    ...[3, 4, 5].map((parties) => ({ elements: Math.min(1e5, most), parties })),
  ];
  for (const work of WORKS.filter((w) => w.name.includes(filter))) {
    for (const { elements, parties } of cases) {
      const m = await measure(work, elements, parties);
      measured.push(m);
      console.error(`${m.work} ${elements}, ${parties} parties: online ${m.online?.toFixed(1) ?? 'not run'}`);
    }
  }
  const file = option('--svg');
  if (file !== undefined) await writeFile(file, svg(measured));
  if (args.includes('--json')) {
    console.log(JSON.stringify({ environment: environment(), measured }));
    return;
  }
  const columns = [
    { title: 'work', align: 'left' as const },
    ...['elements', 'parties', ...TITLES].map((title) => ({ title, align: 'right' as const })),
  ];
  console.log(renderTable(columns, rows(measured)));
}

function svg(measured: readonly Scaled[]): string {
  const line = (work: string, title: string, of: (m: Scaled) => number | null) => ({
    title: `${work}: ${title}`,
    points: measured
      .filter((m) => m.work === work && m.parties === 2)
      .flatMap((m) => {
        const y = of(m);
        return y === null ? [] : [[m.elements, y] as const];
      }),
  });
  const works = WORKS.map((w) => w.name).filter((name) => measured.some((m) => m.work === name));
  return chart(
    'Growth with the number of elements, 2 parties',
    'elements',
    works.flatMap((work) => [
      line(work, 'online, ms', (m) => m.online),
      line(work, 'sent by a party, MB', (m) => m.bytesSent / 1e6),
      line(work, 'memory of a party, MB', (m) => m.bytesPlanned / 1e6),
    ]),
  );
}
