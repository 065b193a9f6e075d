// Precision of a compiled model: figures are those of real runs, and everything that is exceeded is told.

import test from 'ava';
import { calibrate, compile, type Precision, precision, runLocal, tensor } from '../../lib';
import { evaluate } from '../../lib/compiler/ops/evaluate';
import { inferShapes } from '../../lib/compiler/passes/infer-shapes';
import { importOnnx } from '../../lib/model/onnx/import';
import { toFloat64 } from '../../lib/tensor';
import { coded } from '../helpers/errors';
import { tensor as constant, DataType, int64, model, node } from '../helpers/onnx';
import { randoms, weights } from '../ops/oracle';

const cnn = () =>
  model({
    inputs: { x: ['n', 1, 8, 8] },
    outputs: { y: ['n', 10] },
    nodes: [
      node('Conv', ['x', 'w'], ['c'], { pads: [1, 1, 1, 1] }, 'conv'),
      node('BatchNormalization', ['c', 's', 'b', 'm', 'v'], ['n'], {}, 'norm'),
      node('Relu', ['n'], ['r'], {}, 'relu'),
      node('MaxPool', ['r'], ['p'], { kernel_shape: [2, 2], strides: [2, 2] }, 'pool'),
      node('Conv', ['p', 'u'], ['d'], { pads: [1, 1, 1, 1] }, 'second'),
      node('Relu', ['d'], ['e'], {}, 'relu 2'),
      node('Flatten', ['e'], ['f'], {}, 'flat'),
      node('Gemm', ['f', 'g'], ['y'], {}, 'classes'),
    ],
    initializers: {
      w: weights([4, 1, 3, 3]),
      s: weights([4], 2),
      b: weights([4], 3),
      m: weights([4], 4),
      v: constant([4], [0.5, 1, 2, 0.25]),
      u: weights([6, 4, 3, 3], 5),
      g: weights([96, 10], 6),
    },
  });

const transformer = () =>
  model({
    inputs: { x: ['n', 8] },
    outputs: { y: ['n', 4] },
    opset: 17,
    nodes: [
      node('LayerNormalization', ['x', 's', 'b'], ['h'], {}, 'norm'),
      node('MatMul', ['h', 'w'], ['z'], {}, 'project'),
      node('Softmax', ['z'], ['y'], {}, 'soft'),
    ],
    initializers: {
      s: constant(
        [8],
        randoms(8, 1).map((v) => v + 1.5),
      ),
      b: weights([8], 2),
      w: weights([8, 4], 3),
    },
  });

const layer = ({ layers }: Precision, name: string) => layers.find((l) => l.name === name)!;

/** Differences of an output from the model on doubles. */
function differences(bytes: Uint8Array, x: Float64Array, batch: number, y: Float64Array): number[] {
  const [exact] = evaluate(inferShapes(importOnnx(bytes, { batch }).graph), [x]);
  return Array.from(y, (v, i) => Math.abs(v - exact!.data[i]!));
}

test('a CNN: every layer is there once, and the last one is as far off as a private run', async (t) => {
  const batch = 3;
  const x = tensor(randoms(batch * 64, 7), [batch, 1, 8, 8]);
  // Rounded downwards, results do not depend on masks.
  const options = { batch, exactTruncation: true };
  const found = await precision(cnn(), [{ x }], options);
  t.deepEqual(found.exceeded, []);
  t.deepEqual(
    found.layers.map(({ name, op, merged }) => [name, op, ...merged]),
    [
      ['norm', 'BatchNormalization', 'conv'],
      ['pool', 'MaxPool', 'relu'],
      ['second', 'Conv'],
      ['relu 2', 'Relu'],
      ['flat', 'Flatten'],
      ['classes', 'Gemm'],
    ],
  );
  for (const l of found.layers) {
    t.true(l.error.mean <= l.error.max && l.error.max < 1e-3 && l.range[0] < l.range[1], l.name);
    t.is(l.relative, l.error.max / l.largest);
  }
  // A pool with an activation truncates: less than a unit, on an operand that the layer does not have exactly.
  t.true(layer(found, 'relu 2').ownError.max < 2 ** -16);
  t.is(layer(found, 'flat').ownError.max, 0);
  t.is(layer(found, 'second').scale, 32);
  t.deepEqual(layer(found, 'pool').shape, [batch, 4, 4, 4]);

  const compiled = await compile(cnn(), options);
  const { outputs } = await runLocal(compiled, { x }, { seed: 1 });
  const y = toFloat64(outputs.y!);
  const off = differences(cnn(), toFloat64(x), batch, y);
  const last = found.layers.at(-1)!;
  // Outputs are float32.
  const room = 2 ** -23 * last.largest;
  t.true(Math.abs(Math.max(...off) - last.error.max) <= room);
  t.true(Math.abs(off.reduce((a, b) => a + b, 0) / off.length - last.error.mean) <= room);
  t.true(Math.max(...last.range.map((v, i) => Math.abs(v - (i ? Math.max(...y) : Math.min(...y))))) <= room);
});

