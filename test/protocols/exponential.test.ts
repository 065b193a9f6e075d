// exp(x) from one opening: against the function on doubles, within the stated error; bit for bit in the clear; what it costs.

import test from 'ava';
import { type Exponential, exponentialTable } from '../../lib/compiler/approximations/exponential';
import { type Graph, GraphBuilder } from '../../lib/compiler/ir/graph';
import { verifyGraph } from '../../lib/compiler/ir/verify';
import { evaluateExponential, exponentialRange, exponentialSlack } from '../../lib/compiler/ops/exponential';
import { magnitudeOf } from '../../lib/compiler/widths';
import { check, onlineBits, onlineRounds, programOf, Random, type } from '../helpers/protocols';

const wide = { inputScale: 16, relative: false, tolerance: 2 ** -13 };
const cases = {
  'terms of a sum': { ...wide, domain: { lo: -13.75, hi: 0 } },
  'relative to the result': { ...wide, domain: { lo: -10, hi: 8 }, relative: true, tolerance: 2 ** -11 },
  'operands of a product': { ...wide, domain: { lo: -6, hi: 2 }, inputScale: 30 },
  'few bits': { ...wide, domain: { lo: 0, hi: 0.5 }, inputScale: 4, tolerance: 2 ** -5 },
  'as exact as a word allows': { ...wide, domain: { lo: -4, hi: 1 }, tolerance: 2 ** -20 },
};

/** The exponential of the operand after it was shifted, in rings just wide enough. */
function graphFor({ table }: Exponential, n: number, hi: number): Graph {
  const b = new GraphBuilder('exp');
  const own = type([n]);
  const x = b.input('x', { ...own, ring: table.bits });
  const result = {
    ...own,
    range: { kind: 'proven' as const, lo: 0, hi: Math.exp(hi) * 1.01 * 2 ** table.outputScale },
  };
  const ring = magnitudeOf(result)! + 1;
  const from = { name: 'exponential', origin: 'exponential' };
  const [y] = b.node(from, 'exponential', [x], [{ ...result, ring }], { ...table });
  return b.build([{ ...y!, name: 'y' }]) as Graph;
}

/** Both ends of the domain, and numbers between. */
function operands(
  { table, shift }: Exponential,
  { lo, hi }: { lo: number; hi: number },
  n: number,
): bigint[] {
  const random = new Random(n);
  const [first, last] = [lo, hi].map((v) => BigInt(Math.round(v * 2 ** table.inputScale)) + shift) as [
    bigint,
    bigint,
  ];
  const inside = Array.from({ length: n }, () => first + (random.bits(60) % (last - first + 1n)));
  return [first, first + 1n, last - 1n, last, ...inside].slice(0, n);
}

for (const [name, options] of Object.entries(cases)) {
  test(`e^x, ${name}`, async (t) => {
    const made = exponentialTable(options)!;
    const { table, shift, error } = made;
    t.true(error <= options.tolerance);
    for (const parties of name === 'terms of a sum' ? [2, 3, 5] : [2, 3]) {
      const n = parties === 2 ? 1500 : 70;
      const x = operands(made, options.domain, n);
      const { y } = await check(t, programOf(graphFor(made, n, options.domain.hi), { parties }), { x });
      let worst = 0;
      for (const [i, v] of x.entries()) {
        const exact = Math.exp(Number(v - shift) * 2 ** -table.inputScale);
        const found = Number(y[i]) * 2 ** -table.outputScale;
        worst = Math.max(
          worst,
          Math.abs(found - exact) / (options.relative ? exact : Math.exp(options.domain.hi)),
        );
        const real = Number(v) * 2 ** -table.inputScale;
        t.true(
          Math.abs(found - evaluateExponential(table, real)) <= exponentialSlack(table, real, real).error,
        );
        const range = exponentialRange(table, real, real);
        t.true(found >= range.lo && found <= range.hi);
      }
      t.true(worst <= error, `${worst} is more than ${error}`);
      // A bound that is far off would hide an error.
      t.true(parties > 2 || worst > error / 16, `${worst} is far below ${error}`);
    }
  });
}

