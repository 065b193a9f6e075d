import { setTimeout as pause } from 'node:timers/promises';
import test from 'ava';
import { Coordinator } from '../../lib/runtime/coordinator';
import { coded } from '../helpers/errors';
import { randomIntegers } from '../helpers/mutate';

const NEVER = { number: 1e6, prepare: 1e6, start: 1e6 };

/** A coordinator whose orders are written down; the dealer answers by hand, or at once with `auto`. */
function make(
  owners: number[][],
  options: { ahead?: number; parties?: number; deadlines?: typeof NEVER } = {},
) {
  const { ahead = 0, parties = 2, deadlines = NEVER } = options;
  const log: string[] = [];
  const coordinator = new Coordinator(
    { parties, owners, ahead, deadlines },
    {
      number: (program) => log.push(`number ${program}`),
      prepare: (run, program) => log.push(`prepare ${run} ${program}`),
      start: (run, program, jobs) =>
        log.push(`start ${run} ${program}: ${jobs.map((j) => `${j.party}/${j.job}`).join(' ')}`),
      late: (what, who) => log.push(`late ${what} ${who.join()}`),
    },
  );
  const all = Array.from({ length: parties }, (_, p) => p);
  return {
    coordinator,
    log,
    /** The orders since the last look. */
    look: () => log.splice(0),
    ready: () => {
      for (const p of all) coordinator.ready(p);
    },
    did: (kind: 'prepare' | 'start', run: number) => {
      for (const p of all) coordinator.did(p, kind, run);
    },
  };
}

test('a job is numbered, prepared and started, each once everybody is there', (t) => {
  const { coordinator, look, did } = make([[0]]);
  coordinator.want(0, 0, 7);
  coordinator.ready(0);
  t.deepEqual(look(), []);
  coordinator.ready(1);
  t.deepEqual(look(), ['number 0']);
  coordinator.numbered(0, 3);
  t.deepEqual(look(), ['prepare 3 0']);
  coordinator.did(0, 'prepare', 3);
  t.deepEqual(look(), []);
  coordinator.did(1, 'prepare', 3);
  t.deepEqual(look(), ['start 3 0: 0/7']);
  did('start', 3);
  t.deepEqual(look(), []);
});

test('what ends everything in the middle of an order leaves nothing behind', (t) => {
  const log: string[] = [];
  const coordinator: Coordinator = new Coordinator(
    { parties: 2, owners: [[0]], ahead: 1, deadlines: NEVER },
    {
      number: () => log.push('number'),
      prepare: () => log.push('prepare'),
      start: () => {
        log.push('start');
        coordinator.reset();
      },
      late: () => t.fail(),
    },
  );
  const begin = (): void => {
    coordinator.ready(0);
    coordinator.ready(1);
    coordinator.want(0, 0, 1);
    coordinator.numbered(0, 1);
    for (const party of [0, 1]) coordinator.did(party, 'prepare', 1);
  };
  begin();
  t.deepEqual(log.splice(0).at(-1), 'start');
  begin();
  t.deepEqual(log.at(-1), 'start');
});

test('jobs of several owners are paired in order, and a pair is served when it is complete', (t) => {
  const { coordinator, look, ready, did } = make([[0, 1], [0]]);
  ready();
  coordinator.want(0, 0, 1);
  coordinator.want(0, 0, 2);
  t.deepEqual(look(), []);
  coordinator.want(0, 1, 3);
  t.deepEqual(look(), ['number 1']);
  coordinator.want(1, 0, 9);
  coordinator.numbered(1, 1);
  t.deepEqual(look(), ['number 0', 'prepare 1 1']);
  coordinator.unwant(0, 0, 1);
  did('prepare', 1);
  t.deepEqual(look(), ['start 1 1: 0/3']);
  coordinator.numbered(0, 2);
  did('start', 1);
  t.deepEqual(look(), ['prepare 2 0']);
  did('prepare', 2);
  t.deepEqual(look(), ['start 2 0: 0/2 1/9']);
});

test('material is kept ahead, and more is asked for while a run is computed', (t) => {
  const { coordinator, look, ready, did } = make([[0]], { ahead: 2 });
  ready();
  coordinator.numbered(0, 1);
  coordinator.numbered(0, 2);
  did('prepare', 1);
  did('prepare', 2);
  t.deepEqual(look(), ['number 0', 'number 0', 'prepare 1 0', 'prepare 2 0']);
  t.is(coordinator.prepared, 2);
  coordinator.want(0, 0, 5);
  t.deepEqual(look(), ['number 0', 'start 1 0: 0/5']);
  coordinator.numbered(0, 3);
  t.deepEqual(look(), []);
  did('start', 1);
  t.deepEqual(look(), ['prepare 3 0']);
});

test('what nobody was asked for is refused', (t) => {
  const { coordinator, ready } = make([[0]]);
  ready();
  const refused = coded('PROTOCOL', /was not expected/);
  t.throws(() => coordinator.numbered(0, 1), refused);
  t.throws(() => coordinator.want(1, 0, 1), refused);
  t.throws(() => coordinator.want(0, 1, 1), refused);
  t.throws(() => coordinator.did(0, 'prepare', 1), refused);
  coordinator.want(0, 0, 1);
  coordinator.numbered(0, 1);
  t.throws(() => coordinator.numbered(0, 2), refused);
  coordinator.did(0, 'prepare', 1);
  t.throws(() => coordinator.did(0, 'prepare', 1), refused);
  t.throws(() => coordinator.did(1, 'start', 1), refused);
  t.throws(() => coordinator.did(1, 'prepare', 2), refused);
});

test('who is late is named', async (t) => {
  const { coordinator, look, ready } = make([[0]], {
    parties: 3,
    deadlines: { number: 30, prepare: 30, start: 30 },
  });
  ready();
  coordinator.want(0, 0, 1);
  await pause(60);
  t.deepEqual(look(), ['number 0', 'late give a run number ']);
  coordinator.numbered(0, 1);
  coordinator.did(0, 'prepare', 1);
  await pause(60);
  t.deepEqual(look(), ['prepare 1 0', 'late prepare run 1 1,2']);
  coordinator.reset();
  ready();
  await pause(60);
  t.deepEqual(look(), []);
});

test('whatever the order of events, numbers are prepared in order and every pair is served once', (t) => {
  for (let seed = 1; seed <= 200; seed++) {
    const random = randomIntegers(seed);
    const owners = [[0], [0, 2], [1]].slice(0, 1 + random(3));
    const { coordinator, look, ready } = make(owners, { parties: 3, ahead: random(3) });
    ready();
    const wanted = owners.flatMap((list, program) =>
      Array.from({ length: random(5) }, () => ({ list, program })),
    );
    const events: (() => void)[] = [];
    const served: number[] = [];
    let [job, run, prepared] = [0, 0, 0];
    for (const { list, program } of wanted) {
      for (const party of list) events.push(() => coordinator.want(party, program, job++));
    }
    while (events.length > 0) {
      events.splice(random(events.length), 1)[0]!();
      for (const order of look()) {
        const [kind, number, program] = order.split(/[ :]/);
        if (kind === 'number') {
          const taken = ++run;
          events.push(() => coordinator.numbered(Number(number), taken));
          continue;
        }
        if (kind === 'prepare') t.is(Number(number), ++prepared, `seed ${seed}`);
        else served.push(Number(program));
        for (let p = 0; p < 3; p++) events.push(() => coordinator.did(p, kind as 'start', Number(number)));
      }
    }
    t.deepEqual(served.sort(), wanted.map((w) => w.program).sort(), `seed ${seed}`);
  }
});
