// Operators on values that are known when the model is compiled: shapes, indices, masks and constants
// computed from them. They have a reference but no lowering, so a model that applies one to a secret value is
// refused.

import type { ConstantData } from '../ir/graph';
import { type Dtype, elementCount } from '../ir/graph';
import { filled, map, tensorOf, zip } from './array';
import { MOST_KNOWN_ELEMENTS, type OpContext, show, toDoubles } from './context';
import { broadcastResult } from './elementwise';
import { defineOp } from './registry';

const onlyKnown = 'values known at compile time';

/** Dimensions of the input that Shape returns. */
function shapeSlice(c: OpContext): readonly number[] {
  const x = c.shape(0);
  const end = c.number('end', x.length);
  return x.slice(c.number('start', 0), end);
}

defineOp({
  op: 'Shape',
  opset: [11, 23],
  restrictions: '',
  integers: true,
  typeOnly: [0],
  infer: (c) => [{ shape: [shapeSlice(c).length], dtype: 'int' }],
  reference: (c) => [tensorOf([shapeSlice(c).length], shapeSlice(c))],
});

defineOp({
  op: 'Size',
  opset: [11, 23],
  restrictions: '',
  integers: true,
  typeOnly: [0],
  infer: () => [{ shape: [], dtype: 'int' }],
  reference: (c) => [filled([], elementCount(c.shape(0)))],
});

function fillValue(c: OpContext): { value: number; dtype: Dtype } {
  const given = c.node.attrs.value as { dtype: Dtype; data: ConstantData } | undefined;
  return given ? { value: toDoubles(given.data)[0]!, dtype: given.dtype } : { value: 0, dtype: 'fixed' };
}

defineOp({
  op: 'ConstantOfShape',
  opset: [11, 23],
  restrictions: onlyKnown,
  infer(c) {
    const shape = c.known(0, 'shape');
    if (shape.some((d) => d < 0)) throw c.invalidShape(`asks for a tensor of shape ${show(shape)}`, shape);
    return [{ shape, dtype: fillValue(c).dtype }];
  },
  reference: (c) => [filled(c.known(0, 'shape'), fillValue(c).value)],
});

function rangeOf(c: OpContext): number[] {
  const [start, limit, delta] = [0, 1, 2].map((i) => c.known(i, 'bounds')[0]!) as [number, number, number];
  const count = Math.max(0, Math.ceil((limit - start) / delta));
  if (!Number.isFinite(count)) throw c.invalidShape(`counts from ${start} to ${limit} by ${delta}`);
  c.needSize([count], MOST_KNOWN_ELEMENTS);
  return Array.from({ length: count }, (_, i) => start + i * delta);
}

defineOp({
  op: 'Range',
  opset: [11, 23],
  restrictions: onlyKnown,
  infer: (c) => [{ shape: [rangeOf(c).length], dtype: c.type(0).dtype }],
  reference: (c) => [tensorOf([rangeOf(c).length], rangeOf(c))],
});

defineOp({
  op: 'Mod',
  opset: [11, 23],
  restrictions: onlyKnown,
  infer: broadcastResult,
  reference(c, [a, b]) {
    const truncated = c.flag('fmod', false);
    return [zip(a!, b!, (x, y) => (truncated ? x % y : x - y * Math.floor(x / y)))];
  },
});

const unary: Readonly<Record<string, (x: number) => number>> = {
  Ceil: Math.ceil,
  Floor: Math.floor,
};

for (const [op, f] of Object.entries(unary)) {
  defineOp({
    op,
    opset: [11, 23],
    restrictions: onlyKnown,
    infer: (c) => [c.type(0)],
    reference: (_, [x]) => [map(x!, f)],
  });
}
