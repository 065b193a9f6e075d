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
    for (const [i, z] of x.entries()) t.true(near(y[i]!, 16, (v) => max(v, 0n), max(z, -1n)) || y[i] === 0n);
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

// From shares of z to the opened max(z >> 16, 0), a party and element: rounds, bits, bits of corrections.
for (const { ring, bound, knobs, rounds, bits, material } of [
  { ring: 64, bound: undefined, knobs: { leaf: 4, fanin: 4 }, rounds: 5, bits: 153, material: 468 },
  {
    ring: 64,
    bound: undefined,
    knobs: { leaf: 4, fanin: 4, fused: 3 },
    rounds: 4,
    bits: 153,
    material: 1759,
  },
  {
    ring: 64,
    bound: undefined,
    knobs: { leaf: 5, fanin: 5, fused: 2 },
    rounds: 4,
    bits: 148,
    material: 1023,
  },
  {
    ring: 43,
    bound: 0.75 * 2 ** 41 - 2,
    knobs: { leaf: 4, fanin: 4, fused: 2 },
    rounds: 4,
    bits: 100,
    material: 579,
  },
  {
    ring: 43,
    bound: 0.75 * 2 ** 41 - 2,
    knobs: { leaf: 9, fanin: 4, fused: 3 },
    rounds: 3,
    bits: 91,
    material: 2356,
  },
] as const) {
  const { leaf, fanin } = knobs;
  const fused = 'fused' in knobs ? knobs.fused : 1;
  test(`a layer in ${ring} bits within its budget: ${leaf}, ${fanin}, ${fused}`, async (t) => {
    const n = 4096;
    const random = new Random(ring);
    const most = BigInt(bound ?? 2 ** 61);
    const x = [0n, -1n, most, -most, ...random.list(n - 4, 40)];
    const w = random.list(n, 10);
    const program = programOf(layer(n, ring, bound, { shift: 16 }), {
      parties: 2,
      knobs: { comparison: knobs },
    });
    const checked = await check(t, program, { x, w });
    for (const [i, z] of x.entries()) {
      const y = checked.y[i]!;
      t.true(z < 0n ? y === 0n : near(y, 16, (v) => v * w[i]!, z), `${z} * ${w[i]} -> ${y}`);
    }
    t.is(onlineRounds(checked, 'relu') + onlineRounds(checked, 'mul'), rounds);
    t.is(onlineBits(checked, 'relu', n) + onlineBits(checked, 'mul', n), bits);
    const index = program.nodes.findIndex((node) => node.name === 'relu');
    t.is((checked.run.nodes[index]!.offline.bytes * 8) / n, material);
  });
}
