// The element types of ONNX tensors: what each becomes here, and how its elements are stored.

import type { Dtype } from '../../compiler/ir/graph';
import { bfloatToNumber, halfToNumber } from '../half';
import { TensorProto_DataType as T } from './onnx_pb';

export type Field = 'floatData' | 'doubleData' | 'int32Data' | 'int64Data' | 'uint64Data';

export interface ElementType {
  readonly name: string;
  readonly dtype: Dtype;
  /** Bytes of an element in raw_data. */
  readonly bytes: number;
  /** Where elements are when they are not in raw_data. */
  readonly field: Field;
  /** Smallest and largest element, for types that are stored in a wider field. */
  readonly range?: readonly [bigint, bigint];
  readonly raw: (view: DataView, at: number) => number | bigint;
  /** From a bit pattern in int32_data to the value. */
  readonly pattern?: (bits: number) => number;
}

const byte: readonly [bigint, bigint] = [0n, 255n];
const short: readonly [bigint, bigint] = [0n, 65535n];

/** Every element type that can be read; ONNX's number -> how. */
const elementTypes: ReadonlyMap<number, ElementType> = new Map<number, ElementType>([
  [
    T.FLOAT,
    { name: 'float', dtype: 'fixed', bytes: 4, field: 'floatData', raw: (v, p) => v.getFloat32(p, true) },
  ],
  [
    T.DOUBLE,
    { name: 'double', dtype: 'fixed', bytes: 8, field: 'doubleData', raw: (v, p) => v.getFloat64(p, true) },
  ],
  [
    T.FLOAT16,
    {
      name: 'float16',
      dtype: 'fixed',
      bytes: 2,
      field: 'int32Data',
      range: short,
      raw: (v, p) => halfToNumber(v.getUint16(p, true)),
      pattern: halfToNumber,
    },
  ],
  [
    T.BFLOAT16,
    {
      name: 'bfloat16',
      dtype: 'fixed',
      bytes: 2,
      field: 'int32Data',
      range: short,
      raw: (v, p) => bfloatToNumber(v.getUint16(p, true)),
      pattern: bfloatToNumber,
    },
  ],
  [
    T.INT8,
    {
      name: 'int8',
      dtype: 'int',
      bytes: 1,
      field: 'int32Data',
      range: [-128n, 127n],
      raw: (v, p) => v.getInt8(p),
    },
  ],
  [
    T.UINT8,
    { name: 'uint8', dtype: 'int', bytes: 1, field: 'int32Data', range: byte, raw: (v, p) => v.getUint8(p) },
  ],
  [
    T.INT16,
    {
      name: 'int16',
      dtype: 'int',
      bytes: 2,
      field: 'int32Data',
      range: [-32768n, 32767n],
      raw: (v, p) => v.getInt16(p, true),
    },
  ],
  [
    T.UINT16,
    {
      name: 'uint16',
      dtype: 'int',
      bytes: 2,
      field: 'int32Data',
      range: short,
      raw: (v, p) => v.getUint16(p, true),
    },
  ],
  [
    T.INT32,
    { name: 'int32', dtype: 'int', bytes: 4, field: 'int32Data', raw: (v, p) => v.getInt32(p, true) },
  ],
  [
    T.UINT32,
    {
      name: 'uint32',
      dtype: 'int',
      bytes: 4,
      field: 'uint64Data',
      range: [0n, 0xffffffffn],
      raw: (v, p) => v.getUint32(p, true),
    },
  ],
  [
    T.INT64,
    { name: 'int64', dtype: 'int', bytes: 8, field: 'int64Data', raw: (v, p) => v.getBigInt64(p, true) },
  ],
  [
    T.UINT64,
    { name: 'uint64', dtype: 'int', bytes: 8, field: 'uint64Data', raw: (v, p) => v.getBigUint64(p, true) },
  ],
  [
    T.BOOL,
    {
      name: 'bool',
      dtype: 'bool',
      bytes: 1,
      field: 'int32Data',
      range: [0n, 1n],
      raw: (v, p) => v.getUint8(p),
    },
  ],
]);

/** How a type is read, undefined where it is not. */
export function elementType(type: number): ElementType | undefined {
  return elementTypes.get(type);
}

/** What a value of an ONNX element type is here; undefined for types that have no place in a private computation. */
export function dtypeOfElement(type: number): Dtype | undefined {
  return elementTypes.get(type)?.dtype;
}

export function elementTypeName(type: number): string {
  return elementTypes.get(type)?.name ?? T[type]?.toLowerCase() ?? `number ${type}`;
}

/** Element types that can be read, for messages. */
export const READABLE_TYPES: string = [...elementTypes.values()].map((t) => t.name).join(', ');
