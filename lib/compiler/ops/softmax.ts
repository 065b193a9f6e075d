// Softmax: exp(x - max) / sum of exp(x - max). The maximum makes every exponent at most 0 and the sum at least 1, so both
// functions have a known domain. Before operator set 13 it is over all axes from the given one.

import { elementCount, type Value } from '../ir/graph';
import { type FloatTensor, map, reduce, zip } from './array';
import type { LowerContext, OpContext } from './context';
import { defineOp } from './registry';

/** The input as [before, count, behind]: what is normalised together lies along the middle. */
function rows(c: OpContext): [number, number, number] {
  const shape = c.shape(0);
  const flattens = c.opset < 13;
  const axis = c.axis(c.number('axis', flattens ? 1 : -1), shape.length);
  const before = elementCount(shape.slice(0, axis));
  if (flattens) return [before, elementCount(shape.slice(axis)), 1];
  return [before, shape[axis]!, elementCount(shape.slice(axis + 1))];
}

function maximum(c: LowerContext, x: Value, [before, count, behind]: [number, number, number]): Value {
  const window = {
    kernel: [count, 1],
    strides: [1, 1],
    pads: [0, 0, 0, 0],
    dilations: [1, 1],
  } as const;
  const planes = c.core.reshape(x, [before, 1, count, behind]);
  return c.core.reshape(c.core.pool('max_pool', planes, [before, 1, 1, behind], window), [before, 1, behind]);
}

function softmax(x: FloatTensor): FloatTensor {
  const over = (t: FloatTensor, start: number, f: (a: number, v: number) => number) =>
    reduce(t, [1], true, start, f);
  const shifted = zip(x, over(x, Number.NEGATIVE_INFINITY, Math.max), (v, m) => v - m);
  const e = map(shifted, Math.exp);
  return zip(
    e,
    over(e, 0, (a, v) => a + v),
    (v, s) => v / s,
  );
}

defineOp({
  op: 'Softmax',
  opset: [11, 23],
  restrictions: '',
  infer(c) {
    rows(c);
    return [c.type(0)];
  },
  reference: (c, [x]) => [{ shape: x!.shape, data: softmax({ shape: rows(c), data: x!.data }).data }],
  lower(c) {
    const shape = rows(c);
    const x = c.core.reshape(c.value(0), shape);
    const shifted = c.core.sub(x, maximum(c, x, shape));
    const e = c.core.approximate(shifted, 'decay', []);
    // Sums of approximated terms may be a little below 1.
    const sums = c.core.approximate(c.core.sum(e, [1], true), 'power', [-1, 1, 0], {
      lo: 0.98,
      hi: 1.02 * Math.max(shape[1], 2),
    });
    return [c.core.reshape(c.core.mul(e, sums), c.shape(0))];
  },
});
