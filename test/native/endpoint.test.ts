// Computations and control messages between endpoints: over TLS and plain TCP, failures of the other side, state on disk.

import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import test, { type ExecutionContext } from 'ava';
import type { NativeSession } from '../../lib/native-endpoint';
import { coded } from '../helpers/errors';
import { type Credentials, connected, credentials, type RoleEndpoint } from '../helpers/roles';
import { Wire } from '../helpers/wire';
import { frame, input, lincomb, output, plan, STATE, triple, WORK } from './plans';

const trust = credentials();

const ways: [string, () => Promise<Credentials | null>][] = [
  ['TLS', () => trust],
  ['plain TCP', async () => null],
];

function sessions(t: ExecutionContext, roles: RoleEndpoint[], elements: number): NativeSession[] {
  const { plans, keys } = triple(elements);
  return roles.map(({ endpoint }, role) => {
    const session = endpoint.session({ plans: [plans[role]!], keys: keys[role]!, threads: 1 });
    t.teardown(() => session.close());
    return session;
  });
}

const numbers = (elements: number): Float64Array =>
  Float64Array.from({ length: elements }, (_, i) => (i % 999) / 4);

function offline(all: NativeSession[], run: number, timeoutMs = 10_000): Promise<{ material: number }[]> {
  return Promise.all(all.map((s) => s.offline({ program: 0, epoch: 0, run, inputs: [], timeoutMs })));
}

interface OnlineOptions {
  timeoutMs?: number;
  elements: number;
}

function online(
  all: NativeSession[],
  run: number,
  materials: { material: number }[],
  options: OnlineOptions,
) {
  const { timeoutMs = 10_000, elements } = options;
  return all.map((session, role) => {
    const inputs = role === 0 ? [numbers(elements)] : [];
    const { material } = materials[role]!;
    return session.online({ program: 0, epoch: 0, run, material, inputs, integers: [], timeoutMs });
  });
}

/** One whole run: three times the input. */
async function compute(
  t: ExecutionContext,
  all: NativeSession[],
  run: number,
  elements: number,
): Promise<void> {
  const [result, other] = await Promise.all(online(all, run, await offline(all, run), { elements }));
  const worst = (result!.outputs[1] as Float64Array).reduce(
    (most, y, i) => Math.max(most, Math.abs(y - (3 * (i % 999)) / 4)),
    0,
  );
  t.true(worst < 1e-3, `${worst}`);
  t.is(result!.outputs[0], null);
  t.is(result!.report.clock, 2);
  t.deepEqual(result!.report.bytesSent, [0, 24 + 8 * elements, 0]);
  t.deepEqual(other!.report.bytesSent, [2 * (24 + 8 * elements), 0, 0]);
}

for (const [name, way] of ways) {
  test(`three roles compute over ${name}, small and large, run after run`, async (t) => {
    const roles = await connected(t, 2, await way());
    for (const elements of [1, 1000, 300_000]) {
      const all = sessions(t, roles, elements);
      for (let run = 1; run <= 5; run++) await compute(t, all, run, elements);
      for (const session of all) session.close();
    }
  });

  test(`control messages over ${name} arrive in order, while a computation runs`, async (t) => {
    const roles = await connected(t, 2, await way());
    const all = sessions(t, roles, 100_000);
    const runs = (async () => {
      for (let run = 1; run <= 5; run++) await compute(t, all, run, 100_000);
    })();
    for (let i = 0; i < 100; i++) {
      roles[0]!.endpoint.send(1, Buffer.from(`message ${i}`));
      if (i % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 2));
    }
    for (let i = 0; i < 100; i++) {
      const { peer, data } = await roles[1]!.next('message');
      t.deepEqual([peer, Buffer.from(data).toString()], [0, `message ${i}`]);
    }
    await runs;
    t.throws(() => roles[0]!.endpoint.send(1, new Uint8Array((1 << 16) + 1)), coded('INVALID_OPTION'));
  });

  test(`a peer that leaves fails the phase that waits for it, over ${name}`, async (t) => {
    const roles = await connected(t, 2, await way());
    const all = sessions(t, roles, 10);
    const materials = await offline(all, 1);
    const [waiting] = online(all.slice(0, 1), 1, materials, { elements: 10 });
    const failed = t.throwsAsync(waiting!, coded('CONNECTION'));
    all[1]!.close();
    await roles[1]!.endpoint.close();
    t.is((await failed)?.details.peer, 1);
    const { peer, code } = await roles[0]!.next('down');
    t.deepEqual([peer, code], [1, 'ERR_CRYPTORCH_CONNECTION']);
    t.throws(() => roles[0]!.endpoint.send(1, new Uint8Array(1)), coded('CONNECTION'));
    const again = online(all.slice(0, 1), 2, await offline(all.slice(0, 1), 2), { elements: 10 });
    await t.throwsAsync(again[0]!, coded('CONNECTION', /party 1 is not connected/));
  });
}

