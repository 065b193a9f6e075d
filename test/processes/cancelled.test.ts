// A caller that loses interest in the middle of a run: every process is told, and the next run is served.

import { setTimeout as pause } from 'node:timers/promises';
import test from 'ava';
import { computes, ProcessGroup, X } from '../helpers/processes';
import { smallModels } from '../helpers/small-model';

for (const parties of [2, 3]) {
  test.serial(`${parties} parties: a run is cancelled on every side`, async (t) => {
    t.timeout(60_000);
    const group = await ProcessGroup.create(t, await smallModels([2], { parties }), { parties, ahead: 1 });
    await group.start();
    await computes(t, group);
    for (const role of group.running.values()) {
      await role.event({ event: 'phase', phase: 'offline', state: 'finished', run: 2 });
      role.forget();
    }
    await pause(100);
    // Party 1 stands still, so that the others are in the middle of the run.
    group.get(1).signal('SIGSTOP');
    const caller = new AbortController();
    const run = group.run(X, caller.signal).catch((error: Error) => error.name);
    await group.get(0).event({ event: 'run', state: 'started', run: 2 });
    caller.abort();
    t.is(await run, 'AbortError');
    const cancelled = { event: 'error', code: 'ERR_CRYPTORCH_CANCELLED' };
    await group.get(0).event(cancelled);
    await group.get(0).event({ event: 'run', state: 'failed', run: 2 });
    group.get(1).signal('SIGCONT');
    for (const role of group.others(0)) await role.event(cancelled);
    await computes(t, group);
  });
}
