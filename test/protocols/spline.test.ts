// Functions over a wide range, evaluated privately: against the function itself, at both ends of every segment.

import test from 'ava';
import { type SegmentOptions, segmentTable } from '../../lib/compiler/approximations/segments';
import { type Graph, GraphBuilder, type Value } from '../../lib/compiler/ir/graph';
import {
  evaluateSpline,
  type SplineTable,
  splineAttributes,
  splineRange,
  splineSlack,
} from '../../lib/compiler/ops/spline';
import type { ComparisonKnobs } from '../../lib/compiler/protocols/protocol';
import { magnitudeOf } from '../../lib/compiler/widths';
import {
  type Checked,
  check,
  oneNode,
  onlineBits,
  onlineRounds,
  programOf,
  Random,
  type,
} from '../helpers/protocols';

function graphFor(table: SplineTable, n: number, owner: number | 'secret' = 'secret'): Graph {
  return oneNode('spline', [{ name: 'x', shape: [n], owner }], [n], splineAttributes(table));
}

/** Operands all over the domain, every segment alike, and around every border and the part below it that may count above. */
function operands({ borders }: SplineTable, count: number, seed = 1): bigint[] {
  const random = new Random(seed);
  const [lo, hi] = [borders[0]!, borders.at(-1)!];
  const list: bigint[] = [];
  for (const b of borders) {
    for (const d of [-1n, 0n, 1n]) list.push((1n << BigInt(b)) + d);
    if (b > 6) list.push((15n << BigInt(b - 4)) - 1n, 15n << BigInt(b - 4));
  }
  for (let i = 0; i < count; i++) {
    const b = lo + (i % (hi - lo));
    list.push((1n << BigInt(b)) + random.bits(b));
  }
  return list.filter((x) => x >= 1n << BigInt(lo) && x < 1n << BigInt(hi));
}

/** The largest error of the outputs, by the measure of the table's bound. */
function worst(
  options: Pick<SegmentOptions, 'fn' | 'relative'>,
  table: SplineTable,
  x: readonly bigint[],
  y: readonly bigint[],
): number {
  const exact = x.map((v) => options.fn(Number(v) * 2 ** -table.inputScale));
  const largest = Math.max(...exact.map(Math.abs));
  const errors = y.map((v, i) => Math.abs(Number(v) * 2 ** -table.outputScale - exact[i]!));
  return Math.max(...errors.map((e, i) => e / (options.relative === false ? largest : Math.abs(exact[i]!))));
}

const wide = { domain: [2 ** -10, 2 ** 14], inputScale: 16 } as const;
const reciprocal = { ...wide, fn: (x: number) => 1 / x };
const functions: Record<string, SegmentOptions> = {
  reciprocal,
  'inverse square root': { ...wide, fn: (x) => 1 / Math.sqrt(x) },
  'square root, operands of a product': { ...wide, inputScale: 32, fn: Math.sqrt },
  'x^-0.75, whose weights are no integers': { ...wide, fn: (x) => x ** -0.75 },
  logarithm: { ...wide, fn: Math.log, relative: false },
  'a function with a table a segment': { domain: [2 ** -4, 40], inputScale: 16, fn: (x) => 1 / (1 + x) },
  'one segment': { domain: [1, 4], inputScale: 16, fn: (x) => 1 / x, outputScale: 24 },
  'a first segment of one bit, segments of one bit': {
    domain: [0.3, 100],
    inputScale: 12,
    fn: (x) => 1 / x,
    segmentBits: 1,
  },
  'an odd number of bits': { domain: [0.5, 1000], inputScale: 10, fn: (x) => 1 / x, cells: 64 },
  'negative results, cubic': {
    domain: [1, 60],
    inputScale: 16,
    fn: (x) => -Math.sqrt(x),
    degree: 3,
    cells: 16,
  },
  linear: { domain: [1, 60], inputScale: 16, fn: (x) => 1 / x, outputScale: 20 },
};