test('a peer that does nothing is found by the deadline, and cancelling is quicker', async (t) => {
  const roles = await connected(t, 2, await trust);
  const all = sessions(t, roles, 10);
  let materials = await offline(all, 1);
  const start = performance.now();
  const [late] = online(all.slice(0, 1), 1, materials, { elements: 10, timeoutMs: 200 });
  const error = await t.throwsAsync(late!, coded('TIMEOUT'));
  t.is(error?.details.peer, 1);
  t.true(performance.now() - start < 2000);

  // The frame that was sent already makes the links useless for another run.
  materials = await offline(all, 2);
  const [stopped] = online(all.slice(0, 1), 2, materials, { elements: 10 });
  const queued = all[0]!.offline({ program: 0, epoch: 0, run: 3, inputs: [], timeoutMs: 1000 });
  // Its input, the opening and a frame are done; the peer's frame is what it waits for.
  while (all[0]!.progress()?.steps !== 3) await new Promise((resolve) => setTimeout(resolve, 1));
  t.deepEqual(all[0]!.progress(), { phase: 'online', run: 2, steps: 3, of: 9 });
  setTimeout(() => all[0]!.cancel(), 20);
  await t.throwsAsync(stopped!, coded('CANCELLED'));
  await t.throwsAsync(queued, coded('CANCELLED'));
  t.is(all[0]!.progress(), null);
});

test('material is used once, for its own program, and can be dropped', async (t) => {
  const roles = await connected(t, 2, null);
  const all = sessions(t, roles, 10);
  const materials = await offline(all, 1);
  await Promise.all(online(all, 1, materials, { elements: 10 }));
  const again = online(all, 1, materials, { elements: 10 });
  await t.throwsAsync(again[0]!, coded('INVALID_OPTION', /used once only/));
  await t.throwsAsync(again[1]!, coded('INVALID_OPTION'));
  await again[2];
  const dropped = await offline(all, 2);
  all[0]!.dropMaterial(dropped[0]!.material);
  const [gone] = online(all.slice(0, 1), 2, dropped, { elements: 10 });
  await t.throwsAsync(gone!, coded('INVALID_OPTION'));
});

