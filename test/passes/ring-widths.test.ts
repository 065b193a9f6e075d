// Values in rings just wide enough: what is computed must not change, only what is sent.

import test from 'ava';
import { calibrate, compile, runLocal, tensor } from '../../lib';
import type { CompiledModel } from '../../lib/compiler/compile';
import { runProgram } from '../../lib/runtime/local';
import type { Tensor } from '../../lib/tensor';
import { coded } from '../helpers/errors';
import { tensor as constant, DataType, model, node } from '../helpers/onnx';
import { randoms, weights } from '../ops/oracle';
import { randomModel } from './graphs';

const LIMIT = 3;

function inputFor(m: CompiledModel, seed: number): Tensor {
  const shape = m.inputs[0]!.shape;
  const numbers = randoms(
    shape.reduce((a, b) => a * b, 1),
    seed,
    LIMIT,
  );
  // The ends of the interval too.
  return tensor(
    numbers.map((v, i) => (i % 3 === seed % 3 ? Math.sign(v) * LIMIT : v)),
    shape,
  );
}

/** The outputs of the parties, which must be those of the cleartext evaluator. */
async function outputs(m: CompiledModel, x: Tensor): Promise<Map<string, number[]>> {
  const numbers = new Map([[m.inputs[0]!.name, x.data as Float32Array], ...m.weights]);
  const run = await runProgram(m.program, numbers, { seed: 5 });
  const clear = await runProgram(m.program, numbers, { seed: 5, cleartext: true });
  const lists = [run, clear].map((r) => new Map([...r.outputs].map(([k, v]) => [k, Array.from(v, Number)])));
  if (JSON.stringify([...lists[0]!]) !== JSON.stringify([...lists[1]!]))
    throw new Error('not the cleartext outputs');
  if (JSON.stringify(run.counted) !== JSON.stringify(m.predicted)) throw new Error('not what was predicted');
  return lists[0]!;
}

function sent(m: CompiledModel): number {
  return m.predicted.online.bytesSent.reduce((a, b) => a + b, 0);
}

for (let seed = 300; seed < 315; seed++) {
  const parties = 2 + (seed % 2);
  test(`random model ${seed}, ${parties} parties: narrow rings give what words give, and send less`, async (t) => {
    const bytes = model(randomModel(seed));
    const wide = await compile(bytes, { parties });
    const x = inputFor(wide, seed);
    const expected = await outputs(wide, x);
    const proven = await compile(bytes, { parties, ranges: { x: [-LIMIT, LIMIT] } });
    const calibration = await calibrate(bytes, [{ x }], { parties });
    const calibrated = await compile(bytes, { parties, calibration });
    for (const narrow of [proven, calibrated]) {
      const actual = await outputs(narrow, x);
      narrow.outputs.forEach(({ name, slack }, i) => {
        const [a, b] = [expected.get(name)!, actual.get(name)!];
        const far = Math.max(...a.map((v, k) => Math.abs(v - b[k]!)));
        // Rescales are at other places: either may be off by its slack.
        t.true(far <= (slack ?? 0) + (wide.outputs[i]!.slack ?? 0), name);
      });
      t.true(sent(narrow) < sent(wide));
      t.true(narrow.predicted.online.rounds <= wide.predicted.online.rounds);
    }
  });
}

const perceptron = () =>
  model({
    inputs: { x: [1, 8] },
    outputs: { y: [1, 4] },
    nodes: [
      node('MatMul', ['x', 'a'], ['h'], {}, 'first'),
      node('MatMul', ['h', 'b'], ['g'], {}, 'second'),
      node('MatMul', ['g', 'c'], ['y'], {}, 'third'),
    ],
    initializers: { a: weights([8, 8], 1), b: weights([8, 8], 2), c: weights([8, 4], 3) },
  });

test('a product whose result is truncated is opened once', async (t) => {
  const wide = await compile(perceptron());
  const narrow = await compile(perceptron(), { ranges: { x: [-1, 1] } });
  // x; then the second and third product's left factor: truncated and opened, or both at once; the output.
  t.true(narrow.predicted.online.rounds < wide.predicted.online.rounds);
  const x = inputFor(narrow, 2);
  const inside = tensor(
    Array.from(x.data as Float32Array, (v) => v / LIMIT),
    x.shape,
  );
  const [a, b] = [await outputs(wide, inside), await outputs(narrow, inside)];
  const far = a.get('y')!.map((v, i) => Math.abs(v - b.get('y')![i]!));
  t.true(Math.max(...far) <= 2 * narrow.outputs[0]!.slack!);
});

test('a private value outside its range is refused before anything is sent', async (t) => {
  const m = await compile(perceptron(), { ranges: { x: [0, 1] } });
  const x = [0, 1, 0.5, 0.25, 1, 0, 1, 0];
  await runLocal(m, { x: tensor(x, [1, 8]) });
  const outside = { x: tensor([...x.slice(1), 1.01], [1, 8]) };
  await t.throwsAsync(runLocal(m, outside), coded('VALUE_RANGE', /\[0, 7\].*between 0 and 1/));
});

