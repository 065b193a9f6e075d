// tanh(x). At the ends of the domain it is 3.3e-5 from -1 and from 1.

import { chebyshevSeries, oddChebyshev } from './chebyshev';
import { odd } from './pieces';
import { defineApproximation, defineFunction, type ScalarFunction } from './registry';
import { byReciprocal } from './sigmoid';

export const tanh: ScalarFunction = defineFunction({
  name: 'tanh',
  relative: false,
  of: () => Math.tanh,
  domain: () => ({ lo: -5.5, hi: 5.5 }),
  exists: () => ({ lo: Number.NEGATIVE_INFINITY, hi: Number.POSITIVE_INFINITY }),
  tails: { lo: 0, hi: 0 },
});

defineApproximation({
  name: 'crypten',
  of: 'tanh',
  source: 'Knott et al., CrypTen, NeurIPS 2021: 2 sigmoid(2x) - 1, by a reciprocal',
  domain: { lo: -(2 ** 9), hi: 2 ** 9 },
  build: (g, x) => g.add(g.mul(byReciprocal(g, g.mul(x, 2)), 2), -1),
});

defineApproximation({
  name: 'crypten chebyshev',
  of: 'tanh',
  source: 'Knott et al., CrypTen, NeurIPS 2021: Chebyshev series of 32 terms',
  domain: { lo: -1, hi: 1 },
  build: (g, x) => oddChebyshev(g, x, chebyshevSeries(Math.tanh, 32)),
});

/** Of x / 5 clipped to [-1, 1]; of T_1, T_3, ... */
const NINE_TERMS = [
  1.25140459, -0.36559878, 0.17253141, -0.08943446, 0.04770302, -0.02583029, 0.0143388, -0.00854173,
  0.00612307,
];

defineApproximation({
  name: 'cryptorch chebyshev',
  of: 'tanh',
  source: 'CrypTorch: odd Chebyshev series of degree 17 on [-5, 5]',
  build: (g, x) => oddChebyshev(g, g.clip(g.mul(x, 1 / 5), -1, 1), NINE_TERMS),
});

defineApproximation({
  name: 'bolt',
  of: 'tanh',
  source: 'Pang et al., BOLT, S&P 2024: degree 5',
  build: (g, x) =>
    odd(g, x, 2.855, [-0.00249209, 1.05424927, -0.17616533, -0.2009364, 0.09948748, -0.01323213], 1),
});
