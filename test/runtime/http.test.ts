import { request } from 'node:http';
import type { AddressInfo } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { readNpz, writeNpz } from '../../lib/model/npz';
import { serveParty } from '../../lib/runtime/http';
import { tensor } from '../../lib/tensor';
import { coded } from '../helpers/errors';
import { Group, until } from '../helpers/group';

const X = [1, 2, 3, -1, 0.5, 8];

interface Reply {
  readonly status: number;
  readonly body: Buffer;
}

interface Service {
  readonly group: Group;
  ask(
    method: string,
    path: string,
    body?: string | Uint8Array,
    headers?: Record<string, string>,
  ): Promise<Reply>;
  post(
    body: unknown,
  ): Promise<{ status: number; outputs?: never; error?: { code?: string; message: string } }>;
}

async function serve(t: ExecutionContext, complete = true): Promise<Service> {
  const group = await Group.create(t);
  await group.startDealer();
  const party = await group.startParty(0, complete ? {} : { timeouts: { run: 0.2 }, queue: 1 });
  if (complete) {
    await group.startParty(1);
    await party.ready();
  }
  const server = await serveParty(party, 0, { host: '127.0.0.1', port: 0 });
  t.teardown(() => server.close());
  const { port } = server.address() as AddressInfo;
  const ask: Service['ask'] = (method, path, body, headers = { 'content-type': 'application/json' }) =>
    new Promise((resolve, reject) => {
      const call = request({ host: '127.0.0.1', port, method, path, headers }, (response) => {
        const parts: Buffer[] = [];
        response.on('data', (part: Buffer) => parts.push(part));
        response.on('end', () => resolve({ status: response.statusCode!, body: Buffer.concat(parts) }));
      });
      call.on('error', reject);
      call.end(body);
    });
  const post: Service['post'] = async (body) => {
    const reply = await ask('POST', '/run', JSON.stringify(body));
    return { status: reply.status, ...JSON.parse(reply.body.toString()) };
  };
  return { group, ask, post };
}

test('runs as JSON and as npz, and says how the party is', async (t) => {
  const { ask, post } = await serve(t);
  const health = await ask('GET', '/health');
  t.is(health.status, 200);
  t.like(JSON.parse(health.body.toString()), { ready: true, epoch: 1, missing: [] });

  const answer = await post({ inputs: { x: { shape: [2, 3], data: X } } });
  t.is(answer.status, 200);
  const { y } = answer.outputs as unknown as { y: { shape: number[]; dtype: string; data: number[] } };
  t.deepEqual(
    [y.shape, y.dtype, y.data.map((v) => Math.round(v * 1000) / 1000)],
    [[2, 2], 'float32', [1.375, 14, 0, 27]],
  );

  const npz = await ask('POST', '/run', writeNpz({ x: tensor(X, [2, 3]) }), {
    'content-type': 'application/x-npz',
  });
  t.is(npz.status, 200);
  const data = readNpz(npz.body).get('y')!.data as Float32Array;
  t.deepEqual(
    Array.from(data, (v) => Math.round(v * 1000) / 1000),
    [1.375, 14, 0, 27],
  );
});

test('what cannot be meant is refused with a status and a code, and never quoted', async (t) => {
  const { ask, post } = await serve(t);
  const planted = 918273645;
  const bad: [unknown, string][] = [
    [{}, 'INVALID_INPUT'],
    [{ inputs: { x: { shape: [2, 3], data: [planted] } } }, 'INVALID_INPUT'],
    [{ inputs: { x: { shape: [2, 3], data: [String(planted)] } } }, 'INVALID_INPUT'],
    [{ inputs: { x: { shape: [2, 3], dtype: 'complex', data: X } } }, 'INVALID_INPUT'],
    [{ inputs: { x: { shape: [3, 3], data: [...X, planted, 0, 0] } } }, 'INVALID_INPUT'],
    [{ inputs: { z: { shape: [1], data: [planted] } } }, 'UNKNOWN_INPUT'],
    [{ inputs: {} }, 'MISSING_INPUT'],
    [{ inputs: { x: { shape: [1, 3], data: [0, planted * 2 ** 40, 0], dtype: 'float64' } } }, 'VALUE_RANGE'],
  ];
  for (const [body, code] of bad) {
    const { status, error } = await post(body);
    t.is(status, 400, JSON.stringify(body));
    t.is(error?.code, `ERR_CRYPTORCH_${code}`);
    t.false(error!.message.includes(String(planted).slice(0, 6)));
  }
  const broken = await ask('POST', '/run', `{"inputs": ${planted}`);
  t.is(broken.status, 400);
  t.false(broken.body.includes(String(planted)));
  const json = { 'content-type': 'application/json' };
  t.is((await ask('POST', '/run', 'x'.repeat(200_000))).status, 413);
  t.is((await ask('POST', '/run', 'x', { 'content-type': 'text/plain' })).status, 415);
  t.is((await ask('GET', '/run')).status, 404);
  t.is((await ask('GET', '/health', undefined, { ...json, origin: 'http://example.org' })).status, 403);
  t.is((await ask('GET', '/health', undefined, { ...json, host: 'example.org' })).status, 403);
});

test('a party that is alone says so', async (t) => {
  const { ask, post } = await serve(t, false);
  t.is((await ask('GET', '/health')).status, 503);
  const waiting = post({ inputs: { x: { shape: [1, 3], data: [1, 2, 3] } } });
  await until(
    async () =>
      (JSON.parse((await ask('GET', '/health')).body.toString()) as { queued: number }).queued === 1,
  );
  t.is((await post({ inputs: { x: { shape: [1, 3], data: [1, 2, 3] } } })).status, 429);
  const { status, error } = await waiting;
  t.is(status, 503);
  t.is(error?.code, 'ERR_CRYPTORCH_CONNECTION');
});

test('the endpoint is for this machine only', async (t) => {
  const group = await Group.create(t);
  await group.startDealer();
  const party = await group.startParty(0);
  for (const host of ['0.0.0.0', '192.0.2.1', 'example.org', '::']) {
    await t.throwsAsync(serveParty(party, 0, { host, port: 0 }), coded('CONFIG', /loopback/), host);
  }
});
