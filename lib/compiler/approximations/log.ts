// log(x) for positive x. Operands below the domain count as its lower end.

import { limit } from './exp';
import { type Domain, defineApproximation, defineFunction, type ScalarFunction } from './registry';

/** Operands that are computed where nothing is known of them. */
export const LOG_DOMAIN: Domain = { lo: 2 ** -16, hi: 2 ** 14 };

export const log: ScalarFunction = defineFunction({
  name: 'log',
  relative: false,
  unit: 1,
  precision: 2 ** -2,
  of: () => Math.log,
  domain: () => LOG_DOMAIN,
  exists: () => ({ lo: 0, hi: Number.POSITIVE_INFINITY }),
  origin: () => 0,
});

/** h <- 1 - x exp(-y), y <- y - sum of h^k / k, from x / 120 - 20 exp(-2x - 1) + 3. */
defineApproximation({
  name: 'crypten',
  of: 'log',
  source: 'Knott et al., CrypTen, NeurIPS 2021: high-order iterations',
  knobs: { iterations: [2, 1, 3], order: [8, 4, 6] },
  domain: { lo: 2 ** -7, hi: 250 },
  build: (g, x, { iterations, order }) => {
    const series = [0, ...Array.from({ length: order }, (_, i) => 1 / (i + 1))];
    const decay = limit(g, g.add(g.mul(x, -2), -1), 8);
    let y = g.add(g.sub(g.mul(x, 1 / 120), g.mul(decay, 20)), 3);
    for (let i = 0; i < iterations; i++) {
      const h = g.add(g.neg(g.mul(x, limit(g, g.neg(y), 8))), 1);
      y = g.sub(y, g.horner(h, series));
    }
    return y;
  },
});