for (const [name, options] of Object.entries(functions)) {
  const made = segmentTable(options);
  for (const parties of name === 'reciprocal' ? [2, 3, 5] : [2, 3]) {
    test(`${name}, ${parties} parties`, async (t) => {
      const { table, error } = made;
      t.true(error <= (options.tolerance ?? 1e-3));
      const x = operands(table, parties === 2 ? 700 : 130);
      const { y } = await check(t, programOf(graphFor(table, x.length), { parties }), { x });
      const found = worst(options, table, x, y);
      t.true(found <= error, `${found} is more than ${error}`);
      for (const [i, v] of x.entries()) {
        const real = Number(v) * 2 ** -table.inputScale;
        const off = Math.abs(Number(y[i]) * 2 ** -table.outputScale - evaluateSpline(table, real));
        t.true(off <= splineSlack(table, real, real).error, `${v} is off by ${off}`);
      }
      // A bound that is far off would hide an error.
      t.true(parties > 2 || found > error / 8, `${found} is far below ${error}`);
    });
  }
}

const knobs: readonly ComparisonKnobs[] = [
  { leaf: 4, fanin: 4, fused: 4 },
  { leaf: 9, fanin: 2 },
  { leaf: 1, fanin: 8 },
  { leaf: 3, fanin: 3, fused: 2 },
  { leaf: 6, fanin: 5, fused: 6 },
];
for (const comparison of knobs) {
  const { leaf, fanin, fused } = comparison;
  test(`digits of ${leaf} bits, gates of ${fanin}, a last one of ${fused ?? 1}`, async (t) => {
    const { table, error } = segmentTable(reciprocal);
    const x = operands(table, 100);
    for (const parties of [2, 3]) {
      const program = programOf(graphFor(table, x.length), { parties, knobs: { comparison } });
      const { y } = await check(t, program, { x });
      t.true(worst(reciprocal, table, x, y) <= error);
    }
  });
}

for (const parties of [2, 3, 5]) {
  test(`the corrections at any of ${parties} parties, input and output at any other`, async (t) => {
    const { table, error } = segmentTable({ ...reciprocal, domain: [1, 512] });
    const x = operands(table, 20);
    for (let corrected = 0; corrected < parties; corrected++) {
      const graph = graphFor(table, x.length, (corrected + 1) % parties);
      const options = { parties, corrected, outputOwners: { y: (corrected + 2) % parties } };
      const { y } = await check(t, programOf(graph, options), { x });
      t.true(worst(reciprocal, table, x, y) <= error);
    }
  });
}

test('sizes around a block, and other masks', async (t) => {
  const { table, error } = segmentTable({ ...reciprocal, domain: [1, 512] });
  for (const n of [1, 63, 511, 512, 513, 1025]) {
    const x = operands(table, n, n).slice(-n);
    const program = programOf(graphFor(table, n), { parties: 2 });
    for (const seed of n === 513 ? ['a', 'b', 'c', 'd'] : ['a']) {
      const { y } = await check(t, program, { x }, seed);
      t.true(worst(reciprocal, table, x, y) <= error);
    }
  }
});

/** A spline in rings just wide enough, on an operand that a rescale gives if `shift` is more than 0. */
function narrow(table: SplineTable, n: number, shift = 0): Graph {
  const b = new GraphBuilder('narrow');
  const bits = table.borders.at(-1)! + (table.borders.length > 2 ? 2 : 0);
  const own = type([n]);
  const range = splineRange(table, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY);
  const [lo, hi] = [range.lo, range.hi].map((v) => v * 2 ** table.outputScale) as [number, number];
  const result = { ...own, range: { kind: 'proven' as const, lo, hi } };
  const x = b.input('x', { ...own, ring: bits + shift });
  let operand: Value = x;
  if (shift > 0) {
    const from = { name: 'rescale', origin: 'rescale' };
    operand = b.node(from, 'rescale', [x], [{ ...own, ring: bits }], { bits: shift })[0]!;
  }
  const narrowed = { ...result, ring: magnitudeOf(result)! + 1 };
  const from = { name: 'spline', origin: 'spline' };
  const [y] = b.node(from, 'spline', [operand], [narrowed], splineAttributes(table));
  return b.build([{ ...y!, name: 'y' }]) as Graph;
}

