import test from 'ava';
import {
  check,
  framesAgree,
  oneNode,
  onlineBits,
  onlineRounds,
  programOf,
  Random,
} from '../helpers/protocols';

/** How many come before each in falling order, of equals the lowest index first. */
function expected(x: readonly bigint[], [, k, inner]: readonly [number, number, number]): bigint[] {
  return x.map((v, at) => {
    const [i, rest] = [Math.floor(at / inner) % k, at % inner];
    const first = Math.floor(at / (k * inner)) * k * inner + rest;
    let before = 0n;
    for (let j = 0; j < k; j++) {
      const other = x[first + j * inner]!;
      if (other > v || (other === v && j < i)) before++;
    }
    return before;
  });
}

for (const parties of [2, 3, 5]) {
  test(`ranks along an axis, ${parties} parties`, async (t) => {
    const random = new Random(parties);
    for (const shape of [
      [3, 1, 4],
      [1, 2, 5],
      [2, 3, 1],
      [3, 8, 5],
      [1, 25, 3],
    ] as const) {
      const count = shape[0] * shape[1] * shape[2];
      // Many of them equal, and some far apart.
      const big = (1n << 61n) - 1n;
      const x = random.list(count, 1).map((v, i) => (i % 7 === 3 ? (i % 2 === 0 ? big : -big) : v));
      const graph = oneNode('rank', [{ name: 'x', shape, owner: parties - 1 }], shape, { axis: 1 });
      const program = programOf(graph, { parties });
      framesAgree(t, program);
      const { y } = await check(t, program, { x });
      t.deepEqual([...y], expected(x, shape), shape.join());
    }
  });
}

test('ranks open every element once, whatever the number of pairs', async (t) => {
  const shape = [1, 16, 32] as const;
  const x = new Random(9).list(16 * 32, 40);
  const graph = oneNode('rank', [{ name: 'x', shape, owner: 'secret' }], shape, { axis: 1 });
  const checked = await check(t, programOf(graph, { parties: 2 }), { x });
  // Per pair 33 bits of the comparison, as for one alone, and one that makes it a number.
  t.is(onlineBits(checked, 'rank_0', 16 * 32), 64 + 8 * (33 + 1));
  t.is(onlineRounds(checked, 'rank_0'), 4);
});
