// Bytes of an ONNX file -> ModelProto, with the checks that need no understanding of the graph.
//
// The file comes from outside: whatever the decoder of protocol buffers throws becomes an INVALID_MODEL.

import { fromBinary } from '@bufbuild/protobuf';
import { LAST_OPSET } from '../../compiler/ir/graph';
import { CryptorchError } from '../../errors';
import { type GraphProto, type ModelProto, ModelProtoSchema } from './onnx_pb';

/** Operator sets of the default domain that the importer reads. */
export const OPSETS: { readonly first: number; readonly last: number } = { first: 11, last: LAST_OPSET };

export interface ParsedModel {
  readonly model: ModelProto;
  readonly graph: GraphProto;
  readonly opset: number;
}

export function invalidModel(
  message: string,
  details: Record<string, unknown> = {},
  cause?: unknown,
): CryptorchError {
  return new CryptorchError('INVALID_MODEL', message, details, cause);
}

/** A name from the file as it may appear in a message: quoted, control characters escaped, cut to a readable length. */
export function quote(name: string): string {
  return JSON.stringify(name.length > 120 ? `${name.slice(0, 117)}...` : name);
}

/** '' and 'ai.onnx' are the same domain. */
export function isDefaultDomain(domain: string): boolean {
  return domain === '' || domain === 'ai.onnx';
}

/**
 * Decodes a model and checks its version.
 * @throws CryptorchError INVALID_MODEL, UNSUPPORTED_OPSET
 */
export function readModel(bytes: Uint8Array): ParsedModel {
  if (!(bytes instanceof Uint8Array)) {
    const message = 'The model is not given as bytes; pass the contents of an ONNX file as a Uint8Array.';
    throw new CryptorchError('INVALID_OPTION', message);
  }
  let model: ModelProto;
  try {
    model = fromBinary(ModelProtoSchema, bytes, { readUnknownFields: false });
  } catch (cause) {
    const message =
      `The file of ${bytes.length} bytes is not an ONNX model, or it is truncated or damaged: it cannot be decoded ` +
      'as protocol buffers. Export the model again.';
    throw invalidModel(message, { bytes: bytes.length }, cause);
  }
  const { graph } = model;
  if (!graph || model.irVersion < 1n) {
    const missing = graph ? 'IR version' : 'graph';
    throw invalidModel(
      `The file is not an ONNX model, or it is truncated: it has no ${missing}. Export it again.`,
    );
  }
  return { model, graph, opset: defaultOpset(model) };
}

function defaultOpset(model: ModelProto): number {
  const versions = model.opsetImport.filter((o) => isDefaultDomain(o.domain)).map((o) => Number(o.version));
  const [opset] = versions;
  if (opset === undefined) {
    throw invalidModel(
      'The model does not say which ONNX operator set it uses (no opset_import). Export it again.',
    );
  }
  if (versions.some((v) => v !== opset)) {
    throw invalidModel(`The model names several operator sets (${versions.join(', ')}). Export it with one.`);
  }
  if (!(opset >= OPSETS.first && opset <= OPSETS.last)) {
    const message =
      `The model uses ONNX opset ${opset}; opsets ${OPSETS.first} to ${OPSETS.last} can be read. Export it with ` +
      `opset_version=${OPSETS.last}, or convert it with onnx.version_converter.`;
    throw new CryptorchError('UNSUPPORTED_OPSET', message, { opset, ...OPSETS });
  }
  return opset;
}
