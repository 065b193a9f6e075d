import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import * as ort from 'onnxruntime-node';
import {
  type CompiledModel,
  CryptorchError,
  compile,
  type ErrorCode,
  type RunResult,
  runLocal,
  tensor,
} from '../../lib';
import { readNpy } from '../../lib/model/npy';
import { rows, toFloat64 } from '../../lib/tensor';
import { node, model as onnx, tensor as weight } from '../helpers/onnx';

const digits = resolve('examples/digits/digits.onnx');
const images = readNpy(readFileSync('examples/digits/images.npy'), 'images.npy');

async function plaintext(batch: number): Promise<Float32Array> {
  const session = await ort.InferenceSession.create(digits, { logSeverityLevel: 4 });
  const part = rows(images, 0, batch);
  const feeds = {
    [session.inputNames[0]!]: new ort.Tensor('float32', part.data as Float32Array, [...part.shape]),
  };
  const result = await session.run(feeds);
  return result[session.outputNames[0]!]!.data as Float32Array;
}

function onlyOutput(result: RunResult): Float64Array {
  return toFloat64(Object.values(result.outputs)[0]!);
}

for (const parties of [2, 3]) {
  test(`the digits network on real images, ${parties} parties, agrees with onnxruntime`, async (t) => {
    const batch = 24;
    const model: CompiledModel = await compile(digits, { parties, batch });
    const name = model.inputs[0]!.name;
    const result = await runLocal(model, { [name]: rows(images, 0, batch) }, { seed: 7, timeout: 50_000 });
    const expected = await plaintext(batch);
    const actual = onlyOutput(result);
    const largest = expected.reduce((m, v) => Math.max(m, Math.abs(v)), 0);
    t.is(actual.length, expected.length);
    for (const [i, v] of expected.entries()) t.true(Math.abs(v - actual[i]!) <= 1e-2 * largest);
    t.deepEqual(result.communication.counted, result.communication.predicted);
    for (const layer of result.layers) {
      for (const phase of ['setup', 'offline', 'online'] as const) {
        const { rounds, bytes } = layer.counted[phase];
        t.deepEqual({ rounds, bytes }, layer.predicted[phase], `${layer.name} ${phase}`);
      }
    }
    const clear = await runLocal(model, { [name]: rows(images, 0, batch) }, { seed: 7, cleartext: true });
    t.deepEqual(onlyOutput(clear), actual, 'cleartext replay is bit-exact');
  });
}

const gemm = onnx({
  inputs: { x: ['N', 3] },
  outputs: { y: ['N', 2] },
  nodes: [node('Gemm', ['x', 'w', 'b'], ['z']), node('Relu', ['z'], ['y'])],
  initializers: { w: weight([3, 2], [1, -2, 0.5, 4, -0.25, 3]), b: weight([2], [0.125, -1]) },
});

const x = tensor([1, 2, 3, -1, 0.5, 8], [2, 3]);

test('Gemm and Relu', async (t) => {
  const model = await compile(gemm, { batch: 2 });
  const { outputs } = await runLocal(model, { x });
  t.deepEqual(outputs.y!.shape, [2, 2]);
  t.deepEqual(
    [...toFloat64(outputs.y!)].map((v) => Math.round(v * 1000) / 1000),
    [1.375, 14, 0, 27],
  );
});

test('several inputs of different parties give several outputs, each to its own receiver', async (t) => {
  const bytes = onnx({
    inputs: { a: [2, 3], b: [2, 3], c: [3, 2] },
    outputs: { sum: [2, 3], product: [2, 2], both: [2, 2] },
    nodes: [
      node('Add', ['a', 'b'], ['sum']),
      node('MatMul', ['sum', 'c'], ['product']),
      node('Relu', ['product'], ['both']),
    ],
  });
  const owners = { a: 0, b: 1, c: 2, sum: 1, product: 2, both: 'public' } as const;
  const model = await compile(bytes, { parties: 3, owners });
  const [a, b, c] = [
    [1, 2, 3, 4, 5, 6],
    [0.5, -2, 1, -8, 0, 1],
    [1, -1, 0.5, 2, 1, 1],
  ];
  const inputs = { a: tensor(a!, [2, 3]), b: tensor(b!, [2, 3]), c: tensor(c!, [3, 2]) };
  const { outputs, communication } = await runLocal(model, inputs, { seed: 1 });
  const rounded = (name: string): number[] =>
    [...toFloat64(outputs[name]!)].map((v) => Math.round(v * 100) / 100);
  t.deepEqual(rounded('sum'), [1.5, 0, 4, -4, 5, 7]);
  t.deepEqual(rounded('product'), [5.5, 2.5, 5.5, 21]);
  t.deepEqual(rounded('both'), [5.5, 2.5, 5.5, 21]);
  t.deepEqual(
    model.outputs.map(({ name, owner }) => [name, owner]),
    [
      ['sum', 1],
      ['product', 2],
      ['both', 'public'],
    ],
  );
  t.deepEqual(communication.counted, communication.predicted);
});

