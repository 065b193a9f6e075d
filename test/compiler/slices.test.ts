import test from 'ava';
import { checkLeakage } from '../../lib/compiler/leakage';
import { PHASES, type Program, type Segment, type Value, wireBytes } from '../../lib/compiler/program';
import { phaseOf } from '../../lib/compiler/schedule/moments';
import { sliceLargeOpenings, slicesOf } from '../../lib/compiler/schedule/slices';
import { timelineOf } from '../../lib/compiler/schedule/timeline';
import { profile } from '../../lib/cost/communication';
import {
  check,
  framesAgree,
  graphOf,
  type Operand,
  oneNode,
  programOf,
  Random,
  type,
} from '../helpers/protocols';

const secret = (name: string, shape: readonly number[]): Operand => ({ name, shape, owner: 'secret' });

function sliced(program: Program): Segment[] {
  return program.steps.flatMap((s) => (s.kind === 'exchange' ? s.segments.filter((g) => g.sliced) : []));
}

test('slices are whole words, cover a value and nothing twice', (t) => {
  for (const parties of [3, 5]) {
    for (const elements of [0, 1, 63, 64, 65, 1000, 64 * parties]) {
      for (const form of [
        { layout: 'ring', bits: 64, planes: 0 },
        { layout: 'ring', bits: 13, planes: 0 },
        { layout: 'planes', bits: 1, planes: 7 },
      ] as const) {
        const value = { ...form, elements } as Value;
        let end = 0;
        for (const slice of slicesOf(value, parties)) {
          t.is(slice.offset, end);
          t.is(slice.bytes % 8, 0);
          end += slice.bytes;
        }
        t.is(end, wireBytes(value), `${form.layout} ${elements}`);
      }
    }
  }
});

for (const parties of [3, 5]) {
  for (const size of [1, 130, 1001]) {
    test(`products and comparisons by slices: ${size} elements, ${parties} parties`, async (t) => {
      const graph = graphOf([secret('x', [size]), secret('y', [size])], (b, [x, y]) => {
        const [z] = b.node({ name: 'mul', origin: 'mul' }, 'mul', [x!, y!], [type([size])]);
        return b.node({ name: 'relu', origin: 'relu' }, 'relu', [z!], [type([size])], { shift: 8 });
      });
      const [whole, cut] = [Number.POSITIVE_INFINITY, 1].map((slicedBytes) =>
        programOf(graph, { parties, slicedBytes, outputOwners: { y: 'public' } }),
      ) as [Program, Program];
      t.is(sliced(whole).length, 0);
      t.is(sliced(cut).length, 6);
      const random = new Random(size);
      const numbers = { x: random.list(size, 20), y: random.list(size, 20) };
      const [one, other] = [await check(t, whole, numbers), await check(t, cut, numbers)];
      t.deepEqual(other.y, one.y);
      t.is(other.run.counted.online.rounds, 2 * one.run.counted.online.rounds - 1, 'all but the reveal');
    });
  }
}

test('a party sends 2 (n - 1) / n times the size of a value instead of n - 1 times', (t) => {
  const size = 64 * 15;
  for (const parties of [3, 5]) {
    const build = (slicedBytes: number): Program =>
      programOf(oneNode('mul', [secret('x', [size]), secret('y', [size])], [size]), {
        parties,
        slicedBytes,
        outputOwners: { y: 'secret' },
      });
    const sent = (program: Program): number[] => {
      const { frames } = timelineOf(program);
      const online = frames.filter((f) => PHASES[phaseOf(f.sent)] === 'online');
      const headers = (p: number): number =>
        24 *
        online
          .filter((f) => f.from === p)
          .reduce((n, f) => n + f.to.toString(2).replaceAll('0', '').length, 0);
      return profile(program).total.online.bytesSent.map((b, p) => b - headers(p));
    };
    const value = 2 * size * 8;
    t.deepEqual(sent(build(Number.POSITIVE_INFINITY)), Array(parties).fill((parties - 1) * value));
    t.deepEqual(sent(build(1)), Array(parties).fill((2 * (parties - 1) * value) / parties));
  }
});

test('only large openings that several parties have to send are cut', (t) => {
  const layer = (size: number, owner: 0 | 'secret', parties: number): Program =>
    programOf(
      graphOf([secret('x', [size]), { name: 'w', shape: [1], owner, weight: true }], (b, [x, w]) => {
        const [z] = b.node({ name: 'mul', origin: 'mul' }, 'mul', [x!, w!], [type([size])]);
        return b.node({ name: 'cut', origin: 'rescale' }, 'rescale', [z!], [type([size])], { bits: 8 });
      }),
      { parties },
    );
  t.is(sliced(layer(1 << 17, 'secret', 2)).length, 0, 'two parties');
  t.is(sliced(layer((1 << 17) - 64, 'secret', 3)).length, 0, 'below the limit');
  t.is(sliced(layer(1 << 17, 'secret', 3)).length, 2);
  // The input goes to the holder alone; the others' parts of the product were sent ahead.
  t.is(sliced(layer(1 << 17, 0, 3)).length, 0);
});

test('slices go only where the opening may be seen', (t) => {
  const program = programOf(oneNode('relu', [secret('x', [9])], [9], { shift: 0 }), {
    parties: 3,
    slicedBytes: 1,
  });
  t.notThrows(() => checkLeakage(program));
  const steps = program.steps.map((s) =>
    s.kind === 'exchange' ? { ...s, segments: s.segments.map((g) => ({ ...g, sliced: true as const })) } : s,
  );
  t.throws(() => checkLeakage({ ...program, steps }), {
    message: /by slices at parties that must not see it/,
  });
  // Every contribution that is not an opened slice goes to one party: nobody gets two parties' parts but its own slice.
  for (const frame of timelineOf(program).frames) {
    if (frame.slice && !frame.slice.opened) t.is(frame.to & (frame.to - 1), 0);
  }
});

test('both ends agree on the frames of slices', (t) => {
  for (const parties of [3, 4, 5]) {
    const program = sliceLargeOpenings(
      programOf(oneNode('arg_max', [secret('x', [9, 11])], [9], { axis: 1, keepdims: false }), { parties }),
      60,
    );
    t.true(sliced(program).length > 0);
    framesAgree(t, program);
  }
});