test('several programs share one state, which is saved and loaded', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'cryptorch-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const path = join(folder, 'state');
  // Setup keeps its input; online adds it to another one: once, or twice.
  const program = (times: number): BigInt64Array =>
    plan({
      parties: 1,
      role: 0,
      bytes: [64, 0, 128],
      keys: 1,
      ios: [{ elements: 2, phase: 0 }, { elements: 2 }, { output: true, elements: 2, bits: 64 }],
      setup: [input(0, STATE, 0)],
      online: [
        input(1, WORK, 0),
        lincomb(
          0,
          0,
          [
            [{ region: WORK, offset: 0, elements: 2 }, 1],
            [{ region: STATE, offset: 0, elements: 2 }, times],
          ],
          WORK,
          64,
          2,
        ),
        output(2, WORK, 64),
      ],
    });
  const [role] = await connected(t, 1, null);
  const open = (): NativeSession => {
    const session = role!.endpoint.session({ plans: [program(1), program(2)] });
    t.teardown(() => session.close());
    session.setKey(0, new Uint8Array(16));
    return session;
  };
  const add = async (session: NativeSession, which: number): Promise<number[]> => {
    const call = { program: which, epoch: 1, run: 1, inputs: [null, Float64Array.of(1, 2)], timeoutMs: 1000 };
    const { material } = await session.offline(call);
    const { outputs } = await session.online({ ...call, material, integers: [] });
    return [...(outputs[2] as Float64Array)];
  };

  const first = open();
  await first.setup({ epoch: 1, inputs: [Float64Array.of(10, 20)], timeoutMs: 1000 });
  t.deepEqual(await add(first, 0), [11, 22]);
  await first.saveState(path, Buffer.from('epoch 1'));
  t.is((await stat(path)).mode & 0o777, 0o600);
  first.close();

  const second = open();
  t.is(Buffer.from(await second.loadState(path)).toString(), 'epoch 1');
  t.deepEqual(await add(second, 1), [21, 42]);

  const bytes = await readFile(path);
  bytes[bytes.length - 50]! ^= 1;
  await writeFile(path, bytes);
  await t.throwsAsync(second.loadState(path), coded('BAD_STATE'));
  t.deepEqual(await add(second, 0), [11, 22]);
  await t.throwsAsync(second.loadState(join(folder, 'none')), coded('FILE'));
  await t.throwsAsync(second.saveState(join(folder, 'none', 'state'), new Uint8Array()), coded('FILE'));
  second.close();
  await t.throwsAsync(async () => second.loadState(path), coded('INVALID_OPTION', /closed/));
});

test('a session refuses what does not fit its endpoint', async (t) => {
  const [first] = await connected(t, 2, null);
  const { plans, keys } = triple(10);
  const session = (config: object): unknown =>
    first!.endpoint.session({ plans: [plans[0]!], keys: keys[0]!, ...config });
  t.throws(() => session({ plans: [plans[1]] }), coded('BAD_PLAN', /another role/));
  t.throws(() => session({ plans: [] }), coded('INVALID_OPTION'));
  t.throws(() => session({ plans: [plans[0]!.subarray(1)] }), coded('BAD_PLAN'));
  t.throws(
    () => session({ plans: [triple(1 << 24).plans[0]] }),
    coded('INVALID_OPTION', /more than the endpoint/),
  );
  t.throws(() => session({ memoryLimit: 100 }), coded('OUT_OF_MEMORY'));
  t.throws(() => session({ keys: [new Uint8Array(15)] }), coded('INVALID_OPTION'));
  const without = first!.endpoint.session({ plans: [plans[0]!] });
  t.teardown(() => without.close());
  const call = { program: 0, epoch: 0, run: 1, inputs: [], timeoutMs: 1000 };
  await t.throwsAsync(without.offline(call), coded('INVALID_OPTION', /key/));
  for (const [index, seed] of keys[0]!.entries()) without.setKey(index, seed);
  await without.offline(call);
  await t.throwsAsync(without.offline({ ...call, run: 0 }), coded('INVALID_OPTION', /numbered from 1/));
  await t.throwsAsync(without.offline({ ...call, program: 1 }), coded('INVALID_OPTION', /no such program/));
  t.throws(() => without.setKey(3, new Uint8Array(16)), coded('INVALID_OPTION'));
});

test('an endpoint closes during a run, and what it did fails', async (t) => {
  for (let delay = 0; delay < 40; delay += 8) {
    const roles = await connected(t, 2, await trust);
    const all = sessions(t, roles, 500_000);
    const materials = await offline(all, 1);
    const results = Promise.allSettled(online(all, 1, materials, { elements: 500_000 }));
    await new Promise((resolve) => setTimeout(resolve, delay));
    const start = performance.now();
    await roles[delay % 16 === 0 ? 0 : 1]!.endpoint.close();
    t.true(performance.now() - start < 2000);
    for (const result of await results) {
      if (result.status === 'rejected') t.is(result.reason.code, 'ERR_CRYPTORCH_CONNECTION');
    }
    for (const session of all) session.close();
    await Promise.all(roles.map(({ endpoint }) => endpoint.close()));
  }
});

