// Takes one run number after the other from the ledger that the argument names, and writes each once it may be used.

import { writeSync } from 'node:fs';
import { Ledger } from '../../lib/runtime/ledger';

async function main(path: string): Promise<void> {
  const ledger = await Ledger.open(path);
  for (;;) {
    const run = ledger.marks.run + 1;
    await ledger.useRun(run);
    writeSync(1, `${run}\n`);
  }
}

void main(process.argv[2]!);
