// The last gate of a comparison fused with the product that the sign is for: fewer rounds, the same results.

import test from 'ava';
import { type Attributes, type Graph, GraphBuilder } from '../../lib/compiler/ir/graph';
import type { ComparisonKnobs } from '../../lib/compiler/protocols/protocol';
import { check, oneNode, onlineBits, onlineRounds, programOf, Random, type } from '../helpers/protocols';

const variants: readonly ComparisonKnobs[] = [
  { leaf: 4, fanin: 4, fused: 3 },
  { leaf: 5, fanin: 5, fused: 2 },
  { leaf: 4, fanin: 6, fused: 2 },
  { leaf: 8, fanin: 2, fused: 6 },
  { leaf: 9, fanin: 3, fused: 4 },
  { leaf: 1, fanin: 8, fused: 1 },
  { leaf: 3, fanin: 5, fused: 5 },
];

const big = (1n << 62n) - (1n << 16n);
const edges = [0n, 1n, -1n, 65535n, 65536n, -65535n, -65536n, -65537n, big, -big];

function sample(count: number): bigint[] {
  const random = new Random(count);
  return [...edges, ...random.list(count, 40), ...random.list(count, 17)];
}

const secret = (n: number) => [{ name: 'x', shape: [n], owner: 'secret' as const }];
const near = (y: bigint, f: number, of: (v: bigint) => bigint, z: bigint): boolean =>
  y === of(z >> BigInt(f)) || (f > 0 && y === of((z >> BigInt(f)) + 1n));
const max = (a: bigint, b: bigint): bigint => (a > b ? a : b);
const min = (a: bigint, b: bigint): bigint => (a < b ? a : b);

for (const knobs of variants) {
  const label = `digits of ${knobs.leaf} bits, gates of ${knobs.fanin}, a last one of ${knobs.fused}`;
  for (const shift of [0, 16]) {
    test(`relu of a value truncated by ${shift} bits: ${label}`, async (t) => {
      const x = sample(150);
      const graph = oneNode('relu', secret(x.length), [x.length], { shift });
      for (const parties of [2, 3, 5]) {
        const { y } = await check(t, programOf(graph, { parties, knobs: { comparison: knobs } }), { x });
        for (const [i, z] of x.entries())
          t.true(z < 0n ? y[i] === 0n : near(y[i]!, shift, (v) => max(v, 0n), z), `${z} -> ${y[i]}`);
      }
    });
  }

  test(`leaky relu and clip: ${label}`, async (t) => {
    const x = sample(60);
    const n = x.length;
    const leaky = oneNode('leaky_relu', secret(n), [n], { alpha: 6554, alphaScale: 16, shift: 16 });
    const clipped = oneNode('clip', secret(n), [n], { lo: -1000, hi: 70000, shift: 16 });
    for (const parties of [2, 3]) {
      const options = { parties, knobs: { comparison: knobs } };
      const { y } = await check(t, programOf(leaky, options), { x: x.map((v) => v >> 8n) });
      const { y: c } = await check(t, programOf(clipped, options), { x });
      for (const [i, z] of x.entries()) {
        t.true(
          near(y[i]!, 16, (v) => v * (v < 0n ? 6554n : 65536n), z >> 8n),
          `${z >> 8n} -> ${y[i]}`,
        );
        t.true(
          near(c[i]!, 16, (v) => min(max(v, -1000n), 70000n), z),
          `${z} -> ${c[i]}`,
        );
      }
    }
  });
}

test('the corrections at any party, sizes around a block', async (t) => {
  for (const [n, corrected] of [
    [1, 0],
    [511, 1],
    [513, 2],
    [1025, 0],
  ] as const) {
    const x = new Random(n).list(n, 40);
    const graph = oneNode('relu', secret(n), [n], { shift: 16 });
    const comparison = { leaf: 4, fanin: 4, fused: 3 };
    const { y } = await check(t, programOf(graph, { parties: 3, corrected, knobs: { comparison } }), { x });
    for (const [i, z] of x.entries())
      t.true(z < 0n ? y[i] === 0n : near(y[i]!, 16, (v) => v, z), `${z} -> ${y[i]}`);
  }
});

