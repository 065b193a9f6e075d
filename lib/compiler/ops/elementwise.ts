// Add, Sub, Mul, Div, Neg, Sum, Mean, with numpy's broadcasting.
//
// On integers known at compile time they are the arithmetic of shapes; Div then truncates. A divisor becomes a factor,
// its reciprocal: computed in double precision when the model is compiled where it is known then, else approximated.

import { anyBases, DIVISOR } from '../approximations/power';
import type { Value } from '../ir/graph';
import { broadcastShapes, map, zip } from './array';
import type { LowerContext, OpContext } from './context';
import { minus, plus, scaled, times, timesComputed } from './operands';
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
  restrictions: `a secret divisor is ${DIVISOR}`,
  infer(c) {
    if (c.isConstant(1) && c.floats(1).data.includes(0)) {
      throw c.error('INVALID_WEIGHTS', 'divides by the constant 0', 'Correct the divisor in the model.');
    }
    return broadcastResult(c);
  },
  reference(c, [a, b]) {
    const isInteger = c.type(0).dtype === 'int';
    return [zip(a!, b!, (x, y) => (isInteger ? Math.trunc(x / y) : x / y))];
  },
  lower(c) {
    if (!c.isConstant(1))
      return [times(c, c.core.approximate(c.value(1), 'power', [-1, 1, 0], anyBases(-1)), 0)];
    const reciprocals = map(c.floats(1), (x) => 1 / x);
    return [timesComputed(c, c.value(0), reciprocals, [1])];
  },
});

defineOp({
  op: 'Neg',
  opset: [11, 23],
  restrictions: '',
  infer: (c) => [c.type(0)],
  reference: (_, [x]) => [map(x!, (v) => -v)],
  lower: (c) => [c.core.neg(c.value(0))],
});

/** Type of the sum of any number of inputs. */
export function variadicResult(c: OpContext): Shaped[] {
  const shapes = c.node.inputs.map((_, i) => c.shape(i));
  const shape = shapes.reduce<number[] | undefined>((a, b) => a && broadcastShapes(a, b), []);
  if (!shape) throw c.invalidShape('has inputs that do not broadcast', ...shapes);
  return [{ shape, dtype: c.type(0).dtype }];
}

function sumOfInputs(c: LowerContext): Value {
  const first = c.inputs.findIndex((_, i) => !c.isConstant(i));
  const others = c.inputs.map((_, i) => i).filter((i) => i !== first);
  return c.core.expand(
    others.reduce((sum, i) => plus(c, sum, i), c.value(first)),
    c.outputShape,
  );
}

defineOp({
  op: 'Sum',
  opset: [11, 23],
  restrictions: '',
  infer: variadicResult,
  reference: (_, inputs) => [inputs.map((t) => t!).reduce((a, b) => zip(a, b, (x, y) => x + y))],
  lower: (c) => [sumOfInputs(c)],
});

defineOp({
  op: 'Mean',
  opset: [11, 23],
  restrictions: '',
  infer: variadicResult,
  reference(_, inputs) {
    const sum = inputs.map((t) => t!).reduce((a, b) => zip(a, b, (x, y) => x + y));
    return [map(sum, (x) => x / inputs.length)];
  },
  lower: (c) => [scaled(c, sumOfInputs(c), 1 / c.inputs.length)],
});
