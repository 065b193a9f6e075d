// Who knocks at an endpoint's port without being the peer it says, and peers that do not keep to the protocol: each is
// turned away with a code, and a proper peer is served before, meanwhile and afterwards.

import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import type { Role } from '../../lib/keys/role';
import type { EndpointConfig } from '../../lib/native-endpoint';
import { coded } from '../helpers/errors';
import { CONTROL, closed, INTRODUCTION, introduction, rawFrame, rawTcp, rawTls } from '../helpers/raw-peer';
import { credentials, RoleEndpoint, tlsFor } from '../helpers/roles';
import { triple } from './plans';

const trust = credentials();
const others = credentials();

type Tls = NonNullable<EndpointConfig['tls']>;

/** Party 0 of two, with its port and its credentials for others. */
async function zero(t: ExecutionContext): Promise<{ role: RoleEndpoint; port: number }> {
  const role = new RoleEndpoint(t, { role: 0, parties: 2, tls: await tlsFor(await trust, 0) });
  return { role, port: await role.listen() };
}

/** Party 1 connects as it should. */
async function proper(t: ExecutionContext, port: number): Promise<RoleEndpoint> {
  const role = new RoleEndpoint(t, { role: 1, parties: 2, tls: await tlsFor(await trust, 1) });
  await role.endpoint.connect(0, '127.0.0.1', port, 5000);
  return role;
}

/** Party 1 made by hand, introduced and accepted. */
async function byHand(t: ExecutionContext, port: number): Promise<Socket> {
  const { cert, key, ca } = await tlsFor(await trust, 1);
  const socket = await rawTls(port, { cert, key, ca });
  t.teardown(() => socket.destroy());
  socket.write(introduction(1, 2));
  const [answer] = (await once(socket, 'data')) as [Buffer];
  t.is(answer.readUInt32LE(12), INTRODUCTION);
  t.is(answer.readUInt32LE(24 + 16), 0);
  return socket;
}

test('certificates that do not belong here are refused on both sides', async (t) => {
  const { role, port } = await zero(t);
  const { authority, ca } = await trust;
  const day = 86_400_000;
  const issue = async (options: { role: Role; from?: Date; days?: number }): Promise<Tls> => {
    const { certificate, key } = await authority.issue({ days: 1, ...options });
    return { cert: certificate, key, ca: ca.certificate };
  };
  const cases: [string, Tls, RegExp][] = [
    ['expired', await issue({ role: 1, from: new Date(Date.now() - 2 * day) }), /expired/],
    ['not yet valid', await issue({ role: 1, from: new Date(Date.now() + day) }), /not yet valid/],
    ['another authority', { ...(await tlsFor(await others, 1)), ca: ca.certificate }, /refused/],
  ];
  for (const [name, tls, message] of cases) {
    const stranger = new RoleEndpoint(t, { role: 1, parties: 2, tls });
    const error = t.throwsAsync(
      stranger.endpoint.connect(0, '127.0.0.1', port, 5000),
      coded('CERTIFICATE'),
      name,
    );
    const refused = await role.next('refused');
    t.is(refused.code, 'ERR_CRYPTORCH_CERTIFICATE', name);
    t.regex(refused.message, message);
    await error;
  }
  // The other way round: the one who connects does not accept the one who listens.
  const careful = new RoleEndpoint(t, { role: 1, parties: 2, tls: await tlsFor(await others, 1) });
  await t.throwsAsync(careful.endpoint.connect(0, '127.0.0.1', port, 5000), coded('CERTIFICATE'));
  t.is((await role.next('refused')).code, 'ERR_CRYPTORCH_CERTIFICATE');
  const lost = new RoleEndpoint(t, { role: 1, parties: 2, tls: await tlsFor(await trust, 1) });
  await t.throwsAsync(
    lost.endpoint.connect(2, '127.0.0.1', port, 5000),
    coded('CERTIFICATE', /for party 0, not for the dealer/),
  );
  await role.next('refused');
  t.throws(
    () => new RoleEndpoint(t, { role: 1, parties: 2, tls: cases[0]![1], deployment: 'other' }),
    coded('CERTIFICATE', /urn:cryptorch:test:party:1, not for urn:cryptorch:other:party:1/),
  );
  await proper(t, port);
  t.is((await role.next('up')).peer, 1);
});

