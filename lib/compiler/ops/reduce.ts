// ReduceSum, ReduceMean, ArgMax. Axes are an attribute or, in later operator sets, a constant input.

import type { Value } from '../ir/graph';
import { argMax, map, reduce } from './array';
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

function sum(c: LowerContext, r: Reduction): Value {
  return r.axes.length === 0 ? c.value(0) : c.core.sum(c.value(0), r.axes, r.keepdims);
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
  lower: (c) => [sum(c, reduction(c))],
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
    return [scaled(c, sum(c, r), 1 / r.count)];
  },
});

function argMaxForm(c: OpContext): { axis: number; keepdims: boolean; shape: number[] } {
  const x = c.shape(0);
  const axis = c.axis(c.number('axis', 0), x.length);
  const keepdims = c.flag('keepdims', true);
  return { axis, keepdims, shape: x.flatMap((d, i) => (i === axis ? (keepdims ? [1] : []) : [d])) };
}

defineOp({
  op: 'ArgMax',
  opset: [11, 23],
  restrictions: 'select_last_index must be 0: of equal elements the first counts',
  infer(c) {
    if (c.flag('select_last_index', false)) {
      throw c.unsupported('has select_last_index = 1', 'Export it with select_last_index = 0.');
    }
    return [{ shape: argMaxForm(c).shape, dtype: 'int' }];
  },
  reference(c, [x]) {
    const { axis, shape } = argMaxForm(c);
    return [argMax(x!, axis, shape)];
  },
  lower(c) {
    const { axis, keepdims } = argMaxForm(c);
    return [c.core.argMax(c.value(0), axis, keepdims)];
  },
});
