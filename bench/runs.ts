// Medians of whole private runs, and their tables: what the benches of protocols and of networks share.

import { cpus, totalmem } from 'node:os';
import { type Column, renderTable } from '../lib/cli/table';
import { native } from '../lib/native';
import { CRYPTEN } from './peers';

/** One case: medians in milliseconds, communication of the party that sends most. */
export interface Measured {
  readonly name: string;
  readonly setup: number;
  readonly offline: number;
  readonly online: number;
  readonly rounds: number;
  /** Sent online, and to the other parties ahead of the run, by the party that sends most. */
  readonly megabytes: number;
  readonly aheadMegabytes: number;
  readonly dealerMegabytes: number;
  /** What CrypTen's figures call this work, if not the same. */
  readonly peer?: string;
  /** Milliseconds of the same network in plaintext, one thread, where measured. */
  readonly plaintext?: number;
  /** A batch, where one input was measured as well: per input, divided by what one alone takes. */
  readonly perInput?: { readonly offline: number; readonly online: number; readonly megabytes: number };
}

/** Growth with the batch: 1 is linear, less is better. */
export function perInput(batch: Measured, size: number, one: Measured): NonNullable<Measured['perInput']> {
  const ratio = (of: 'offline' | 'online' | 'megabytes'): number => batch[of] / size / one[of];
  return { offline: ratio('offline'), online: ratio('online'), megabytes: ratio('megabytes') };
}

interface Run {
  readonly seconds: { readonly setup: number; readonly offline: number; readonly online: number };
  readonly communication: {
    readonly online: { readonly rounds: number; readonly bytesSent: readonly number[] };
    readonly offline: { readonly bytesSent: readonly number[]; readonly dealerBytes: readonly number[] };
  };
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/** Repeats a run after one for warming up: at least three times, for about `budget` milliseconds. */
export async function repeat(name: string, run: () => Promise<Run>, budget = 4000): Promise<Measured> {
  await run();
  const runs: Run[] = [];
  const until = performance.now() + budget;
  while (runs.length < 3 || (performance.now() < until && runs.length < 25)) runs.push(await run());
  const of = (phase: 'setup' | 'offline' | 'online'): number =>
    1000 * median(runs.map((r) => r.seconds[phase]));
  const { online, offline } = (runs[0] as Run).communication;
  return {
    name,
    setup: of('setup'),
    offline: of('offline'),
    online: of('online'),
    rounds: online.rounds,
    megabytes: Math.max(...online.bytesSent) / 1e6,
    aheadMegabytes: Math.max(...offline.bytesSent) / 1e6,
    dealerMegabytes: Math.max(...offline.dealerBytes) / 1e6,
  };
}

const COLUMNS: readonly Column[] = [
  { title: 'work', align: 'left' },
  { title: 'setup ms', align: 'right' },
  { title: 'offline ms', align: 'right' },
  { title: 'online ms', align: 'right' },
  { title: 'rounds', align: 'right' },
  { title: 'MB a party', align: 'right' },
  { title: 'ahead', align: 'right' },
  { title: 'MB dealt', align: 'right' },
  { title: 'CrypTen total', align: 'right' },
  { title: 'online', align: 'right' },
  { title: 'MB', align: 'right' },
  { title: 'plaintext ms', align: 'right' },
  { title: 'per input: offline', align: 'right' },
  { title: 'online', align: 'right' },
  { title: 'MB', align: 'right' },
];

function times(factor: number): string {
  return `${factor.toFixed(1)}x`;
}

/** The table: ours, then how many times longer CrypTen took and how many times more it sent. */
export function table(measured: readonly Measured[]): string {
  const rows = measured.map((m) => {
    const peer = CRYPTEN[m.peer ?? m.name];
    const ratios = peer
      ? [
          times(peer.total / (m.offline + m.online)),
          times(peer.online / m.online),
          times(peer.megabytes / (m.megabytes + m.aheadMegabytes)),
        ]
      : ['', '', ''];
    const numbers = [m.setup, m.offline, m.online].map((v) => v.toPrecision(3));
    const plaintext = m.plaintext === undefined ? '' : m.plaintext.toPrecision(3);
    const growth = m.perInput ? [m.perInput.offline, m.perInput.online, m.perInput.megabytes] : [];
    return [
      m.name,
      ...numbers,
      `${m.rounds}`,
      m.megabytes.toPrecision(3),
      m.aheadMegabytes.toPrecision(3),
      m.dealerMegabytes.toPrecision(3),
      ...ratios,
      plaintext,
      ...[0, 1, 2].map((i) => growth[i]?.toFixed(2) ?? ''),
    ];
  });
  return renderTable(COLUMNS, rows);
}

/** Where the figures come from. */
export function environment(): Record<string, string | number> {
  const [cpu] = cpus();
  return {
    date: new Date().toISOString().slice(0, 10),
    cpu: cpu?.model ?? 'unknown',
    cores: cpus().length,
    gigabytes: Math.round(totalmem() / 2 ** 30),
    node: process.version,
    kernels: native().info().isa,
  };
}

export function environmentLine(): string {
  return Object.entries(environment())
    .map(([k, v]) => `${k} ${v}`)
    .join(', ');
}

/** Prints the table on standard output, or one JSON object. */
export function publish(measured: readonly Measured[], json: boolean): void {
  if (json) {
    console.log(JSON.stringify({ environment: environment(), measured }));
    return;
  }
  console.log(`${environmentLine()}\n\n${table(measured)}`);
}
