// rounded.onnx: the digits network with every weight rounded to a multiple of 1/64. Another model of the same form, for
// the step with new weights of docs/two-organisations.md.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fromBinary, toBinary } from '@bufbuild/protobuf';
import { ModelProtoSchema, TensorProto_DataType } from '../../lib/model/onnx/onnx_pb';

const STEP = 1 / 64;

export function rounded(model: Uint8Array): Uint8Array {
  const proto = fromBinary(ModelProtoSchema, model);
  for (const { dataType, rawData } of proto.graph?.initializer ?? []) {
    if (dataType !== TensorProto_DataType.FLOAT) continue;
    const view = new DataView(rawData.buffer, rawData.byteOffset, rawData.byteLength);
    for (let at = 0; at < rawData.byteLength; at += 4)
      view.setFloat32(at, Math.round(view.getFloat32(at, true) / STEP) * STEP, true);
  }
  return toBinary(ModelProtoSchema, proto);
}

if (require.main === module) {
  writeFileSync(join(__dirname, 'rounded.onnx'), rounded(readFileSync(join(__dirname, 'digits.onnx'))));
}
