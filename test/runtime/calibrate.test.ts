// Calibration of approximated functions: where their operands are is found first, since the approximation depends on it.

import test from 'ava';
import { calibrate, compile, runLocal, tensor } from '../../lib';
import { evaluate } from '../../lib/compiler/ops/evaluate';
import { inferShapes } from '../../lib/compiler/passes/infer-shapes';
import { importOnnx } from '../../lib/model/onnx/import';
import { checkDomains } from '../../lib/runtime/calibrate-domains';
import { toFloat64 } from '../../lib/tensor';
import { coded } from '../helpers/errors';
import { tensor as constant, float, model, node } from '../helpers/onnx';
import { randoms } from '../ops/oracle';

const shape = [1, 6, 4, 3];
const attrs = { size: 5, alpha: float(1e-4), beta: float(0.75), bias: float(1) };
const scaling = constant([], [50]);

/** 50 x through LRN: its sums of squares are far from what is taken where nothing is known. */
const lrn = () =>
  model({
    inputs: { x: shape },
    outputs: { y: shape },
    nodes: [node('Mul', ['x', 'c'], ['h']), node('LRN', ['h'], ['y'], attrs, 'lrn')],
    initializers: { c: scaling },
  });

function exact(x: readonly number[]): number[] {
  const [channels, plane] = [6, 12];
  return x.map((v, i) => {
    const channel = Math.floor(i / plane);
    let sum = 0;
    for (let c = Math.max(0, channel - 2); c <= Math.min(channels - 1, channel + 2); c++)
      sum += (50 * x[c * plane + (i % plane)]!) ** 2;
    return 50 * v * (1 + (1e-4 / 5) * sum) ** -0.75;
  });
}

test('a calibrated domain makes a polynomial of what a spline was taken for', async (t) => {
  const x = randoms(72, 5, 3);
  const examples = [{ x: tensor(randoms(72, 6, 3), shape) }, { x: tensor(randoms(72, 7, 3), shape) }];
  const calibration = await calibrate(lrn(), examples, { margin: 2 });
  const [[name, [lo, hi]]] = Object.entries(calibration.domains!) as [[string, readonly [number, number]]];
  t.is(name, 'lrn/power');
  const most = Math.max(...examples.flatMap((e) => exactSums(Array.from(toFloat64(e.x)))));
  t.true(lo >= 0 && Math.abs(hi / (2 * most) - 1) < 1e-5, `${hi} instead of ${2 * most}`);

  const wide = await compile(lrn());
  const narrow = await compile(lrn(), { calibration });
  const material = (m: typeof wide) => m.layers.reduce((n, l) => n + l.predicted.offline.bytes, 0);
  const ops = (m: typeof wide) => m.graph.nodes.map((n) => n.op);
  t.true(ops(wide).includes('spline') && ops(narrow).includes('polynomial'));
  t.false(ops(narrow).includes('spline'));
  t.true(material(narrow) < material(wide) / 4);
  t.true(narrow.predicted.online.rounds < wide.predicted.online.rounds);
  const expected = exact(x);
  const largest = Math.max(...expected.map(Math.abs));
  for (const m of [wide, narrow]) {
    const { outputs } = await runLocal(m, { x: tensor(x, shape) }, { seed: 1 });
    const worst = toFloat64(outputs.y!).reduce((e, v, i) => Math.max(e, Math.abs(v - expected[i]!)), 0);
    t.true(worst <= 1e-2 * largest, `${worst} of ${largest}`);
  }
});

function exactSums(x: readonly number[]): number[] {
  return exact(x)
    .map((y, i) => ((50 * x[i]!) / y) ** (4 / 3))
    .map((base) => (base - 1) * 5e4);
}

test('an operand that a function does not exist for is named, with its value', async (t) => {
  const negative = model({
    inputs: { x: [3] },
    outputs: { y: [3] },
    nodes: [node('Sqrt', ['x'], ['y'], {}, 'odd')],
  });
  const error = await t.throwsAsync(
    calibrate(negative, [{ x: tensor([1, -2.5, 3], [3]) }]),
    coded('VALUE_RANGE'),
  );
  t.regex(error!.message, /"odd".*-2\.5/);
});

test('a run that leaves a domain is told, with the node and the value', async (t) => {
  const calibration = await calibrate(lrn(), [{ x: tensor(randoms(72, 6, 3), shape) }], { margin: 2 });
  const { graph } = await compile(lrn(), { calibration });
  const operand = graph.nodes.find((n) => n.op === 'polynomial')!.inputs[0]!;
  const seen = (lo: number, hi: number) =>
    graph.nodes.map((n) => ({ lo, hi: n.outputs[0] === operand ? hi : lo }));
  t.notThrows(() => checkDomains(graph, seen(0, 1)));
  const error = t.throws(() => checkDomains(graph, seen(0, 1e9)), coded('VALUE_RANGE'));
  // In terms of the function: the polynomial is one of the distance from the middle of its domain.
  const [, lo, hi, value] = error!.message.match(/"lrn".* \[(\S+), (\S+)\], but its operand was (\S+)\. /)!;
  t.true(Number(lo) >= 0 && Math.abs(Number(value) - 1e9 - (Number(lo) + Number(hi)) / 2) < 1);
});

