// Less, LessOrEqual, Greater, GreaterOrEqual, Equal: booleans, with numpy's broadcasting.
//
// a >= b is one step of a - b, or of the computed one of them where the other is one public number: then the comparison
// takes the opening of that value, which others may need anyway. A comparison is exact on the integers that values are
// computed as; where these were rounded before, numbers that are closer than that may compare either way.

import type { Value } from '../ir/graph';
import { broadcastShapes, sameShape, zip } from './array';
import { isUniform, type LowerContext, type OpContext } from './context';
import { broadcastResult } from './elementwise';
import { minus, publicConstant, shifted } from './operands';
import { defineOp, type Shaped } from './registry';

const rounding = 'values nearer to each other than the rounding before may compare either way';

function truth(c: OpContext): Shaped[] {
  return broadcastResult(c).map((s) => ({ ...s, dtype: 'bool' }));
}

/** Input i as one public number that does not make x larger. */
function publicNumber(c: LowerContext, i: number, x: Value): number | undefined {
  const t = publicConstant(c, i, c.shape(i));
  const fits = t && isUniform(t) && sameShape(broadcastShapes(t.shape, x.type.shape) ?? [], x.type.shape);
  return fits ? t.data[0] : undefined;
}

/** a - b of the inputs, of which one may be a constant. */
function difference(c: LowerContext): Value {
  const t = publicConstant(c, 0, c.shape(0));
  return t ? shifted(c, c.core.neg(c.value(1)), t) : minus(c, c.value(0), 1);
}

/** Whether a >= b of the inputs, or a > b where `strict`. */
function above(c: LowerContext, strict: boolean): Value {
  if (!publicConstant(c, 0, c.shape(0))) {
    const bound = publicNumber(c, 1, c.value(0));
    if (bound !== undefined) return c.core.step(c.value(0), bound, strict);
  } else {
    // a >= b is not (b > a).
    const bound = publicNumber(c, 0, c.value(1));
    if (bound !== undefined) return c.core.not(c.core.step(c.value(1), bound, !strict));
  }
  return c.core.step(difference(c), 0, strict);
}

type Comparison = readonly [
  holds: (x: number, y: number) => boolean,
  // x < y is not (x >= y), of the same difference.
  lower: (c: LowerContext) => Value,
];

const comparisons: Readonly<Record<string, Comparison>> = {
  Greater: [(x, y) => x > y, (c) => above(c, true)],
  GreaterOrEqual: [(x, y) => x >= y, (c) => above(c, false)],
  Less: [(x, y) => x < y, (c) => c.core.not(above(c, false))],
  LessOrEqual: [(x, y) => x <= y, (c) => c.core.not(above(c, true))],
  Equal: [(x, y) => x === y, equal],
};

function equal(c: LowerContext): Value {
  if (c.type(0).dtype === 'bool') return c.core.not(c.core.xor(c.value(0), c.value(1)));
  const i = c.isConstant(0) ? 1 : 0;
  const bound = publicNumber(c, 1 - i, c.value(i));
  return bound === undefined
    ? c.core.equals(minus(c, c.value(i), 1 - i), 0)
    : c.core.equals(c.value(i), bound);
}

for (const [op, [holds, lower]] of Object.entries(comparisons)) {
  defineOp({
    op,
    opset: [11, 23],
    restrictions: rounding,
    integers: true,
    infer: truth,
    reference: (_, [a, b]) => [zip(a!, b!, (x, y) => Number(holds(x, y)))],
    lower: (c) => [lower(c)],
  });
}
