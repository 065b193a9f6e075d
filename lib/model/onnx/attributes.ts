// AttributeProto -> plain JavaScript values.
//
// Numbers stay numbers, lists become arrays, tensors become {shape, dtype, data}. Attributes that hold a graph or a
// type belong to operators of control flow, which have no private computation.

import type { Attribute } from '../../compiler/ir/graph';
import { CryptorchError } from '../../errors';
import type { ExternalFiles } from './external';
import { AttributeProto_AttributeType as A, type AttributeProto, type NodeProto } from './onnx_pb';
import { invalidModel, quote } from './reader';
import { decodeTensor } from './tensors';

/**
 * The attributes of a node by name; `what` names the node in errors. Defaults of the operator are not filled in.
 * @throws CryptorchError INVALID_MODEL, UNSUPPORTED_OPERATOR, UNSUPPORTED_DATA, INVALID_WEIGHTS
 */
export function readAttributes(
  node: NodeProto,
  what: string,
  files: ExternalFiles,
): Record<string, Attribute> {
  const attrs = new Map<string, Attribute>();
  for (const proto of node.attribute) {
    if (attrs.has(proto.name)) throw invalidModel(`${what} has the attribute ${quote(proto.name)} twice.`);
    attrs.set(proto.name, attributeValue(proto, `attribute ${quote(proto.name)} of ${what}`, node, files));
  }
  return Object.fromEntries(attrs);
}

function attributeValue(
  proto: AttributeProto,
  what: string,
  node: NodeProto,
  files: ExternalFiles,
): Attribute {
  switch (proto.type) {
    case A.FLOAT:
      return finite(proto.f, what);
    case A.INT:
      return integer(proto.i);
    case A.STRING:
      return text(proto.s);
    case A.FLOATS:
      return proto.floats.map((f) => finite(f, what));
    case A.INTS:
      return proto.ints.map(integer);
    case A.STRINGS:
      return proto.strings.map(text);
    case A.TENSOR: {
      if (!proto.t) throw invalidModel(`The ${what} is a tensor without contents. Export the model again.`);
      const { shape, dtype, data } = decodeTensor(proto.t, `The ${what}`, files);
      return { shape, dtype, data };
    }
    case A.UNDEFINED:
      throw invalidModel(`The ${what} has no type. Export the model again.`);
    default: {
      const kind = (A[proto.type] ?? String(proto.type)).toLowerCase();
      const message =
        `The ${what} is a ${kind}: control flow and other operators on ${kind}s cannot be computed privately. ` +
        'Export the model so that it is a plain sequence of tensor operators.';
      throw new CryptorchError('UNSUPPORTED_OPERATOR', message, { node: node.name, operator: node.opType });
    }
  }
}

function finite(value: number, what: string): number {
  if (Number.isFinite(value)) return value;
  throw new CryptorchError('INVALID_WEIGHTS', `The ${what} is ${value}. Correct the model.`);
}

/** An integer as a number; beyond 2^53 (used for "no limit") the nearest that is exact. */
function integer(value: bigint): number {
  const n = Number(value);
  return Math.min(Math.max(n, Number.MIN_SAFE_INTEGER), Number.MAX_SAFE_INTEGER);
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
}
