// Add, Sub, Mul, Div, Neg, with numpy's broadcasting.
//
// On integers known at compile time they are the arithmetic of shapes; Div then truncates. A divisor must be
// known: it becomes a factor, its reciprocal, computed in double precision when the model is compiled.

import { broadcastShapes, map, zip } from './array';
import type { OpContext } from './context';
import { minus, plus, times, timesComputed } from './operands';
import { defineOp, type Shaped } from './registry';

export function broadcastResult(c: OpContext): Shaped[] {
  const shape = broadcastShapes(c.shape(0), c.shape(1));
  if (!shape) throw c.mismatch(0, 1, 'they do not broadcast');
  return [{ shape, dtype: c.type(0).dtype }];
}

defineOp({
  op: 'Add',
  opset: [11, 23],
  restrictions: '',
  infer: broadcastResult,
  reference: (_, [a, b]) => [zip(a!, b!, (x, y) => x + y)],
  lower: (c) => [c.isConstant(0) ? plus(c, c.value(1), 0) : plus(c, c.value(0), 1)],
});

defineOp({
  op: 'Sub',
  opset: [11, 23],
  restrictions: '',
  infer: broadcastResult,
  reference: (_, [a, b]) => [zip(a!, b!, (x, y) => x - y)],
  lower(c) {
    const isPublic = c.constant(0)?.private === false;
    return [isPublic ? plus(c, c.core.neg(c.value(1)), 0) : minus(c, c.value(0), 1)];
  },
});

defineOp({
  op: 'Mul',
  opset: [11, 23],
  restrictions: '',
  infer: broadcastResult,
  reference: (_, [a, b]) => [zip(a!, b!, (x, y) => x * y)],
  lower: (c) => [c.isConstant(0) ? times(c, c.value(1), 0) : times(c, c.value(0), 1)],
});

defineOp({
  op: 'Div',
  opset: [11, 23],
  restrictions: 'the divisor is known at compile time',
  infer(c) {
    if (!c.isConstant(1)) {
      throw c.unsupported(
        'divides by a secret value',
        'Only constant divisors are supported; rewrite the division.',
      );
    }
    if (c.floats(1).data.includes(0)) {
      throw c.error('INVALID_WEIGHTS', 'divides by the constant 0', 'Correct the divisor in the model.');
    }
    return broadcastResult(c);
  },
  reference(c, [a, b]) {
    const isInteger = c.type(0).dtype === 'int';
    return [zip(a!, b!, (x, y) => (isInteger ? Math.trunc(x / y) : x / y))];
  },
  lower: (c) => [
    timesComputed(
      c,
      c.value(0),
      map(c.floats(1), (x) => 1 / x),
      [1],
    ),
  ],
});

defineOp({
  op: 'Neg',
  opset: [11, 23],
  restrictions: '',
  infer: (c) => [c.type(0)],
  reference: (_, [x]) => [map(x!, (v) => -v)],
  lower: (c) => [c.core.neg(c.value(0))],
});
