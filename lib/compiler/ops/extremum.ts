// Min, Max, ReduceMin, ReduceMax, GlobalMaxPool, ArgMin, ArgMax: the largest of several numbers, or where it is.
//
// max(a, b) = b + relu(a - b), one comparison from one opening; with one public number it is a Clip. More than two
// candidates, and reductions, are windows of a max_pool, which chooses between a tournament and all pairs
// (../protocols/maximum.ts). A minimum is that of the negated numbers.

import { elementCount, type Value } from '../ir/graph';
import { argMax, type FloatTensor, filled, map, reduce, stridesOf, zip } from './array';
import { isUniform, type LowerContext, type OpContext } from './context';
import { variadicResult } from './elementwise';
import { publicConstant, shifted } from './operands';
import { type Reduction, reduction } from './reduce';
import { defineOp, type Shaped } from './registry';

export function needNumbers(c: OpContext): void {
  const i = c.inputs.findIndex((k) => k?.type.dtype === 'bool' && !k.constant);
  if (i >= 0) throw c.unsupported('compares secret booleans', 'Use And, Or, or cast them to numbers first.');
}

/** The negative where the smallest is wanted: twice, before and after. */
export function turned(c: LowerContext, x: Value, smallest: boolean): Value {
  return smallest ? c.core.neg(x) : x;
}

// ---- of several tensors ------------------------------------------------------------------------------------------------

/** The larger of x and a public tensor, or the smaller. */
function withConstant(c: LowerContext, x: Value, t: FloatTensor, smallest: boolean): Value {
  if (isUniform(t)) {
    const bound = t.data[0]!;
    const wide = c.core.expand(x, c.outputShape);
    if (smallest) return c.core.clip(wide, null, bound);
    return bound === 0 ? c.core.relu(wide) : c.core.clip(wide, bound, null);
  }
  const negated = map(t, (v) => -v);
  if (!smallest) return shifted(c, c.core.relu(shifted(c, x, negated)), t);
  return shifted(c, c.core.neg(c.core.relu(shifted(c, c.core.neg(x), t))), t);
}

/** Candidates as rows of one value, of which each column has its largest. */
function ofMany(c: LowerContext, values: readonly Value[], smallest: boolean): Value {
  const shape = c.outputShape;
  const size = elementCount(shape);
  const pieces = values.map((_, i) => ({ outBase: i * size, inBase: 0, dims: [[size, 1, 1] as const] }));
  const rows = c.core.move(
    values.map((v) => c.core.expand(v, shape)),
    pieces,
    [values.length, size],
    null,
  );
  const best = largestOfRows(c, turned(c, rows, smallest), [1, values.length, size]);
  return c.core.reshape(turned(c, best, smallest), shape);
}

/** The largest of [outer, k, inner] along k, as [outer, 1, inner]. */
export function largestOfRows(
  c: LowerContext,
  x: Value,
  [outer, k, inner]: readonly [number, number, number],
): Value {
  const window = { kernel: [k, 1], strides: [1, 1], pads: [0, 0, 0, 0], dilations: [1, 1] } as const;
  return c.core.pool('max_pool', c.core.reshape(x, [outer, k, inner]), [outer, 1, inner], window);
}

function lowerExtremum(c: LowerContext, smallest: boolean): Value {
  const all = c.node.inputs.map((_, i) => ({ i, t: publicConstant(c, i, c.shape(i)) }));
  const values = all.filter(({ t }) => !t).map(({ i }) => c.value(i));
  const known = all.flatMap(({ t }) => (t ? [t] : []));
  const [a, b] = values as [Value, Value?];
  let best = a;
  if (values.length > 2) best = ofMany(c, values, smallest);
  else if (b) {
    // min(a, b) = b - relu(b - a)
    best = smallest
      ? c.core.sub(b, c.core.relu(c.core.sub(b, a)))
      : c.core.add(b, c.core.relu(c.core.sub(a, b)));
  }
  if (known.length === 0) return c.core.expand(best, c.outputShape);
  const bound = known.reduce((x, y) => zip(x, y, smallest ? Math.min : Math.max));
  return withConstant(c, best, bound, smallest);
}

for (const [op, smallest] of [
  ['Max', false],
  ['Min', true],
] as const) {
  defineOp({
    op,
    opset: [11, 23],
    restrictions: '',
    integers: true,
    infer(c) {
      needNumbers(c);
      return variadicResult(c);
    },
    reference: (_, inputs) => [
      inputs.map((t) => t!).reduce((a, b) => zip(a, b, smallest ? Math.min : Math.max)),
    ],
    lower: (c) => [lowerExtremum(c, smallest)],
  });
}

// ---- along axes --------------------------------------------------------------------------------------------------------

