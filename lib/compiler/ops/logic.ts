// Not, And, Or, Xor. Not and Xor are local; And, which Or is too, is a product modulo 2.

import type { Value } from '../ir/graph';
import { map, zip } from './array';
import type { LowerContext } from './context';
import { broadcastResult } from './elementwise';
import { publicConstant, scaled } from './operands';
import { defineOp } from './registry';

defineOp({
  op: 'Not',
  opset: [11, 23],
  restrictions: '',
  integers: true,
  infer(c) {
    c.needBoolean(0);
    return [c.type(0)];
  },
  reference: (_, [x]) => [map(x!, (v) => Number(v === 0))],
  lower: (c) => [c.core.not(c.value(0))],
});

/** Input i, or its complement. */
function literal(c: LowerContext, i: number, complement: boolean): Value {
  return complement ? c.core.not(c.value(i)) : c.value(i);
}

/** Both inputs, or both of their complements. */
function conjunction(c: LowerContext, complement: boolean): Value {
  const known = publicConstant(c, 0, c.shape(0)) ? 0 : 1;
  const t = publicConstant(c, known, c.shape(known));
  if (!t) return c.core.mul(literal(c, 0, complement), literal(c, 1, complement));
  const mask = map(t, (v) => (complement ? 1 - v : v));
  return scaled(c, literal(c, 1 - known, complement), mask);
}

const connectives = {
  And: [(x: number, y: number) => x !== 0 && y !== 0, (c: LowerContext) => conjunction(c, false)],
  Or: [(x: number, y: number) => x !== 0 || y !== 0, (c: LowerContext) => c.core.not(conjunction(c, true))],
  Xor: [(x: number, y: number) => x !== y, (c: LowerContext) => c.core.xor(c.value(0), c.value(1))],
} as const;

for (const [op, [holds, lower]] of Object.entries(connectives)) {
  defineOp({
    op,
    opset: [11, 23],
    restrictions: '',
    integers: true,
    infer(c) {
      for (const i of [0, 1]) c.needBoolean(i);
      return broadcastResult(c);
    },
    reference: (_, [a, b]) => [zip(a!, b!, (x, y) => Number(holds(x, y)))],
    lower: (c) => [lower(c)],
  });
}
