// A batch of any size on programs of fixed batch sizes: cut along the first dimension, the largest pieces first, and
// the outputs put together again.

import { CryptorchError } from '../errors';
import { arrayOf, rows, type Tensor } from '../tensor';
import type { PartyResult } from './jobs';
import type { Tensors } from './numbers';
import type { Party, PartyRunOptions } from './party';

/** Runs that are queued at the same time, so that one is prepared while another is computed. */
const AT_ONCE = 4;

/**
 * Runs all rows; gives the results of the runs in order.
 * @throws as Party.run
 */
export async function runRows(
  party: Party,
  index: number,
  inputs: Tensors,
  options: PartyRunOptions = {},
): Promise<PartyResult[]> {
  const pieces = cut(party, index, inputs);
  const results: PartyResult[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < pieces.length) {
      const at = next++;
      results[at] = await party.run(pieces[at] as Tensors, options);
    }
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, pieces.length) }, worker));
  return results;
}

/** Outputs of several runs, one after the other along the first dimension. */
export function joinRows(results: readonly PartyResult[]): Record<string, Tensor> {
  const [first] = results;
  if (first === undefined || results.length === 1) return { ...first?.outputs };
  return Object.fromEntries(
    Object.entries(first.outputs).map(([name, { dtype, shape }]) => {
      const parts = results.map((r) => r.outputs[name] as Tensor);
      const data = new (arrayOf(dtype))(parts.reduce((sum, part) => sum + part.data.length, 0));
      let at = 0;
      for (const part of parts) {
        (data as Float64Array).set(part.data as Float64Array, at);
        at += part.data.length;
      }
      const count = parts.reduce((sum, part) => sum + (part.shape[0] ?? 1), 0);
      return [name, { shape: [count, ...shape.slice(1)], dtype, data }];
    }),
  );
}

function cut(party: Party, index: number, inputs: Tensors): Tensors[] {
  const names = Object.keys(inputs);
  const count = inputs[names[0] ?? '']?.shape[0] ?? 0;
  const { deployment } = party;
  const sizes = deployment.programs.map((_, p) => deployment.held('input', index, p)[0]?.shape[0] ?? 0);
  const alike = names.every((name) => inputs[name]?.shape[0] === count);
  // One program takes all, or none can: the run itself says what is wrong.
  if (names.length === 0 || !alike || sizes.includes(count)) return [inputs];
  const pieces: Tensors[] = [];
  let from = 0;
  for (const size of [...new Set(sizes)].filter((s) => s > 0).sort((a, b) => b - a)) {
    for (; count - from >= size; from += size) {
      pieces.push(
        Object.fromEntries(Object.entries(inputs).map(([name, t]) => [name, rows(t, from, from + size)])),
      );
    }
  }
  if (from === count && pieces.length > 0) return pieces;
  throw new CryptorchError(
    'INVALID_INPUT',
    `A batch of ${count} cannot be made of batches of ${[...new Set(sizes)].join(', ')}, for which the programs were compiled. Compile for batch 1 too, or pad the input.`,
    { count, sizes },
  );
}
