// Exp, Sigmoid, Tanh, by the library of approximations. What saturates is clipped first, unless its operands are known to
// stay where the function is approximated. exp(x) is the square of exp(x / 2), whose results span fewer bits.

import { findFunction } from '../approximations';
import { map } from './array';
import { scaled } from './operands';
import { defineOp } from './registry';

defineOp({
  op: 'Exp',
  opset: [11, 23],
  restrictions: `operands are up to ${2 * findFunction('exp').domain([]).hi} unless their range is known`,
  infer: (c) => [c.type(0)],
  reference: (_, [x]) => [map(x!, Math.exp)],
  lower(c) {
    const root = c.core.approximate(scaled(c, c.value(0), 0.5), 'exp', []);
    return [c.core.mul(root, root)];
  },
});

for (const [op, fn] of [
  ['Sigmoid', 'sigmoid'],
  ['Tanh', 'tanh'],
] as const) {
  defineOp({
    op,
    opset: [11, 23],
    restrictions: '',
    infer: (c) => [c.type(0)],
    reference: (_, [x]) => [map(x!, findFunction(fn).of([]))],
    lower: (c) => [c.core.approximate(c.value(0), fn, [])],
  });
}
