// Log, and sums of exponentials under one: LogSoftmax, ReduceLogSumExp, ReduceLogSum.
//
// log(sum of exp(x)) = m + log(sum of exp(x - m)) with the largest x as m: every exponent is at most 0 and the sum at least
// 1, so both functions have a known domain. LogSoftmax is x - m less that logarithm, so that no small number is rounded
// before its logarithm is taken.

import { LOG_DOMAIN, log } from '../approximations/log';
import { unlessKnown } from '../approximations/power';
import type { Value } from '../ir/graph';
import { type FloatTensor, map, reduce, zip } from './array';
import type { LowerContext } from './context';
import { largestOfRows, middle } from './extremum';
import { type Reduction, reduction } from './reduce';
import { defineOp } from './registry';
import { rows, sumOfTerms } from './softmax';

const exact = log.of([]);

defineOp({
  op: 'Log',
  opset: [11, 23],
  restrictions: `operands are ${unlessKnown(LOG_DOMAIN)}`,
  infer: (c) => [c.type(0)],
  reference: (_, [x]) => [map(x!, exact)],
  lower: (c) => [c.core.approximate(c.value(0), 'log', [])],
});

/** For x as [before, count, behind]: the largest along the middle, x less it, and log(sum of exp) of that. */
function logarithm(
  c: LowerContext,
  x: Value,
  shape: readonly [number, number, number],
): { largest: Value; shifted: Value; log: Value } {
  const largest = largestOfRows(c, x, shape);
  const shifted = c.core.sub(x, largest);
  const { sum, domain } = sumOfTerms(c, c.core.approximate(shifted, 'decay', []));
  return { largest, shifted, log: c.core.approximate(sum, 'log', [], domain) };
}

/** log(sum of exp) over axes, which stay with size 1. */
function logSumExp(x: FloatTensor, axes: readonly number[]): FloatTensor {
  const largest = reduce(x, axes, true, Number.NEGATIVE_INFINITY, Math.max);
  const terms = zip(x, largest, (v, m) => Math.exp(v - m));
  const sums = reduce(terms, axes, true, 0, (a, v) => a + v);
  return zip(sums, largest, (s, m) => exact(s) + m);
}

defineOp({
  op: 'LogSoftmax',
  opset: [11, 23],
  restrictions: '',
  infer(c) {
    rows(c);
    return [c.type(0)];
  },
  reference(c, [x]) {
    const t = { shape: rows(c), data: x!.data };
    return [{ shape: x!.shape, data: zip(t, logSumExp(t, [1]), (v, l) => v - l).data }];
  },
  lower(c) {
    const shape = rows(c);
    const { shifted, log } = logarithm(c, c.core.reshape(c.value(0), shape), shape);
    return [c.core.reshape(c.core.sub(shifted, log), c.shape(0))];
  },
});

function lowerLogSumExp(c: LowerContext, r: Reduction): Value {
  if (r.count === 1) return c.core.reshape(c.value(0), r.shape);
  const { x, outer, inner } = middle(c, c.value(0), r.axes);
  const shape = [outer, r.count, inner] as const;
  const { largest, log } = logarithm(c, c.core.reshape(x, shape), shape);
  return c.core.reshape(c.core.add(largest, log), r.shape);
}

defineOp({
  op: 'ReduceLogSumExp',
  opset: [11, 23],
  restrictions: '',
  infer: (c) => [{ shape: reduction(c).shape, dtype: c.type(0).dtype }],
  reference(c, [x]) {
    const { axes, shape } = reduction(c);
    return [{ shape, data: logSumExp(x!, axes).data }];
  },
  lower: (c) => [lowerLogSumExp(c, reduction(c))],
});

defineOp({
  op: 'ReduceLogSum',
  opset: [11, 23],
  restrictions: `the sum is ${unlessKnown(LOG_DOMAIN)}`,
  infer: (c) => [{ shape: reduction(c).shape, dtype: c.type(0).dtype }],
  reference(c, [x]) {
    const { axes, keepdims } = reduction(c);
    return [
      map(
        reduce(x!, axes, keepdims, 0, (a, v) => a + v),
        exact,
      ),
    ];
  },
  lower(c) {
    const { axes, keepdims } = reduction(c);
    const sum = axes.length === 0 ? c.value(0) : c.core.sum(c.value(0), axes, keepdims);
    return [c.core.approximate(sum, 'log', [])];
  },
});
