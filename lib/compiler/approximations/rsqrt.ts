// x^(-1/2) and x^(1/2) in the ways of other systems: `power` with these exponents.

import type { Value } from '../ir/graph';
import type { FunctionBuilder } from './builder';
import { limit } from './exp';
import { POWER_DOMAIN } from './power';
import { defineApproximation } from './registry';
import { seedOf } from './seed';

const SOURCE = 'Knott et al., CrypTen, NeurIPS 2021: Newton-Raphson';

/** y <- y (3 - x y^2) / 2, `steps` times. */
function newtonRsqrt(g: FunctionBuilder, x: Value, start: Value, steps: number): Value {
  let y = start;
  for (let i = 0; i < steps; i++) y = g.mul(y, g.add(g.mul(g.mul(x, g.square(y)), -0.5), 1.5));
  return y;
}

/** 2.2 exp(-(x / 2 + 0.2)) + 0.2 - x / 1024 */
function start(g: FunctionBuilder, x: Value): Value {
  const decay = limit(g, g.add(g.mul(x, -0.5), -0.2), 8);
  return g.sub(g.add(g.mul(decay, 2.2), 0.2), g.mul(x, 2 ** -10));
}

function rsqrt(g: FunctionBuilder, x: Value): Value {
  return newtonRsqrt(g, x, start(g, x), 3);
}

defineApproximation({
  name: 'crypten',
  of: 'rsqrt',
  source: SOURCE,
  domain: { lo: 0, hi: 200 },
  build: rsqrt,
});

defineApproximation({
  name: 'crypten',
  of: 'sqrt',
  source: SOURCE,
  domain: { lo: 0, hi: 200 },
  build: (g, x) => g.mul(rsqrt(g, x), x),
});

defineApproximation({
  name: 'cryptorch start',
  of: 'rsqrt',
  source: "CrypTorch: CrypTen's with another start for large operands",
  domain: { lo: 0, hi: 1000 },
  build: (g, x) => {
    // The exponential is taken of small operands only; of large ones it would leave its domain.
    const large = g.atLeast(x, 100);
    const small = g.mul(x, g.not(large));
    return newtonRsqrt(g, x, g.add(g.mul(g.sub(start(g, small), 0.05), g.not(large)), 0.05), 3);
  },
});

defineApproximation({
  name: 'cryptorch scaled',
  of: 'rsqrt',
  source: "CrypTorch: CrypTen's on an operand that is scaled by 1, 1e-2 or 1e-4",
  domain: { lo: 0, hi: 1e6 },
  build: (g, x) => {
    const [hundred, tenThousand] = [g.number(g.atLeast(x, 100)), g.number(g.atLeast(x, 1e4))];
    const factor = (first: number, second: number) =>
      g.add(g.add(g.mul(hundred, first - 1), g.mul(tenThousand, second - first)), 1);
    return g.mul(rsqrt(g, g.mul(x, factor(1e-2, 1e-4))), factor(0.1, 0.01));
  },
});

const seed = seedOf((x) => x ** -0.5);

defineApproximation({
  name: 'newton',
  of: 'rsqrt',
  domain: POWER_DOMAIN,
  // Half of the digits from a table, the other half from one step. x y is never small, as y^2 is.
  build: (g, x) => {
    const y = g.spline(x, seed());
    return g.mul(y, g.add(g.mul(g.mul(g.mul(x, y), y), -0.5), 1.5));
  },
});
