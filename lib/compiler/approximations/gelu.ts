// gelu(x) = x (1 + erf(x / sqrt 2)) / 2 (Hendrycks, Gimpel 2016). Beyond its domain it is max(x, 0) to 2e-6.

import { erfTaylor, errorFunction } from './erf';
import { factored, likeRelu, piecewise, scaledBy } from './pieces';
import { defineApproximation, defineFunction, type ScalarFunction } from './registry';

export const gelu: ScalarFunction = defineFunction({
  name: 'gelu',
  relative: false,
  unit: 1,
  of: () => (x) => (x * (1 + errorFunction(x / Math.SQRT2))) / 2,
  domain: () => ({ lo: -5, hi: 5 }),
  exists: () => ({ lo: Number.NEGATIVE_INFINITY, hi: Number.POSITIVE_INFINITY }),
  tails: { lo: 0, hi: 1 },
});

defineApproximation({
  name: 'crypten',
  of: 'gelu',
  source: 'Knott et al., CrypTen, NeurIPS 2021: by the Taylor series of erf',
  domain: { lo: -2 * Math.SQRT2, hi: 2 * Math.SQRT2 },
  build: (g, x) => g.mul(g.add(erfTaylor(g, g.mul(x, Math.SQRT1_2)), 1), g.mul(x, 0.5)),
});

defineApproximation({
  name: 'relu',
  of: 'gelu',
  source: 'CrypTorch: order 0',
  build: (g, x) => g.relu(x),
});

defineApproximation({
  name: 'cryptorch',
  of: 'gelu',
  source: 'CrypTorch: piecewise polynomials; order 4 is factored',
  knobs: { order: [4, 2] },
  build: (g, x, { order }) =>
    order === 2
      ? likeRelu(g, x, 2.2, [-0.03161287, 0.25976976, 0.11594076])
      : likeRelu(g, x, 2.7, factored([0.14439048, -0.70771171, 4.57028227, -8.15444702, 16.38226543])),
});

defineApproximation({
  name: 'bolt',
  of: 'gelu',
  source: 'Pang et al., BOLT, S&P 2024: degree 4',
  build: (g, x) => likeRelu(g, x, 2.7, [0.00162081, -0.03798165, 0.54105502, -0.18352506, 0.02084861]),
});

defineApproximation({
  name: 'poly2',
  of: 'gelu',
  source: 'CrypTorch: poly2, of degree 6 on [-3, 3]',
  build: (g, x) => {
    const z = scaledBy([0.00845762, -1.5, 3.24665423, 0, -3.06527819, 0, 1.32622456], 1 / 3);
    return piecewise(g, x, [-3, 3], [[0], z.map((c, k) => (k === 1 ? c + 1 : c)), [0, 1]]);
  },
});

defineApproximation({
  name: 'puma',
  of: 'gelu',
  source: 'Dong et al., PUMA, 2023, section 4.1; SecretFlow SPU',
  build: (g, x) =>
    piecewise(
      g,
      x,
      [-4, -1.95, 3],
      [
        [0],
        [-0.5054031199708174, -0.42226581151983866, -0.11807612951181953, -0.011034134030615728],
        [0.008526321541038084, 0.5, 0.3603292692789629, 0, -0.037688200365904236, 0, 0.0018067462606141187],
        [0, 1],
      ],
    ),
});