test('ranges and calibrations that cannot be meant are refused', async (t) => {
  await t.throwsAsync(compile(perceptron(), { ranges: { z: [0, 1] } }), coded('INVALID_OPTION'));
  await t.throwsAsync(compile(perceptron(), { ranges: { x: [1, 0] } }), coded('INVALID_OPTION'));
  await t.throwsAsync(calibrate(perceptron(), []), coded('INVALID_OPTION'));
  const example = { x: tensor(new Array(8).fill(0.5), [1, 8]) };
  await t.throwsAsync(calibrate(perceptron(), [example], { margin: 0.5 }), coded('INVALID_OPTION'));
  const calibration = await calibrate(perceptron(), [example]);
  const other = model({
    inputs: { x: [1, 8] },
    outputs: { y: [1, 8] },
    nodes: [node('Add', ['x', 'a'], ['y'])],
    initializers: { a: constant([1, 8], new Array(8).fill(1)) },
  });
  await t.throwsAsync(compile(other, { calibration }), coded('INVALID_OPTION'));
  const broken = { ...calibration, values: calibration.values.map((v) => ({ ...v, lo: Number.NaN })) };
  await t.throwsAsync(compile(perceptron(), { calibration: broken }), coded('INVALID_OPTION'));
  // Seen where it cannot be, because the weights are others by now: what is proven counts.
  const stale = { ...calibration, values: calibration.values.map((v) => ({ ...v, lo: 1e6, hi: 2e6 })) };
  const m = await compile(perceptron(), { calibration: stale });
  t.deepEqual(
    await outputs(m, example.x),
    await outputs(await compile(perceptron(), { ranges: calibration.inputs }), example.x),
  );
});

test('the margin of a calibration is room above what was seen', async (t) => {
  const x = tensor([1, -1, 1, 1, -1, 1, 1, -1], [1, 8]);
  const calibration = await calibrate(perceptron(), [{ x }], { margin: 8 });
  t.deepEqual(calibration.inputs, { x: [-8, 8] });
  const m = await compile(perceptron(), { calibration });
  const far = tensor(
    Array.from(x.data as Float32Array, (v) => v * 7.5),
    [1, 8],
  );
  await outputs(m, far);
  t.pass();
});

test('an element-wise product needs no opening of its own, in rings of any width', async (t) => {
  const bytes = model({
    inputs: { x: [1, 8] },
    outputs: { y: [1, 4] },
    nodes: [node('MatMul', ['x', 'a'], ['h'], {}, 'linear'), node('Mul', ['h', 'h'], ['y'], {}, 'square')],
    initializers: { a: weights([8, 4], 1) },
  });
  const wide = await compile(bytes);
  const narrow = await compile(bytes, { ranges: { x: [-LIMIT, LIMIT] } });
  for (const m of [wide, narrow]) {
    const square = m.layers.find((layer) => layer.name === 'square')!;
    // The rescale of h and the product: one opening, in as few bits as repair its wrap.
    t.is(square.choices.factor, 'opened before its truncation');
    await outputs(m, inputFor(m, 4));
  }
});

test('an argmax whose inputs take fewer bits than its indices', async (t) => {
  const classes = 100;
  const bytes = model({
    inputs: { x: [3, classes] },
    outputs: { y: [3, 1] },
    nodes: [node('ArgMax', ['x'], ['y'], { axis: 1 }, 'largest')],
    initializers: {},
  });
  const data = Array.from({ length: 3 * classes }, (_, i) => ((i * 7919) % 16) / 16);
  for (const parties of [2, 3]) {
    for (const allPairs of [2, 5]) {
      const options = { parties, fractionalBits: 4, ranges: { x: [0, 1] as const }, knobs: { allPairs } };
      const m = await compile(bytes, options);
      const { y } = Object.fromEntries(await outputs(m, tensor(data, [3, classes])));
      const expected = [0, 1, 2].map((row) => {
        const own = data.slice(row * classes, (row + 1) * classes);
        return own.indexOf(Math.max(...own));
      });
      t.deepEqual(y, expected);
    }
  }
});

test('indices of different widths, and constants among them, keep their values', async (t) => {
  const bytes = model({
    inputs: { x: [1, 10], z: [1, 300] },
    outputs: { y: [1, 3] },
    nodes: [
      node('ArgMax', ['x'], ['a'], { axis: 1 }, 'few'),
      node('ArgMax', ['z'], ['b'], { axis: 1 }, 'many'),
      node('Concat', ['a', 'c', 'b'], ['y'], { axis: 1 }, 'together'),
    ],
    initializers: { c: constant([1, 1], [100n], DataType.INT64) },
  });
  const x = Array.from({ length: 10 }, (_, i) => (i === 7 ? 1 : 0));
  const z = Array.from({ length: 300 }, (_, i) => (i === 290 ? 1 : 0));
  const m = await compile(bytes, { owners: { x: 0, z: 1 } });
  const { outputs: made } = await runLocal(m, { x: tensor(x, [1, 10]), z: tensor(z, [1, 300]) });
  t.deepEqual(Array.from(made.y!.data, Number), [7, 100, 290]);
});