test('sizes around a block, other masks, the corrections at any party', async (t) => {
  const options = cases['terms of a sum'];
  const made = exponentialTable(options)!;
  const within = (x: readonly bigint[], y: readonly bigint[]): boolean =>
    x.every((v, i) => {
      const exact = Math.exp(Number(v - made.shift) * 2 ** -16);
      return Math.abs(Number(y[i]) * 2 ** -made.table.outputScale - exact) <= made.error;
    });
  for (const n of [1, 63, 511, 512, 513, 1025]) {
    const x = operands(made, options.domain, n + 4).slice(-n);
    for (const corrected of [0, 1]) {
      const program = programOf(graphFor(made, n, 0), { parties: 2, corrected });
      const { y } = await check(t, program, { x }, `seed ${n}`);
      t.true(within(x, y));
    }
  }
});

test('an operand outside of the domain gives some result within the bounds', async (t) => {
  const made = exponentialTable(cases['terms of a sum'])!;
  const x = [0n, 1n, -1n, ...new Random(9).list(300, 30)];
  const graph = graphFor(made, x.length, 6);
  const { y } = await check(t, programOf(graph, { parties: 2 }), { x });
  const { lo, hi } = exponentialRange(made.table, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY);
  for (const v of y) {
    const real = Number(v) * 2 ** -made.table.outputScale;
    t.true(real >= lo && real <= hi, `${real}`);
  }
});

test('one round, the opening alone, and tens of bytes of material', async (t) => {
  const made = exponentialTable(cases['terms of a sum'])!;
  const n = 1024;
  const x = operands(made, cases['terms of a sum'].domain, n);
  const checked = await check(t, programOf(graphFor(made, n, 0), { parties: 2 }), { x });
  const index = checked.program.nodes.findIndex((node) => node.name === 'exponential');
  t.is(onlineRounds(checked, 'exponential'), 1);
  t.is(onlineBits(checked, 'exponential', n), 20);
  t.is(checked.run.nodes[index]!.offline.bytes / n, 31);
});

test('what no bits reach has no tables', (t) => {
  t.is(exponentialTable({ ...wide, domain: { lo: -40, hi: 0 }, relative: true }), undefined);
  t.is(exponentialTable({ ...wide, domain: { lo: -1, hi: 0 }, tolerance: 2 ** -40 }), undefined);
});

test('tables that do not fit are refused', (t) => {
  const { table } = exponentialTable(cases['terms of a sum'])!;
  const build = (change: object): void => {
    const b = new GraphBuilder('one');
    const plain = { shape: [2], dtype: 'fixed' as const, owner: 'secret' as const };
    const v = b.input('x', { ...plain, scale: 16 });
    const from = { name: 'y', origin: 'y' };
    const out = b.node(from, 'exponential', [v], [{ ...plain, scale: table.outputScale }], {
      ...table,
      ...change,
    });
    verifyGraph(b.build(out), 'test', { core: true });
  };
  t.notThrows(() => build({}));
  for (const change of [
    { inputScale: 15 },
    { outputScale: table.outputScale + 1 },
    { bits: 62 },
    { bits: table.bits + 1 },
    { cells: 0 },
    { cells: 7 },
    { below: table.bits },
    { fraction: 56 },
    { growth: table.growth.slice(1) },
    { decay: table.decay.slice(1) },
    { mantissas: table.mantissas.slice(1) },
    { shifts: table.shifts.slice(1) },
    { shifts: table.shifts.map(() => 0) },
    { shifts: table.shifts.map(() => 64) },
  ])
    t.throws(
      () => build(change),
      undefined,
      JSON.stringify(change, (_, v: unknown) => `${v}`),
    );
});
