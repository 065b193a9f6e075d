// The addon as a binary: the programs built with it pass, it loads in worker threads, and its absence is explained.

import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { Worker } from 'node:worker_threads';
import test from 'ava';
import { KERNELS } from '../../lib/compiler/kernels';
import { CryptorchError } from '../../lib/errors';
import { loadNative, native } from '../../lib/native';
import { bundle, frame, plan, triple, WORK } from './plans';

const run = promisify(execFile);
const release = resolve(__dirname, '../../build/Release');

for (const program of ['core_test', 'kernel_test']) {
  test(`${program} passes`, async (t) => {
    t.timeout(300_000);
    const { stdout } = await run(join(release, program), [], { maxBuffer: 1 << 26 });
    const last = stdout.trimEnd().split('\n').at(-1) ?? '';
    t.regex(last, /^[1-9]\d* passed, 0 failed/);
    t.log(last);
  });
}

test('the kernels have the ids that programs are written with', (t) => {
  const { kernels, available, isa, napi, openssl } = native().info();
  t.deepEqual(kernels, { ...KERNELS });
  t.true(available.includes(isa) && available.at(-1) === 'baseline');
  t.true(napi >= 8);
  t.is(openssl.split('.')[0], process.versions.openssl?.split('.')[0]);
  t.notThrows(() => native().requireTls());
});

test('the addon says which version of the package it was built from', async (t) => {
  const text = await readFile(resolve(__dirname, '../../package.json'), 'utf8');
  t.is(native().version, JSON.parse(text).version);
});

test('CRYPTORCH_ISA chooses the kernels', async (t) => {
  const script = `process.stdout.write(require(${JSON.stringify(join(release, 'cryptorch_native.node'))}).info().isa)`;
  const env = { ...process.env, CRYPTORCH_ISA: 'baseline' };
  const { stdout } = await run(process.execPath, ['-e', script], { env });
  t.is(stdout, 'baseline');
});

test('a missing binary is explained', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'cryptorch-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const error = t.throws(() => loadNative(folder)) as CryptorchError;
  t.true(CryptorchError.is(error, 'MISSING_BINARY'));
  for (const part of [process.platform, process.arch, 'npm run build:native', folder])
    t.true(error.message.includes(part));
  t.true(error.message.includes(`Node-API ${process.versions.napi}`));
  if (process.platform === 'linux') t.regex(error.message, /glibc|musl/);
});

test('a binary that cannot be loaded is explained', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'cryptorch-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const file = join(folder, 'build', 'Release', 'cryptorch_native.node');
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, 'no binary at all');
  const error = t.throws(() => loadNative(folder)) as CryptorchError;
  t.true(CryptorchError.is(error, 'MISSING_BINARY'));
  for (const part of [file, (error.cause as Error).message, 'npm run build:native'])
    t.true(error.message.includes(part), part);
});

test('only the entry points of Node-API are exported', async (t) => {
  if (process.platform !== 'linux') return t.pass();
  const { stdout } = await run('nm', ['-D', '--defined-only', join(release, 'cryptorch_native.node')]);
  const names = stdout
    .trim()
    .split('\n')
    .map((line) => line.split(' ').at(-1));
  t.deepEqual(names.sort(), ['napi_register_module_v1', 'node_api_module_get_api_version_v1']);
});

// A worker loads the addon of its own and ends, or is ended, while a run is going on.
for (const ending of ['exit', 'terminate']) {
  test(`a run of a worker thread that ${ending}s is cancelled`, async (t) => {
    const waits = (role: number): BigInt64Array =>
      plan({ role, bytes: [0, 0, 64], keys: 0, online: [frame('receive', 1, 1 - role, WORK, 0, 8, 0)] });
    const worker = new Worker(
      `const { parentPort, workerData } = require('node:worker_threads');
       const addon = require(workerData.addon);
       addon.runLocal({ plans: workerData.plans, keys: [[], []], inputs: [[], []] }, () => {}).promise.catch(() => {});
       setTimeout(() => { parentPort.postMessage('running'); if (workerData.ending === 'exit') process.exit(); }, 150);`,
      {
        eval: true,
        workerData: { addon: join(release, 'cryptorch_native.node'), plans: [waits(0), waits(1)], ending },
      },
    );
    const exited = new Promise<void>((done) => worker.once('exit', () => done()));
    await new Promise((done) => worker.once('message', done));
    if (ending === 'terminate') await worker.terminate();
    await exited;
    t.pass();
  });
}

test('the driver runs bundles and refuses other files', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'cryptorch-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const driver = join(release, 'driver');
  const file = join(folder, 'triple.bundle');
  const x = Float64Array.from({ length: 100 }, (_, i) => i / 16 - 20);
  await writeFile(file, bundle(triple(100), [[x]]));
  const outputs = new Set<string>();
  for (const isa of native().info().available) {
    const { stdout } = await run(driver, [file, '--isa', isa, '--threads', '3', '--repeat', '2']);
    for (const line of stdout.trim().split('\n')) {
      const { isa: used, roles } = JSON.parse(line);
      t.is(used, isa);
      t.deepEqual(roles[1].phases.online.bytesSent, [1648, 0, 0]);
      outputs.add(JSON.stringify(roles[0].outputs));
    }
  }
  t.is(outputs.size, 1);
  t.regex([...outputs][0]!, /"elements":100,"checksum":"[0-9a-f]{16}"/);

  const bad = join(folder, 'bad.bundle');
  await writeFile(bad, 'CCTBUND1 and nothing else');
  const error = await t.throwsAsync<Error & { stderr: string }>(run(driver, [bad]));
  t.regex(error!.stderr, /ERR_CRYPTORCH_BAD_PLAN: malformed bundle/);
});
