// numpy's .npz files: a zip archive of one .npy file per array.

import { CryptorchError } from '../errors';
import type { Tensor } from '../tensor';
import { readNpy, writeNpy } from './npy';
import { readZip, writeZip, type ZipEntry } from './zip';

const MAX_BYTES: number = 4 * 2 ** 30;

/**
 * The arrays of a .npz file by name; `what` names the file in errors, `limit` bounds the unpacked bytes.
 * @throws CryptorchError INVALID_NPY
 */
export function readNpz(
  file: Uint8Array,
  what: string = 'the npz file',
  limit: number = MAX_BYTES,
): Map<string, Tensor> {
  const refuse = (why: string, cause?: unknown): never => {
    const message = `Cannot read ${what}: ${why}; save it again with numpy.savez.`;
    throw new CryptorchError('INVALID_NPY', message, { file: what }, cause);
  };
  let entries: ZipEntry[];
  try {
    entries = readZip(file, limit);
  } catch (cause) {
    return refuse(cause instanceof Error ? cause.message : 'it is damaged', cause);
  }
  const arrays = new Map<string, Tensor>();
  for (const { name, data } of entries) {
    if (!name.endsWith('.npy')) return refuse(`its entry ${JSON.stringify(name)} is not an npy file`);
    const key = name.slice(0, -'.npy'.length);
    if (arrays.has(key)) return refuse(`it holds ${JSON.stringify(key)} twice`);
    arrays.set(key, readNpy(data, `${JSON.stringify(name)} in ${what}`));
  }
  return arrays;
}

/**
 * A .npz file of named tensors, uncompressed as numpy.savez writes it.
 * @throws CryptorchError INVALID_INPUT where a tensor is not well-formed, or all are more than 4 GiB.
 */
export function writeNpz(arrays: ReadonlyMap<string, Tensor> | Readonly<Record<string, Tensor>>): Uint8Array {
  const named = arrays instanceof Map ? [...arrays] : Object.entries(arrays as Record<string, Tensor>);
  const entries = named.map(([name, value]) => ({ name: `${name}.npy`, data: writeNpy(value) }));
  try {
    return writeZip(entries);
  } catch (cause) {
    const message = `Cannot write an npz file: ${(cause as Error).message}; write several npy files.`;
    throw new CryptorchError('INVALID_INPUT', message, {}, cause);
  }
}