/** x with the given axes, in order, as the middle one of three: only what lies between others is moved. */
export function middle(
  c: LowerContext,
  x: Value,
  axes: readonly number[],
): { x: Value; outer: number; inner: number } {
  const { shape } = x.type;
  const [first, last] = [axes[0]!, axes.at(-1)!];
  if (last - first === axes.length - 1) {
    return { x, outer: elementCount(shape.slice(0, first)), inner: elementCount(shape.slice(last + 1)) };
  }
  const order = [...shape.map((_, i) => i).filter((i) => !axes.includes(i)), ...axes];
  const own = stridesOf(shape);
  const moved = c.core.gather(
    x,
    order.map((i) => shape[i]!),
    order.map((i) => own[i]!),
  );
  const count = axes.reduce((n, i) => n * shape[i]!, 1);
  return { x: moved, outer: elementCount(shape) / count, inner: 1 };
}

function largestAlong(c: LowerContext, r: Pick<Reduction, 'axes' | 'count'>, smallest: boolean): Value {
  if (r.count === 1) return c.core.reshape(c.value(0), c.outputShape);
  const { x, outer, inner } = middle(c, c.value(0), r.axes);
  const best = largestOfRows(c, turned(c, x, smallest), [outer, r.count, inner]);
  return c.core.reshape(turned(c, best, smallest), c.outputShape);
}

for (const [op, smallest] of [
  ['ReduceMax', false],
  ['ReduceMin', true],
] as const) {
  const start = smallest ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY;
  defineOp({
    op,
    opset: [11, 23],
    restrictions: 'of numbers, not of secret booleans',
    integers: true,
    infer(c) {
      needNumbers(c);
      return [{ shape: reduction(c).shape, dtype: c.type(0).dtype }];
    },
    reference(c, [x]) {
      const { axes, keepdims } = reduction(c);
      return [reduce(x!, axes, keepdims, start, smallest ? Math.min : Math.max)];
    },
    lower: (c) => [largestAlong(c, reduction(c), smallest)],
  });
}

function spatial(c: OpContext): { axes: number[]; count: number; shape: number[] } {
  const x = c.shape(0);
  if (x.length < 3) throw c.unsupported(`has an input of ${x.length} dimensions`, 'It needs [N, C, ...].');
  const axes = x.slice(2).map((_, i) => i + 2);
  return { axes, count: elementCount(x.slice(2)), shape: x.map((d, i) => (i < 2 ? d : 1)) };
}

defineOp({
  op: 'GlobalMaxPool',
  opset: [11, 23],
  restrictions: '',
  infer: (c) => [{ shape: spatial(c).shape, dtype: c.type(0).dtype }],
  reference: (c, [x]) => [reduce(x!, spatial(c).axes, true, Number.NEGATIVE_INFINITY, Math.max)],
  lower: (c) => [largestAlong(c, spatial(c), false)],
});

// ---- where it is -------------------------------------------------------------------------------------------------------

interface Search {
  readonly axis: number;
  readonly keepdims: boolean;
  readonly shape: readonly number[];
  /** Of equal elements the last counts. */
  readonly last: boolean;
}

function search(c: OpContext): Search {
  needNumbers(c);
  const x = c.shape(0);
  const axis = c.axis(c.number('axis', 0), x.length);
  const keepdims = c.flag('keepdims', true);
  const shape = x.flatMap((d, i) => (i === axis ? (keepdims ? [1] : []) : [d]));
  return { axis, keepdims, shape, last: c.flag('select_last_index', false) };
}

/** The elements along an axis in the opposite order. */
function reversed(c: LowerContext, x: Value, axis: number): Value {
  const strides = stridesOf(x.type.shape);
  const step = strides[axis]!;
  const turned = strides.map((s, i) => (i === axis ? -s : s));
  return c.core.gather(x, x.type.shape, turned, (x.type.shape[axis]! - 1) * step);
}

function infer(c: OpContext): Shaped[] {
  return [{ shape: search(c).shape, dtype: 'int' }];
}

for (const [op, smallest] of [
  ['ArgMax', false],
  ['ArgMin', true],
] as const) {
  defineOp({
    op,
    opset: [11, 23],
    restrictions: '',
    integers: true,
    infer,
    reference(c, [x]) {
      const { axis, shape, last } = search(c);
      const key = map(x!, (v) => (smallest ? -v : v));
      if (!last) return [argMax(key, axis, shape)];
      const size = key.shape[axis]!;
      const step = stridesOf(key.shape)[axis]!;
      const at = (i: number): number => size - 1 - (Math.floor(i / step) % size);
      const data = key.data.map((_, i) => key.data[i + (2 * at(i) + 1 - size) * step]!);
      return [map(argMax({ shape: key.shape, data }, axis, shape), (v) => size - 1 - v)];
    },
    lower(c) {
      const { axis, keepdims, last } = search(c);
      const key = turned(c, c.value(0), smallest);
      if (!last) return [c.core.argMax(key, axis, keepdims)];
      const found = c.core.argMax(reversed(c, key, axis), axis, keepdims);
      return [shifted(c, c.core.neg(found), filled([], c.shape(0)[axis]! - 1))];
    },
  });
}
