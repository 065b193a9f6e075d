import test from 'ava';
import { compile } from '../../lib/compiler/compile';
import { evaluateCore } from '../../lib/compiler/ops/evaluate-core';
import { runLocal } from '../../lib/runtime/local';
import { tensor, toFloat64 } from '../../lib/tensor';
import { example } from '../helpers/cli';
import { model, node, tensor as onnxTensor } from '../helpers/onnx';
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

test('with it, functions by tables and waves differ within the bound that is stated, polynomials not at all', async (t) => {
  const x = Array.from({ length: 64 }, (_, i) => i / 16 - 2);
  const nodes = [node('Mul', ['x', 'third'], ['z']), node('Sigmoid', ['z'], ['y'])];
  const spec = { inputs: { x: [64] }, outputs: { y: [64] }, nodes };
  const bytes = model({ ...spec, initializers: { third: onnxTensor([], [1 / 3]) } });
  for (const name of ['fourier', 'spline', 'polynomial']) {
    const functions = { sigmoid: name };
    const options = { exactTruncation: true, approximation: { functions }, ranges: { x: [-2, 2] } } as const;
    const compiled = await compile(bytes, options);
    const slack = compiled.outputs[0]!.slack as number;
    const runs = ['one', 'two'].map((seed) =>
      runLocal(compiled, { x: tensor(x, [64]) }, { seed, cleartext: true }),
    );
    const [a, b] = (await Promise.all(runs)).map(({ outputs }) => [...toFloat64(outputs.y!)]) as [
      number[],
      number[],
    ];
    const differs = Math.max(...a.map((v, i) => Math.abs(v - b[i]!)));
    t.is(differs > 0, name !== 'polynomial', name);
    t.is(slack > 0, name !== 'polynomial', name);
    t.true(differs <= 2 * slack, `${name}: ${differs}, but ${slack} is stated`);
  }
});

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
