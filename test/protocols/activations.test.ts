import test from 'ava';
import {
  check,
  graphOf,
  oneNode,
  onlineBits,
  onlineRounds,
  programOf,
  Random,
  type,
} from '../helpers/protocols';

const big = (1n << 61n) - 1n;
const edges = [0n, 1n, -1n, 65535n, 65536n, -65535n, -65536n, big, -big];

function sample(count: number): bigint[] {
  const random = new Random(count);
  return [...edges, ...random.list(count, 40), ...random.list(count, 17)];
}

const max = (a: bigint, b: bigint): bigint => (a > b ? a : b);
const min = (a: bigint, b: bigint): bigint => (a < b ? a : b);

for (const parties of [2, 3, 5]) {
  for (const shift of [0, 16]) {
    test(`relu of a value truncated by ${shift} bits, ${parties} parties`, async (t) => {
      const x = sample(300);
      const graph = oneNode('relu', [{ name: 'x', shape: [x.length], owner: 'secret' }], [x.length], {
        shift,
      });
      const { y } = await check(t, programOf(graph, { parties }), { x });
      for (const [i, v] of x.entries()) {
        const exact = v < 0n ? 0n : v >> BigInt(shift);
        const d = y[i]! - exact;
        t.true(v < 0n ? d === 0n : d === 0n || (shift > 0 && d === 1n), `${v} -> ${y[i]}`);
      }
    });

    test(`clip, both bounds and either, truncated by ${shift} bits, ${parties} parties`, async (t) => {
      const x = sample(200);
      const n = x.length;
      for (const [lo, hi] of [
        [0, 393216],
        [-1000, 1000],
        [null, 70000],
        [-5, null],
      ] as const) {
        const graph = oneNode('clip', [{ name: 'x', shape: [n], owner: 'secret' }], [n], { lo, hi, shift });
        const { y } = await check(t, programOf(graph, { parties }), { x });
        const bounded = (v: bigint): bigint => {
          const above = lo === null ? v : max(v, BigInt(lo));
          return hi === null ? above : min(above, BigInt(hi));
        };
        for (const [i, v] of x.entries()) {
          const q = v >> BigInt(shift);
          t.true(y[i] === bounded(q) || (shift > 0 && y[i] === bounded(q + 1n)), `${v} -> ${y[i]}`);
        }
      }
    });
  }

  test(`leaky relu, ${parties} parties`, async (t) => {
    const x = new Random(3).list(500, 40);
    const attrs = { alpha: 6554, alphaScale: 16, shift: 0 };
    const graph = oneNode('leaky_relu', [{ name: 'x', shape: [500], owner: 'secret' }], [500], attrs);
    const { y } = await check(t, programOf(graph, { parties }), { x });
    t.deepEqual(
      [...y],
      x.map((v) => v * (v < 0n ? 6554n : 65536n)),
    );
  });
}

for (const [leaf, fanin] of [
  [1, 2],
  [2, 3],
  [3, 8],
  [4, 2],
  [5, 5],
  [8, 8],
  [7, 4],
] as const) {
  test(`digits of ${leaf} bits and gates of fan-in ${fanin}`, async (t) => {
    const x = sample(120);
    const graph = oneNode('relu', [{ name: 'x', shape: [x.length], owner: 'secret' }], [x.length], {
      shift: 0,
    });
    for (const parties of [2, 3]) {
      const { y } = await check(t, programOf(graph, { parties, knobs: { comparison: { leaf, fanin } } }), {
        x,
      });
      t.deepEqual(
        [...y],
        x.map((v) => max(v, 0n)),
      );
    }
  });
}

for (const shift of [0, 16]) {
  test(`relu, truncated by ${shift} bits, within its budget`, async (t) => {
    const x = new Random(4).list(4096, 40);
    const graph = oneNode('relu', [{ name: 'x', shape: [4096], owner: 'secret' }], [4096], { shift });
    const checked = await check(t, programOf(graph, { parties: 2 }), { x });
    // 64 for the opening, then the gates of the bits that are compared, then the bit itself.
    t.is(onlineBits(checked, 'relu_0', 4096), shift === 0 ? 98 : 89);
    t.is(onlineRounds(checked, 'relu_0'), 4);
    const corrections = checked.run.nodes.reduce((sum, n) => sum + n.offline.bytes, 0);
    t.true(corrections <= 70 * 4096, `${corrections / 4096} bytes of corrections per element`);
    t.is((corrections * 8) / 4096, shift === 0 ? 464 : 468);
  });
}

test('several consumers of one value share its opening', async (t) => {
  const x = new Random(5).list(1024, 40);
  const graph = graphOf([{ name: 'x', shape: [1024], owner: 'secret' }], (b, [v]) => {
    const at = (name: string) => ({ name, origin: name });
    return [
      ...b.node(at('a'), 'relu', [v!], [type([1024])], { shift: 0 }),
      ...b.node(at('b'), 'rescale', [v!], [type([1024])], { bits: 16 }),
      ...b.node(at('c'), 'clip', [v!], [type([1024])], { lo: -7, hi: 7, shift: 0 }),
    ];
  });
  const checked = await check(t, programOf(graph, { parties: 2 }), { x });
  t.is(onlineBits(checked, 'a', 1024), 98);
  t.is(onlineBits(checked, 'b', 1024), 0);
  // Two comparisons on the opening that exists, in the rounds that exist.
  t.is(onlineBits(checked, 'c', 1024), 2 * 34);
  t.is(checked.run.counted.online.rounds, 5);
});

for (const parties of [2, 3, 5]) {
  test(`relu with the corrections at any of ${parties} parties, input and output at any other`, async (t) => {
    const x = sample(60);
    for (let corrected = 0; corrected < parties; corrected++) {
      const owner = (corrected + 1) % parties;
      const graph = oneNode('relu', [{ name: 'x', shape: [x.length], owner }], [x.length], { shift: 16 });
      const options = { parties, corrected, outputOwners: { y: (corrected + 2) % parties } };
      const { y } = await check(t, programOf(graph, options), { x });
      for (const [i, v] of x.entries())
        t.true(v < 0n ? y[i] === 0n : y[i]! - (v >> 16n) <= 1n && y[i]! >= v >> 16n);
    }
  });
}
