// The weights file: the private half of a compiled model, for its owner alone. A .npz archive with one array for every
// weight that the program asks for, so that its content can be looked at with numpy.

import { createHmac } from 'node:crypto';
import type { Weights } from '../compiler/compile';
import type { ConstantData } from '../compiler/ir/graph';
import type { Io } from '../compiler/program';
import { CryptorchError } from '../errors';
import { readNpz, writeNpz } from '../model/npz';
import type { InputArray } from '../native';
import { type Tensor, tensor } from '../tensor';

export function encodeWeights(ios: readonly Io[], weights: Weights): Uint8Array {
  return writeNpz(
    new Map(
      ios.map((io) => {
        const data = weights.get(io.name);
        if (data === undefined) throw new CryptorchError('INTERNAL', `weight '${io.name}' has no data`);
        return [io.name, tensor(data, io.shape)];
      }),
    ),
  );
}

/**
 * The weights that a program asks for; `what` names the file in errors.
 * @throws CryptorchError INVALID_PROGRAM where they are not those of the program; INVALID_WEIGHTS; INVALID_NPY
 */
export function decodeWeights(bytes: Uint8Array, ios: readonly Io[], what: string): Map<string, InputArray> {
  const refuse = (why: string): CryptorchError =>
    new CryptorchError(
      'INVALID_PROGRAM',
      `${what} does not belong to the program: ${why}. Compile the model again, and use both files of one compilation.`,
      { file: what },
    );
  const found = readNpz(bytes, what);
  const extra = [...found.keys()].find((name) => !ios.some((io) => io.name === name));
  if (extra !== undefined) throw refuse(`it has an array "${extra}" that is no weight of the program`);
  return new Map(
    ios.map((io) => {
      const array = found.get(io.name);
      if (array === undefined) throw refuse(`the weight "${io.name}" is missing`);
      if (array.shape.join() !== io.shape.join()) {
        throw refuse(
          `the weight "${io.name}" has shape [${array.shape.join(', ')}] instead of [${io.shape.join(', ')}]`,
        );
      }
      return [io.name, numbersOf(array, io.name, what)];
    }),
  );
}

function numbersOf({ data }: Tensor, name: string, what: string): InputArray {
  if (data instanceof BigInt64Array || data instanceof Int32Array) return data;
  if (!(data instanceof Float32Array || data instanceof Float64Array)) {
    throw new CryptorchError(
      'INVALID_WEIGHTS',
      `The weight "${name}" in ${what} must be float32, float64, int32 or int64.`,
      { weight: name },
    );
  }
  const index = data.findIndex((x: number) => !Number.isFinite(x));
  if (index >= 0) {
    throw new CryptorchError(
      'INVALID_WEIGHTS',
      `The weight "${name}" in ${what} is not finite at element ${index}.`,
      { weight: name, index },
    );
  }
  return data;
}

/**
 * A tag by which the owner of weights recognises them without keeping them: a keyed hash, so that it says nothing about
 * the weights to others.
 */
export function weightsTag(
  seed: Uint8Array,
  weights: ReadonlyMap<string, InputArray | ConstantData>,
): string {
  const hmac = createHmac('sha256', seed).update('cryptorch weights 1\n');
  for (const [name, data] of [...weights].sort(([a], [b]) => (a < b ? -1 : 1))) {
    hmac.update(JSON.stringify([name, data.constructor.name, data.length]));
    hmac.update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
  return hmac.digest('hex');
}
