// Published piecewise polynomials: what the compiler makes of them is the formula of the paper, far outside of the middle
// interval too, and as near to the function as was measured.

import test from 'ava';
import { findFunction, type Selection } from '../../lib/compiler/approximations';
import { evaluated } from '../helpers/approximations';

type Formula = (x: number) => number;

const horner = (u: number, ...c: number[]): number => c.reduceRight((sum, v) => sum * u + v, 0);
const factored = (u: number, ...[g0, g1, g2, g3, g4]: number[]): number => {
  const p = (g0! * u + g1!) * u + g2!;
  return (p + g0! * u + g3!) * p + g4!;
};
const within = (limit: number, inside: Formula, outside: Formula): Formula => {
  return (x) => (Math.abs(x) < limit ? inside(x) : outside(x));
};
const relu: Formula = (x) => Math.max(x, 0);
const sign: Formula = (x) => (x < 0 ? -1 : 1);

/** [function, approximation, the formula as it is published, its largest error against the function on [-20, 20]] */
const published: readonly (readonly [string, Selection, Formula, number])[] = [
  ['gelu', 'relu', relu, 0.1701],
  [
    'gelu',
    { name: 'cryptorch', order: 2 },
    within(2.2, (x) => horner(Math.abs(x), -0.03161287, 0.25976976, 0.11594076) + x / 2, relu),
    0.0317,
  ],
  [
    'gelu',
    'bolt',
    within(
      2.7,
      (x) => horner(Math.abs(x), 0.00162081, -0.03798165, 0.54105502, -0.18352506, 0.02084861) + x / 2,
      relu,
    ),
    0.0092,
  ],
  [
    'gelu',
    'cryptorch',
    within(
      2.7,
      (x) => factored(Math.abs(x), 0.14439048, -0.70771171, 4.57028227, -8.15444702, 16.38226543) + x / 2,
      relu,
    ),
    0.0092,
  ],
  [
    'gelu',
    'poly2',
    within(
      3,
      (x) => x + horner((x / 3) ** 2, 0.00845762, 3.24665423, -3.06527819, 1.32622456) - (1.5 * x) / 3,
      relu,
    ),
    0.0202,
  ],
  [
    'gelu',
    'puma',
    (x) => {
      if (x < -4) return 0;
      if (x < -1.95)
        return horner(
          x,
          -0.5054031199708174,
          -0.42226581151983866,
          -0.11807612951181953,
          -0.011034134030615728,
        );
      const even = horner(
        x * x,
        0.008526321541038084,
        0.3603292692789629,
        -0.037688200365904236,
        0.0018067462606141187,
      );
      return x < 3 ? even + x / 2 : x;
    },
    0.0179,
  ],
  [
    'silu',
    { name: 'cryptorch', order: 2 },
    within(4.25, (x) => horner(Math.abs(x) / 4.25, -0.0618242, 1.29000182, 0.89887616) + x / 2, relu),
    0.062,
  ],
  [
    'silu',
    'cryptorch',
    within(
      6.5,
      (x) =>
        factored(Math.abs(x) / 6.5, 2.26097952, -3.93715288, 3.17272507, -4.59596969, 4.50528637) + x / 2,
      relu,
    ),
    0.0106,
  ],
  [
    'silu',
    { name: 'cryptorch', order: 5 },
    within(
      10,
      (x) =>
        horner(Math.abs(x), -0.01163368, 0.04172073, 0.26287082, -0.05580515, 0.00518035, -0.00017703) +
        x / 2,
      relu,
    ),
    0.0119,
  ],
  [
    'sigmoid',
    { name: 'cryptorch', order: 2 },
    within(
      4.4,
      (x) => sign(x) * horner(Math.abs(x) / 4.4, 0.01068988, 1.07702124, -0.61052943) + 0.5,
      (x) => (sign(x) + 1) / 2,
    ),
    0.0122,
  ],
  [
    'sigmoid',
    'cryptorch',
    within(
      5.3,
      (x) =>
        sign(x) * factored(Math.abs(x) / 5.3, 0.56800893, -0.32150404, 1.42397653, -4.91361691, 4.9664662) +
        0.5,
      (x) => (sign(x) + 1) / 2,
    ),
    0.005,
  ],
  [
    'tanh',
    'bolt',
    within(
      2.855,
      (x) =>
        sign(x) *
        horner(Math.abs(x), -0.00249209, 1.05424927, -0.17616533, -0.2009364, 0.09948748, -0.01323213),
      sign,
    ),
    0.0066,
  ],
  [
    'tanh',
    'cryptorch chebyshev',
    (x) => {
      const v = Math.min(Math.max(x / 5, -1), 1);
      const c = [1.25140459, -0.36559878, 0.17253141, -0.08943446, 0.04770302, -0.02583029, 0.0143388];
      return [...c, -0.00854173, 0.00612307].reduce(
        (s, a, i) => s + a * Math.cos((2 * i + 1) * Math.acos(v)),
        0,
      );
    },
    0.0049,
  ],
  [
    'erf',
    'cryptorch',
    within(
      2.33,
      (x) =>
        sign(x) *
        horner(Math.abs(x), -0.00110125, 1.14406185, -0.01156898, -0.48940134, 0.23409163, -0.03364417),
      sign,
    ),
    0.0012,
  ],
];

const x = Array.from({ length: 4001 }, (_, i) => (i - 2000) / 100);

for (const [fn, selection, formula, largest] of published) {
  test(`${fn} by ${JSON.stringify(selection)}: the formula as it is published`, (t) => {
    const found = evaluated(fn, [], selection, x);
    const exact = findFunction(fn).of([]);
    let [off, worst] = [0, 0];
    for (const [i, v] of x.entries()) {
      const near = Math.min(...[v - 2 ** -15, v, v + 2 ** -15].map((w) => Math.abs(found[i]! - formula(w))));
      off = Math.max(off, near);
      worst = Math.max(worst, Math.abs(found[i]! - exact(v)));
    }
    t.log(`off the formula by ${off.toExponential(1)}, off the function by ${worst.toExponential(2)}`);
    t.true(off <= 2 ** -11, `off the formula by ${off}`);
    t.true(worst <= largest, `off the function by ${worst}`);
  });
}
