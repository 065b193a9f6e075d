// Norms along axes: ReduceL1, ReduceL2, LpNormalization. |x| is 2 max(x, 0) - x; squares take one opening.

import { POWER_DOMAIN, ROOT_DOMAIN, unlessKnown } from '../approximations/power';
import type { Value } from '../ir/graph';
import { type FloatTensor, map, reduce, zip } from './array';
import type { LowerContext, OpContext } from './context';
import { powerOf } from './power';
import { reduction } from './reduce';
import { defineOp } from './registry';

type P = 1 | 2;

/** sum |x|^p over axes. */
function powerSum(c: LowerContext, p: P, axes: readonly number[], keepdims: boolean): Value {
  const x = c.value(0);
  const terms = p === 2 ? c.core.mul(x, x) : absolute(c, x);
  return axes.length === 0 ? terms : c.core.sum(terms, axes, keepdims);
}

function absolute(c: LowerContext, x: Value): Value {
  const twice = c.core.mulConst(c.core.relu(x), { shape: [], data: Float64Array.of(2) });
  return c.core.sub(twice, x);
}

function normOf(x: FloatTensor, p: P, axes: readonly number[], keepdims: boolean): FloatTensor {
  const terms = map(x, (v) => Math.abs(v) ** p);
  return map(
    reduce(terms, axes, keepdims, 0, (a, v) => a + v),
    (s) => s ** (1 / p),
  );
}

for (const [op, p] of [
  ['ReduceL1', 1],
  ['ReduceL2', 2],
] as const) {
  defineOp({
    op,
    opset: [11, 23],
    restrictions: p === 1 ? '' : `the sum of squares is ${unlessKnown(ROOT_DOMAIN)}`,
    infer: (c) => [{ shape: reduction(c).shape, dtype: c.type(0).dtype }],
    reference(c, [x]) {
      const { axes, keepdims } = reduction(c);
      return [normOf(x!, p, axes, keepdims)];
    },
    lower(c) {
      const { axes, keepdims } = reduction(c);
      const sum = powerSum(c, p, axes, keepdims);
      return [p === 1 ? sum : powerOf(c, sum, 0.5)];
    },
  });
}

function normalisation(c: OpContext): { p: P; axes: number[] } {
  const p = c.number('p', 2);
  if (p !== 1 && p !== 2) throw c.error('INVALID_MODEL', `has p = ${p}`, 'It is 1 or 2.');
  return { p, axes: [c.axis(c.number('axis', -1), c.shape(0).length)] };
}

defineOp({
  op: 'LpNormalization',
  opset: [11, 23],
  restrictions: `the sum of squares or magnitudes is ${unlessKnown(POWER_DOMAIN)}`,
  infer(c) {
    normalisation(c);
    return [c.type(0)];
  },
  reference(c, [x]) {
    const { p, axes } = normalisation(c);
    return [zip(x!, normOf(x!, p, axes, true), (v, n) => (n === 0 ? 0 : v / n))];
  },
  lower(c) {
    const { p, axes } = normalisation(c);
    return [c.core.mul(c.value(0), powerOf(c, powerSum(c, p, axes, true), -1 / p))];
  },
});
