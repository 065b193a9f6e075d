// gelu(x) = x (1 + erf(x / sqrt 2)) / 2 (Hendrycks, Gimpel 2016). Beyond its domain it is max(x, 0) to 2e-6.

import type { Value } from '../ir/graph';
import type { FourierSeries } from '../ops/fourier';
import type { FunctionBuilder } from './builder';
import { erfTaylor, errorFunction } from './erf';
import { fitFourier } from './fourier-fit';
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

/** gelu(x) - max(x, 0), a function of |x|: the sine series on [0, end] with the least error, and where it ends. */
function sineSeries(terms: number): { readonly series: FourierSeries; readonly end: number } {
  const exact = gelu.of([]);
  // An odd function on a whole period has sines only.
  const odd = (x: number) => Math.sign(x) * (exact(Math.abs(x)) - Math.abs(x));
  // Ends whose periods have inverses of few bits.
  const fits = [13, 12, 11, 10, 9, 8, 7, 6].flatMap((part) => {
    const end = 32 / part;
    const options = { period: 2 * end, frequencies: terms, relative: false, penalty: 2 ** -32 };
    const fit = fitFourier({ ...options, fn: odd, domain: { lo: -end, hi: end } });
    return fit ? [{ ...fit, end }] : [];
  });
  const { series, end } = fits.sort((a, b) => a.error - b.error)[0]!;
  const none = new Float64Array(terms);
  return { series: { ...series, constant: 0, cosine: none }, end };
}

const sineSeriesOf = new Map<number, ReturnType<typeof sineSeries>>();

/** max(x, 0), and the sine series of |x|, which is clipped to where it ends. */
export function geluBySines(g: FunctionBuilder, x: Value, terms: number): Value {
  const made = sineSeriesOf.get(terms) ?? sineSeries(terms);
  sineSeriesOf.set(terms, made);
  const { series, end } = made;
  return g.add(g.relu(x), g.fourier(magnitude(g, x, end), series, { lo: 0, hi: end }, 2 ** -12));
}

/** |x|, at most `end`; its comparison with 0 is that of a max(x, 0). */
function magnitude(g: FunctionBuilder, x: Value, end: number): Value {
  return g.sub(g.mul(g.clip(x, 0, end), 2), g.clip(x, -end, end));
}

/** max(x, 0), and a table of |x| on [0, 4), whose entries are for the middles of their cells. */
export function geluByTable(g: FunctionBuilder, x: Value, entries: number, exact: boolean): Value {
  const width = 4 / entries;
  const middles = Array.from({ length: entries }, (_, i) => (i + 0.5) * width);
  const table = middles.map((v) => gelu.of([])(v) - v);
  const last = middles.at(-1)!;
  return g.add(g.relu(x), g.lookup(magnitude(g, x, last), table, { lo: 0, hi: 4 }, exact));
}

defineApproximation({
  name: 'sigma',
  of: 'gelu',
  source: 'Gupta et al., SIGMA, PETS 2024: max(x, 0) and a table of |x|',
  knobs: { entries: [256, 64, 128, 512, 1024], exact: [true, false] },
  build: (g, x, { entries, exact }) => geluByTable(g, x, entries, exact),
});

defineApproximation({
  name: 'shaft',
  of: 'gelu',
  source: 'Kei, Chow, SHAFT, NDSS 2025: max(x, 0) and a sine series of |x|; coefficients are fitted',
  knobs: { terms: [8, 4, 6, 10, 12, 16] },
  build: (g, x, { terms }) => geluBySines(g, x, terms),
});
