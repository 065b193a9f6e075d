import test from 'ava';
import { compile } from '../../lib/compiler/compile';
import { evaluateCore } from '../../lib/compiler/ops/evaluate-core';
import { runLocal } from '../../lib/runtime/local';
import { example } from '../helpers/cli';
import { Random } from '../helpers/protocols';

const DIGITS = example('digits', 'digits.onnx');
const pixels = new Random(8).list(2 * 64, 12).map((v) => Math.abs(Number(v)) / 4096);
const image = { dtype: 'float64' as const, shape: [2, 1, 8, 8], data: Float64Array.from(pixels) };

for (const parties of [2, 3]) {
  test(`with exact truncation, every run gives the fixed-point evaluation, ${parties} parties`, async (t) => {
    const model = await compile(DIGITS, { parties, batch: 2, exactTruncation: true });
    const floor = (x: number, scale: number): number => Math.floor(x * 2 ** scale) / 2 ** scale;
    const [expected] = evaluateCore(model.graph, [pixels], { rescale: floor });
    for (const seed of ['one', 'two']) {
      const { outputs } = await runLocal(model, { image }, { seed });
      t.deepEqual([...outputs.logits!.data], [...expected!.data]);
    }
    t.deepEqual(
      model.outputs.map((o) => o.slack),
      [0],
    );
    t.true(model.layers.some((layer) => layer.choices.truncation === 'floor'));
  });
}

test('without it, runs differ within the bound that is stated', async (t) => {
  const model = await compile(DIGITS, { batch: 2 });
  const runs = await Promise.all(
    ['one', 'two'].map(async (seed) => (await runLocal(model, { image }, { seed })).outputs.logits!.data),
  );
  const [a, b] = runs.map((data) => Array.from(data as Float64Array)) as [number[], number[]];
  t.notDeepEqual(a, b);
  const bound = 2 * (model.outputs[0]!.slack as number);
  t.true(a.every((v, i) => Math.abs(v - b[i]!) <= bound));
});