test('a connection without a certificate, with another protocol or of another role is refused', async (t) => {
  const { role, port } = await zero(t);
  const { cert, key, ca } = await tlsFor(await trust, 1);
  const bare = await rawTls(port, { ca });
  await closed(bare);
  t.is((await role.next('refused')).code, 'ERR_CRYPTORCH_CERTIFICATE');
  for (const protocols of [[], ['http/1.1'], ['cryptorch/2']]) {
    await rawTls(port, { cert, key, ca, ALPNProtocols: protocols }).then(closed, () => {});
    t.is((await role.next('refused')).code, 'ERR_CRYPTORCH_PROTOCOL');
  }
  await t.throwsAsync(rawTls(port, { cert, key, ca, minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' }));
  t.is((await role.next('refused')).code, 'ERR_CRYPTORCH_PROTOCOL');
  const claims = [
    introduction(2, 2),
    introduction(0, 2),
    introduction(1, 3),
    introduction(1, 2, 'other'),
    introduction(9, 2),
  ];
  for (const claim of claims) {
    const socket = await rawTls(port, { cert, key, ca });
    socket.write(claim);
    await closed(socket);
    t.is((await role.next('refused')).code, 'ERR_CRYPTORCH_HANDSHAKE');
  }
  await proper(t, port);
  t.is((await role.next('up')).peer, 1);
});

test('HTTP, garbage and silence on the port do no harm', async (t) => {
  const { role, port } = await zero(t);
  const { cert, key, ca } = await tlsFor(await trust, 1);
  const garbage = Buffer.from(Array.from({ length: 5000 }, (_, i) => (i * i * 31 + 200) & 255));
  for (const text of ['GET / HTTP/1.1\r\nHost: x\r\n\r\n', 'SSH-2.0-OpenSSH_9.2p1\r\n']) {
    const socket = await rawTcp(port);
    socket.write(text);
    await closed(socket);
    t.is((await role.next('refused')).code, 'ERR_CRYPTORCH_PROTOCOL');
  }
  for (const data of [
    garbage,
    Buffer.from('GET /index.html HTTP/1.1\r\n\r\n'),
    rawFrame({ sequence: 0, exchange: CONTROL }),
  ]) {
    const socket = await rawTls(port, { cert, key, ca });
    socket.write(data);
    await closed(socket);
    t.is((await role.next('refused')).code, 'ERR_CRYPTORCH_PROTOCOL');
  }
  const gone = await rawTcp(port);
  gone.destroy();
  t.is((await role.next('refused')).code, 'ERR_CRYPTORCH_CONNECTION');
  const silent = await rawTcp(port);
  const start = performance.now();
  await closed(silent);
  t.is((await role.next('refused')).code, 'ERR_CRYPTORCH_TIMEOUT');
  t.true(performance.now() - start > 4500 && performance.now() - start < 8000);
  await proper(t, port);
});

test('a second peer in a role that is connected is refused, and the first one stays', async (t) => {
  const { role, port } = await zero(t);
  const first = await proper(t, port);
  const error = await t.throwsAsync(proper(t, port), coded('HANDSHAKE'));
  t.is(error?.details.reason, 'duplicate');
  t.is((await role.next('refused')).code, 'ERR_CRYPTORCH_HANDSHAKE');
  first.endpoint.send(0, Buffer.from('still here'));
  t.is(Buffer.from((await role.next('message')).data).toString(), 'still here');
  await first.endpoint.close();
  await role.next('down');
  await proper(t, port);
});

test('frames that break the rules close their link, whatever is wrong with them', async (t) => {
  const { role, port } = await zero(t);
  const payload = Buffer.alloc(80, 7);
  const good = rawFrame({ sequence: 1, exchange: CONTROL }, Buffer.from('good'));
  const wrong: Record<string, Buffer> = {
    oversized: rawFrame({ sequence: 2, exchange: 2, bytes: 1n << 62n }),
    'oversized control message': rawFrame({ sequence: 2, exchange: CONTROL, bytes: (1 << 16) + 1 }),
    repeated: rawFrame({ sequence: 1, exchange: CONTROL }, Buffer.from('good')),
    'out of order': rawFrame({ sequence: 3, exchange: 2 }, payload),
    'with a flipped bit in its sequence': rawFrame({ sequence: 2 + 2 ** 31, exchange: 2 }, payload),
    'with a checksum': rawFrame({ sequence: 2, exchange: 2, crc: 5 }, payload),
    'introducing itself again': introduction(1, 2),
    'introducing itself again, in order': rawFrame({ sequence: 2, exchange: INTRODUCTION }, payload),
  };
  for (const [name, frame] of Object.entries(wrong)) {
    const socket = await byHand(t, port);
    socket.write(Buffer.concat([good, frame]));
    t.is(Buffer.from((await role.next('message')).data).toString(), 'good');
    await closed(socket);
    t.is((await role.next('down')).code, 'ERR_CRYPTORCH_PROTOCOL', name);
  }
  const socket = await byHand(t, port);
  socket.end(rawFrame({ sequence: 1, exchange: CONTROL, bytes: 100 }, payload));
  t.is((await role.next('down')).code, 'ERR_CRYPTORCH_CONNECTION');
  await proper(t, port);
});

test('a computation finds a peer that answers wrongly, late or in part', async (t) => {
  const { role, port } = await zero(t);
  const { plans, keys } = triple(10);
  const session = role.endpoint.session({ plans: [plans[0]!], keys: keys[0]! });
  t.teardown(() => session.close());
  const payload = Buffer.alloc(80, 7);
  const right = rawFrame({ sequence: 1, exchange: 2 }, payload);
  const answers: [Buffer, 'PROTOCOL' | 'TIMEOUT' | 'CONNECTION' | null][] = [
    [Buffer.concat([right, rawFrame({ sequence: 2, exchange: 3 }, payload)]), null],
    [rawFrame({ sequence: 1, exchange: 2 }, payload.subarray(8)), 'PROTOCOL'],
    [rawFrame({ sequence: 1, exchange: 3 }, payload), 'PROTOCOL'],
    [Buffer.concat([right, right]), 'PROTOCOL'],
    [right.subarray(0, 60), 'TIMEOUT'],
    [Buffer.alloc(0), 'TIMEOUT'],
    [Buffer.concat([right, rawFrame({ sequence: 2, exchange: 3, bytes: 1 << 30 })]), 'PROTOCOL'],
  ];
  for (const [run, [answer, code]] of answers.entries()) {
    const socket = await byHand(t, port);
    await role.next('up');
    const call = { program: 0, epoch: 0, run: run + 1, inputs: [new Float64Array(10)], timeoutMs: 300 };
    const { material } = await session.offline(call);
    const result = session.online({ ...call, material, integers: [] });
    await once(socket, 'data'); // the computation has begun
    socket.write(answer);
    if (code) await t.throwsAsync(result, coded(code));
    else t.is((await result).outputs[1]!.length, 10);
    role.endpoint.disconnect(1);
    await role.next('down');
    await closed(socket);
  }
});

test('a bit that flips on the way is found by TLS', async (t) => {
  const { role, port } = await zero(t);
  let flip = false;
  const server = createServer((near) => {
    const far = connect(port, '127.0.0.1');
    for (const socket of [near, far]) socket.on('error', () => {});
    near.on('data', (data) => {
      if (flip) data[data.length >> 1]! ^= 1;
      far.write(data);
    });
    far.pipe(near);
    near.on('close', () => far.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const peer = await proper(t, (server.address() as { port: number }).port);
  peer.endpoint.send(0, Buffer.from('one'));
  await role.next('message');
  flip = true;
  peer.endpoint.send(0, Buffer.from('two'));
  t.is((await role.next('down')).code, 'ERR_CRYPTORCH_PROTOCOL');
  await peer.next('down');
});

test('a thousand connections that say nothing neither keep a peer out nor take memory', async (t) => {
  const { role, port } = await zero(t);
  const before = process.memoryUsage.rss();
  const sockets: Socket[] = [];
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
  });
  const knock = async (count: number): Promise<void> => {
    for (let i = 0; i < count; i++) sockets.push(await rawTcp(port));
  };
  await knock(500);
  const more = knock(500);
  const start = performance.now();
  const peer = await proper(t, port);
  t.true(performance.now() - start < 3000, `${performance.now() - start} ms`);
  await more;
  peer.endpoint.send(0, Buffer.from('hello'));
  t.is(Buffer.from((await role.next('message')).data).toString(), 'hello');
  t.true(process.memoryUsage.rss() - before < 100e6, `${process.memoryUsage.rss() - before} bytes`);
  const told = role.events.filter((event) => event.type === 'refused').length;
  t.true(told > 0 && told < 500, `${told} refusals were told`);
});

test('errors and events quote no key', async (t) => {
  const tls = await tlsFor(await trust, 1);
  const other = await tlsFor(await trust, 1);
  const secrets = [tls.key, other.key].flatMap((pem) => pem.split('\n').slice(1, 4));
  const said: string[] = [];
  for (const wrong of [
    { ...tls, key: other.key },
    { ...tls, key: `${tls.key.slice(0, 90)}*` },
    { ...tls, cert: tls.key },
    { ...tls, ca: tls.key },
  ]) {
    const error = t.throws(
      () => new RoleEndpoint(t, { role: 1, parties: 2, tls: wrong }),
      coded('CERTIFICATE'),
    );
    said.push(JSON.stringify([error?.message, error?.stack, error?.details]));
  }
  for (const secret of secrets) t.false(said.some((text) => text.includes(secret)));
});
