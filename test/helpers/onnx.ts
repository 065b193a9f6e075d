// Writes small ONNX models for tests, with the message classes that the importer reads them with.
//
//   model({
//     inputs: { x: ['N', 4] },
//     outputs: { y: ['N', 2] },
//     nodes: [node('Gemm', ['x', 'w', 'b'], ['y'], { transB: 1 })],
//     initializers: { w: tensor([2, 4], [1, 2, 3, 4, 5, 6, 7, 8]), b: tensor([2], [0.5, -0.5]) },
//   })
//
// Attribute values: an integer number is INT, any other number FLOAT, arrays likewise (all integers: INTS); float(1)
// and floats([1, 2]) force floating point; strings, string lists and tensors as they are.

import { clone, create, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import {
  AttributeProto_AttributeType as A,
  type AttributeProto,
  AttributeProtoSchema,
  type ModelProto,
  ModelProtoSchema,
  type NodeProto,
  NodeProtoSchema,
  TensorProto_DataType as T,
  type TensorProto,
  TensorProtoSchema,
  type ValueInfoProto,
  ValueInfoProtoSchema,
} from '../../lib/model/onnx/onnx_pb';

export { TensorProto_DataType as DataType } from '../../lib/model/onnx/onnx_pb';

/** Fixed or symbolic dimension; null is a dimension about which nothing is said. */
export type Dim = number | string | null;
/** Shape of a float value, or shape and element type. */
export type ValueSpec = readonly Dim[] | { readonly shape: readonly Dim[]; readonly type: T };
export type AttributeSpec =
  | number
  | string
  | readonly number[]
  | readonly string[]
  | TensorProto
  | AttributeProto;

export interface ModelSpec {
  readonly inputs: Readonly<Record<string, ValueSpec>>;
  readonly outputs: Readonly<Record<string, ValueSpec>>;
  readonly nodes: readonly NodeProto[];
  readonly initializers?: Readonly<Record<string, TensorProto>>;
  readonly opset?: number;
  readonly name?: string;
  /** Last changes before the model is written. */
  readonly edit?: (model: ModelProto) => void;
}

/** A model as the bytes of its file. */
export function model(spec: ModelSpec): Uint8Array {
  return toBinary(ModelProtoSchema, modelProto(spec));
}

export function modelProto(spec: ModelSpec): ModelProto {
  const initializer = Object.entries(spec.initializers ?? {}).map(([name, t]) => {
    const copy = clone(TensorProtoSchema, t);
    copy.name = name;
    return copy;
  });
  const proto = create(ModelProtoSchema, {
    irVersion: 8n,
    producerName: 'test',
    opsetImport: [{ domain: '', version: BigInt(spec.opset ?? 13) }],
    graph: {
      name: spec.name ?? 'test',
      node: [...spec.nodes],
      initializer,
      input: Object.entries(spec.inputs).map(valueInfo),
      output: Object.entries(spec.outputs).map(valueInfo),
    },
  });
  spec.edit?.(proto);
  return proto;
}

export function node(
  opType: string,
  input: readonly string[],
  output: readonly string[],
  attrs: Attributes = {},
  name: string = '',
): NodeProto {
  const attribute = Object.entries(attrs).map(([key, value]) => attributeProto(key, value));
  return create(NodeProtoSchema, { opType, input: [...input], output: [...output], name, attribute });
}

export type Attributes = Readonly<Record<string, AttributeSpec>>;

/** A model of one node "it" from x to y; constants are its further inputs, in order. */
export function one(
  op: string,
  x: readonly number[],
  y: readonly Dim[],
  attrs: Attributes = {},
  constants: Readonly<Record<string, TensorProto>> = {},
  opset: number = 13,
): ModelSpec {
  const nodes = [node(op, ['x', ...Object.keys(constants)], ['y'], attrs, 'it')];
  return { inputs: { x }, outputs: { y }, nodes, initializers: constants, opset };
}

/** A float tensor, or one of the given element type; data beside raw_data when `raw` is false. */
export function tensor(
  shape: readonly number[],
  values: readonly number[] | Float32Array | Float64Array | readonly bigint[],
  type: T = T.FLOAT,
  raw: boolean = true,
): TensorProto {
  const dims = shape.map(BigInt);
  if (!raw)
    return create(TensorProtoSchema, {
      dims,
      dataType: type,
      [typedField(type)]: Array.from(values as number[]),
    });
  return create(TensorProtoSchema, { dims, dataType: type, rawData: rawBytes(values, type) });
}

/** An int64 tensor; one-dimensional unless a shape is given. */
export function int64(values: readonly number[], shape: readonly number[] = [values.length]): TensorProto {
  return tensor(shape, values.map(BigInt), T.INT64);
}

/** A float attribute whatever its value. */
export function float(f: number): AttributeProto {
  return create(AttributeProtoSchema, { type: A.FLOAT, f });
}

export function floats(values: readonly number[]): AttributeProto {
  return create(AttributeProtoSchema, { type: A.FLOATS, floats: [...values] });
}

function rawBytes(values: ArrayLike<number | bigint>, type: T): Uint8Array {
  const bytes = (a: ArrayBufferView): Uint8Array => new Uint8Array(a.buffer, a.byteOffset, a.byteLength);
  if (values instanceof Float32Array && type === T.FLOAT) return bytes(values); // weights of whole networks
  const list = Array.from(values);
  const numbers = (): number[] => list.map(Number);
  switch (type) {
    case T.FLOAT:
      return bytes(Float32Array.from(numbers()));
    case T.DOUBLE:
      return bytes(Float64Array.from(numbers()));
    case T.INT64:
      return bytes(BigInt64Array.from(list, BigInt));
    case T.UINT64:
      return bytes(BigUint64Array.from(list, BigInt));
    case T.INT32:
      return bytes(Int32Array.from(numbers()));
    case T.UINT32:
      return bytes(Uint32Array.from(numbers()));
    case T.INT16:
      return bytes(Int16Array.from(numbers()));
    case T.UINT16:
    case T.FLOAT16: // values are bit patterns
    case T.BFLOAT16:
      return bytes(Uint16Array.from(numbers()));
    case T.INT8:
      return bytes(Int8Array.from(numbers()));
    case T.UINT8:
    case T.BOOL:
      return bytes(Uint8Array.from(numbers()));
    default:
      throw new Error(`no raw form for element type ${T[type]}`);
  }
}

function typedField(type: T): string {
  if (type === T.FLOAT) return 'floatData';
  if (type === T.DOUBLE) return 'doubleData';
  if (type === T.INT64) return 'int64Data';
  if (type === T.UINT64 || type === T.UINT32) return 'uint64Data';
  return 'int32Data';
}

function attributeProto(name: string, value: AttributeSpec): AttributeProto {
  const attribute = isAttribute(value) ? clone(AttributeProtoSchema, value) : plainAttribute(value);
  attribute.name = name;
  return attribute;
}

function isAttribute(value: AttributeSpec): value is AttributeProto {
  return (value as AttributeProto).$typeName === 'onnx.AttributeProto';
}

function plainAttribute(value: Exclude<AttributeSpec, AttributeProto>): AttributeProto {
  const made = (init: MessageInitShape<typeof AttributeProtoSchema>): AttributeProto =>
    create(AttributeProtoSchema, init);
  if (typeof value === 'number') {
    return Number.isInteger(value)
      ? made({ type: A.INT, i: BigInt(value) })
      : made({ type: A.FLOAT, f: value });
  }
  if (typeof value === 'string') return made({ type: A.STRING, s: Buffer.from(value) });
  if (!Array.isArray(value)) return made({ type: A.TENSOR, t: value as TensorProto });
  const list: readonly unknown[] = value;
  if (list.some((v) => typeof v === 'string')) {
    return made({ type: A.STRINGS, strings: list.map((v) => Buffer.from(String(v))) });
  }
  const numbers = list.map(Number);
  if (numbers.every(Number.isInteger)) return made({ type: A.INTS, ints: numbers.map(BigInt) });
  return made({ type: A.FLOATS, floats: numbers });
}

function valueInfo([name, spec]: [string, ValueSpec]): ValueInfoProto {
  const { shape, type } = 'type' in spec ? spec : { shape: spec, type: T.FLOAT };
  const dim = shape.map((d) => ({
    value:
      typeof d === 'number'
        ? ({ case: 'dimValue', value: BigInt(d) } as const)
        : typeof d === 'string'
          ? ({ case: 'dimParam', value: d } as const)
          : ({ case: undefined } as const),
  }));
  return create(ValueInfoProtoSchema, {
    name,
    type: { value: { case: 'tensorType', value: { elemType: type, shape: { dim } } } },
  });
}
