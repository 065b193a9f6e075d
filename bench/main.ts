// `npm run bench -- NAME`: runs bench/NAME.ts; without a name, lists what there is.
//
// A benchmark file exports `suites`: groups of cases that are compared with each other. Times on a shared machine drift, so
// only ratios within one suite mean something; the first case of a suite is what the others are divided by.

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { type BenchmarkFile, runSuite } from './harness';

const names = readdirSync(__dirname)
  .filter((file) => file.endsWith('.ts') && file !== 'main.ts' && file !== 'harness.ts')
  .map((file) => file.slice(0, -'.ts'.length));

async function main(): Promise<void> {
  const [name, filter = ''] = process.argv.slice(2);
  if (name === undefined || !names.includes(name)) {
    console.error(`usage: npm run bench -- NAME [SUITE]\nbenchmarks: ${names.join(', ')}`);
    process.exitCode = name === undefined ? 0 : 2;
    return;
  }
  const { suites } = (await import(join(__dirname, `${name}.ts`))) as BenchmarkFile;
  const chosen = suites.filter((suite) => suite.name.includes(filter));
  for (const suite of chosen) console.log(`${await runSuite(suite)}\n`);
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
