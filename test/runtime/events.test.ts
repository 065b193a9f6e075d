import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import test from 'ava';
import { profile } from '../../lib/cost/communication';
import type { PhaseEvent, RunEvent } from '../../lib/runtime/events';
import { tensor } from '../../lib/tensor';
import { Group, until } from '../helpers/group';

test('phases and runs are published, with what the program predicts and nothing private', async (t) => {
  const group = await Group.create(t, { batches: [2] });
  const phases: PhaseEvent[] = [];
  const runs: RunEvent[] = [];
  const texts: string[] = [];
  const listeners: Record<string, (event: unknown) => void> = {
    'cryptorch:phase': (event) => phases.push(event as PhaseEvent),
    'cryptorch:run': (event) => runs.push(event as RunEvent),
    'cryptorch:peer': (event) => texts.push(JSON.stringify(event)),
    'cryptorch:error': (event) => texts.push(JSON.stringify(event)),
  };
  for (const [name, listener] of Object.entries(listeners)) subscribe(name, listener);
  t.teardown(() => {
    for (const [name, listener] of Object.entries(listeners)) unsubscribe(name, listener);
  });
  const parties = await group.start();
  const planted = 4242.4242;
  const { run } = await parties[0]!.run({ x: tensor([planted, 0, 0, 0, 0, 0], [2, 3]) });
  await until(() => runs.filter((e) => e.state === 'finished').length === 2);

  t.deepEqual(runs.map((e) => [e.state, e.run]).sort(), [
    ['finished', run],
    ['finished', run],
    ['started', run],
    ['started', run],
  ]);
  const predicted = profile(parties[0]!.deployment.programs[0]!).total;
  for (const phase of ['setup', 'offline', 'online'] as const) {
    const reports = phases.filter((e) => e.phase === phase && e.state === 'finished');
    const sent = (role: number | 'dealer'): number[] => [
      ...(reports.find((e) => e.role === role)?.report?.bytesSent ?? []),
    ];
    const sum = (list: number[]): number => list.reduce((a, b) => a + b, 0);
    t.deepEqual([sum(sent(0)), sum(sent(1))], [...predicted[phase].bytesSent], phase);
    t.deepEqual(
      sent('dealer').slice(0, 2),
      phase === 'online' ? [] : [...predicted[phase].dealerBytes],
      phase,
    );
    const clocks = reports.map((e) => e.report?.clock ?? 0);
    t.is(Math.max(...clocks), predicted[phase].rounds, phase);
  }
  const all = [...texts, JSON.stringify(phases), JSON.stringify(runs)].join('\n');
  t.false(all.includes('4242.4'));
});
