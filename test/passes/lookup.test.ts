// Lookups and Fourier series in a model: from real numbers to integers, against the tables and series themselves.

import test, { type ExecutionContext } from 'ava';
import { compile, defineApproximation, runLocal, tensor } from '../../lib';
import { byTwoTables } from '../../lib/compiler/approximations/exp';
import { turnsOf } from '../../lib/compiler/approximations/fourier-scales';
import { gelu, geluByTable } from '../../lib/compiler/approximations/gelu';
import { evaluateFourier } from '../../lib/compiler/ops/fourier';
import { model, node } from '../helpers/onnx';

const squares = (count: number) => Float64Array.from({ length: count }, (_, i) => (i / count) ** 2);
const series = { period: 3, constant: 0.5, sine: [0.25, 0, -0.5], cosine: [1, 0.125, 0] };

// Cells of a power of two or not, from a whole number of cells or not.
const domains = {
  plain: { lo: -2, hi: 2 },
  shifted: { lo: 0.3, hi: 4.3 },
  odd: { lo: -3, hi: 4 },
  fine: { lo: 0, hi: 2 ** -12 },
} as const;
for (const [name, domain] of Object.entries(domains)) {
  defineApproximation({
    name,
    of: 'sigmoid',
    knobs: { exact: [true, false] },
    domain,
    build: (g, x, { exact }) => g.lookup(x, squares(32), domain, exact),
  });
}
defineApproximation({
  name: 'series',
  of: 'sigmoid',
  build: (g, x) => g.fourier(x, series, { lo: -100, hi: 100 }, 2 ** -10),
});

defineApproximation({
  name: 'gelu by sigma',
  of: 'sigmoid',
  knobs: { entries: [256, 64, 1024], exact: [true, false] },
  build: (g, x, { entries, exact }) => geluByTable(g, x, entries, exact),
});
defineApproximation({ name: 'exp by sigma', of: 'sigmoid', build: (g, x) => byTwoTables(g, x) });

const n = 301;

async function run(t: ExecutionContext, x: readonly number[], selection: object, ranges?: object) {
  const bytes = model({ inputs: { x: [n] }, outputs: { y: [n] }, nodes: [node('Sigmoid', ['x'], ['y'])] });
  const approximation = { functions: { sigmoid: selection as { name: string } } };
  const compiled = await compile(bytes, { approximation, ...ranges });
  const inputs = { x: tensor(Float32Array.from(x), [n]) };
  const secret = await runLocal(compiled, inputs, { seed: 5 });
  const clear = await runLocal(compiled, inputs, { seed: 5, cleartext: true });
  t.deepEqual(secret.outputs, clear.outputs);
  t.deepEqual(secret.communication.counted, secret.communication.predicted);
  return Array.from(secret.outputs.y!.data, Number);
}

for (const [name, { lo, hi }] of Object.entries(domains)) {
  test(`a table on [${lo}, ${hi})`, async (t) => {
    // Middles of cells and places in them, away from their ends by more than inputs are rounded by.
    const width = (hi - lo) / 32;
    const x = Array.from({ length: n }, (_, i) => lo + ((i % 32) + 0.2 + (0.6 * i) / n) * width);
    const grid = x.map((v) => Math.round(v * 2 ** 16) * 2 ** -16);
    const cell = (v: number) => Math.floor((v - lo) / width);
    const table = squares(32);
    for (const exact of [true, false]) {
      const y = await run(t, grid, { name, exact }, name === 'odd' ? { ranges: { x: [lo, hi] } } : {});
      for (const [i, v] of grid.entries()) {
        const near = exact ? [cell(v)] : [cell(v), cell(v - width / 2), cell(v + width / 2)];
        const entries = near.map((c) => table.at(c % 32)!);
        t.true(
          entries.some((e) => Math.abs(e - y[i]!) <= 2 ** -16),
          `${name}: f(${v}) = ${y[i]}`,
        );
      }
    }
  });
}

test('a table repeats beyond its domain', async (t) => {
  const x = Array.from({ length: n }, (_, i) => 4 * i - 600 + ((i % 32) + 0.5) / 8);
  const y = await run(t, x, { name: 'plain', exact: true });
  const table = squares(32);
  for (const [i] of x.entries()) t.true(Math.abs(table[((i % 32) + 16) % 32]! - y[i]!) <= 2 ** -16, `${i}`);
});

test("gelu by SIGMA's table: off by half a cell of a slope of up to 1 / 2, or a whole one", async (t) => {
  const x = Array.from({ length: n }, (_, i) => (i - 150) / 16);
  for (const exact of [true, false]) {
    for (const entries of [64, 256, 1024]) {
      const y = await run(t, x, { name: 'gelu by sigma', entries, exact });
      const off = Math.max(...x.map((v, i) => Math.abs(y[i]! - gelu.of([])(v))));
      const cell = 4 / entries;
      t.true(off <= ((exact ? 0.5 : 1) * cell) / 2 + 2e-4, `${off} with ${entries} entries`);
      t.true(off > cell / 8);
    }
  }
});

test("exp by SIGMA's two tables", async (t) => {
  const x = Array.from({ length: n }, (_, i) => -(i ** 2) / 4500);
  const y = await run(t, x, { name: 'exp by sigma' });
  for (const [i, v] of x.entries()) t.true(Math.abs(y[i]! - Math.exp(v)) <= 2 ** -12, `exp(${v}) = ${y[i]}`);
});

test('a series with a period that is no power of two', async (t) => {
  const x = Array.from({ length: n }, (_, i) => (i - 150) / 1.5);
  const grid = x.map((v) => Math.round(v * 2 ** 16) * 2 ** -16);
  const y = await run(t, grid, { name: 'series' });
  for (const [i, v] of grid.entries())
    t.true(Math.abs(y[i]! - evaluateFourier(series, v)) <= 2 ** -10 + 2 ** -16, `f(${v}) = ${y[i]}`);
});

test('a period is a power of two of units within what was asked for, and no finer', (t) => {
  for (const period of [2 * Math.PI, 3, 1000, 0.3, 1e-3]) {
    for (const relative of [2 ** -4, 2 ** -13, 2 ** -24]) {
      const { factor, scale } = turnsOf(period, relative);
      const off = (s: number) => Math.abs((Math.round(2 ** s / period) * period) / 2 ** s - 1);
      t.is(factor, BigInt(Math.round(2 ** scale / period)));
      t.true(off(scale) <= relative && (scale === 0 || off(scale - 1) > relative), `${period} ${scale}`);
    }
  }
  for (const power of [-3, 0, 5]) t.deepEqual(turnsOf(2 ** power, 2 ** -20), { factor: 1n, scale: power });
});