test('batches one after the other are one figure, and the seed is that of the coins', async (t) => {
  const x = tensor(randoms(4 * 64, 8), [4, 1, 8, 8]);
  const options = { exactTruncation: true };
  const [one, two, together] = await Promise.all([
    precision(cnn(), [{ x }], { ...options, batch: 1 }),
    precision(cnn(), [{ x }], { ...options, batch: 2 }),
    precision(cnn(), [{ x }], { ...options, batch: 4 }),
  ]);
  const figures = ({ layers }: Precision) =>
    layers.map(({ error, ownError, range }) => [error.max, ownError.max, ...range]);
  t.deepEqual(figures(one), figures(together));
  t.deepEqual(figures(two), figures(together));

  const runs = await Promise.all(
    ['a', 'a', 'b'].map((seed) => precision(cnn(), [{ x }], { batch: 4, seed })),
  );
  t.deepEqual(runs[0], runs[1]);
  t.notDeepEqual(runs[0], runs[2]);
});

test('results that are whole numbers or booleans, and several of one node', async (t) => {
  const bytes = model({
    inputs: { x: [3, 7] },
    outputs: {
      v: [3, 2],
      i: { shape: [3, 2], type: DataType.INT64 },
      g: { shape: [3, 7], type: DataType.BOOL },
    },
    nodes: [
      node('TopK', ['x', 'k'], ['v', 'i'], { axis: 1 }, 'top'),
      node('Greater', ['x', 'z'], ['g'], {}, 'more'),
    ],
    initializers: { k: int64([2]), z: constant([1], [0.25]) },
  });
  const { layers, exceeded } = await precision(bytes, [{ x: tensor(randoms(21, 1, 3), [3, 7]) }]);
  t.deepEqual(exceeded, []);
  t.deepEqual(
    layers.map((l) => [l.name, l.result, l.scale, l.error.max < 2 ** -16, l.ownError.max]),
    [
      ['top', 'v', 16, true, 0],
      ['top', 'i', 0, true, 0],
      ['more', 'g', 0, true, 0],
    ],
  );
});

test('LayerNormalization and Softmax: errors are those of their approximations, which a private run has too', async (t) => {
  const batch = 20;
  const x = tensor(randoms(batch * 8, 4, 3), [batch, 8]);
  const found = await precision(transformer(), [{ x }], { batch });
  t.deepEqual(
    found.layers.map((l) => l.op),
    ['LayerNormalization', 'MatMul', 'Softmax'],
  );
  t.deepEqual(found.exceeded, []);
  const { ownError, error } = layer(found, 'project');
  t.true(ownError.max < error.max / 8, 'what the normalisation is off by is not charged to the product');
  t.true(layer(found, 'norm').relative < 2 ** -8);
  const soft = layer(found, 'soft');
  const { outputs } = await runLocal(await compile(transformer(), { batch }), { x }, { seed: 2 });
  const off = differences(transformer(), toFloat64(x), batch, toFloat64(outputs.y!));
  t.true(Math.max(...off) < 1e-2);
  // How tables round depends on masks, and the largest error on few elements: from one seed to another it doubles.
  const mean = off.reduce((a, b) => a + b, 0) / off.length;
  t.true(Math.abs(mean - soft.error.mean) < soft.error.mean / 2, `${mean}, ${soft.error.mean}`);
});

test('an input that leaves its declared range is computed with and told, where a run refuses it', async (t) => {
  const x = tensor(randoms(64, 7), [1, 1, 8, 8]);
  const ranges = { x: [0, 0.5] as const };
  const { exceeded, layers } = await precision(cnn(), [{ x }], { ranges });
  const [first] = exceeded;
  const data = toFloat64(x);
  t.like(first!, { layer: 'x', op: 'Input', bound: 'input', limits: [0, 0.5], value: Math.min(...data) });
  t.regex(first!.remedy, /wider range/);
  t.true(exceeded.slice(1).every(({ bound }) => bound === 'proven'));
  t.true(layers.at(-1)!.error.max < 1e-3, 'nothing that has left its range here is wrong for it');
  await t.throwsAsync(runLocal(await compile(cnn(), { ranges }), { x }), coded('VALUE_RANGE'));
  const inside = await precision(cnn(), [{ x }], { ranges: { x: [-1, 1] } });
  t.deepEqual(inside.exceeded, []);
});

