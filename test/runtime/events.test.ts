import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import test from 'ava';
import { profile } from '../../lib/cost/communication';
import { Deployment } from '../../lib/runtime/deployment';
import { type PhaseEvent, type ProgressEvent, Reporter, type RunEvent } from '../../lib/runtime/events';
import { tensor } from '../../lib/tensor';
import { Group, until } from '../helpers/group';
import { Peer } from '../helpers/peer';

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

function withResolvers<T>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve!: (value: T) => void;
  const promise = new Promise<T>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}

const OFFLINE = { phase: 'offline', epoch: 3, run: 7, program: 1 } as const;

test.serial('progress is that of the phase that runs, told when it changes', async (t) => {
  const events: ProgressEvent[] = [];
  const done = withResolvers<void>();
  const listener = (event: unknown): void => {
    if (events.push(event as ProgressEvent) === 2) done.resolve();
  };
  subscribe('cryptorch:progress', listener);
  t.teardown(() => unsubscribe('cryptorch:progress', listener));
  const states = [
    null,
    { phase: 'offline', run: 6, steps: 90, of: 100 },
    { phase: 'offline', run: 7, steps: 5, of: 50 },
    { phase: 'offline', run: 7, steps: 5, of: 50 },
    { phase: 'offline', run: 7, steps: 25, of: 50 },
  ] as const;
  let looks = 0;
  const session = { progress: () => states[looks++]! };
  const report = { clock: 0, bytesSent: [], nodes: [], seconds: 0 };
  await new Reporter({ deployment: 'd', role: 0 }).phase(
    OFFLINE,
    session,
    () => done.promise,
    () => report,
  );
  const common = { deployment: 'd', role: 0, ...OFFLINE, of: 50 };
  t.deepEqual(events, [
    { ...common, steps: 5 },
    { ...common, steps: 25 },
  ]);
  t.is(looks, states.length);
});

test.serial('without a listener there is no timer', async (t) => {
  const { setInterval } = globalThis;
  let timers = 0;
  const counting = (...args: Parameters<typeof setInterval>): NodeJS.Timeout => {
    timers++;
    return setInterval(...args);
  };
  Object.assign(globalThis, { setInterval: counting });
  t.teardown(() => Object.assign(globalThis, { setInterval }));
  const reporter = new Reporter({ deployment: 'd', role: 'dealer' });
  const session = { progress: () => null };
  const phase = () =>
    reporter.phase(
      OFFLINE,
      session,
      () => Promise.resolve(),
      () => ({ clock: 0, bytesSent: [], nodes: [], seconds: 0 }),
    );
  await phase();
  t.is(timers, 0);
  const listener = (): void => {};
  subscribe('cryptorch:progress', listener);
  await phase();
  unsubscribe('cryptorch:progress', listener);
  t.is(timers, 1);
});

test.serial('a party tells how far its setup is, while another one keeps it waiting', async (t) => {
  const group = await Group.create(t);
  const told = withResolvers<ProgressEvent>();
  const listener = (event: unknown): void => {
    if ((event as ProgressEvent).role === 0) told.resolve(event as ProgressEvent);
  };
  subscribe('cryptorch:progress', listener);
  t.teardown(() => unsubscribe('cryptorch:progress', listener));
  const dealer = await group.startDealer();
  const party = await group.startParty(0);
  const other = new Peer(await Deployment.load(group.at(1)), 1);
  t.teardown(() => other.endpoint.close());
  await other.endpoint.connect(2, '127.0.0.1', dealer.port, 2000);
  await other.endpoint.connect(0, '127.0.0.1', party.port!, 2000);
  const { phase, epoch, run, steps, of } = await told.promise;
  t.deepEqual([phase, epoch, run], ['setup', 1, 0]);
  t.true(steps < of, `${steps} of ${of}`);
});
