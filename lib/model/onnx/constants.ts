// `Constant` nodes: a value written into the graph as an attribute.

import { CryptorchError } from '../../errors';
import { readAttributes } from './attributes';
import type { ExternalFiles } from './external';
import type { NodeProto } from './onnx_pb';
import { invalidModel, isDefaultDomain } from './reader';
import type { DecodedTensor } from './tensors';

export function isConstantNode(proto: NodeProto): boolean {
  return proto.opType === 'Constant' && isDefaultDomain(proto.domain);
}

/**
 * The value of a Constant node; `what` names the node in errors.
 * @throws CryptorchError INVALID_MODEL, UNSUPPORTED_DATA, INVALID_WEIGHTS
 */
export function constantTensor(proto: NodeProto, what: string, files: ExternalFiles): DecodedTensor {
  if (proto.attribute.some((a) => a.name === 'sparse_value')) {
    throw new CryptorchError('UNSUPPORTED_DATA', `The ${what} is sparse; convert it to a dense tensor.`);
  }
  const entries = Object.entries(readAttributes(proto, what, files));
  const [name, value] = entries[0] ?? [];
  if (entries.length === 1) {
    if (name === 'value' && isTensor(value)) return value;
    if (name === 'value_float' && typeof value === 'number') {
      return { shape: [], dtype: 'fixed', data: Float32Array.of(value) };
    }
    if (name === 'value_int' && typeof value === 'number') {
      return { shape: [], dtype: 'int', data: BigInt64Array.of(BigInt(value)) };
    }
    if (name === 'value_floats' && isNumbers(value)) {
      return { shape: [value.length], dtype: 'fixed', data: Float32Array.from(value) };
    }
    if (name === 'value_ints' && isNumbers(value)) {
      return { shape: [value.length], dtype: 'int', data: BigInt64Array.from(value, BigInt) };
    }
    if (name === 'value_string' || name === 'value_strings') {
      throw new CryptorchError(
        'UNSUPPORTED_DATA',
        `The ${what} is text, which has no private form; remove it.`,
      );
    }
  }
  throw invalidModel(`The ${what} has not exactly one value. Export the model again.`);
}

function isTensor(value: unknown): value is DecodedTensor {
  return typeof value === 'object' && value !== null && 'dtype' in value;
}

function isNumbers(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((v) => typeof v === 'number');
}
