// Frames that were tampered with on their way between two processes, and peers that stall. Whoever notices closes the
// link with a code, the run fails, and the next one succeeds.

import { setTimeout as pause } from 'node:timers/promises';
import test from 'ava';
import { computes, ProcessGroup, X } from '../helpers/processes';
import { smallModels } from '../helpers/small-model';
import { CONTROL, type Fate, type Frame, HEADER } from '../helpers/wire';

type Damage = (frame: Frame, before: Frame | undefined) => Fate | undefined;

function changed(frame: Frame, change: (bytes: Buffer) => void): Buffer[] {
  const bytes = Buffer.from(frame.bytes);
  change(bytes);
  return [bytes];
}

/** What becomes of a frame of the online phase; undefined: wait for the next one. */
const damages: Record<string, { readonly damage: Damage; readonly codes: RegExp }> = {
  truncated: {
    damage: (f) => (f.bytes.length > HEADER ? [f.bytes.subarray(0, -1)] : undefined),
    codes: /PROTOCOL|TIMEOUT/,
  },
  'cut off': { damage: () => 'cut', codes: /CONNECTION/ },
  oversized: { damage: (f) => changed(f, (b) => b.writeBigUInt64LE(1n << 40n, 0)), codes: /PROTOCOL/ },
  'a little longer': {
    damage: (f) => [...changed(f, (b) => b.writeBigUInt64LE(b.readBigUInt64LE(0) + 8n, 0)), Buffer.alloc(8)],
    codes: /PROTOCOL/,
  },
  repeated: { damage: (f) => [f.bytes, f.bytes], codes: /PROTOCOL/ },
  'out of order': {
    damage: (f, before) => (before ? [before.bytes, f.bytes] : undefined),
    codes: /PROTOCOL/,
  },
  'with a flipped bit': {
    damage: (f) => changed(f, (b) => b.writeUInt8(b.readUInt8(b.length - 1) ^ 1, b.length - 1)),
    codes: /PROTOCOL/,
  },
  'of another exchange': { damage: (f) => changed(f, (b) => b.writeUInt32LE(12345, 12)), codes: /PROTOCOL/ },
  'with another sequence number': {
    damage: (f) => changed(f, (b) => b.writeUInt32LE(7_000_000, 8)),
    codes: /PROTOCOL/,
  },
  stalled: { damage: () => 'stall', codes: /TIMEOUT/ },
};

for (const parties of [2, 3]) {
  test.serial(`${parties} parties survive damaged frames`, async (t) => {
    t.timeout(180_000);
    const group = await ProcessGroup.create(t, await smallModels([2], { parties }), {
      parties,
      timeouts: { online: 1, control: 1 },
    });
    await group.start();
    await computes(t, group);
    const online = group.exchanges('online');
    for (const [name, { damage, codes }] of Object.entries(damages)) {
      let done = false;
      let before: Frame | undefined;
      group.wire(0, 1).tamper((frame) => {
        if (done || !frame.up || !online.has(frame.exchange)) return [frame.bytes];
        const fate = damage(frame, before);
        before = frame;
        if (fate === undefined) return [frame.bytes];
        done = !Array.isArray(fate) || fate.length > 0;
        return fate;
      });
      for (const role of group.running.values()) role.forget();
      const began = Date.now();
      const { status, error } = await group.run(X);
      t.true(done, name);
      t.not(status, 200, name);
      t.regex(error?.code ?? '', codes, name);
      t.true(Date.now() - began < 6000, `${name}: within the deadline`);
      await Promise.all([...group.running.values()].map((role) => role.event({ event: 'error' })));
      group.tamper(undefined);
      await computes(t, group, name);
    }
  });

  test.serial(`${parties} parties survive processes that stand still`, async (t) => {
    t.timeout(120_000);
    const group = await ProcessGroup.create(t, await smallModels([2], { parties }), {
      parties,
      timeouts: { offline: 1, online: 1, control: 1, connect: 1 },
    });
    await group.start();
    await computes(t, group);
    for (const role of ['dealer', 1] as const) {
      for (const other of group.others(role)) other.forget();
      group.get(role).signal('SIGSTOP');
      const run = group.run(X);
      await group.get(0).event({ event: 'error', code: 'ERR_CRYPTORCH_TIMEOUT' });
      await pause(100);
      group.get(role).signal('SIGCONT');
      const { status, error } = await run;
      t.true(status === 200 || error?.code === 'ERR_CRYPTORCH_TIMEOUT', error?.message);
      await computes(t, group, `${role} stood still`);
    }
  });
}

test.serial('control messages that are damaged end the link too', async (t) => {
  t.timeout(60_000);
  const group = await ProcessGroup.create(t, await smallModels([2]), {
    parties: 2,
    timeouts: { control: 1 },
  });
  await group.start();
  await computes(t, group);
  let left = 1;
  group.wire(1, 'dealer').tamper((frame) => [frame.bytes]);
  group.wire(0, 1).tamper((frame) => {
    if (frame.exchange !== CONTROL || left-- <= 0) return [frame.bytes];
    return changed(frame, (b) => b.fill(0x7f, HEADER));
  });
  const { status } = await group.run(X);
  t.true(left <= 0);
  t.true(status === 200 || status >= 500);
  group.tamper(undefined);
  await computes(t, group);
});
