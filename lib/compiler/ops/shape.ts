// Operators on values that are known when the model is compiled: shapes, indices, masks and constants
// computed from them. They have a reference but no lowering, so a model that applies one to a secret value is
// refused.

import type { ConstantData } from '../ir/graph';
import { type Dtype, elementCount } from '../ir/graph';
import { broadcastShapes, expand, filled, map, tensorOf, zip } from './array';
import { type OpContext, show, toDoubles } from './context';
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
  op: 'Where',
  opset: [11, 23],
  restrictions: onlyKnown,
  infer(c) {
    const values = broadcastShapes(c.shape(1), c.shape(2));
    const shape = values && broadcastShapes(c.shape(0), values);
    if (!shape) throw c.mismatch(1, 2, `they do not broadcast with a condition of shape ${show(c.shape(0))}`);
    return [{ shape, dtype: c.type(1).dtype }];
  },
  reference(c, [condition, a, b]) {
    const shape = broadcastShapes(c.shape(0), broadcastShapes(c.shape(1), c.shape(2))!)!;
    const [x, y] = [expand(a!, shape).data, expand(b!, shape).data];
    return [{ shape, data: expand(condition!, shape).data.map((v, i) => (v !== 0 ? x[i]! : y[i]!)) }];
  },
});

/** Comparisons and connectives. */
const binary: Readonly<Record<string, (x: number, y: number) => number>> = {
  Equal: (x, y) => Number(x === y),
  Greater: (x, y) => Number(x > y),
  GreaterOrEqual: (x, y) => Number(x >= y),
  Less: (x, y) => Number(x < y),
  LessOrEqual: (x, y) => Number(x <= y),
  And: (x, y) => Number(x !== 0 && y !== 0),
  Or: (x, y) => Number(x !== 0 || y !== 0),
};

for (const [op, f] of Object.entries(binary)) {
  defineOp({
    op,
    opset: [11, 23],
    restrictions: onlyKnown,
    infer: (c) => broadcastResult(c).map((s) => ({ ...s, dtype: 'bool' as const })),
    reference: (_, [a, b]) => [zip(a!, b!, f)],
  });
}

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

const variadic = { Min: Math.min, Max: Math.max };

for (const [op, f] of Object.entries(variadic)) {
  defineOp({
    op,
    opset: [11, 23],
    restrictions: onlyKnown,
    infer(c) {
      const shape = c.node.inputs
        .map((_, i) => c.shape(i))
        .reduce<number[] | undefined>((a, b) => a && broadcastShapes(a, b), []);
      if (!shape)
        throw c.invalidShape('has inputs that do not broadcast', ...c.node.inputs.map((_, i) => c.shape(i)));
      return [{ shape, dtype: c.type(0).dtype }];
    },
    reference: (_, inputs) => [inputs.map((t) => t!).reduce((a, b) => zip(a, b, f))],
  });
}

const unary: Readonly<Record<string, (x: number) => number>> = {
  Abs: Math.abs,
  Ceil: Math.ceil,
  Floor: Math.floor,
  Not: (x) => Number(x === 0),
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