test('owners: inputs, weights and outputs at any party, or shared', async (t) => {
  for (const owners of [
    { x: 1, weights: 0, y: 1 },
    { x: 0, weights: 0, y: 1 },
    { x: 'secret', weights: 2, y: 0 },
    { x: 2, weights: 'secret', y: 2 },
    { x: 1, weights: 2, y: 'public' },
  ] as const) {
    const model = await compile(gemm, { parties: 3, batch: 2, owners });
    const { outputs, communication } = await runLocal(model, { x }, { seed: 1 });
    t.deepEqual([...toFloat64(outputs.y!)].map(Math.round), [1, 14, 0, 27], JSON.stringify(owners));
    t.deepEqual(communication.counted, communication.predicted);
  }
});

test('an output that stays shared is not given to anybody', async (t) => {
  const model = await compile(gemm, { batch: 2, owners: { y: 'secret' } });
  const { outputs } = await runLocal(model, { x });
  t.deepEqual(outputs, {});
});

async function failure(t: ExecutionContext, run: Promise<unknown>, code: ErrorCode): Promise<CryptorchError> {
  const error = await t.throwsAsync(run, { instanceOf: CryptorchError });
  t.is(error.code, code);
  return error as CryptorchError;
}

test('missing, extra and misshapen inputs', async (t) => {
  const model = await compile(gemm, { batch: 2 });
  await failure(t, runLocal(model, {}), 'ERR_CRYPTORCH_MISSING_INPUT');
  await failure(t, runLocal(model, { x, z: x }), 'ERR_CRYPTORCH_UNKNOWN_INPUT');
  const wrong = await failure(t, runLocal(model, { x: tensor([1, 2, 3]) }), 'ERR_CRYPTORCH_INVALID_INPUT');
  t.regex(wrong.message, /\[3\].*\[2, 3\]/);
});

test('a value that does not fit says where, what and the limit, but not the value', async (t) => {
  const model = await compile(gemm, { batch: 2 });
  for (const [bad, reason] of [
    [Number.NaN, /is not a number/],
    [Number.POSITIVE_INFINITY, /is infinite/],
    [1.5e14, /out of range/],
  ] as const) {
    const error = await failure(
      t,
      runLocal(model, { x: tensor([0, 0, 0, 0, bad, 0], [2, 3]) }),
      'ERR_CRYPTORCH_VALUE_RANGE',
    );
    t.regex(error.message, reason);
    t.regex(error.message, /Input "x".*\[1, 1\].*70368744177664/);
    t.notRegex(error.message, /15000000000000|1\.5e14/);
  }
});

test('too little memory is refused with the amount that is needed', async (t) => {
  const model = await compile(gemm, { batch: 2 });
  const error = await failure(
    t,
    runLocal(model, { x }, { memoryLimit: 1000 }),
    'ERR_CRYPTORCH_OUT_OF_MEMORY',
  );
  t.true(Number(error.details.needed) > 1000);
});

test('a run does not block this thread, and can be cancelled', async (t) => {
  const model = await compile(digits, { batch: 8 });
  const controller = new AbortController();
  let settled = false;
  const run = runLocal(
    model,
    { [model.inputs[0]!.name]: rows(images, 0, 8) },
    { signal: controller.signal, network: '1Gbit,50ms' },
  ).finally(() => {
    settled = true;
  });
  for (let turn = 0; turn < 20; turn++) await setImmediate();
  t.false(settled, 'the event loop turns while the run goes on');
  controller.abort();
  await failure(t, run, 'ERR_CRYPTORCH_CANCELLED');
});

test('options that make no sense', async (t) => {
  await failure(t, compile(gemm, { parties: 1 }), 'ERR_CRYPTORCH_INVALID_OPTION');
  await failure(t, compile(gemm, { owners: { x: 7 } }), 'ERR_CRYPTORCH_INVALID_OPTION');
  await failure(t, compile(gemm, { owners: { nothing: 0 } }), 'ERR_CRYPTORCH_INVALID_OPTION');
  await failure(t, compile('/does/not/exist.onnx'), 'ERR_CRYPTORCH_FILE');
});

test('what is public and what is private', async (t) => {
  const model = await compile(gemm, { batch: 2 });
  t.deepEqual([...model.privateInitializers].sort(), ['b', 'w']);
  t.deepEqual(model.publicInitializers, []);
  t.notRegex(
    JSON.stringify(model.program, (_k, v) => (typeof v === 'bigint' ? `${v}` : v)),
    /0\.125|0\.25/,
  );
  t.false(
    [...model.weights.keys()].some((name) =>
      model.program.ios.some((io) => io.name === name && io.data !== undefined),
    ),
  );
});
