// Pow with a constant exponent, Sqrt, Reciprocal, and the division by a secret value.
//
// Small whole exponents are products. Everything else is a power of a positive base, which the library of approximations
// computes (../approximations/power.ts).

import { anyBases, DIVISOR, POWER_DOMAIN, ROOT_DOMAIN, unlessKnown } from '../approximations/power';
import type { Value } from '../ir/graph';
import { map, zip } from './array';
import type { LowerContext, OpContext } from './context';
import { broadcastResult } from './elementwise';
import { defineOp } from './registry';

/** Whole exponents up to this one are products. */
const MOST_PRODUCTS = 4;

/** (offset + factor x)^exponent. */
export function powerOf(
  c: LowerContext,
  x: Value,
  exponent: number,
  factor: number = 1,
  offset: number = 0,
): Value {
  return c.core.approximate(x, 'power', [exponent, factor, offset]);
}

/** x^exponent, of either sign where it exists for both. */
function anyPowerOf(c: LowerContext, x: Value, exponent: number): Value {
  // An even power has no sign, and is known to be positive.
  if (exponent % 2 === 0 && isProduct(-exponent)) return powerOf(c, repeated(c, x, -exponent), -1);
  return c.core.approximate(x, 'power', [exponent, 1, 0], anyBases(exponent));
}

/** x^n as products, each of two values of about the same degree: x^4 takes two in a row. */
function repeated(c: LowerContext, x: Value, n: number): Value {
  if (n === 1) return x;
  const half = repeated(c, x, Math.floor(n / 2));
  const square = c.core.mul(half, half);
  return n % 2 === 0 ? square : c.core.mul(square, x);
}

function exponentOf(c: OpContext): number {
  const exponents = c.floats(1).data;
  const first = exponents[0]!;
  if (!exponents.every((e) => e === first)) {
    throw c.unsupported('has several exponents', 'Use one exponent for all elements.');
  }
  return first;
}

function isProduct(exponent: number): boolean {
  return Number.isInteger(exponent) && exponent >= 1 && exponent <= MOST_PRODUCTS;
}

defineOp({
  op: 'Pow',
  opset: [11, 23],
  restrictions: `a constant exponent: 1 to 4, or a base ${unlessKnown(POWER_DOMAIN)}, less for exponents below -1`,
  infer(c) {
    if (c.isConstant(0) && c.isConstant(1)) return broadcastResult(c);
    if (!c.isConstant(1)) {
      throw c.unsupported(
        'has a secret exponent',
        'Only constant exponents are supported; rewrite the model.',
      );
    }
    exponentOf(c);
    return broadcastResult(c);
  },
  reference: (_, [x, y]) => [zip(x!, y!, (a, b) => a ** b)],
  lower(c) {
    const x = c.core.expand(c.value(0), c.outputShape);
    const exponent = exponentOf(c);
    if (exponent === 0) return [c.core.addConst(c.core.mulConst(x, scalar(0)), scalar(1))];
    return [isProduct(exponent) ? repeated(c, x, exponent) : anyPowerOf(c, x, exponent)];
  },
});

function scalar(value: number): { shape: number[]; data: Float64Array } {
  return { shape: [], data: Float64Array.of(value) };
}

for (const [op, exponent, f] of [
  ['Sqrt', 0.5, Math.sqrt],
  ['Reciprocal', -1, (x: number) => 1 / x],
] as const) {
  defineOp({
    op,
    opset: [11, 23],
    restrictions: `the operand is ${exponent > 0 ? unlessKnown(ROOT_DOMAIN) : DIVISOR}`,
    infer: (c) => [c.type(0)],
    reference: (_, [x]) => [map(x!, f)],
    lower: (c) => [anyPowerOf(c, c.value(0), exponent)],
  });
}

// |x| is a LeakyRelu of slope -1; 1 + |x| is a base of 1 at least.
defineOp({
  op: 'Softsign',
  opset: [11, 23],
  restrictions: `the magnitude is below 2^${Math.log2(POWER_DOMAIN.hi)} unless calibrated`,
  infer: (c) => [c.type(0)],
  reference: (_, [x]) => [map(x!, (v) => v / (1 + Math.abs(v)))],
  lower(c) {
    const x = c.value(0);
    const domain = { lo: 0, hi: POWER_DOMAIN.hi - 1 };
    return [c.core.mul(x, c.core.approximate(c.core.leakyRelu(x, -1), 'power', [-1, 1, 1], domain))];
  },
});