async function measured(
  checked: Checked,
  n: number,
): Promise<{ rounds: number; bits: number; material: number }> {
  const index = checked.program.nodes.findIndex((node) => node.name === 'spline');
  return {
    rounds: onlineRounds(checked, 'spline'),
    bits: onlineBits(checked, 'spline', n),
    material: checked.run.nodes[index]!.offline.bytes / n,
  };
}

// What a value costs, over [2^-10, 2^14] with 16 fractional bits and a relative error of 1e-3: rounds, bits a party sends,
// bytes of material.
for (const [name, fused, rounds, bits, material] of [
  ['reciprocal', 1, 4, 162, 1243],
  ['reciprocal', 4, 3, 162, 2169],
  ['inverse square root', 1, 4, 148, 888],
  ['inverse square root', 4, 3, 148, 1599],
  ['logarithm', 1, 4, 117, 266],
  ['one segment', 1, 1, 18, 312],
] as const) {
  test(`${name} in ${rounds} rounds within its budget`, async (t) => {
    const options = functions[name]!;
    const { table, error } = segmentTable(options);
    const x = operands(table, 1024).slice(-1024);
    const comparison = { leaf: 4, fanin: 4, fused };
    const checked = await check(t, programOf(narrow(table, 1024), { parties: 2, knobs: { comparison } }), {
      x,
    });
    t.true(worst(options, table, x, checked.y) <= error);
    const cost = await measured(checked, 1024);
    t.deepEqual({ ...cost, material: Math.round(cost.material) }, { rounds, bits, material });
  });
}

test('the opening of a truncation is that of the operand: no round of its own', async (t) => {
  const { table, error } = segmentTable(reciprocal);
  const x = operands(table, 512).slice(-512);
  const scaled = x.map((v) => v << 16n);
  for (const parties of [2, 3]) {
    const checked = await check(t, programOf(narrow(table, 512, 16), { parties }), { x: scaled });
    t.true(worst(reciprocal, table, x, checked.y) <= error);
    const { rounds } = await measured(checked, 512);
    t.is(rounds, 3);
    t.is(onlineRounds(checked, 'rescale'), 1);
  }
});

test('an operand outside of the domain gives some result within the bounds', async (t) => {
  const { table } = segmentTable({ ...reciprocal, domain: [1, 512] });
  const { lo, hi } = splineRange(table, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY);
  const random = new Random(9);
  const x = [0n, 1n, -1n, 1n << 25n, ...random.list(300, 16), ...random.list(300, 25)];
  const { y } = await check(t, programOf(graphFor(table, x.length), { parties: 2 }), { x });
  for (const [i, v] of y.entries()) {
    const real = Number(v) * 2 ** -table.outputScale;
    t.true(real >= lo && real <= hi, `${x[i]} -> ${real}`);
  }
});

test('several consumers of one operand share its opening and the rounds', async (t) => {
  const [a, b] = ([(x) => 1 / x, Math.sqrt] as ((x: number) => number)[]).map(
    (fn) => segmentTable({ fn, domain: [1, 512], inputScale: 16 }).table,
  );
  const builder = new GraphBuilder('two');
  const x = builder.input('x', type([64]));
  const outs = [a!, b!].flatMap((table, i) => {
    const from = { name: `spline${i}`, origin: 'spline' };
    return builder.node(from, 'spline', [x], [type([64])], splineAttributes(table));
  });
  const graph = builder.build(outs.map((v, i) => ({ ...v, name: i ? 'y1' : 'y' }))) as Graph;
  const values = operands(a!, 64).slice(-64);
  const { outputs, run, program } = await check(t, programOf(graph, { parties: 2 }), { x: values });
  t.true(worst({ fn: (v) => 1 / v }, a!, values, outputs.get('y')!) <= 1e-3);
  t.true(worst({ fn: Math.sqrt }, b!, values, outputs.get('y1')!) <= 1e-3);
  // Four rounds, and the outputs.
  t.is(run.counted.online.rounds, 5);
  const [first, second] = [0, 1].map((i) => program.nodes.findIndex((n) => n.name === `spline${i}`));
  t.true(run.nodes[second!]!.online.bytes < run.nodes[first!]!.online.bytes);
  t.true(run.nodes[second!]!.offline.bytes < run.nodes[first!]!.offline.bytes);
});
