// A process is killed with SIGKILL in the middle of a phase: a wire holds back a frame of that phase, so that everybody
// is in it when it happens. The others say so with a code, and all go on once it is back.

import { rm } from 'node:fs/promises';
import test from 'ava';
import type { Phase } from '../../lib/compiler/program';
import { type Role, roleName } from '../../lib/keys/role';
import { computes, ProcessGroup, X } from '../helpers/processes';
import { smallModels } from '../helpers/small-model';

/** Resolves once some wire holds back a frame of a phase; from then on nothing more passes in that direction. */
function holdPhase(group: ProcessGroup, phase: Phase): Promise<void> {
  const exchanges = group.exchanges(phase);
  return new Promise((resolve) => {
    group.tamper(({ exchange, bytes }) => {
      if (!exchanges.has(exchange)) return [bytes];
      resolve();
      return 'stall';
    });
  });
}

for (const parties of [2, 3]) {
  test.serial(`${parties} parties survive the death of each role in each phase`, async (t) => {
    t.timeout(180_000);
    const group = await ProcessGroup.create(t, await smallModels([2], { parties }), { parties });
    await group.start();
    await computes(t, group);
    for (const phase of ['setup', 'offline', 'online'] as const) {
      for (const victim of ['dealer', 0, 1] as const satisfies readonly Role[]) {
        const what = `${roleName(victim)} killed in ${phase}`;
        if (phase === 'setup') {
          // A dealer without its state asks for a new epoch.
          await group.get('dealer').stop();
          await rm(group.at('dealer', 'state', 'shares'));
        }
        const held = holdPhase(group, phase);
        if (phase === 'setup') await group.start('dealer');
        const run = group.run(X).catch((error: Error) => error);
        await held;
        const survivors = group.others(victim);
        for (const role of survivors) role.forget();
        const began = Date.now();
        await group.get(victim).kill();
        await Promise.all(survivors.map((role) => role.event({ event: 'error' })));
        t.true(Date.now() - began < 4000, `${what}: told within the deadline`);
        for (const role of survivors) {
          for (const code of role.codes) t.regex(code, /^(CONNECTION|TIMEOUT|STALE_STATE)$/, what);
        }
        group.tamper(undefined);
        await group.start(victim);
        const answer = await run;
        // A run that was computed has failed with a code; one that had not begun goes on by itself.
        if (victim === 0) t.true(answer instanceof Error, what);
        else if (answer instanceof Error) t.fail(`${what}: ${answer.message}`);
        else if (phase === 'online') t.is(answer.error?.code, 'ERR_CRYPTORCH_CONNECTION', what);
        else t.is(answer.status, 200, what);
        await computes(t, group, what);
      }
    }
  });
}
