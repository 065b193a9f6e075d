// The demo: classifies the held-out digits privately and compares with the same model in plaintext.
//
// Party 0 owns the images and alone learns the scores; party 1 owns the weights; a dealer supplies the randomness.
// All of them run as threads of this process. onnxruntime-node computes the plaintext reference.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node';
import { report } from '../../lib/cli/fail';
import { progressTo } from '../../lib/cli/progress';
import { agrees, layerTables, summary, times } from '../../lib/cli/report';
import { compile, runLocal } from '../../lib/index'; // in an application: from 'cryptorch-native'
import { readNpy } from '../../lib/model/npy';
import { rows, type Tensor } from '../../lib/tensor';

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { parties: { type: 'string' }, images: { type: 'string' } } });
  const model = join(__dirname, 'digits.onnx');
  const all = await load('images.npy');
  const count = Math.min(Number(values.images ?? all.shape[0]), all.shape[0]!);
  const images = rows(all, 0, count);
  const labels = Array.from((await load('labels.npy')).data.subarray(0, count), Number);

  const progress = progressTo(process.stderr);
  progress.note(`compiling digits.onnx for ${count} images`);
  const compiled = await compile(model, {
    parties: Number(values.parties ?? 2),
    shapes: { image: [...images.shape] },
    owners: { image: 0, weights: 1, logits: 0 },
  });
  progress.note('running the dealer and all parties');
  const result = await runLocal(
    compiled,
    { image: images },
    { onProgress: (event) => progress.update(event) },
  );
  progress.end();
  progress.note(times(result));

  const scores = result.outputs.logits!;
  const expected = await plaintext(model, images);
  const secret = largest(scores.data as ArrayLike<number>, count);
  const plain = largest(expected, count);
  const error = Math.max(...expected.map((value, i) => Math.abs(value - Number(scores.data[i]))));
  const online = result.seconds.online;

  console.log(`${layerTables(result)}\n\n${summary(result)}\n`);
  console.log(
    `prediction and count ${agrees(result) ? 'agree in every byte and round' : 'DIFFER: please report this'}`,
  );
  console.log(`private accuracy        ${share(secret, labels)}`);
  console.log(`plaintext accuracy      ${share(plain, labels)}`);
  console.log(
    `same digit as plaintext ${share(secret, plain)}; largest difference of a score ${error.toExponential(1)}`,
  );
  console.log(
    `online time             ${online.toFixed(3)} s, ${((1e6 * online) / count).toFixed(0)} us an image`,
  );
}

async function load(name: string): Promise<Tensor> {
  const path = join(__dirname, name);
  return readNpy(await readFile(path), path);
}

async function plaintext(model: string, images: Tensor): Promise<Float32Array> {
  const session = await InferenceSession.create(model);
  const feed = new OrtTensor('float32', images.data as Float32Array, [...images.shape]);
  const { logits } = await session.run({ image: feed });
  return logits!.data as Float32Array;
}

/** Index of the largest of ten scores, row by row. */
function largest(scores: ArrayLike<number>, count: number): number[] {
  return Array.from({ length: count }, (_, row) => {
    const ten = Array.from({ length: 10 }, (_, digit) => scores[10 * row + digit]!);
    return ten.indexOf(Math.max(...ten));
  });
}

function share(found: readonly number[], wanted: readonly number[]): string {
  const right = found.filter((digit, i) => digit === wanted[i]).length;
  return `${right} of ${wanted.length} = ${((100 * right) / wanted.length).toFixed(2)} %`;
}

main().catch((error: unknown) => {
  process.exitCode = report(error, process.stderr);
});
