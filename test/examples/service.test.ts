// The example service as its README says: three processes, started and stopped together.

import { type ChildProcess, spawn } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node';
import { readNpy } from '../../lib/model/npy';
import { rows } from '../../lib/tensor';
import { example, temporaryFolder } from '../helpers/cli';

const IMAGES = 6;

class Service {
  readonly pids: number[] = [];
  url = '';
  errors = '';
  readonly exited: Promise<number | null>;

  private constructor(private readonly child: ChildProcess) {
    this.exited = new Promise((resolve) => child.on('exit', resolve));
    child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.errors += text;
    });
  }

  /** Resolves when all roles are connected. */
  static async start(t: ExecutionContext, folder: string): Promise<Service> {
    const args = ['--import', 'tsx', example('service', 'start.ts'), '--folder', folder, '--port', '0'];
    const child = spawn(process.execPath, args, { env: { ...process.env, NODE_DEBUG: '' } });
    const service = new Service(child);
    t.teardown(() => child.kill('SIGTERM'));
    await service.announced(child);
    while ((await service.health()) !== 200) await new Promise((resolve) => setTimeout(resolve, 50));
    return service;
  }

  private async announced(child: ChildProcess): Promise<void> {
    let text = '';
    for await (const part of child.stdout!.setEncoding('utf8') as AsyncIterable<string>) {
      text += part;
      const url = /http:\S+(?=\/classify\n)/.exec(text)?.[0];
      if (url === undefined) continue;
      this.url = url;
      for (const [, pid] of text.matchAll(/process (\d+)/g)) this.pids.push(Number(pid));
      return;
    }
    throw new Error(`It ended without an address: ${this.errors}`);
  }

  async health(): Promise<number> {
    return (await fetch(`${this.url}/health`)).status;
  }

  async classify(body: unknown): Promise<{ status: number; digit?: number; scores?: number[] }> {
    const response = await fetch(`${this.url}/classify`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    return { status: response.status, ...((await response.json()) as object) };
  }

  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  get alive(): number[] {
    return this.pids.filter(reachable);
  }
}

function reachable(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** The first test images, and what the model says of them in the clear. */
async function plaintext(): Promise<{ images: number[][]; scores: number[][]; labels: number[] }> {
  const all = readNpy(await readFile(example('digits', 'images.npy')));
  const few = rows(all, 0, IMAGES);
  const labels = readNpy(await readFile(example('digits', 'labels.npy')));
  const session = await InferenceSession.create(example('digits', 'digits.onnx'));
  const { logits } = await session.run({
    image: new OrtTensor('float32', Float32Array.from(few.data as Float32Array), [...few.shape]),
  });
  const split = (data: ArrayLike<number>, size: number): number[][] =>
    Array.from({ length: IMAGES }, (_, i) => Array.from(data).slice(size * i, size * (i + 1)));
  return {
    images: split(few.data as Float32Array, 64),
    scores: split(logits!.data as Float32Array, 10),
    labels: Array.from(labels.data.subarray(0, IMAGES), Number),
  };
}

async function within(t: ExecutionContext, ms: number, what: Promise<number | null>): Promise<number | null> {
  const began = Date.now();
  const result = await what;
  t.true(Date.now() - began < ms, `took ${Date.now() - began} ms`);
  return result;
}

test('classifies, refuses, stops when asked, resumes, and stops when a process dies', async (t) => {
  const folder = join(await temporaryFolder(t), 'service');
  const { images, scores, labels } = await plaintext();
  let service = await Service.start(t, folder);
  t.is(service.pids.length, 3);

  // What each may have, and no more.
  const common = ['ca.pem', 'certificate.pem', 'config.json', 'key.pem', 'program.json', 'state'];
  t.deepEqual((await readdir(join(folder, 'dealer'))).sort(), common);
  t.deepEqual((await readdir(join(folder, 'clinic'))).sort(), common);
  t.deepEqual((await readdir(join(folder, 'vendor'))).sort(), [...common, 'weights.npz']);

  const [first, ...others] = images;
  const square = Array.from({ length: 8 }, (_, y) => first!.slice(8 * y, 8 * y + 8));
  const answers = [await service.classify({ image: square })];
  answers.push(...(await Promise.all(others.map((image) => service.classify({ image })))));
  answers.forEach(({ status, digit, scores: found }, i) => {
    t.is(status, 200);
    t.is(digit, labels[i]);
    const error = Math.max(...found!.map((score, k) => Math.abs(score - scores[i]![k]!)));
    t.true(error < 0.05, `scores of image ${i} differ by ${error}`);
  });

  const bad = [
    {},
    { image: [] },
    { image: first!.slice(1) },
    { image: square.map((row) => row.slice(1)) },
    { image: first!.map(String) },
    { image: first!.map(() => 2) },
    { image: first, more: 1 },
  ];
  for (const body of bad) t.is((await service.classify(body)).status, 400, JSON.stringify(body));

  // A caller that hangs up does not keep others from being served.
  const hungUp = new AbortController();
  const lost = fetch(`${service.url}/classify`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ image: first }),
    signal: hungUp.signal,
  });
  setTimeout(() => hungUp.abort(), 5);
  await lost.catch(() => {});
  t.is((await service.classify({ image: first })).digit, labels[0]);

  service.signal('SIGTERM');
  t.is(await within(t, 5000, service.exited), 0, service.errors);
  t.deepEqual(service.alive, []);

  service = await Service.start(t, folder);
  t.regex(service.errors, /clinic: connected, epoch 1\n/);
  t.is((await service.classify({ image: first })).digit, labels[0]);
  process.kill(service.pids[1]!, 'SIGKILL');
  t.is(await within(t, 5000, service.exited), 1);
  t.regex(service.errors, /The vendor ended with SIGKILL/);
  t.deepEqual(service.alive, []);
});
