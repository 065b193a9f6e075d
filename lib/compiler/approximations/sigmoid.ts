// 1 / (1 + exp(-x)). At the ends of the domain it is 1.7e-5 from 0 and from 1.

import type { Value } from '../ir/graph';
import type { FunctionBuilder } from './builder';
import { limit } from './exp';
import { factored, odd, scaledBy } from './pieces';
import { newtonReciprocal } from './reciprocal';
import { defineApproximation, defineFunction, type ScalarFunction } from './registry';

export const sigmoid: ScalarFunction = defineFunction({
  name: 'sigmoid',
  relative: false,
  of: () => (x) => 1 / (1 + Math.exp(-x)),
  domain: () => ({ lo: -11, hi: 11 }),
  exists: () => ({ lo: Number.NEGATIVE_INFINITY, hi: Number.POSITIVE_INFINITY }),
  tails: { lo: 0, hi: 0 },
});

/** 1 / (1 + exp(-|x|)) by three Newton steps from 3/4, reflected at 1/2 for x < 0. */
export function byReciprocal(g: FunctionBuilder, x: Value): Value {
  const positive = g.atLeast(x, 0);
  const magnitude = g.select(positive, x, g.neg(x));
  const sum = g.add(limit(g, g.neg(magnitude), 9), 1);
  // The first step, from a public number, takes no product.
  const first = g.add(g.mul(sum, -0.75 * 0.75), 1.5);
  const y = newtonReciprocal(g, sum, first, 2);
  return g.select(positive, y, g.add(g.neg(y), 1));
}

defineApproximation({
  name: 'crypten',
  of: 'sigmoid',
  source: 'Knott et al., CrypTen, NeurIPS 2021: by a reciprocal',
  domain: { lo: -(2 ** 10), hi: 2 ** 10 },
  build: byReciprocal,
});

defineApproximation({
  name: 'cryptorch',
  of: 'sigmoid',
  source: 'CrypTorch: piecewise polynomials; order 4 is factored',
  knobs: { order: [4, 2] },
  build: (g, x, { order }) => {
    const limit = order === 2 ? 4.4 : 5.3;
    const p =
      order === 2
        ? [0.01068988, 1.07702124, -0.61052943]
        : factored([0.56800893, -0.32150404, 1.42397653, -4.91361691, 4.9664662]);
    return odd(g, x, limit, scaledBy(p, 1 / limit), 0.5, 0.5);
  },
});
