// Softmax through fixed point, shares and all: against onnxruntime on rows of every kind, and what it costs.

import test, { type ExecutionContext } from 'ava';
import * as ort from 'onnxruntime-node';
import { type CompileOptions, compile, runLocal, tensor as tensorOf } from '../../lib';
import { DEFAULT_APPROXIMATION } from '../../lib/compiler/approximations';
import { optimize } from '../../lib/compiler/passes/pipeline';
import { importOnnx } from '../../lib/model/onnx/import';
import { toFloat64 } from '../../lib/tensor';
import { model, node, one } from '../helpers/onnx';
import { clearAgrees, coreOps, operations, randoms } from './oracle';

function softmax(shape: readonly number[]): Uint8Array {
  const nodes = [node('Softmax', ['x'], ['y'], { axis: -1 })];
  return model({ inputs: { x: shape }, outputs: { y: shape }, nodes });
}

/** Largest error of rows of a width, and by how much the sum of a row is off. */
async function errors(
  t: ExecutionContext,
  rows: readonly (readonly number[])[],
  { cleartext, ...options }: CompileOptions & { cleartext: boolean },
): Promise<{ error: number; sum: number }> {
  const width = rows[0]!.length;
  const shape = [rows.length, width];
  const bytes = softmax(shape);
  const data = Float32Array.from(rows.flat());
  const session = await ort.InferenceSession.create(bytes, { logSeverityLevel: 4 });
  const { y: expected } = await session.run({ x: new ort.Tensor('float32', data, shape) });
  await session.release();
  const compiled = await compile(bytes, options);
  const run = await runLocal(compiled, { x: tensorOf(data, shape) }, { seed: width, cleartext });
  if (!cleartext) t.deepEqual(run.communication.counted, run.communication.predicted);
  const y = toFloat64(run.outputs.y!);
  const error = y.reduce((most, v, i) => Math.max(most, Math.abs(v - Number(expected!.data[i]))), 0);
  const sums = rows.map((_, r) => y.slice(r * width, (r + 1) * width).reduce((a, v) => a + v, 0));
  return { error, sum: Math.max(...sums.map((s) => Math.abs(s - 1))) };
}

for (const [width, private_] of [
  [1, false],
  [2, true],
  [3, true],
  [10, false],
  [128, true],
  [1000, false],
] as const) {
  test(`rows of ${width}: noise, large spread, all equal, one far above the others`, async (t) => {
    const rows = [
      randoms(width, 3, 4),
      randoms(width, 4, 1e4),
      new Array<number>(width).fill(-1e4),
      new Array<number>(width).fill(0),
      randoms(width, 5, 0.01),
      Array.from({ length: width }, (_, i) => (i === width >> 1 ? 1e4 : -1e4)),
      Array.from({ length: width }, (_, i) => (i % 2 ? -20 : 5)),
    ];
    const { error, sum } = await errors(t, rows, { cleartext: !private_, parties: width === 3 ? 3 : 2 });
    // The reciprocal of few terms is approximated within the tolerance of 2^-8; of many by a spline over segments, which is finer.
    t.true(error <= (width <= 10 ? 2e-3 : 1e-3), `${error}`);
    // Every element is rounded to a unit of 2^-16.
    t.true(sum <= (width <= 10 ? 2 ** -8 : 1.5e-3) + width * 2 ** -17, `${sum}`);
  });
}

test('a narrow range takes no maximum, a wide one does', async (t) => {
  const ops = async (shape: readonly number[], magnitude: number): Promise<string[]> => {
    const nodes = [node('Softmax', ['x'], ['y'])];
    const spec = { inputs: { x: shape }, outputs: { y: shape }, nodes };
    return coreOps(await clearAgrees(t, spec, 3, { magnitude, ranges: { x: [-magnitude, magnitude] } }));
  };
  t.false((await ops([6, 40], 4)).includes('max_pool'));
  t.true((await ops([6, 40], 4.5)).includes('max_pool'));
  const ranges = { x: [-6, 2] as const };
  const rows = [randoms(40, 6, 4), new Array<number>(40).fill(4), new Array<number>(40).fill(-4)].map((row) =>
    row.map((v) => v - 2),
  );
  for (const cleartext of [false, true]) {
    const { error, sum } = await errors(t, rows, { ranges, cleartext });
    t.true(error <= 1e-3 && sum <= 3e-3, `${error} ${sum}`);
  }
});

