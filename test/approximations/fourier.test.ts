// Fourier series that are fitted: as close as they say, closer with more frequencies, and private runs of them.

import test from 'ava';
import { compile, defineApproximation, runLocal, tensor } from '../../lib';
import { type FourierFitOptions, fitFourier } from '../../lib/compiler/approximations/fourier-fit';
import { fourierScales } from '../../lib/compiler/approximations/fourier-scales';
import { gelu, geluBySines } from '../../lib/compiler/approximations/gelu';
import { amplitudes, evaluateFourier, fourierRange, steepestFourier } from '../../lib/compiler/ops/fourier';
import { model, node } from '../helpers/onnx';

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
const plain = { relative: false, penalty: 2 ** -32 };
const fits: Record<string, FourierFitOptions> = {
  sigmoid: { ...plain, fn: sigmoid, domain: { lo: -7, hi: 6 }, period: 64 / 3, frequencies: 5 },
  gelu: { ...plain, fn: gelu.of([]), domain: { lo: -3.5, hi: 3.5 }, period: 32 / 3, frequencies: 5 },
  exp: { ...plain, fn: Math.exp, domain: { lo: -3, hi: 3 }, period: 32 / 3, frequencies: 5, relative: true },
  'x^2 on a side': { ...plain, fn: (x) => x * x, domain: { lo: 5, hi: 9 }, period: 8, frequencies: 5 },
};

for (const [name, options] of Object.entries(fits)) {
  test(`${name}: the largest error is what is stated, and less with more frequencies`, (t) => {
    const { fn, domain, relative, frequencies } = options;
    const { series, error } = fitFourier(options)!;
    let [worst, steepest, lo, hi] = [0, 0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    const step = (domain.hi - domain.lo) / 20011;
    for (let x = domain.lo; x <= domain.hi; x += step) {
      const y = evaluateFourier(series, x);
      worst = Math.max(worst, Math.abs(y - fn(x)) / (relative ? Math.abs(fn(x)) : 1));
      steepest = Math.max(steepest, Math.abs(evaluateFourier(series, x + step) - y) / step);
      [lo, hi] = [Math.min(lo, y), Math.max(hi, y)];
    }
    t.true(worst <= error && worst >= error / 1.1, `${worst}, ${error} is stated`);
    t.true(error < 0.02);
    const more = fitFourier({ ...options, frequencies: frequencies + 2 })!;
    t.true(more.error < error / 4, `${error}, then ${more.error}`);
    // Bounds hold, and are near.
    const range = fourierRange(series, domain.lo, domain.hi);
    t.true(range.lo <= lo && range.hi >= hi && range.hi - range.lo < 1.05 * (hi - lo));
    const slope = steepestFourier(series, domain.lo, domain.hi);
    t.true(slope >= steepest && slope < 1.2 * steepest, `${slope} ${steepest}`);
  });
}

test('a penalty makes coefficients smaller', (t) => {
  const size = (penalty: number) =>
    amplitudes(fitFourier({ ...fits.gelu!, period: 16, penalty })!.series).reduce((a, b) => a + b, 0);
  t.true(size(2 ** -14) < size(2 ** -22) && size(2 ** -22) < size(2 ** -32));
});

test('there is no series of what is not finite, or relative to zero', (t) => {
  t.is(fitFourier({ ...fits.exp!, fn: (x) => 1 / x }), undefined);
  t.is(fitFourier({ ...fits.exp!, fn: (x) => x }), undefined);
});

test('bits of a series: no more than the error asks for', (t) => {
  const { series } = fitFourier(fits.gelu!)!;
  let before = 0;
  for (const error of [2 ** -8, 2 ** -11, 2 ** -14, 2 ** -20]) {
    const { scale, wave, error: found } = fourierScales(series, error, 8)!;
    t.true(found <= error && scale > before && wave < scale);
    before = scale;
  }
});

defineApproximation({
  name: 'gelu by shaft',
  of: 'sigmoid',
  knobs: { terms: [8, 4, 12, 16] },
  build: (g, x, { terms }) => geluBySines(g, x, terms),
});

test("gelu by SHAFT's sine series, of operands far beyond its end", async (t) => {
  const n = 401;
  const x = Float32Array.from({ length: n }, (_, i) => (i - 200) / 16);
  const bytes = model({ inputs: { x: [n] }, outputs: { y: [n] }, nodes: [node('Sigmoid', ['x'], ['y'])] });
  for (const [terms, error] of [
    [4, 7e-3],
    [8, 2.4e-3],
    [12, 1.3e-3],
    [16, 8e-4],
  ] as const) {
    const functions = { sigmoid: { name: 'gelu by shaft', terms } };
    const compiled = await compile(bytes, { approximation: { functions } });
    const run = await runLocal(compiled, { x: tensor(x, [n]) }, { seed: terms });
    t.deepEqual(run.communication.counted, run.communication.predicted);
    const off = x.map((v, i) => Math.abs(Number(run.outputs.y!.data[i]) - gelu.of([])(v)));
    t.true(Math.max(...off) <= error, `${Math.max(...off)} with ${terms} terms`);
  }
});

test('private results are as close to the function as is stated', async (t) => {
  const n = 601;
  const x = Float32Array.from({ length: n }, (_, i) => Math.round((i - 300) * 1500) * 2 ** -16);
  const reach = Math.max(...x);
  for (const [op, fn, frequencies] of [
    ['Sigmoid', sigmoid, 7],
    ['Tanh', Math.tanh, 10],
  ] as const) {
    const bytes = model({ inputs: { x: [n] }, outputs: { y: [n] }, nodes: [node(op, ['x'], ['y'])] });
    for (const parties of [2, 3]) {
      const functions = { [op.toLowerCase()]: { name: 'fourier', frequencies } };
      const approximation = { functions, tolerance: 2 ** -9 };
      const compiled = await compile(bytes, { parties, approximation, ranges: { x: [-reach, reach] } });
      const inputs = { x: tensor(x, [n]) };
      const run = await runLocal(compiled, inputs, { seed: 7 });
      const clear = await runLocal(compiled, inputs, { seed: 7, cleartext: true });
      t.deepEqual(run.outputs, clear.outputs);
      t.deepEqual(run.communication.counted, run.communication.predicted);
      run.outputs.y!.data.forEach((y, i) => {
        t.true(Math.abs(Number(y) - fn(x[i]!)) <= 2 ** -9 + 2 ** -16, `${op}(${x[i]}) = ${y}`);
      });
    }
  }
});
