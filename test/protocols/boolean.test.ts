import test from 'ava';
import type { Dtype, GraphBuilder, Owner, Value } from '../../lib/compiler/ir/graph';
import {
  check,
  framesAgree,
  graphOf,
  type Integers,
  onlineBits,
  onlineRounds,
  programOf,
  Random,
  type,
} from '../helpers/protocols';

const typed = (shape: readonly number[], dtype: Dtype, ring?: number) => ({
  ...type(shape),
  dtype,
  ...(ring !== undefined && { ring }),
});

/** One node; named after its operator, and `name` if that is given. */
function emit(
  g: GraphBuilder,
  op: string,
  ins: readonly Value[],
  result: ReturnType<typeof typed>,
  attrs: Parameters<GraphBuilder['node']>[4] = {},
  name = op,
): Value {
  return g.node({ name, origin: op }, op, ins, [result], attrs)[0]!;
}

const truth = (b: boolean): bigint => (b ? 1n : 0n);
const big = (1n << 61n) - 1n;

for (const parties of [2, 3, 5]) {
  test(`step and equality with a bound, ${parties} parties`, async (t) => {
    const random = new Random(parties);
    const near = [-8n, 7n, 65536n].flatMap((b) => [-1n, 0n, 1n].map((d) => b + d));
    const x = [0n, big, -big, ...near, ...random.list(500, 5), ...random.list(100, 60)];
    for (const bound of [0n, -8n, 7n, 65536n, -big, 1n << 61n]) {
      const graph = graphOf([{ name: 'x', shape: [x.length], owner: 'secret' }], (g, [v]) =>
        [true, false]
          .map((strict) => emit(g, 'step', [v!], typed([x.length], 'bool'), { bound, strict }))
          .concat(emit(g, 'equals', [v!], typed([x.length], 'bool'), { bound })),
      );
      const program = programOf(graph, { parties });
      framesAgree(t, program);
      const { outputs } = await check(t, program, { x });
      t.deepEqual(
        outputs.get('y'),
        x.map((v) => truth(v > bound)),
      );
      t.deepEqual(
        outputs.get('y1'),
        x.map((v) => truth(v >= bound)),
      );
      t.deepEqual(
        outputs.get('y2'),
        x.map((v) => truth(v === bound)),
      );
    }
  });

  for (const owner of ['secret', 0, parties - 1] as const) {
    test(`booleans of ${owner}: not, xor, and, choice, number, ${parties} parties`, async (t) => {
      const random = new Random(17);
      const [rows, columns] = [7, 43];
      const bits = (count: number): bigint[] => Array.from({ length: count }, () => random.bits(1));
      const given = { a: bits(rows * columns), b: bits(columns), x: random.list(rows, 61), w: bits(rows) };
      const graph = graphOf([], (g) => {
        const input = (name: string, shape: number[], dtype: Dtype, of: Owner): Value =>
          g.input(name, { ...typed(shape, dtype, dtype === 'bool' ? 1 : 64), owner: of });
        const a = input('a', [rows, columns], 'bool', owner);
        const b = input('b', [columns], 'bool', 0);
        const x = input('x', [rows, 1], 'int', 'secret');
        const w = g.constant(
          'w',
          { ...typed([rows, 1], 'bool', 1), owner: parties - 1 },
          {
            data: new BigInt64Array(rows),
            private: true,
          },
        );
        const [bool, int] = [typed([rows, columns], 'bool'), typed([rows, columns], 'int')];
        const both = emit(g, 'mul', [a, b], bool, {}, 'and');
        const one = emit(g, 'xor', [a, b], bool);
        const none = emit(g, 'not', [a], bool);
        const chosen = emit(g, 'mul', [x, a], int, {}, 'choice');
        const byWeights = emit(g, 'mul', [x, w], typed([rows, 1], 'int'), {}, 'weights');
        const number = emit(g, 'lift', [one], typed([rows, columns], 'int', 9));
        const plain = emit(g, 'lift', [a], int, {}, 'plain');
        return [both, one, none, chosen, byWeights, number, plain];
      });
      const program = programOf(graph, { parties });
      framesAgree(t, program);
      const checked = await check(t, program, given as Integers);
      const [both, one, none, chosen, byWeights, number, plain] = [
        'y',
        'y1',
        'y2',
        'y3',
        'y4',
        'y5',
        'y6',
      ].map((name) => checked.outputs.get(name)!);
      given.a.forEach((a, i) => {
        const [b, row] = [given.b[i % columns]!, Math.floor(i / columns)];
        t.is(both![i], a & b);
        t.is(one![i], a ^ b);
        t.is(none![i], 1n - a);
        t.is(chosen![i], a * given.x[row]!);
        t.is(number![i], a ^ b);
        t.is(plain![i], a);
      });
      given.w.forEach((w, i) => {
        t.is(byWeights![i], w * given.x[i]!);
      });
      // Not and xor are local.
      for (const name of ['not', 'xor']) t.is(onlineRounds(checked, name), 0);
    });
  }
}

test('what booleans cost: an opened bit each, whatever they are multiplied with', async (t) => {
  const n = 4096;
  const random = new Random(5);
  const graph = graphOf(
    [
      { name: 'x', shape: [n], owner: 'secret' },
      { name: 'z', shape: [n], owner: 'secret' },
    ],
    (g, [x, z]) => {
      const [bool, int] = [typed([n], 'bool'), typed([n], 'int')];
      const a = emit(g, 'step', [x!], bool, { bound: 0n, strict: false });
      const b = emit(g, 'equals', [x!], bool, { bound: 4n });
      const kept = emit(g, 'mul', [x!, a], int, {}, 'kept');
      const other = emit(g, 'mul', [z!, a], int, {}, 'other');
      const number = emit(g, 'lift', [a], int);
      const both = emit(g, 'mul', [a, b], bool, {}, 'both');
      return [kept, other, number, both];
    },
  );
  const x = random.list(n, 50);
  const z = random.list(n, 50);
  const checked = await check(t, programOf(graph, { parties: 2 }), { x, z });
  t.deepEqual(
    checked.outputs.get('y1'),
    z.map((v, i) => (x[i]! >= 0n ? v : 0n)),
  );
  const costs = (name: string): number[] => [onlineRounds(checked, name), onlineBits(checked, name, n)];
  // The opening of x and two levels of gates; equality takes no further opening of x.
  t.deepEqual(costs('step'), [3, 64 + 33]);
  t.deepEqual(costs('equals'), [2, 16 + 4]);
  t.deepEqual(costs('kept'), [1, 1]);
  t.deepEqual(costs('other'), [1, 64]);
  t.deepEqual(costs('lift'), [0, 0]);
  t.deepEqual(costs('both'), [1, 1]);
});