test('domains of another model, and intervals that are none, are refused', async (t) => {
  const calibration = await calibrate(lrn(), [{ x: tensor(randoms(72, 6, 3), shape) }]);
  for (const domains of [
    { 'other/power': [0, 1] },
    { 'lrn/power': [1, 0] },
    { 'lrn/power': [-1e6, 1] },
    { 'lrn/power': [0, Number.NaN] },
  ] as const) {
    const wrong = {
      ...calibration,
      domains: domains as unknown as Record<string, readonly [number, number]>,
    };
    await t.throwsAsync(compile(lrn(), { calibration: wrong }), coded('INVALID_OPTION'));
  }
});

test('tolerance and degree steer what is taken, and are checked', async (t) => {
  const ranges = { x: [1, 2.5] as const };
  const bytes = model({ inputs: { x: [3] }, outputs: { y: [3] }, nodes: [node('Reciprocal', ['x'], ['y'])] });
  const kind = async (approximation: object) => {
    const { graph } = await compile(bytes, { ranges, approximation });
    return graph.nodes.find((n) => ['polynomial', 'fourier', 'spline'].includes(n.op))!;
  };
  const degreeOf = (n: { attrs: object }) =>
    (n.attrs as { coefficients: BigInt64Array }).coefficients.length - 1;
  t.is(degreeOf(await kind({ tolerance: 2 ** -5 })), 2);
  t.is(degreeOf(await kind({})), 4);
  t.is((await kind({ tolerance: 2 ** -12 })).op, 'fourier');
  t.is((await kind({ degree: 1 })).op, 'fourier');
  for (const approximation of [{ tolerance: 0 }, { tolerance: 1 }, { degree: 0 }, { degree: 2.5 }])
    await t.throwsAsync(compile(bytes, { approximation }), coded('INVALID_OPTION'));
});

/** A convolution, LRN, InstanceNormalization, SiLU, and a classifier with Softmax. */
const network = () =>
  model({
    inputs: { x: ['n', 3, 5, 4] },
    outputs: { y: ['n', 4] },
    nodes: [
      node('Conv', ['x', 'w'], ['c'], { kernel_shape: [3, 3], pads: [1, 1, 1, 1] }, 'conv'),
      node('Relu', ['c'], ['r'], {}, 'relu'),
      node('LRN', ['r'], ['l'], { ...attrs, alpha: float(1e-3) }, 'lrn'),
      node('InstanceNormalization', ['l', 's', 'b'], ['i'], {}, 'norm'),
      node('Sigmoid', ['i'], ['g'], {}, 'sigmoid'),
      node('Mul', ['i', 'g'], ['h'], {}, 'silu'),
      node('GlobalAveragePool', ['h'], ['p'], {}, 'pool'),
      node('Flatten', ['p'], ['f'], {}, 'flat'),
      node('Gemm', ['f', 'v'], ['z'], {}, 'classes'),
      node('Softmax', ['z'], ['y'], {}, 'softmax'),
    ],
    initializers: {
      w: constant([8, 3, 3, 3], randoms(216, 1, 3)),
      s: constant([8], randoms(8, 2)),
      b: constant([8], randoms(8, 3)),
      v: constant([8, 4], randoms(32, 4, 4)),
    },
  });

test('a network of several functions, calibrated or not, rounded downwards, among three parties', async (t) => {
  const x = tensor(randoms(120, 8, 3), [2, 3, 5, 4]);
  const graph = inferShapes(importOnnx(network(), { batch: 2 }).graph);
  const [expected] = evaluate(graph, [toFloat64(x)]);
  const calibration = await calibrate(network(), [{ x: tensor(randoms(120, 9, 3), [2, 3, 5, 4]) }], {
    batch: 2,
  });
  t.deepEqual(Object.keys(calibration.domains!).sort(), [
    'lrn/power',
    'norm/power',
    'silu/silu',
    'softmax/decay',
    'softmax/power',
  ]);
  const rounds: number[] = [];
  for (const options of [{}, { calibration }, { calibration, exactTruncation: true, parties: 3 }]) {
    const m = await compile(network(), { batch: 2, ...options });
    const { outputs, communication } = await runLocal(m, { x }, { seed: 1 });
    const clear = await runLocal(m, { x }, { seed: 1, cleartext: true });
    t.deepEqual(clear.outputs, outputs);
    t.deepEqual(communication.counted, communication.predicted);
    toFloat64(outputs.y!).forEach((v, i) => {
      t.true(Math.abs(v - expected!.data[i]!) <= 1e-2, `${v} instead of ${expected!.data[i]}`);
    });
    rounds.push(communication.counted.online.rounds);
  }
  t.true(rounds[1]! < rounds[0]!);
});
