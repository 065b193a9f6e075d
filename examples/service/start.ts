// Starts the dealer, the clinic and the vendor, each in a process and a folder of its own, connected by mutual TLS; ends
// when it is asked to (SIGINT, SIGTERM) or when one of them does.
//
//   --folder PATH   keeps keys and state there, and resumes them the next time; a temporary folder by default
//   --port PORT     of the clinic's HTTP service, 8080 by default; 0 takes a free one

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { prepare } from './prepare';
import { Processes } from './processes';

const HOST = '127.0.0.1';
/** What all roles configure alike. Paths are relative to the folder of the role. */
const COMMON = {
  deployment: '.',
  certificates: { ca: 'ca.pem', certificate: 'certificate.pem', key: 'key.pem' },
  timeouts: { offline: 10, online: 10, run: 30 },
};

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { folder: { type: 'string' }, port: { type: 'string' } } });
  const stop = new AbortController();
  const asked = new Promise<void>((done) => stop.signal.addEventListener('abort', () => done()));
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stop.abort());
  const temporary =
    values.folder === undefined ? await mkdtemp(join(tmpdir(), 'cryptorch-service-')) : undefined;
  const folder = temporary ? join(temporary, 'roles') : resolve(values.folder as string);
  const processes = new Processes(folder);
  try {
    await prepare(folder, stop.signal);
    await Promise.race([startAll(processes, Number(values.port ?? 8080)), asked]);
    await Promise.race([processes.died, asked]);
  } catch (error) {
    if (!stop.signal.aborted) throw error;
  } finally {
    await processes.stop();
    if (temporary) await rm(temporary, { recursive: true, force: true });
  }
}

async function startAll(processes: Processes, port: number): Promise<void> {
  const dealer = await processes.start('dealer', { ...COMMON, listen: `${HOST}:0` });
  const toDealer = { dealer: `${HOST}:${dealer.port}` };
  const clinic = await processes.start('clinic', {
    http: { host: HOST, port },
    // The material of two runs is made ahead, so that a request waits for the online phase only.
    party: { ...COMMON, party: 0, listen: `${HOST}:0`, peers: toDealer, ahead: 2, queue: 32 },
  });
  const vendor = await processes.start('vendor', {
    http: { host: HOST, port: 0 },
    party: { ...COMMON, party: 1, peers: { ...toDealer, 0: `${HOST}:${clinic.port}` } },
  });
  process.stdout.write(
    [
      `dealer  process ${dealer.pid}`,
      `vendor  process ${vendor.pid}  http://${HOST}:${vendor.http}/health`,
      `clinic  process ${clinic.pid}  http://${HOST}:${clinic.http}/classify`,
      '',
    ].join('\n'),
  );
}

main().catch((error: unknown) => {
  process.exitCode = 1;
  process.stderr.write(`${(error as Error).message}\n`);
});
