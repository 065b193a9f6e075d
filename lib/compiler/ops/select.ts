// Where: b + c (a - b). A secret condition is a boolean, which its opening makes a factor for one bit (../protocols/
// boolean.ts); a public one is a mask of zeros and ones, and nothing is sent.

import type { Value } from '../ir/graph';
import { broadcastShapes, expand, type FloatTensor, map, zip } from './array';
import { type LowerContext, type OpContext, show } from './context';
import { minus, plus, plusComputed, publicConstant, scaled, shifted } from './operands';
import { defineOp } from './registry';

function shapeOf(c: OpContext): number[] {
  const values = broadcastShapes(c.shape(1), c.shape(2));
  const shape = values && broadcastShapes(c.shape(0), values);
  if (!shape) throw c.mismatch(1, 2, `they do not broadcast with a condition of shape ${show(c.shape(0))}`);
  return shape;
}

const inverted = (t: FloatTensor): FloatTensor => map(t, (v) => 1 - v);

/** A known condition: each value times its mask. Constants are masked here: where they are not taken, any number fits. */
function byMask(c: LowerContext, mask: FloatTensor): Value {
  const parts = [
    { i: 1, m: mask },
    { i: 2, m: inverted(mask) },
  ];
  const sum = parts
    .filter(({ i }) => !c.isConstant(i))
    .map(({ i, m }) => scaled(c, c.core.expand(c.value(i), c.outputShape), m))
    .reduce((a, b) => c.core.add(a, b));
  return parts
    .filter(({ i }) => c.isConstant(i))
    .reduce((x, { i, m }) => {
      const term = zip(m, c.floats(i), (taken, v) => (taken === 0 ? 0 : v));
      return plusComputed(c, x, expand(term, c.outputShape), [i]);
    }, sum);
}

/** Where the condition holds input i, else input j. */
function choice(c: LowerContext, condition: Value, i: 1 | 2): Value {
  const j = 3 - i;
  const [a, b] = [publicConstant(c, i, c.shape(i)), publicConstant(c, j, c.shape(j))];
  if (a && b) {
    const number = c.core.cast(condition, c.type(1).dtype === 'int' ? 'int' : 'fixed');
    const difference = zip(a, b, (x, y) => x - y);
    return shifted(c, scaled(c, number, expand(difference, c.outputShape)), expand(b, c.outputShape));
  }
  if (a) return choice(c, c.core.not(condition), j as 1 | 2);
  return plus(c, c.core.mul(minus(c, c.value(i), j), condition), j);
}

function ofBooleans(c: LowerContext): Value {
  const [condition, a, b] = [c.value(0), c.value(1), c.value(2)];
  return c.core.xor(b, c.core.mul(c.core.xor(a, b), condition));
}

defineOp({
  op: 'Where',
  opset: [11, 23],
  restrictions: '',
  integers: true,
  infer(c) {
    c.needBoolean(0);
    return [{ shape: shapeOf(c), dtype: c.type(1).dtype }];
  },
  reference(c, [condition, a, b]) {
    const shape = shapeOf(c);
    const [x, y] = [expand(a!, shape).data, expand(b!, shape).data];
    return [{ shape, data: expand(condition!, shape).data.map((v, i) => (v !== 0 ? x[i]! : y[i]!)) }];
  },
  lower(c) {
    if (c.type(1).dtype === 'bool') return [ofBooleans(c)];
    const mask = publicConstant(c, 0, c.shape(0));
    return [c.core.expand(mask ? byMask(c, mask) : choice(c, c.value(0), 1), c.outputShape)];
  },
});
