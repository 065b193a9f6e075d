// Runs a group of cases with benchmark.js and reports medians, spread, throughput, and ratios to the first case.

import Benchmark from 'benchmark';
import { renderTable } from '../lib/cli/table';

export interface Case {
  readonly name: string;
  /** Synchronous work; what it does must not be removable by the optimizer. */
  readonly run: () => void;
  /** Work per call in `unit`, for throughput. */
  readonly work?: number;
}

export interface Suite {
  readonly name: string;
  /** What `work` counts, e.g. `element` or `multiply-add`. */
  readonly unit: string;
  readonly cases: readonly Case[];
}

export interface BenchmarkFile {
  readonly suites: readonly Suite[];
}

interface Measured {
  readonly name: string;
  readonly median: number;
  readonly spread: number;
  readonly work: number | undefined;
}

/** Seconds of every case, as a table. */
export async function runSuite(suite: Suite): Promise<string> {
  const measured: Measured[] = [];
  for (const c of suite.cases) measured.push(await measure(c));
  const base = measured[0]?.median ?? 1;
  const rows = measured.map(({ name, median, spread, work }) => [
    name,
    (median * 1e6).toPrecision(4),
    `${(spread * 100).toFixed(0)} %`,
    work === undefined ? '' : (work / median / 1e9).toPrecision(3),
    (median / base).toPrecision(3),
  ]);
  const columns = [
    { title: 'case', align: 'left' },
    { title: 'us', align: 'right' },
    { title: 'spread', align: 'right' },
    { title: `G ${suite.unit}/s`, align: 'right' },
    { title: 'ratio', align: 'right' },
  ] as const;
  return `${suite.name}\n${renderTable(columns, rows)}`;
}

function measure(c: Case): Promise<Measured> {
  return new Promise((resolve, reject) => {
    new Benchmark(c.name, c.run, {
      maxTime: 1,
      onComplete: (event: Benchmark.Event) => {
        const { error, stats } = event.target as unknown as Benchmark;
        if (error) return reject(error);
        const sample = [...stats.sample].sort((a, b) => a - b);
        const at = (q: number): number => sample[Math.min(sample.length - 1, Math.floor(q * sample.length))]!;
        const spread = (at(0.9) - at(0.1)) / at(0.5);
        resolve({ name: c.name, median: at(0.5), spread, work: c.work });
      },
    }).run({ async: true });
  });
}