test('exponents that are known not to be far below 0 are not clipped', async (t) => {
  const nodes = [node('Softmax', ['x'], ['y'])];
  const spec = { inputs: { x: [6, 40] }, outputs: { y: [6, 40] }, nodes };
  for (const [magnitude, clips] of [
    [29, false],
    [30, true],
  ] as const) {
    const ranges = { x: [-magnitude, magnitude] as const };
    t.is(coreOps(await clearAgrees(t, spec, 3, { magnitude, ranges })).includes('clip'), clips);
  }
  const ranges = { x: [-29, 29] as const };
  const rows = [randoms(40, 6, 29), randoms(40, 7, 1), Array.from({ length: 40 }, (_, i) => (i ? -29 : 29))];
  for (const cleartext of [false, true]) {
    const { error, sum } = await errors(t, rows, { ranges, cleartext });
    t.true(error <= 1e-3 && sum <= 3e-3, `${error} ${sum}`);
  }
});

test('a narrow range keeps the maximum where terms are computed in a way that was asked for', (t) => {
  const bytes = model(one('Softmax', [2, 5], [2, 5]));
  const options = { fractionalBits: 16, inputRanges: { x: [-1, 1] as const } };
  const ops = (functions: Readonly<Record<string, string>>) =>
    operations(
      optimize(importOnnx(bytes).graph, {
        ...options,
        approximation: { ...DEFAULT_APPROXIMATION, functions },
      }).graph,
    );
  t.false(ops({}).includes('max_pool'));
  t.false(ops({ gelu: 'bolt' }).includes('max_pool'));
  for (const key of ['decay', 'it/decay', 'exp']) t.true(ops({ [key]: 'crypten' }).includes('max_pool'), key);
  // e^x of x <= 0 alone, by a limit of eight squarings.
  t.is(ops({ 'it/decay': 'crypten' }).filter((op) => op === 'mul').length, 9);
});

test('LogSoftmax keeps its maximum, which shifts what it gives', async (t) => {
  const nodes = [node('LogSoftmax', ['x'], ['y'])];
  const spec = { inputs: { x: [3, 9] }, outputs: { y: [3, 9] }, nodes };
  t.true(
    coreOps(await clearAgrees(t, spec, 3, { magnitude: 3, ranges: { x: [-3, 3] } })).includes('max_pool'),
  );
});

test('rows of 128: within 64 bytes a party and element', async (t) => {
  const shape = [12, 128, 128];
  const elements = 12 * 128 * 128;
  const cost = async (options: CompileOptions) => {
    const { predicted } = await compile(softmax(shape), { owners: { x: 'secret', y: 'secret' }, ...options });
    const sent = (['offline', 'online'] as const).map((phase) => Math.max(...predicted[phase].bytesSent));
    return {
      bytes: sent.reduce((a, b) => a + b, 0) / elements,
      rounds: predicted.online.rounds,
      dealt: Math.max(...predicted.offline.dealerBytes) / elements,
    };
  };
  const wide = await cost({});
  t.true(wide.bytes <= 35.5 && wide.rounds <= 42 && wide.dealt <= 115, JSON.stringify(wide));
  const calibrated = await cost({ ranges: { x: [-32, 32] } });
  t.true(calibrated.bytes <= 22.5 && calibrated.dealt <= 80, JSON.stringify(calibrated));
  const moderate = await cost({ ranges: { x: [-29, 29] } });
  t.true(moderate.bytes <= 20 && moderate.rounds <= 38 && moderate.dealt <= 85, JSON.stringify(moderate));
  const narrow = await cost({ ranges: { x: [-4, 4] } });
  t.true(narrow.bytes <= 17 && narrow.rounds <= 10 && narrow.dealt <= 55, JSON.stringify(narrow));
});
