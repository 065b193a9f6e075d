// RMSNormalization: y = scale x (mean of x^2 + epsilon)^-1/2 over the axes from the given one on. One opening of x gives its
// squares and its product.

import { POWER_DOMAIN, unlessKnown } from '../approximations/power';
import { elementCount } from '../ir/graph';
import { broadcastShapes, map, reduce, sameShape, zip } from './array';
import type { OpContext } from './context';
import { scaled, shifted, times } from './operands';
import { powerOf } from './power';
import { defineOp } from './registry';

interface Form {
  readonly axes: readonly number[];
  readonly count: number;
  readonly epsilon: number;
}

function form(c: OpContext): Form {
  const shape = c.shape(0);
  const first = c.axis(c.number('axis', -1), shape.length);
  return {
    axes: shape.map((_, i) => i).slice(first),
    count: elementCount(shape.slice(first)),
    epsilon: c.number('epsilon', 1e-5),
  };
}

defineOp({
  op: 'RMSNormalization',
  opset: [23, 23],
  restrictions: `mean of squares + epsilon is ${unlessKnown(POWER_DOMAIN)}`,
  infer(c) {
    form(c);
    const shape = c.has(1) ? broadcastShapes(c.shape(0), c.shape(1)) : c.shape(0);
    if (!shape || !sameShape(shape, c.shape(0)))
      throw c.mismatch(0, 1, 'the scale does not broadcast to the input');
    return [c.type(0)];
  },
  reference(c, [x, scale]) {
    const { axes, count, epsilon } = form(c);
    const squares = reduce(
      map(x!, (v) => v * v),
      axes,
      true,
      0,
      (a, v) => a + v,
    );
    const y = zip(x!, squares, (v, s) => v / Math.sqrt(s / count + epsilon));
    return [scale ? zip(y, scale, (v, s) => v * s) : y];
  },
  lower(c) {
    const { axes, count, epsilon } = form(c);
    const x = c.value(0);
    const mean = scaled(c, c.core.sum(c.core.mul(x, x), axes, true), 1 / count);
    const factor = powerOf(c, shifted(c, mean, epsilon), -0.5);
    return [c.core.mul(c.has(1) ? times(c, x, 1) : x, factor)];
  },
});