test('operands outside of the domain of an approximation: all of them, by layer and value', async (t) => {
  const bytes = model({
    inputs: { x: [4], z: [4] },
    outputs: { y: [4] },
    nodes: [
      node('Sqrt', ['x'], ['h'], {}, 'root'),
      node('Reciprocal', ['z'], ['g'], {}, 'inverse'),
      node('Add', ['g', 'h'], ['y'], {}, 'sum'),
    ],
  });
  const inputs = { x: tensor([4, 9, -3, 30], [4]), z: tensor([1, 2, 1e5, 3], [4]) };
  const { exceeded, layers } = await precision(bytes, [inputs]);
  const told = exceeded.map(({ layer: name, bound, value }) => [name, bound, value]);
  t.deepEqual(
    told.filter(([, bound]) => bound === 'domain' || bound === 'undefined'),
    [
      ['root', 'domain', -3],
      ['inverse', 'domain', 1e5],
      ['root', 'undefined', null],
    ],
  );
  t.true(exceeded.every(({ remedy }) => remedy.length > 20));
  // The root of a negative number has no error; those of the others count.
  t.true(layers[0]!.error.max > 0 && layers[0]!.error.max < 0.01);

  const good = { ...inputs, x: tensor([4, 9, 3, 30], [4]) };
  const calibration = await calibrate(bytes, [good]);
  const after = await precision(bytes, [good], { calibration });
  t.deepEqual(after.exceeded, []);
  const error = await t.throwsAsync(calibrate(bytes, [inputs]), coded('VALUE_RANGE'));
  t.regex(error!.message, /"root" \(Sqrt\).* -3 .*[Cc]orrect/);
});

test('an approximation that was asked for by name is watched on the domain that it says', async (t) => {
  const bytes = model({
    inputs: { x: [3] },
    outputs: { y: [3] },
    nodes: [node('Tanh', ['x'], ['y'], {}, 'act')],
  });
  const of = async (values: number[], functions: Record<string, string>) => {
    const { exceeded } = await precision(bytes, [{ x: tensor(values, [3]) }], {
      approximation: { functions },
    });
    return exceeded.map(({ layer: name, what, limits, value }) => [name, what, limits, value]);
  };
  const chebyshev = { tanh: 'crypten chebyshev' };
  t.deepEqual(await of([0, 0.5, -1.5], chebyshev), [['act', 'operand of tanh', [-1, 1], -1.5]]);
  t.deepEqual(await of([0, 0.5, -0.75], chebyshev), []);
  t.deepEqual(await of([0, 50, -1.5], {}), [], 'beyond its domain, the default one follows the tails');
});

test('values beyond a calibration: the range, and the bits that then do not hold them', async (t) => {
  const examples = [{ x: tensor(randoms(64, 7, 0.25), [1, 1, 8, 8]) }];
  const calibration = await calibrate(cnn(), examples, { margin: 2 });
  const ranges = { x: [-64, 64] as const };
  const options = { calibration, ranges };
  t.deepEqual((await precision(cnn(), examples, options)).exceeded, []);

  const x = tensor(randoms(64, 9, 60), [1, 1, 8, 8]);
  const { exceeded, layers } = await precision(cnn(), [{ x }], options);
  const bounds = new Set(exceeded.map(({ bound }) => bound));
  t.deepEqual([...bounds].sort(), ['calibrated', 'ring']);
  for (const { limits, value } of exceeded) t.true(value! < limits![0]! || value! > limits![1]!);
  t.true(layers.at(-1)!.relative < 1e-3, 'computed in whole words');
  const { outputs } = await runLocal(await compile(cnn(), options), { x }, { seed: 1 });
  const off = Math.max(...differences(cnn(), toFloat64(x), 1, toFloat64(outputs.y!)));
  t.true(off > layers.at(-1)!.largest / 10, 'and a private run is wrong');
});

test('examples of other names and shapes, numbers that are none, and no examples are refused', async (t) => {
  const x = tensor(randoms(64, 7), [1, 1, 8, 8]);
  await t.throwsAsync(precision(cnn(), []), coded('INVALID_OPTION'));
  await t.throwsAsync(precision(cnn(), [{}]), coded('MISSING_INPUT'));
  await t.throwsAsync(precision(cnn(), [{ x, other: x }]), coded('UNKNOWN_INPUT'));
  await t.throwsAsync(
    precision(cnn(), [{ x: tensor([...x.data].map(Number), [64]) }]),
    coded('INVALID_INPUT'),
  );
  for (const bad of [Number.NaN, 1e30]) {
    const wrong = tensor(new Float64Array(64).fill(bad), [1, 1, 8, 8]);
    await t.throwsAsync(precision(cnn(), [{ x: wrong }]), coded('VALUE_RANGE'));
  }
});
