// Functions of one value that are linear between a few points: Abs, Sign, PRelu, HardSigmoid, HardSwish, Shrink,
// ThresholdedRelu. All are compositions; comparisons and products of one value share its opening.

import { broadcastShapes, map, sameShape, zip } from './array';
import { isUniform, type OpContext } from './context';
import { publicConstant, scaled, shifted, times } from './operands';
import { defineOp } from './registry';

// |x| is a LeakyRelu of slope -1.
defineOp({
  op: 'Abs',
  opset: [11, 23],
  restrictions: '',
  integers: true,
  infer: (c) => [c.type(0)],
  reference: (_, [x]) => [map(x!, Math.abs)],
  lower: (c) => [c.core.leakyRelu(c.value(0), -1)],
});

// 2 [x >= 0] - [x = 0] - 1
defineOp({
  op: 'Sign',
  opset: [11, 23],
  restrictions: '',
  integers: true,
  infer: (c) => [c.type(0)],
  reference: (_, [x]) => [map(x!, Math.sign)],
  lower(c) {
    const x = c.value(0);
    const dtype = c.type(0).dtype === 'int' ? 'int' : 'fixed';
    const [side, zero] = [c.core.step(x, 0, false), c.core.equals(x, 0)].map((b) => c.core.cast(b, dtype));
    return [shifted(c, c.core.sub(scaled(c, side!, 2), zero!), -1)];
  },
});

// relu(x) + slope (x - relu(x)): the opening that the sign takes is one of x, and one more is that of the difference.
defineOp({
  op: 'PRelu',
  opset: [11, 23],
  restrictions: '',
  infer(c) {
    const shape = broadcastShapes(c.shape(0), c.shape(1));
    if (!shape || !sameShape(shape, c.shape(0)))
      throw c.mismatch(0, 1, 'the slope does not broadcast to the input');
    return [c.type(0)];
  },
  reference: (_, [x, slope]) => [zip(x!, slope!, (v, s) => (v < 0 ? s * v : v))],
  lower(c) {
    const x = c.value(0);
    const slope = publicConstant(c, 1, c.shape(1));
    if (slope && isUniform(slope) && slope.data[0] !== 1) return [c.core.leakyRelu(x, slope.data[0]!)];
    const positive = c.core.relu(x);
    return [c.core.add(positive, times(c, c.core.sub(x, positive), 1))];
  },
});

/** clip(alpha x + beta, 0, 1) */
function hardSigmoid(c: OpContext): { alpha: number; beta: number } {
  return { alpha: c.number('alpha', 0.2), beta: c.number('beta', 0.5) };
}

defineOp({
  op: 'HardSigmoid',
  opset: [11, 23],
  restrictions: '',
  infer: (c) => [c.type(0)],
  reference(c, [x]) {
    const { alpha, beta } = hardSigmoid(c);
    return [map(x!, (v) => Math.min(Math.max(alpha * v + beta, 0), 1))];
  },
  lower(c) {
    const { alpha, beta } = hardSigmoid(c);
    return [c.core.clip(shifted(c, scaled(c, c.value(0), alpha), beta), 0, 1)];
  },
});

defineOp({
  op: 'HardSwish',
  opset: [14, 23],
  restrictions: '',
  infer: (c) => [c.type(0)],
  reference: (_, [x]) => [map(x!, (v) => v * Math.min(Math.max(v / 6 + 0.5, 0), 1))],
  // The clip and the product take one opening of x.
  lower(c) {
    const x = c.value(0);
    return [c.core.mul(x, scaled(c, shifted(c, c.core.clip(x, -3, 3), 3), 1 / 6))];
  },
});

// x where x > alpha: the comparison and the product take one opening.
defineOp({
  op: 'ThresholdedRelu',
  opset: [11, 23],
  restrictions: '',
  infer: (c) => [c.type(0)],
  reference(c, [x]) {
    const alpha = c.number('alpha', 1);
    return [map(x!, (v) => (v > alpha ? v : 0))];
  },
  lower(c) {
    const x = c.value(0);
    return [c.core.mul(x, c.core.step(x, c.number('alpha', 1), true))];
  },
});

/** x + bias below -lambda, x - bias above lambda, 0 between. */
function shrink(c: OpContext): { bias: number; lambda: number } {
  const [bias, lambda] = [c.number('bias', 0), c.number('lambd', 0.5)];
  if (lambda >= 0) return { bias, lambda };
  throw c.unsupported(`has lambd = ${lambda}`, 'Use one that is not negative.');
}

// Both comparisons and their products take one opening of x. x >= -lambda is the opposite of x < -lambda.
defineOp({
  op: 'Shrink',
  opset: [11, 23],
  restrictions: 'lambd is not negative',
  infer(c) {
    shrink(c);
    return [c.type(0)];
  },
  reference(c, [x]) {
    const { bias, lambda } = shrink(c);
    return [map(x!, (v) => (v < -lambda ? v + bias : v > lambda ? v - bias : 0))];
  },
  lower(c) {
    const { bias, lambda } = shrink(c);
    const x = c.value(0);
    const below = c.core.not(c.core.step(x, -lambda, false));
    const above = c.core.step(x, lambda, true);
    return [c.core.add(c.core.mul(shifted(c, x, bias), below), c.core.mul(shifted(c, x, -bias), above))];
  },
});
