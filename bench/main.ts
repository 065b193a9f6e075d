// `npm run bench -- NAME`: runs bench/NAME.ts; without a name, lists what there is.
//
// A benchmark file exports `suites`, groups of synchronous cases that are compared with each other (the first case of a suite is what
// the others are divided by), or a `main` of its own for whole runs. Times on a shared machine drift: only ratios within one run mean
// something.

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { type BenchmarkFile, runSuite } from './harness';

const SHARED = ['main.ts', 'harness.ts', 'runs.ts', 'peers.ts', 'chart.ts', 'functions.ts'];

const names = readdirSync(__dirname)
  .filter((file) => file.endsWith('.ts') && !SHARED.includes(file))
  .map((file) => file.slice(0, -'.ts'.length));

interface WholeRuns {
  readonly main: (args: readonly string[]) => Promise<void>;
}

async function main(): Promise<void> {
  const [name, ...rest] = process.argv.slice(2);
  const [filter = ''] = rest;
  if (name === undefined || !names.includes(name)) {
    console.error(`usage: npm run bench -- NAME [SUITE]\nbenchmarks: ${names.join(', ')}`);
    process.exitCode = name === undefined ? 0 : 2;
    return;
  }
  const file = (await import(join(__dirname, `${name}.ts`))) as BenchmarkFile | WholeRuns;
  if ('main' in file) {
    await file.main(rest);
    return;
  }
  const { suites } = file;
  const chosen = suites.filter((suite) => suite.name.includes(filter));
  for (const suite of chosen) console.log(`${await runSuite(suite)}\n`);
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