test('parts of different owners beside a constant other than zero', async (t) => {
  const bytes = model({
    inputs: { x: [1, 2], z: [1, 2] },
    outputs: { y: [1, 6] },
    nodes: [node('Concat', ['x', 'c', 'z'], ['y'], { axis: 1 }, 'together')],
    initializers: { c: constant([1, 2], [1, 1]) },
  });
  const m = await compile(bytes, { owners: { x: 0, z: 1 } });
  const { outputs: made } = await runLocal(m, { x: tensor([2, 3], [1, 2]), z: tensor([4, 5], [1, 2]) });
  t.deepEqual(Array.from(made.y!.data, Number), [2, 3, 1, 1, 4, 5]);
});

test('a range that does not fit its scale is refused', async (t) => {
  const error = await t.throwsAsync(
    compile(perceptron(), { ranges: { x: [-1e15, 1e15] } }),
    coded('INVALID_OPTION'),
  );
  t.regex(error!.message, /between -70368744177664 and 70368744177664/);
});

test('a lower bound above everything that a value can be counts in its ring', async (t) => {
  const bytes = model({
    inputs: { x: [1, 4] },
    outputs: { y: [1, 4] },
    nodes: [node('Clip', ['x', 'lo'], ['y'])],
    initializers: { lo: constant([], [20]) },
  });
  const m = await compile(bytes, { ranges: { x: [-3, 3] } });
  const { outputs: made } = await runLocal(m, { x: tensor([-3, 0, 1.5, 3], [1, 4]) });
  t.deepEqual(Array.from(made.y!.data, Number), [20, 20, 20, 20]);
});

test('a declared range counts as its ends are written in fixed point', async (t) => {
  const bytes = model({
    inputs: { x: [1, 2] },
    outputs: { y: [1, 2] },
    nodes: [node('Mul', ['x', 'c'], ['z']), node('Relu', ['z'], ['y'])],
    initializers: { c: constant([], [1023]) },
  });
  const end = 1.5 * 2 ** -16;
  const m = await compile(bytes, { ranges: { x: [-end, end] } });
  const { outputs: made } = await runLocal(m, { x: tensor([end, -end], [1, 2]) });
  t.deepEqual(Array.from(made.y!.data, Number), [(1023 * 2) / 2 ** 16, 0]);
});

test('a function of a function of a value whose truncation was opened already', async (t) => {
  const bytes = model({
    inputs: { x: [1, 3] },
    outputs: { y: [1, 3] },
    nodes: [node('Tanh', ['x'], ['a']), node('Tanh', ['a'], ['y'])],
  });
  const m = await compile(bytes, { ranges: { x: [-1, 1] } });
  const x = tensor([-1, 0.25, 0.9], [1, 3]);
  const run = await runLocal(m, { x }, { seed: 5 });
  const replay = await runLocal(m, { x }, { seed: 5, cleartext: true });
  t.deepEqual(run.outputs, replay.outputs);
  Array.from(run.outputs.y!.data, Number).forEach((y, i) => {
    t.true(Math.abs(y - Math.tanh(Math.tanh(Number(x.data[i])))) < 1e-2);
  });
});

test('bounds at the far end of a range count in the bits that are compared', async (t) => {
  for (const [op, bound, expected] of [
    ['Greater', 2.75, [0, 0, 0, 1]],
    ['Less', -2.75, [1, 0, 0, 0]],
    ['GreaterOrEqual', -2.875, [1, 1, 1, 1]],
    ['Equal', 2.875, [0, 0, 0, 1]],
  ] as const) {
    const bytes = model({
      inputs: { x: [1, 4] },
      outputs: { y: { shape: [1, 4], type: DataType.BOOL } },
      nodes: [node(op, ['x', 'c'], ['y'])],
      initializers: { c: constant([], [bound]) },
    });
    const m = await compile(bytes, { ranges: { x: [-2.875, 2.875] } });
    const { outputs: made } = await runLocal(m, { x: tensor([-2.875, -1, 1, 2.875], [1, 4]) });
    t.deepEqual(Array.from(made.y!.data, Number), [...expected], op);
  }
  const clip = model({
    inputs: { x: [1, 4] },
    outputs: { y: [1, 4] },
    nodes: [node('Clip', ['x', 'lo', 'hi'], ['y'])],
    initializers: { lo: constant([], [-2.5]), hi: constant([], [2.5]) },
  });
  const m = await compile(clip, { ranges: { x: [-2.875, 2.875] } });
  const { outputs: made } = await runLocal(m, { x: tensor([-2.875, -1, 1, 2.875], [1, 4]) });
  t.deepEqual(Array.from(made.y!.data, Number), [-2.5, -1, 1, 2.5]);
});
