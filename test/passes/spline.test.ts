// A spline among other operators, through scales, ranges, rings and slack: x / sqrt(mean(x^2) + 1/16), by rows.

import test from 'ava';
import { segmentTable } from '../../lib/compiler/approximations/segments';
import { chooseKnobs } from '../../lib/compiler/choose';
import { type Graph, GraphBuilder } from '../../lib/compiler/ir/graph';
import { verifyGraph } from '../../lib/compiler/ir/verify';
import { nodeCost } from '../../lib/compiler/node-cost';
import { CoreEmitter } from '../../lib/compiler/ops/emit';
import { evaluateCore } from '../../lib/compiler/ops/evaluate-core';
import { fixedPoint } from '../../lib/compiler/passes/fixed-point';
import { ranges } from '../../lib/compiler/passes/ranges';
import { ringWidths } from '../../lib/compiler/passes/ring-widths';
import { slackBounds } from '../../lib/compiler/passes/slack';
import type { Knobs } from '../../lib/compiler/protocols/protocol';
import { secure } from '../../lib/compiler/secure';
import { runProgram } from '../../lib/runtime/local';
import { randoms } from '../ops/oracle';

const [rows, columns, limit] = [7, 8, 4];
const x = randoms(rows * columns, 5, limit);

function graph(inputScale: number): Graph {
  const b = new GraphBuilder('normalised');
  const range = { kind: 'proven' as const, lo: -limit, hi: limit };
  const v = b.input('x', { shape: [rows, columns], dtype: 'fixed', owner: 0, range });
  const e = new CoreEmitter(b, { name: 'norm', origin: 'Norm' });
  const constant = (value: number) => ({ shape: [], data: Float64Array.of(value) });
  const mean = e.mulConst(e.sum(e.mul(v, v), [1], true), constant(1 / columns));
  const moment = e.addConst(mean, constant(1 / 16));
  const fn = (s: number) => 1 / Math.sqrt(s);
  const domain = [1 / 16, limit ** 2 + 1 / 8] as const;
  const { table } = segmentTable({ fn, domain, inputScale });
  const y = e.mul(v, e.spline(moment, table));
  return b.build([{ ...y, name: 'y' }].map(() => y));
}

/** The passes from core operators on. */
function integers(g: Graph): Graph {
  const passes: ((g: Graph) => Graph)[] = [(h) => fixedPoint(h, 16), (h) => ranges(h), ringWidths];
  return passes.reduce((h, pass) => {
    const next = pass(h);
    verifyGraph(next, pass.name, { core: true });
    return next;
  }, ranges(g));
}

for (const [inputScale, operations] of [
  [16, ['mul', 'sum', 'mul_const', 'add_const', 'rescale', 'spline', 'mul', 'rescale']],
  // The operand as it comes out of a product and a factor of 1/8.
  [35, ['mul', 'sum', 'mul_const', 'add_const', 'spline', 'mul', 'rescale']],
] as const) {
  test(`operands of ${inputScale} fractional bits: within the bound, bit for bit in the clear`, async (t) => {
    const g = integers(graph(inputScale));
    t.deepEqual(
      g.nodes.map((n) => n.op),
      [...operations],
    );
    const spline = g.nodes.find((n) => n.op === 'spline')!;
    const type = spline.outputs[0]!.type;
    t.is(type.range?.kind, 'proven');
    t.true(type.range!.lo > 0.15 && type.range!.hi < 8);
    t.true(type.ring! < 64 && spline.inputs[0]!.type.ring! < 64);
    const [name, slack] = [...slackBounds(g)][0]!;
    t.true(slack !== null && slack < 0.05, `${slack}`);
    const exact = evaluateCore(g, [x])[0]!.data;
    for (const parties of [2, 3]) {
      const program = secure(g, { parties });
      const numbers = new Map([['x', Float32Array.from(x)]]);
      const run = await runProgram(program, numbers, { seed: 1 });
      const clear = await runProgram(program, numbers, { seed: 1, cleartext: true });
      const y = Array.from(run.outputs.get(name)!, Number);
      t.deepEqual(y, Array.from(clear.outputs.get(name)!, Number));
      y.forEach((v, i) => {
        const row = x.slice(i - (i % columns), i - (i % columns) + columns);
        const rms = Math.sqrt(row.reduce((s, w) => s + (w * w) / columns, 1 / 16));
        t.true(Math.abs(v - exact[i]!) <= slack!, `${v} is not within ${slack} of ${exact[i]}`);
        t.true(Math.abs(v - x[i]! / rms) <= 2e-3 * limit, `${v} is not ${x[i]! / rms}`);
      });
    }
  });
}

test('few elements on a slow link: a fused gate saves a round', (t) => {
  const g = integers(graph(16));
  const spline = g.nodes.find((n) => n.op === 'spline')!;
  const options = { parties: 2, network: { roundTrip: 0.04, bitsPerSecond: 1e8 }, prefer: 'online' } as const;
  const chosen = chooseKnobs(g, options)(spline);
  t.true((chosen.comparison?.fused ?? 1) > 1);
  // The opening of the rescale before it is that of its operand.
  const rounds = (knobs: Partial<Knobs>): number =>
    nodeCost(spline, { parties: 2, knobs, opened: new Set(spline.inputs) }).communication.online.rounds;
  t.is(rounds({}), 3);
  t.is(rounds(chosen), 2);
});

test('tables that do not fit are refused', (t) => {
  const { table } = segmentTable({ fn: (v) => 1 / v, domain: [1, 512], inputScale: 16 });
  const check = (change: object): void => {
    const b = new GraphBuilder('one');
    const type = { shape: [2], dtype: 'fixed' as const, owner: 'secret' as const };
    const v = b.input('x', { ...type, scale: 16 });
    const attrs = { ...table, ...change };
    const from = { name: 'y', origin: 'y' };
    const out = b.node(from, 'spline', [v], [{ ...type, scale: table.outputScale }], attrs);
    verifyGraph(b.build(out), 'test', { core: true });
  };
  t.notThrows(() => check({}));
  const borders = [...table.borders];
  for (const change of [
    { inputScale: 15 },
    { outputScale: table.outputScale + 1 },
    { cells: table.cells + 1 },
    { cells: 10 },
    { degree: 1 },
    { degree: 4 },
    { positions: [] },
    { positions: [0, 0] },
    { positions: [13, 6] },
    { positions: [6, 7] },
    { precision: 21 },
    { borders: borders.slice(1) },
    { borders: borders.toReversed() },
    { borders: [...borders.slice(0, -1), 62] },
    { borders: [0] },
    { weights: table.weights.slice(1) },
    { offsets: table.offsets.slice(1) },
    { errors: table.errors.slice(1) },
    { coefficients: table.coefficients.slice(1) },
  ])
    t.throws(
      () => check(change),
      undefined,
      JSON.stringify(change, (_, v: unknown) => `${v}`),
    );
});
