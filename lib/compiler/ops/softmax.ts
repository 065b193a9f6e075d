// Softmax: exp(x - max) / sum of exp(x - max). The maximum makes every exponent at most 0 and the sum at least 1, so both
// functions have a known domain. Before operator set 13 it is over all axes from the given one.

import type { Domain } from '../approximations';
import { elementCount, type Value } from '../ir/graph';
import { type FloatTensor, map, reduce, zip } from './array';
import type { LowerContext, OpContext } from './context';
import { largestOfRows } from './extremum';
import { defineOp } from './registry';

/** The input as [before, count, behind]: what is normalised together lies along the middle. */
export function rows(c: OpContext): [number, number, number] {
  const shape = c.shape(0);
  const flattens = c.opset < 13;
  const axis = c.axis(c.number('axis', flattens ? 1 : -1), shape.length);
  const before = elementCount(shape.slice(0, axis));
  if (flattens) return [before, elementCount(shape.slice(axis)), 1];
  return [before, shape[axis]!, elementCount(shape.slice(axis + 1))];
}

/**
 * The sums along the middle of exponentials [before, count, behind] of which the largest is 1, and where they are: terms
 * that are approximated may sum up to a little less than 1.
 */
export function sumOfTerms(c: LowerContext, terms: Value): { sum: Value; domain: Domain } {
  const count = terms.type.shape[1]!;
  return { sum: c.core.sum(terms, [1], true), domain: { lo: 0.98, hi: 1.02 * Math.max(count, 2) } };
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
    const shifted = c.core.sub(x, largestOfRows(c, x, shape));
    const e = c.core.approximate(shifted, 'decay', []);
    const { sum, domain } = sumOfTerms(c, e);
    const factor = c.core.approximate(sum, 'power', [-1, 1, 0], domain);
    return [c.core.reshape(c.core.mul(e, factor), c.shape(0))];
  },
});
