import test from 'ava';
import type { Graph } from '../../lib/compiler/ir/graph';
import { PHASES, type Program, wireBytes } from '../../lib/compiler/program';
import { phaseOf, roundOf } from '../../lib/compiler/schedule/moments';
import { project } from '../../lib/compiler/schedule/project';
import { timelineOf } from '../../lib/compiler/schedule/timeline';
import { profile } from '../../lib/cost/communication';
import { check, framesAgree, graphOf, oneNode, programOf, Random, type } from '../helpers/protocols';

/** `length` layers: a product with weights of `holder`, truncation and ReLU. Party 1 owns the input. */
function layers(length: number, holder: 0 | 1 | 'secret', batch = 3): Graph {
  const weights = Array.from({ length }, (_, i) => ({
    name: `w${i}`,
    shape: [4, 4],
    owner: holder,
    weight: true,
  }));
  return graphOf([{ name: 'x', shape: [batch, 4], owner: 1 }, ...weights], (b, [x, ...ws]) => {
    let v = x!;
    ws.forEach((w, i) => {
      const at = (name: string) => ({ name: `${name}${i}`, origin: name });
      const [z] = b.node(at('matmul'), 'matmul', [v, w], [type([batch, 4])]);
      [v] = b.node(at('relu'), 'relu', [z!], [type([batch, 4])], { shift: 16 }) as [typeof v];
    });
    return [v];
  });
}

const numbers = (length: number, batch = 3) => {
  const random = new Random(length);
  const weights = Array.from({ length }, (_, i) => [`w${i}`, random.list(16, 14)] as const);
  return Object.fromEntries([['x', random.list(batch * 4, 18)] as const, ...weights]);
};

/** Frames of the online phase, in order. */
function online(program: Program) {
  return timelineOf(program)
    .frames.filter((f) => PHASES[phaseOf(f.sent)] === 'online')
    .sort((a, b) => a.sent - b.sent);
}

test('messages between two parties go one way at a time where one of them holds the weights', async (t) => {
  for (const corrected of [0, 1]) {
    for (const length of [1, 2, 5]) {
      const program = programOf(layers(length, 0), { parties: 2, corrected });
      const { run } = await check(t, program, numbers(length));
      // The input goes to the holder; then an opening and its first gates, two levels of gates, a bit and
      // what follows from it: the next opening or the output.
      t.deepEqual(
        online(program).map((f) => f.from),
        [1, ...Array.from({ length }, () => [0, 1, 0, 1]).flat()],
      );
      t.is(run.counted.online.rounds, 1 + 4 * length);
      // Of every layer, the other party's half of the opening of z travels ahead of the run.
      const ahead = 3 * 4 * 8;
      t.true(run.counted.offline.bytesSent[1]! >= length * ahead);
      t.is(run.counted.offline.bytesSent[0], 0);
    }
  }
});

test('a layer whose sign takes no gates of its own is one message each way', async (t) => {
  const length = 3;
  const narrow = { ...type([3, 4]), ring: 9 };
  const weights = Array.from({ length }, (_, i) => ({
    name: `w${i}`,
    shape: [4, 4],
    owner: 0 as const,
    weight: true,
  }));
  const graph = graphOf([{ name: 'x', shape: [3, 4], owner: 1 }, ...weights], (b, [x, ...ws]) => {
    let v = x!;
    ws.forEach((w, i) => {
      const [z] = b.node({ name: `matmul${i}`, origin: 'matmul' }, 'matmul', [v, w], [narrow]);
      [v] = b.node({ name: `relu${i}`, origin: 'relu' }, 'relu', [z!], [narrow], { shift: 5 }) as [typeof v];
    });
    return [v];
  });
  const program = programOf(graph, { parties: 2 });
  const random = new Random(4);
  const { run } = await check(t, program, {
    x: random.list(12, 2),
    ...Object.fromEntries(weights.map(({ name }) => [name, random.list(16, 2)])),
  });
  t.deepEqual(
    online(program).map((f) => f.from),
    [1, ...Array.from({ length }, () => [0, 1]).flat()],
  );
  t.is(run.counted.online.rounds, 1 + 2 * length);
});

