// `cryptorch party`: one party of a deployment.
//
// With `inputs` in its configuration it computes them, writes the outputs and ends. Without, it takes part in the runs
// of others, and serves its local HTTP endpoint if one is configured, until it is stopped with SIGINT or SIGTERM.

import { Command } from 'commander';
import { readNpy } from '../model/npy';
import { writeNpz } from '../model/npz';
import { joinRows, runRows } from '../runtime/batches';
import { type PartyFile, parseAddress, readPartyConfig } from '../runtime/config';
import { readBytes, SECRET_MODE, writeWhole } from '../runtime/files';
import { serveParty } from '../runtime/http';
import type { PartyResult } from '../runtime/jobs';
import type { Tensors } from '../runtime/numbers';
import { Party } from '../runtime/party';
import { type RoleLog, roleLog, untilStopped } from './role-log';

export function partyCommand(): Command {
  return new Command('party')
    .description('run a party of a deployment')
    .requiredOption('-c, --config <file>', 'configuration of the party')
    .option('--json', 'print events as JSON, one object per line')
    .action(run);
}

async function run(options: { config: string; json?: boolean }): Promise<void> {
  const stopped = untilStopped();
  const log = roleLog(options.json === true);
  const { inputs: files, outputs, http, ...config } = await readPartyConfig(options.config);
  const inputs = files && (await readInputs(files));
  const writer = new OutputWriter(inputs ? undefined : outputs, log);
  const party = await Party.open(config, { onResult: (result) => writer.write(result) });
  try {
    const { name } = party.deployment;
    log.note(
      'open',
      { port: party.port },
      `party ${config.party} of "${name}"${party.port ? ` listens on port ${party.port}` : ''}`,
    );
    if (inputs) {
      const results = await Promise.race([runRows(party, config.party, inputs), stopped]);
      if (Array.isArray(results) && outputs !== undefined) await save(outputs, joinRows(results), log);
      return;
    }
    await serve(party, config.party, http, stopped, log);
    await writer.done();
  } finally {
    await party.close();
  }
}

async function serve(
  party: Party,
  index: number,
  http: PartyFile['http'],
  stopped: Promise<unknown>,
  log: RoleLog,
): Promise<void> {
  const server = http === undefined ? undefined : await serveParty(party, index, parseAddress(http));
  const address = server?.address();
  if (address && typeof address === 'object') {
    log.note(
      'http',
      { port: address.port },
      `local HTTP endpoint on http://${http?.replace(/:\d+$/, '')}:${address.port}`,
    );
  }
  await stopped;
  server?.close();
  server?.closeAllConnections();
}

async function readInputs(files: Readonly<Record<string, string>>): Promise<Tensors> {
  const entries = Object.entries(files).map(
    async ([name, path]) => [name, readNpy(await readBytes(path), path)] as const,
  );
  return Object.fromEntries(await Promise.all(entries));
}

async function save(path: string, outputs: Tensors, log: RoleLog): Promise<void> {
  await writeWhole(path, writeNpz(outputs), SECRET_MODE);
  log.note('outputs', { path }, `outputs written to ${path}`);
}

/** Writes the outputs of runs that others started, whole or not at all, one after the other. */
class OutputWriter {
  private writing: Promise<void> = Promise.resolve();

  constructor(
    /** `{run}` in it stands for the number of the run; without, the file holds the last one. */
    private readonly path: string | undefined,
    private readonly log: RoleLog,
  ) {}

  write({ run, outputs }: PartyResult): void {
    const { path } = this;
    if (path === undefined) return;
    const file = path.replaceAll('{run}', String(run));
    this.writing = this.writing.then(() =>
      save(file, outputs, this.log).catch((error: Error) => {
        process.exitCode = 1;
        this.log.note('error', { message: error.message }, `error: ${error.message}`);
      }),
    );
  }

  done(): Promise<void> {
    return this.writing;
  }
}
