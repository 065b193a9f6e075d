// What there is to classify: held-out images with their labels, the model, and what it says in plaintext.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node';
import { CryptorchError } from '../../lib/index'; // in an application: from 'cryptorch-native'
import { readNpy } from '../../lib/model/npy';
import { rows, type Tensor } from '../../lib/tensor';

export const MODEL: string = join(__dirname, 'digits.onnx');

export interface Digits {
  readonly count: number;
  /** [count, 1, 8, 8] */
  readonly images: Tensor;
  readonly labels: readonly number[];
}

/** The first `count` held-out images, or all. */
export async function loadDigits(count: string | undefined): Promise<Digits> {
  const all = await load('images.npy');
  const wanted = Math.min(wholeNumber(count ?? String(all.shape[0]), 1, '--images'), all.shape[0]!);
  const labels = Array.from((await load('labels.npy')).data.subarray(0, wanted), Number);
  return { count: wanted, images: rows(all, 0, wanted), labels };
}

/** Scores of onnxruntime-node in float32. */
export async function plaintext(images: Tensor): Promise<Float32Array> {
  const session = await InferenceSession.create(MODEL);
  const feed = new OrtTensor('float32', images.data as Float32Array, [...images.shape]);
  const { logits } = await session.run({ image: feed });
  return logits!.data as Float32Array;
}

export function wholeNumber(text: string, least: number, option: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= least) return value;
  throw new CryptorchError(
    'INVALID_OPTION',
    `${option} is "${text}"; give a whole number of at least ${least}.`,
  );
}

async function load(name: string): Promise<Tensor> {
  const path = join(__dirname, name);
  return readNpy(await readFile(path), path);
}