test('where nobody holds the weights, everything is sent online, to everybody', async (t) => {
  for (const parties of [2, 3]) {
    const program = programOf(layers(2, 'secret'), { parties, outputOwners: { y: 'public' } });
    const { run } = await check(t, program, numbers(2));
    t.is(run.counted.online.rounds, 2 * 5 + 1);
    t.deepEqual(run.counted.offline.bytesSent, Array(parties).fill(0));
    const opened = program.steps
      .flatMap((s) => (s.kind === 'exchange' && s.phase === 'online' ? s.segments : []))
      .reduce((sum, s) => sum + wireBytes(program.values[s.out]!), 0);
    const [, one] = run.counted.online.bytesSent;
    const frames = online(program).filter((f) => f.from === 1).length;
    t.is(one, (parties - 1) * (opened + 24 * frames));
  }
});

test('what is known before the run is sent before the run, for any number of parties', async (t) => {
  for (const parties of [2, 3, 5]) {
    const program = programOf(layers(2, 0), { parties, outputOwners: { y: 'public' } });
    const { run } = await check(t, program, numbers(2));
    for (let p = 0; p < parties; p++)
      t.is(run.counted.offline.bytesSent[p]! > 0, p !== 0, `party ${p} of ${parties}`);
    t.is(run.counted.setup.rounds, 1);
  }
});

const programs: readonly (readonly [string, (parties: number) => Program])[] = [
  ['layers of a holder', (parties) => programOf(layers(3, 1), { parties })],
  ['layers of nobody', (parties) => programOf(layers(2, 'secret'), { parties })],
  ['frames that are split', (parties) => programOf(layers(2, 0, 70_000), { parties })],
  [
    'argmax',
    (parties) =>
      programOf(
        oneNode('arg_max', [{ name: 'x', shape: [9, 11], owner: 0 }], [9], { axis: 1, keepdims: false }),
        {
          parties,
        },
      ),
  ],
];

for (const [name, build] of programs) {
  test(`both ends of every link agree on its frames: ${name}`, (t) => {
    for (const parties of [2, 3, 5]) {
      const program = build(parties);
      framesAgree(t, program);
    }
  });

  test(`nobody waits for ever, and for no more rounds than predicted: ${name}`, (t) => {
    for (const parties of [2, 3, 5]) {
      const program = build(parties);
      const plans = Array.from({ length: parties + 1 }, (_, role) => project(program, role));
      const predicted = profile(program).total;
      for (const [index, phase] of PHASES.entries()) {
        // Links as queues of clocks; whoever can take a step takes one.
        const links = new Map<string, number[]>();
        const link = (from: number, to: number): number[] => {
          const key = `${from} ${to}`;
          if (!links.has(key)) links.set(key, []);
          return links.get(key)!;
        };
        const at = plans.map(() => 0);
        const clocks = plans.map(() => 0);
        for (let moved = true; moved; ) {
          moved = false;
          plans.forEach((plan, role) => {
            const step = plan.phases[index as 0 | 1 | 2][at[role]!];
            if (step === undefined) return;
            if (step.type === 'send') link(role, step.peer).push(clocks[role]! + 1);
            if (step.type === 'receive') {
              const clock = link(step.peer, role).shift();
              if (clock === undefined) return;
              clocks[role] = Math.max(clocks[role]!, clock);
            }
            at[role]!++;
            moved = true;
          });
        }
        t.deepEqual(
          at,
          plans.map((plan) => plan.phases[index as 0 | 1 | 2].length),
        );
        t.is(Math.max(...clocks), predicted[phase].rounds, `${phase}, ${parties} parties`);
      }
    }
  });
}

test('a large opening leaves before the rest of its round is computed', (t) => {
  const program = programOf(layers(1, 0, 70_000), { parties: 2 });
  const { frames } = timelineOf(program);
  const answer = frames.filter(
    (f) => f.from === 0 && PHASES[phaseOf(f.sent)] === 'online' && roundOf(f.sent) === 1,
  );
  t.true(answer.length === 2, `${answer.length} frames`);
});
