// Networks in their published form (bench/networks), on small images: private outputs agree with onnxruntime, and bit
// for bit with the cleartext replay; rounds and bytes are as predicted.

import test, { type ExecutionContext } from 'ava';
import * as ort from 'onnxruntime-node';
import { IMAGE_NETWORKS } from '../../bench/networks';
import { normals } from '../../bench/networks/builder';
import { alexnet, vgg19 } from '../../bench/networks/classic';
import { type CompileOptions, compile, runLocal, type Tensor, tensor } from '../../lib';

/** Largest |private - plaintext| as a part of the largest |plaintext|. */
const MOST_ERROR = 1e-2;

/** Fully connected layers of 512 instead of 4096, which the tests would spend most of their time on. */
const NARROW = 8;

function image(size: number): Tensor {
  const normal = normals(7);
  return tensor(
    Float32Array.from({ length: 3 * size * size }, () => normal()),
    [1, 3, size, size],
  );
}

async function plaintext(bytes: Uint8Array, x: Tensor): Promise<Float32Array> {
  const session = await ort.InferenceSession.create(bytes, { logSeverityLevel: 4 });
  const feeds = { x: new ort.Tensor('float32', x.data as Float32Array, [...x.shape]) };
  const { y } = await session.run(feeds);
  await session.release();
  return y!.data as Float32Array;
}

async function agrees(
  t: ExecutionContext,
  bytes: Uint8Array,
  size: number,
  options: CompileOptions = {},
): Promise<void> {
  t.timeout(240_000);
  const x = image(size);
  const expected = await plaintext(bytes, x);
  const model = await compile(bytes, options);
  const run = await runLocal(model, { x }, { seed: 1 });
  const largest = expected.reduce((m, v) => Math.max(m, Math.abs(v)), 0);
  // Activations of order one, not all alike: otherwise agreement would say little.
  t.true(largest > 0.3 && largest < 100, `outputs up to ${largest}`);
  t.true(new Set(expected).size > expected.length / 3);
  const actual = run.outputs.y!.data as Float32Array;
  const error = expected.reduce((m, v, i) => Math.max(m, Math.abs(v - actual[i]!)), 0) / largest;
  t.true(error <= MOST_ERROR, `error ${error}`);
  const clear = await runLocal(model, { x }, { seed: 1, cleartext: true });
  t.deepEqual(clear.outputs, run.outputs, 'cleartext replay');
  t.deepEqual(run.communication.counted, run.communication.predicted);
}

for (const name of [
  'SqueezeNet 1.1',
  'MobileNetV2',
  'ShuffleNet v2',
  'DenseNet-121',
  'Inception v1',
  'Inception v1 with LRN',
  'ResNet-50',
]) {
  test.serial(`${name}, two parties`, async (t) => {
    await agrees(t, IMAGE_NETWORKS[name]!(32), 32);
  });
}

test.serial('VGG-19 with narrow fully connected layers, two parties', async (t) => {
  await agrees(t, vgg19(32, NARROW), 32);
});

test.serial('AlexNet with narrow fully connected layers, two parties', async (t) => {
  await agrees(t, alexnet(64, NARROW), 64);
});

test.serial('SqueezeNet 1.1, three parties, which send large openings by slices', async (t) => {
  const bytes = IMAGE_NETWORKS['SqueezeNet 1.1']!(64);
  await agrees(t, bytes, 64, { parties: 3, slicedBytes: 2 ** 16 });
});
