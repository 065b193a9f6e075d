// Peers that should not be there, over mutual TLS: they are turned away with a code, and those who should be there go on.

import { spawnSync } from 'node:child_process';
import { cp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import test, { type ExecutionContext } from 'ava';
import { Authority, type Identity } from '../../lib/keys/authority';
import { Deployment } from '../../lib/runtime/deployment';
import { computes, ProcessGroup, RoleProcess, X } from '../helpers/processes';
import { smallModels } from '../helpers/small-model';

/** Connects to a role with a certificate (or none), and says how it ends. */
function knock(port: number, ca: string, identity?: Identity): Promise<string> {
  return new Promise((resolve) => {
    const socket = connectTls({
      host: '127.0.0.1',
      port,
      ca,
      ALPNProtocols: ['cryptorch/1'],
      checkServerIdentity: () => undefined,
      ...(identity && { cert: identity.certificate, key: identity.key }),
    });
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    socket.on('close', () => resolve('closed'));
    socket.resume();
  });
}

for (const parties of [2, 3]) {
  test.serial(`${parties} parties over TLS turn strangers away and go on`, async (t) => {
    t.timeout(180_000);
    const group = await ProcessGroup.create(t, await smallModels([2], { parties }), { parties, tls: true });
    const authority = await group.authority();
    await group.certify(authority);
    await group.start();
    await computes(t, group);
    const foreign = await Authority.create('test', { days: 1 });
    const past = new Date(Date.now() - 3 * 86_400_000);
    const ca = await readFile(group.at('dealer', 'ca.pem'), 'utf8');
    const strangers: Record<string, Identity | undefined> = {
      'no certificate': undefined,
      'another authority': await foreign.authority.issue({ role: 1, days: 1 }),
      'an expired certificate': await authority.issue({ role: 1, days: 1, from: past }),
      'the dealer itself': await authority.issue({ role: 'dealer', days: 1 }),
      'a party that does not exist': await authority.issue({ role: 9, days: 1 }),
    };
    for (const role of ['dealer', 0] as const) {
      const port = group.wire(1, role).target!;
      for (const [name, identity] of Object.entries(strangers)) {
        group.get(role).forget();
        await knock(port, ca, identity);
        const { code } = await group.get(role).event({ event: 'peer', state: 'refused' });
        // A role that may exist is only known to be wrong once it has introduced itself.
        t.regex(
          code!,
          name === 'the dealer itself' ? /CERTIFICATE|HANDSHAKE|TIMEOUT/ : /CERTIFICATE|HANDSHAKE/,
          name,
        );
      }
      group.get(role).forget();
      t.is(await http(port), 'closed');
      await group.get(role).event({ event: 'peer', state: 'refused' });
    }
    await computes(t, group);
    for (const role of group.running.values()) t.deepEqual(role.codes, [], `${role.role}`);
  });
}

/** A browser that came to the wrong port. */
function http(port: number): Promise<string> {
  return new Promise((resolve) => {
    const socket = connectTcp(port, '127.0.0.1', () =>
      socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'),
    );
    socket.on('close', () => resolve('closed'));
    socket.on('error', () => undefined);
    socket.resume();
  });
}

test.serial('a thousand half-open connections keep nobody away', async (t) => {
  t.timeout(120_000);
  const group = await ProcessGroup.create(t, await smallModels([2]), { parties: 2, tls: true });
  await group.start('dealer', 0);
  const port = group.wire(1, 'dealer').target!;
  const sockets: Socket[] = [];
  for (let i = 0; i < 1000; i++) {
    const socket = connectTcp(port, '127.0.0.1').on('error', () => undefined);
    sockets.push(socket);
    if (i % 50 === 0) await new Promise((resolve) => socket.once('connect', resolve));
  }
  await group.start(1);
  await computes(t, group);
  for (const socket of sockets) socket.destroy();
  await computes(t, group);
});

async function started(t: ExecutionContext, parties: number): Promise<ProcessGroup> {
  const group = await ProcessGroup.create(t, await smallModels([2], { parties }), { parties, tls: true });
  await group.start();
  await computes(t, group);
  return group;
}

for (const parties of [2, 3]) {
  test.serial(
    `${parties} parties: one with the wrong files is told why, and the right one is served`,
    async (t) => {
      t.timeout(180_000);
      const group = await started(t, parties);
      const other = await smallModels([2], { parties, fractionalBits: 12 });
      const foreign = await Authority.create('test', { days: 1 });
      const right = group.at(1);
      const aside = `${right}-right`;
      await group.get(1).stop();
      await cp(right, aside, { recursive: true });

      // A certificate of an authority that nobody else trusts.
      await group.identify(1, await foreign.authority.issue({ role: 1, days: 1 }));
      await writeFile(group.at(1, 'ca.pem'), foreign.identity.certificate);
      await group.start(1);
      await group.get(1).event({ event: 'error', code: 'ERR_CRYPTORCH_CERTIFICATE' });
      await group.get('dealer').event({ event: 'peer', state: 'refused', code: 'ERR_CRYPTORCH_CERTIFICATE' });
      await group.get(1).stop();
      await restore();
      await group.start(1);
      await computes(t, group);
      await group.get(1).stop();

      // Another program under the same name.
      await Deployment.create(group.at(1), 'test', other);
      await group.start(1);
      await group.get(1).event({ event: 'error', code: 'ERR_CRYPTORCH_HANDSHAKE' });
      await group.get('dealer').event({ event: 'error', code: 'ERR_CRYPTORCH_HANDSHAKE' });
      const refused = await group.run(X);
      t.is(refused.error?.code, 'ERR_CRYPTORCH_HANDSHAKE');
      await group.get(1).stop();
      await restore();
      await group.start(1);
      await computes(t, group);

      // State of an epoch that is over, from a folder that was put back.
      await group.get(1).stop();
      await group.get('dealer').stop();
      await rm(group.at('dealer', 'state', 'shares'));
      await group.start('dealer', 1);
      await computes(t, group);
      await group.get(1).stop();
      await restore();
      for (const role of group.running.values()) role.forget();
      await group.start(1);
      await group.get('dealer').event({ event: 'error', code: 'ERR_CRYPTORCH_STALE_STATE' });
      await computes(t, group);

      async function restore(): Promise<void> {
        await rm(right, { recursive: true });
        await cp(aside, right, { recursive: true });
      }
    },
  );
}

test.serial('files that cannot serve are found before any connection', async (t) => {
  t.timeout(60_000);
  const group = await ProcessGroup.create(t, await smallModels([2]), { parties: 2, tls: true });
  const authority = await group.authority();
  await group.certify(authority);
  const past = new Date(Date.now() - 3 * 86_400_000);
  for (const [identity, why] of [
    [await authority.issue({ role: 1, days: 1, from: past }), /it expired on/],
    [await authority.issue({ role: 0, days: 1 }), /it is for URI:urn:cryptorch:test:party:0/],
  ] as const) {
    await group.identify(1, identity);
    const child = RoleProcess.start(1, group.at(1, 'config.json'));
    t.is(await child.exited, 1);
    t.regex(child.stderr, why);
    t.regex(child.stderr, /ERR_CRYPTORCH_CERTIFICATE/);
  }
});

test.serial('a second process with the same role is turned away', async (t) => {
  t.timeout(60_000);
  const group = await started(t, 2);
  const copy = `${group.at(1)}-copy`;
  await cp(group.at(1), copy, { recursive: true });
  await rm(`${copy}/state/lock`);
  const second = RoleProcess.start(1, `${copy}/config.json`);
  t.teardown(() => second.kill());
  const { code } = await second.event({ event: 'peer', state: 'unreachable' });
  t.is(code, 'ERR_CRYPTORCH_HANDSHAKE');
  await group.get('dealer').event({ event: 'peer', state: 'refused' });
  await computes(t, group);
  // In the same folder it does not even start.
  const same = spawnSync(process.execPath, [
    '--import',
    'tsx',
    'lib/cli/main.ts',
    'party',
    '--config',
    group.at(1, 'config.json'),
  ]);
  t.is(same.status, 1);
  t.regex(same.stderr.toString(), /ERR_CRYPTORCH_BUSY/);
});

test.serial('a party that is absent is named, and served when it comes', async (t) => {
  t.timeout(60_000);
  const group = await ProcessGroup.create(t, await smallModels([2]), {
    parties: 2,
    tls: true,
    timeouts: { run: 1 },
  });
  await group.start('dealer', 0);
  const { status, error } = await group.run(X);
  t.is(status, 503);
  t.is(error?.code, 'ERR_CRYPTORCH_CONNECTION');
  t.regex(error?.message ?? '', /party 1/);
  await group.configure(0, { timeouts: { run: 20 } });
  await group.get(0).stop();
  await group.start(0, 1);
  await computes(t, group);
});
