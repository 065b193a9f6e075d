// Functions of one number, by the library of approximations.

import { findFunction } from '../approximations';
import { map } from './array';
import { defineOp } from './registry';

for (const [op, fn, restrictions] of [
  ['Exp', 'exp', `operands are up to ${findFunction('exp').domain([]).hi} unless calibrated`],
  ['Sigmoid', 'sigmoid', ''],
  ['Tanh', 'tanh', ''],
  ['Sin', 'sin', ''],
  ['Cos', 'cos', ''],
] as const) {
  defineOp({
    op,
    opset: [11, 23],
    restrictions,
    infer: (c) => [c.type(0)],
    reference: (_, [x]) => [map(x!, findFunction(fn).of([]))],
    lower: (c) => [c.core.approximate(c.value(0), fn, [])],
  });
}
