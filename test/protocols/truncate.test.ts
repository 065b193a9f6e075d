import test from 'ava';
import { check, oneNode, onlineBits, onlineRounds, programOf, Random } from '../helpers/protocols';

const edges = [0n, 1n, -1n, 65535n, 65536n, -65536n, (1n << 61n) - 1n, -(1n << 61n)];

for (const parties of [2, 3, 5]) {
  for (const shift of [1, 16, 40]) {
    test(`truncation by ${shift} bits, ${parties} parties: never off by more than one unit`, async (t) => {
      const z = [...edges, ...new Random(shift).list(1029, 61)];
      const graph = oneNode('rescale', [{ name: 'z', shape: [z.length], owner: 'secret' }], [z.length], {
        bits: shift,
      });
      const { y } = await check(t, programOf(graph, { parties }), { z });
      for (const [i, v] of z.entries()) {
        const d = y[i]! - (v >> BigInt(shift));
        t.true(d === 0n || d === 1n, `${v} -> ${y[i]}`);
      }
    });
  }
}

test('truncation costs one round and one ring element', async (t) => {
  const z = new Random(1).list(4096, 50);
  const graph = oneNode('rescale', [{ name: 'z', shape: [z.length], owner: 'secret' }], [z.length], {
    bits: 16,
  });
  const checked = await check(t, programOf(graph, { parties: 2 }), { z });
  t.is(onlineBits(checked, 'rescale_0', z.length), 64);
  t.is(onlineRounds(checked, 'rescale_0'), 1);
});

test('a public coin rounds: another seed, another rounding, the same value', async (t) => {
  const z = Array.from({ length: 64 }, () => 1n << 15n);
  const graph = oneNode('rescale', [{ name: 'z', shape: [64], owner: 'secret' }], [64], { bits: 16 });
  const program = programOf(graph, { parties: 2 });
  const a = await check(t, program, { z }, 'one');
  const b = await check(t, program, { z }, 'two');
  t.notDeepEqual(a.y, b.y);
  t.true(a.y.includes(0n) && a.y.includes(1n));
});

for (const corrected of [0, 1, 2]) {
  test(`the dealer corrects party ${corrected}`, async (t) => {
    const z = new Random(2).list(100, 50);
    const graph = oneNode('rescale', [{ name: 'z', shape: [100], owner: 'secret' }], [100], { bits: 16 });
    const { run } = await check(t, programOf(graph, { parties: 3, corrected }), { z });
    t.deepEqual(
      run.counted.offline.dealerBytes.map((b) => b > 0),
      [0, 1, 2].map((p) => p === corrected),
    );
  });
}
