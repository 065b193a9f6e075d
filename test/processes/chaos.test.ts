// Connections that break at random moments while runs go on: every run gives the right result or fails with a code that
// says that a connection broke, and no number is ever used twice.

import { setTimeout as pause } from 'node:timers/promises';
import test from 'ava';
import { randomIntegers } from '../helpers/mutate';
import { type Answer, computes, ProcessGroup } from '../helpers/processes';
import { expected, smallModels } from '../helpers/small-model';

const SECONDS = Number(process.env.CHAOS_SECONDS ?? 8);

test.serial('connections break at random moments', async (t) => {
  t.timeout(1000 * SECONDS + 120_000);
  const parties = 3;
  const group = await ProcessGroup.create(t, await smallModels([1, 2], { parties }), { parties, ahead: 1 });
  await group.start();
  await computes(t, group);
  const random = randomIntegers(5);
  const wires = [...group.wires.values()];
  const end = Date.now() + 1000 * SECONDS;
  const numbers = new Set<number>();
  const codes = new Map<string, number>();
  let right = 0;
  const check = (x: number[], { status, outputs, error, run }: Answer): void => {
    if (status === 200) {
      t.deepEqual(
        outputs!.y!.data.map((v) => Math.round(v * 1000) / 1000),
        expected(x),
      );
      t.false(numbers.has(run!), `run ${run} twice`);
      numbers.add(run!);
      right++;
      return;
    }
    t.regex(error!.code, /CONNECTION|TIMEOUT|PROTOCOL/, error!.message);
    codes.set(error!.code, (codes.get(error!.code) ?? 0) + 1);
  };
  const client = async (): Promise<void> => {
    while (Date.now() < end) {
      const x = Array.from({ length: 3 * (1 + random(2)) }, () => random(9) - 4);
      check(x, await group.run(x));
    }
  };
  const breaker = async (): Promise<void> => {
    while (Date.now() < end) {
      await pause(random(400));
      wires[random(wires.length)]!.cut();
    }
  };
  await Promise.all([client(), client(), client(), breaker()]);
  t.log(`${right} right, ${[...codes].join(' ')}`);
  t.true(right > 0);
  // The last break may still be unnoticed.
  await pause(1000);
  await computes(t, group);
  for (const role of group.running.values()) {
    for (const code of role.codes)
      t.regex(code, /^(CONNECTION|TIMEOUT|PROTOCOL|STALE_STATE)$/, `${role.role}`);
  }
});
