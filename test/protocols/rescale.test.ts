import test from 'ava';
import type { Attributes, Graph } from '../../lib/compiler/ir/graph';
import { profile } from '../../lib/cost/communication';
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

const edges = [0n, 1n, -1n, 65535n, 65536n, -65535n, -65536n, -65537n, (1n << 61n) - 1n, -(1n << 61n)];
const floor = { truncation: 'floor' } as const;

function one(op: string, elements: number, attrs: Attributes): Graph {
  return oneNode(op, [{ name: 'z', shape: [elements], owner: 'secret' }], [elements], attrs);
}

for (const parties of [2, 3, 5]) {
  for (const shift of [1, 7, 16, 40]) {
    test(`floor of a truncation by ${shift} bits, ${parties} parties`, async (t) => {
      const z = [...edges, ...new Random(shift).list(1029, 61)];
      const program = programOf(one('rescale', z.length, { bits: shift }), { parties, knobs: floor });
      const { y } = await check(t, program, { z });
      t.deepEqual(
        [...y],
        z.map((v) => v >> BigInt(shift)),
      );
      t.is(program.nodes[1]!.choices?.truncation, 'floor');
    });
  }

  test(`activations of values rounded downwards, ${parties} parties`, async (t) => {
    const z = [...edges, ...new Random(5).list(517, 40), ...new Random(6).list(200, 17)];
    const [shift, lo, hi, alpha, alphaScale] = [16, -3n, 1000n, 3n, 4];
    const v = z.map((x) => x >> 16n);
    const max = (a: bigint, b: bigint): bigint => (a > b ? a : b);
    const min = (a: bigint, b: bigint): bigint => (a < b ? a : b);
    for (const [op, attrs, expected] of [
      ['relu', { shift }, v.map((x) => max(x, 0n))],
      ['leaky_relu', { shift, alpha, alphaScale }, v.map((x) => (x < 0n ? alpha : 16n) * x)],
      ['clip', { shift, lo, hi }, v.map((x) => min(max(x, lo), hi))],
      ['clip', { shift, lo: null, hi }, v.map((x) => min(x, hi))],
    ] as const) {
      const program = programOf(one(op, z.length, attrs), { parties, knobs: floor });
      const { y } = await check(t, program, { z });
      t.deepEqual([...y], expected, `${op} ${JSON.stringify(attrs, (_, x) => String(x))}`);
    }
  });
}

test('floor where the opening of the value is one of the truncated value too', async (t) => {
  const z = [...edges.filter((v) => v < 1n << 40n && v > -(1n << 40n)), ...new Random(3).list(301, 40)];
  const wide = { ...type([z.length]), ring: 58 };
  const graph = graphOf([{ name: 'x', shape: [z.length], owner: 'secret' }], (b, [x]) => {
    const at = (name: string) => ({ name, origin: name });
    const [v] = b.node(at('add'), 'add', [x!, x!], [wide]);
    return b.node(at('rescale'), 'rescale', [v!], [{ ...wide, ring: 42 }], { bits: 16 });
  });
  for (const parties of [2, 3]) {
    const { y } = await check(t, programOf(graph, { parties, knobs: floor }), { x: z });
    t.deepEqual(
      [...y],
      z.map((v) => BigInt.asUintN(42, (2n * v) >> 16n)).map((v) => BigInt.asIntN(42, v)),
    );
  }
});

test('floor costs one round and the opened bits of one small comparison more', async (t) => {
  const z = new Random(1).list(4096, 50);
  const program = (op: string, attrs: Attributes) =>
    programOf(one(op, z.length, attrs), { parties: 2, knobs: floor });
  const checked = await check(t, program('rescale', { bits: 16 }), { z });
  t.is(onlineRounds(checked, 'rescale_0'), 2);
  t.is(onlineBits(checked, 'rescale_0', z.length), 64 + 5);
  // Shares of r >> f, msb(r); three one-hot digits of six bits; ten products of wire masks in the ring.
  const { bytes } = profile(checked.program).nodes[1]!.offline;
  t.is((bytes * 8) / z.length, 64 + 16 + 3 * 63 + 10 * 64);

  const relu = await check(t, program('relu', { shift: 16 }), { z });
  t.is(
    onlineRounds(relu, 'relu_0'),
    4,
    'as many as with a coin: the value is rounded while signs are compared',
  );
  t.is(onlineBits(relu, 'relu_0', z.length), 64 + 27 + 6 + 1 + 5 + 64);
});
