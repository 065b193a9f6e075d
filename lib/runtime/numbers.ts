// Tensors and what the core takes and gives: an array per input, and one per output.

import type { Io, Program } from '../compiler/program';
import { INTEGER_BITS } from '../compiler/widths';
import { CryptorchError, type ErrorName } from '../errors';
import type { InputArray } from '../native';
import { checkTensor, type Tensor } from '../tensor';

/** Tensors by the name of the input or output. */
export type Tensors = Readonly<Record<string, Tensor>>;

/** Values of these that a party holds in the clear. */
export function heldBy(program: Program, kind: Io['kind'], party: number): Io[] {
  return program.ios.filter((io) => io.kind === kind && (io.owner === party || io.owner === 'public'));
}

/**
 * Whether exactly these inputs are given.
 * @throws CryptorchError MISSING_INPUT, UNKNOWN_INPUT, INVALID_INPUT where one is no tensor
 */
export function checkNames(ios: readonly Pick<Io, 'name' | 'shape'>[], inputs: Tensors): void {
  const names = ios.map((io) => io.name);
  const list = names.length === 0 ? 'none' : names.join(', ');
  for (const name of Object.keys(inputs)) {
    if (!names.includes(name)) {
      const message = `"${name}" is not an input to give here; those are: ${list}.`;
      throw new CryptorchError('UNKNOWN_INPUT', message, { input: name, inputs: names });
    }
    checkTensor(inputs[name], `Input "${name}"`);
  }
  const missing = ios.find((io) => !Object.hasOwn(inputs, io.name));
  if (missing === undefined) return;
  const message = `Input "${missing.name}" of shape [${missing.shape.join(', ')}] is missing; give a tensor for every input: ${list}.`;
  throw new CryptorchError('MISSING_INPUT', message, { input: missing.name, inputs: names });
}

/**
 * Arrays for the named inputs, copied, so that the caller may go on using its own.
 * @throws CryptorchError MISSING_INPUT, UNKNOWN_INPUT, INVALID_INPUT
 */
export function takeInputs(
  ios: readonly Pick<Io, 'name' | 'shape'>[],
  inputs: Tensors,
): Map<string, InputArray> {
  checkNames(ios, inputs);
  return new Map(
    ios.map(({ name, shape }) => {
      const tensor = checkTensor(inputs[name], `Input "${name}"`);
      if (tensor.shape.join() !== shape.join()) {
        const message = `Input "${name}" has shape [${tensor.shape.join(', ')}], but the program takes [${shape.join(', ')}]. Reshape the input, or compile for its shape.`;
        throw new CryptorchError('INVALID_INPUT', message, {
          input: name,
          shape: tensor.shape,
          expected: shape,
        });
      }
      return [name, asArray(tensor)];
    }),
  );
}

function asArray({ data }: Tensor): InputArray {
  const direct =
    data instanceof Float32Array ||
    data instanceof Float64Array ||
    data instanceof Int32Array ||
    data instanceof BigInt64Array;
  return direct ? data.slice() : Float64Array.from(data as ArrayLike<number>, Number);
}

/** What the core is given for every input and output of a program, by position. */
export function byPosition(
  program: Program,
  numbers: ReadonlyMap<string, InputArray>,
): (InputArray | undefined)[] {
  return program.ios.map((io) => {
    if (io.kind === 'output') return undefined;
    return io.data === undefined ? numbers.get(io.name) : BigInt64Array.from(io.data, BigInt);
  });
}

/** Positions of outputs that are whole numbers. */
export function integerOutputs(program: Program): number[] {
  return program.ios.flatMap((io, i) => (io.kind === 'output' && io.dtype !== 'fixed' ? [i] : []));
}

/** The outputs that a party learns, as tensors by name. */
export function takeOutputs(
  program: Program,
  party: number,
  outputs: readonly (Float64Array | BigInt64Array | null | undefined)[],
): Record<string, Tensor> {
  const mine = new Set(heldBy(program, 'output', party));
  return Object.fromEntries(
    program.ios.flatMap((io, i) => {
      const data = mine.has(io) ? outputs[i] : undefined;
      return data ? [[io.name, asTensor(io, data)]] : [];
    }),
  );
}

/** Numbers of an output as a tensor. */
export function asTensor(io: Io, data: Float64Array | BigInt64Array): Tensor {
  const shape = [...io.shape];
  if (io.dtype === 'bool')
    return { shape, dtype: 'bool', data: Uint8Array.from(data as BigInt64Array, Number) };
  if (data instanceof BigInt64Array) return { shape, dtype: 'int64', data };
  return { shape, dtype: 'float32', data: Float32Array.from(data) };
}

/**
 * Whether every number fits its fixed-point format. Found out before anything is said to others, because a run that
 * fails for this reason would tell them something about an input.
 * @throws CryptorchError VALUE_RANGE; it names the place, not the value
 */
export function checkRange(ios: readonly Io[], numbers: ReadonlyMap<string, InputArray>): void {
  for (const io of ios) {
    const data = numbers.get(io.name);
    const { lo, hi } = limitsOf(io);
    const index = (data as Float64Array | undefined)?.findIndex((x) => !(x > lo && x < hi)) ?? -1;
    if (index >= 0) throw outOfRange(io, index, reasonOf(Number(data?.[index])));
  }
}

function reasonOf(value: number): string {
  return Number.isNaN(value) ? 'nan' : Number.isFinite(value) ? 'large' : 'infinite';
}

const REASONS: Readonly<Record<string, string>> = { nan: 'is not a number', infinite: 'is infinite' };

function outOfRange(io: Io, index: number, reason: string, cause?: unknown): CryptorchError {
  const position = positionOf(index, io.shape);
  const { lo, hi } = io.range ?? limitsOf(io);
  const why = io.range
    ? 'the model was compiled for values'
    : `with ${io.scale} fractional bits, values must lie`;
  const message = `${kindOf(io)} "${io.name}": the value at [${position.join(', ')}] ${REASONS[reason] ?? 'is out of range'}; ${why} between ${lo} and ${hi}.`;
  return new CryptorchError(
    'VALUE_RANGE',
    message,
    { input: io.name, index, position, reason, lo, hi },
    cause,
  );
}

/** What a number must lie between: half a unit around its range, and what fits a word. */
function limitsOf(io: Io): { lo: number; hi: number } {
  const half = 2 ** -(io.scale + 1);
  const limit = 2 ** (INTEGER_BITS - io.scale);
  if (!io.range) return { lo: -limit, hi: limit };
  return { lo: Math.max(io.range.lo - half, -limit), hi: Math.min(io.range.hi + half, limit) };
}

function kindOf(io: Io): string {
  return io.kind === 'weight' ? 'Weight' : 'Input';
}

/** The core knows inputs by number; people know them by name. */
export function namedInput(error: unknown, program: Program): unknown {
  if (!CryptorchError.is(error)) return error;
  const io = typeof error.details.io === 'number' ? program.ios[error.details.io] : undefined;
  if (io === undefined) return error;
  const name = error.code.slice('ERR_CRYPTORCH_'.length) as ErrorName;
  if (name === 'VALUE_RANGE')
    return outOfRange(io, Number(error.details.index), String(error.details.reason), error);
  return new CryptorchError(
    name,
    `${kindOf(io)} "${io.name}": ${error.message}`,
    { ...error.details, input: io.name },
    error,
  );
}

function positionOf(index: number, shape: readonly number[]): number[] {
  const result: number[] = [];
  let rest = index;
  for (const dim of [...shape].reverse()) {
    result.unshift(rest % dim);
    rest = Math.floor(rest / dim);
  }
  return result;
}
