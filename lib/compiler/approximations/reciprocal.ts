// 1 / x in the ways of other systems: `power` with the exponent -1.

import type { Value } from '../ir/graph';
import type { FunctionBuilder } from './builder';
import { limit } from './exp';
import { POWER_DOMAIN } from './power';
import { defineApproximation } from './registry';
import { seedOf } from './seed';

/** y <- y (2 - y u), `steps` times: each squares the relative error. */
export function newtonReciprocal(g: FunctionBuilder, u: Value, start: Value, steps: number): Value {
  let y = start;
  for (let i = 0; i < steps; i++) y = g.mul(y, g.add(g.neg(g.mul(y, u)), 2));
  return y;
}

/** 3 exp(1 - 2u) + 0.003: close enough for u below 200 or so. */
function start(g: FunctionBuilder, u: Value): Value {
  return g.add(g.mul(limit(g, g.add(g.mul(u, -2), 1), 8), 3), 0.003);
}

defineApproximation({
  name: 'crypten',
  of: 'reciprocal',
  source: 'Knott et al., CrypTen, NeurIPS 2021: Newton-Raphson',
  knobs: { steps: [10, 8, 6, 4] },
  domain: { lo: -200, hi: 200 },
  build: (g, x, { steps }) => {
    // One comparison gives the magnitude, and the sign of the result.
    const positive = g.atLeast(x, 0);
    const u = g.select(positive, x, g.neg(x));
    const y = newtonReciprocal(g, u, start(g, u), steps);
    return g.select(positive, y, g.neg(y));
  },
});

const seed = seedOf((x) => 1 / x);

defineApproximation({
  name: 'newton',
  of: 'reciprocal',
  domain: POWER_DOMAIN,
  // Half of the digits from a table, the other half from one step.
  build: (g, x) => newtonReciprocal(g, x, g.spline(x, seed()), 1),
});