/** relu(x) * w with x, the product and everything between in rings of `ring` bits, and |x| < `bound`. */
function layer(n: number, ring: number, bound: number | undefined, attrs: Attributes): Graph {
  const b = new GraphBuilder('layer');
  const known = { ...type([n]), ring };
  const range = bound === undefined ? {} : { range: { kind: 'proven' as const, lo: -bound, hi: bound } };
  const x = b.input('x', { ...known, ...range });
  const w = b.constant('w', known, { data: new Float64Array(n), private: true });
  const [v] = b.node({ name: 'relu', origin: 'relu' }, 'relu', [x], [known], attrs);
  const [y] = b.node({ name: 'mul', origin: 'mul' }, 'mul', [v!, w], [known], {});
  return b.build([{ ...y!, name: 'y' }]) as Graph;
}

const within = 0.75 * 2 ** 41 - 2;

// From shares of z to max(z >> 16, 0), opened for a product: rounds, bits a party and element, bits of corrections.
// [ring, bound of |z|, leaf, fanin, fused, rounds, bits, material]
for (const [ring, bound, leaf, fanin, fused, rounds, bits, material] of [
  [64, undefined, 4, 4, 1, 5, 89 + 64, 468],
  [64, undefined, 5, 5, 1, 5, 84 + 64, 592],
  [64, undefined, 4, 4, 3, 4, 89 + 64, 1759],
  [64, undefined, 5, 5, 2, 4, 84 + 64, 1023],
  [64, undefined, 6, 8, 1, 4, 79 + 64, 1095],
  [64, undefined, 9, 6, 6, 3, 75 + 64, 15146],
  [43, within, 4, 4, 1, 5, 57 + 43, 274],
  [43, within, 4, 4, 2, 4, 57 + 43, 579],
  [43, within, 6, 5, 1, 4, 52 + 43, 385],
  [43, within, 7, 4, 1, 4, 50 + 43, 556],
  [43, within, 9, 3, 3, 3, 48 + 43, 2356],
] as const) {
  test(`a layer in ${ring} bits within its budget: ${leaf}, ${fanin}, ${fused}`, async (t) => {
    const n = 1024;
    const random = new Random(ring);
    const most = BigInt(bound ?? 2 ** 61);
    const x = [0n, -1n, 1n, most, -most, ...random.list(n - 5, 40)];
    const w = random.list(n, 10);
    for (const parties of [2, 3]) {
      const options = { parties, knobs: { comparison: { leaf, fanin, fused } } };
      const program = programOf(layer(n, ring, bound, { shift: 16 }), options);
      const checked = await check(t, program, { x, w });
      for (const [i, z] of x.entries()) {
        const y = checked.y[i]!;
        t.true(z < 0n ? y === 0n : near(y, 16, (v) => v * w[i]!, z), `${z} * ${w[i]} -> ${y}`);
      }
      t.is(onlineRounds(checked, 'relu') + onlineRounds(checked, 'mul'), rounds);
      t.is(onlineBits(checked, 'relu', n) + onlineBits(checked, 'mul', n), bits);
      const index = program.nodes.findIndex((node) => node.name === 'relu');
      t.is((checked.run.nodes[index]!.offline.bytes * 8) / n, material);
    }
  });
}

test('ranges about as small as what is truncated: the ends of the range, whatever the carry', async (t) => {
  const n = 300;
  for (const bound of [3, 0.75 * 2 ** 17 - 2, 0.75 * 2 ** 18 - 2]) {
    const most = BigInt(bound);
    const x = Array.from({ length: n }, (_, i) => [most, -most, most - 1n, 0n, -1n][i % 5] as bigint);
    const w = x.map(() => 1n);
    for (const [leaf, fanin, fused] of [
      [4, 4, 1],
      [1, 2, 2],
      [2, 3, 3],
      [9, 4, 2],
    ] as const) {
      const options = { parties: 2, knobs: { comparison: { leaf, fanin, fused } } };
      const { y } = await check(t, programOf(layer(n, 20, bound, { shift: 16 }), options), { x, w });
      for (const [i, z] of x.entries())
        t.true(z < 0n ? y[i] === 0n : near(y[i]!, 16, (v) => v, z), `${z} -> ${y[i]}`);
    }
  }
});
