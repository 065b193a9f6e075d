// ReduceSum, ReduceMean, ReduceSumSquare. Axes are an attribute or, in later operator sets, a constant input.

import type { Value } from '../ir/graph';
import { map, reduce } from './array';
import type { LowerContext, OpContext } from './context';
import { scaled } from './operands';
import { defineOp, type Shaped } from './registry';

export interface Reduction {
  readonly axes: readonly number[];
  readonly keepdims: boolean;
  readonly shape: readonly number[];
  readonly count: number;
}

export function reduction(c: OpContext): Reduction {
  const x = c.shape(0);
  const given = c.has(1) ? c.known(1, 'axes') : (c.numbers('axes') ?? []);
  const all = given.length === 0 && !c.flag('noop_with_empty_axes', false);
  const axes = all ? x.map((_, i) => i) : c.axes(given, x.length);
  const keepdims = c.flag('keepdims', true);
  const kept = x.map((d, i) => (axes.includes(i) ? 1 : d));
  const shape = keepdims ? kept : kept.filter((_, i) => !axes.includes(i));
  return { axes, keepdims, shape, count: axes.reduce((n, a) => n * x[a]!, 1) };
}

const infer = (c: OpContext): Shaped[] => [{ shape: reduction(c).shape, dtype: c.type(0).dtype }];

function sumAlong(c: LowerContext, x: Value, r: Reduction): Value {
  return r.axes.length === 0 ? x : c.core.sum(x, r.axes, r.keepdims);
}

defineOp({
  op: 'ReduceSum',
  opset: [11, 23],
  restrictions: '',
  infer,
  reference(c, [x]) {
    const { axes, keepdims } = reduction(c);
    return [reduce(x!, axes, keepdims, 0, (a, v) => a + v)];
  },
  lower: (c) => [sumAlong(c, c.value(0), reduction(c))],
});

defineOp({
  op: 'ReduceMean',
  opset: [11, 23],
  restrictions: '',
  infer,
  reference(c, [x]) {
    const { axes, keepdims, count } = reduction(c);
    return [
      map(
        reduce(x!, axes, keepdims, 0, (a, v) => a + v),
        (v) => v / count,
      ),
    ];
  },
  lower(c) {
    const r = reduction(c);
    return [scaled(c, sumAlong(c, c.value(0), r), 1 / r.count)];
  },
});

defineOp({
  op: 'ReduceSumSquare',
  opset: [11, 23],
  restrictions: '',
  infer,
  reference(c, [x]) {
    const { axes, keepdims } = reduction(c);
    return [reduce(x!, axes, keepdims, 0, (a, v) => a + v * v)];
  },
  lower: (c) => [sumAlong(c, c.core.mul(c.value(0), c.value(0)), reduction(c))],
});