test('without TLS a damaged, repeated or missing frame is found by checksum and sequence', async (t) => {
  const damages: ((bytes: Buffer) => Buffer[])[] = [
    (bytes) => {
      bytes[bytes.length - 1]! ^= 16;
      return [bytes];
    },
    (bytes) => [bytes, bytes],
    () => [],
    (bytes) => {
      bytes.writeBigUInt64LE(BigInt(bytes.length - 24 + 8), 0);
      return [bytes];
    },
    (bytes) => {
      bytes.writeUInt32LE(77, 12);
      return [bytes];
    },
  ];
  for (const damage of damages) {
    const roles = await connected(t, 2, null);
    for (const [role, peer] of [
      [0, 1],
      [1, 0],
    ] as const)
      roles[role]!.endpoint.disconnect(peer);
    await Promise.all([roles[0]!.next('down'), roles[1]!.next('down')]);
    const wire = await Wire.open(await roles[0]!.listen());
    t.teardown(() => wire.close());
    await roles[1]!.endpoint.connect(0, '127.0.0.1', wire.port, 1000);
    const all = sessions(t, roles, 10);
    const materials = await offline(all, 1);
    wire.tamper(({ up, bytes, exchange }) => (up && exchange === 2 ? damage(Buffer.from(bytes)) : [bytes]));
    const [waiting, other] = online(all, 1, materials, { elements: 10, timeoutMs: 2000 });
    await t.throwsAsync(waiting!, coded('PROTOCOL'));
    t.is((await roles[0]!.next('down')).code, 'ERR_CRYPTORCH_PROTOCOL');
    await Promise.allSettled([other]);
  }
});

test('a frame that no plan expects ends its link', async (t) => {
  const roles = await connected(t, 2, await trust);
  const all = sessions(t, roles, 10);
  const materials = await offline(all, 1);
  const { keys } = triple(10);
  const odd = roles[1]!.endpoint.session({
    plans: [
      plan({ role: 1, bytes: [0, 0, 128], keys: 0, online: [frame('send', 9, 0, WORK, 0, 80, 0)] }),
      plan({ role: 1, bytes: [0, 0, 128], keys: 0, online: [frame('send', 2, 0, WORK, 0, 72, 0)] }),
    ],
    keys: keys[1]!.slice(0, 0),
  });
  t.teardown(() => odd.close());
  const call = { program: 0, epoch: 0, run: 1, inputs: [], timeoutMs: 1000 };
  const { material } = await odd.offline(call);
  await odd.online({ ...call, material, integers: [] });
  const [waiting] = online(all.slice(0, 1), 1, materials, { elements: 10 });
  const error = await t.throwsAsync(waiting!, coded('PROTOCOL'));
  t.deepEqual([error?.details.peer, error?.details.field], [1, 'its exchange']);
  t.is((await roles[0]!.next('down')).code, 'ERR_CRYPTORCH_PROTOCOL');
});

test('a worker thread that ends takes its endpoint and sessions with it', async (t) => {
  const script = `
    require('tsx/cjs');
    const { Endpoint } = require(${JSON.stringify(join(__dirname, '../../lib/native-endpoint'))});
    const { triple } = require(${JSON.stringify(join(__dirname, 'plans'))});
    const { parentPort } = require('node:worker_threads');
    const make = (role) => new Endpoint({
      role, parties: 2, deployment: 'test', tls: null, maxFrameBytes: 1e6, maxControlBytes: 1e3, onEvent() {},
    });
    (async () => {
      const [zero, one] = [make(0), make(1)];
      await one.connect(0, '127.0.0.1', await zero.listen('127.0.0.1', 0), 1000);
      const { plans, keys } = triple(10);
      const session = zero.session({ plans: [plans[0]], keys: keys[0] });
      const call = { program: 0, epoch: 0, run: 1, inputs: [new Float64Array(10)], timeoutMs: 1e6 };
      const { material } = await session.offline(call);
      session.online({ ...call, material, integers: [] }).catch(() => {});
      parentPort.postMessage('waiting');
    })();`;
  const worker = new Worker(script, { eval: true });
  await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
  const start = performance.now();
  t.is(await worker.terminate(), 1);
  t.true(performance.now() - start < 3000);
});
