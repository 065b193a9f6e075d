// `npm run bench -- cancel`: what it costs to cancel a run that has started. It ends what is going on between the roles: the
// links are made again, and material that was prepared is lost. Dealer and two parties of the digits network in this process,
// over mutual TLS on loopback; milliseconds until there is the result of a run, medians, with no run prepared and with one.

import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { prepare } from '../examples/digits/prepare';
import { compile, Dealer, Party, type RunEvent, type Tensor } from '../lib';
import { renderTable } from '../lib/cli/table';
import { roleFile } from '../lib/keys/role';
import { readNpy } from '../lib/model/npy';
import { rows } from '../lib/tensor';
import { environmentLine, median } from './runs';

const DIGITS = join(__dirname, '..', 'examples', 'digits');
const REPEATS = 15;

/** A party, and how to start its runs and to wait until its material is there again. */
interface Serving {
  readonly party: Party;
  readonly ahead: number;
  readonly inputs: Record<string, Tensor>;
}

async function prepared({ party, ahead }: Serving): Promise<void> {
  while (party.stats.prepared < ahead) await new Promise((resolve) => setTimeout(resolve, 1));
}

async function milliseconds(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

/** Starts a run, and cancels it as soon as it has started. */
async function cancelled({ party, inputs }: Serving): Promise<void> {
  const caller = new AbortController();
  const abort = (event: unknown): void => {
    const { role, state } = event as RunEvent;
    if (role === 0 && state === 'started') caller.abort();
  };
  subscribe('cryptorch:run', abort);
  await party.run(inputs, { signal: caller.signal }).catch(() => undefined);
  unsubscribe('cryptorch:run', abort);
}

async function measure(serving: Serving): Promise<string[]> {
  const { party, ahead, inputs } = serving;
  const usual: number[] = [];
  const after: number[] = [];
  await party.run(inputs);
  for (let i = 0; i < REPEATS; i++) {
    await prepared(serving);
    usual.push(await milliseconds(() => party.run(inputs)));
    await prepared(serving);
    await cancelled(serving);
    after.push(await milliseconds(() => party.run(inputs)));
  }
  return [String(ahead), ...[usual, after].map((times) => median(times).toFixed(1))];
}

async function withRoles(ahead: number): Promise<string[]> {
  const folder = await mkdtemp(join(tmpdir(), 'cryptorch-'));
  const model = await compile(join(DIGITS, 'digits.onnx'), { owners: { image: 0, weights: 1, logits: 0 } });
  const images = readNpy(await readFile(join(DIGITS, 'images.npy')), 'images.npy');
  await prepare(folder, model, images);
  const common = (role: number | 'dealer') => {
    const deployment = join(folder, roleFile(role));
    const at = (name: string): string => join(deployment, name);
    const certificates = {
      ca: at('ca.pem'),
      certificate: at(`${roleFile(role)}.pem`),
      key: at(`${roleFile(role)}.key`),
    };
    return { deployment, certificates };
  };
  const listen = '127.0.0.1:0';
  const dealer = await Dealer.open({ ...common('dealer'), listen });
  const peers = { dealer: `127.0.0.1:${dealer.port}` };
  const zero = await Party.open({ ...common(0), party: 0, listen, peers, ahead });
  const one = await Party.open({
    ...common(1),
    party: 1,
    peers: { ...peers, '0': `127.0.0.1:${zero.port}` },
  });
  try {
    await zero.ready();
    return await measure({ party: zero, ahead, inputs: { image: rows(images, 0, 1) } });
  } finally {
    for (const role of [zero, one, dealer]) await role.close();
    await rm(folder, { recursive: true });
  }
}

export async function main(): Promise<void> {
  const columns = [
    { title: 'prepared', align: 'right' },
    { title: 'usually ms', align: 'right' },
    { title: 'after a cancelled run ms', align: 'right' },
  ] as const;
  const rows = [await withRoles(0), await withRoles(1)];
  console.log(`${environmentLine()}\n\n${renderTable(columns, rows)}`);
}
