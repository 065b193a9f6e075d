import test from 'ava';
import { evaluatePolynomial, minimax } from '../../lib/compiler/approximations/minimax';

type Known = readonly [string, (x: number) => number, readonly [number, number], number, number];

/** Best errors that are known in closed form. */
const known: readonly Known[] = [
  ...[1, 2, 3, 5, 8].map((n): Known => [`x^${n + 1}`, (x) => x ** (n + 1), [-1, 1], n, 2 ** -n]),
  // Chebyshev, 1892: 1 / (a - x) on [-1, 1].
  ...[
    [1.25, 3],
    [1.25, 9],
    [3, 2],
    [1.01, 12],
  ].map(([a, n]): Known => {
    const best = (a! - Math.sqrt(a! ** 2 - 1)) ** n! / (a! ** 2 - 1);
    return [`1 / (${a} - x), degree ${n}`, (x) => 1 / (a! - x), [-1, 1], n!, best];
  }),
  ['|x|, degree 1', Math.abs, [-1, 1], 1, 0.5],
  ['|x|, degree 2', Math.abs, [-1, 1], 2, 1 / 8],
  ['sqrt, degree 1', Math.sqrt, [0, 1], 1, 1 / 8],
  // The line through the mean slope: half of the largest gap below the chord.
  ['exp, degree 1', Math.exp, [-1, 1], 1, gapOfExp()],
  ['a constant', (x) => x ** 2, [0, 3], 0, 4.5],
];

function gapOfExp(): number {
  const slope = Math.sinh(1);
  return (Math.cosh(1) + slope * Math.log(slope) - slope) / 2;
}

for (const [name, f, interval, degree, best] of known) {
  test(`minimax of ${name}: the known error`, (t) => {
    const p = minimax(f, interval, degree);
    t.true(Math.abs(p.error - best) <= 1e-4 * best, `${p.error} instead of ${best}`);
    t.true(p.bound <= best * (1 + 1e-9), 'nothing is better than the bound says');
  });
}

const functions = {
  rsqrt: [(x: number) => x ** -0.5, [0.3, 2]],
  lrn: [(s: number) => (1 + s) ** -0.75, [0, 3]],
  exp: [Math.exp, [-4, 1]],
  sigmoid: [(x: number) => 1 / (1 + Math.exp(-x)), [-2, 2]],
  sine: [Math.sin, [-1, 1]],
} as const satisfies Record<string, readonly [(x: number) => number, readonly [number, number]]>;

for (const [name, [f, [lo, hi]]] of Object.entries(functions)) {
  test(`minimax of ${name}: the error alternates, and is what it is said to be`, (t) => {
    for (const degree of [1, 2, 3, 4, 6]) {
      const p = minimax(f, [lo, hi], degree);
      const errors = Array.from(p.points, (x) => f(x) - evaluatePolynomial(p, x));
      t.is(errors.length, degree + 2);
      errors.forEach((e, i) => {
        t.true(Math.abs(e) >= 0.999 * p.error, `degree ${degree}: ${errors}`);
        if (i > 0) t.true(e * errors[i - 1]! < 0, `degree ${degree}: ${errors}`);
      });
      const samples = Array.from({ length: 5001 }, (_, i) => lo + ((hi - lo) * i) / 5000);
      const worst = Math.max(...samples.map((x) => Math.abs(f(x) - evaluatePolynomial(p, x))));
      t.true(worst <= p.error * (1 + 1e-5), `${worst}, but ${p.error} is stated`);
      t.true(p.error <= p.bound * 1.001);
    }
  });
}

test('minimax of relative errors', (t) => {
  for (const [f, lo, hi] of [
    [(x: number) => 1 / x, 0.5, 2],
    [(x: number) => x ** -0.5, 0.01, 0.08],
  ] as const) {
    const p = minimax(f, [lo, hi], 3, true);
    const errors = Array.from(p.points, (x) => 1 - evaluatePolynomial(p, x) / f(x));
    errors.forEach((e, i) => {
      t.true(Math.abs(e) >= 0.999 * p.error);
      if (i > 0) t.true(e * errors[i - 1]! < 0);
    });
  }
  // |1 - x p(x)| is least where 1 - x p(x) is a Chebyshev polynomial on [a, b], scaled to be 1 at 0.
  const p = minimax((x) => 1 / x, [0.5, 2], 3, true);
  const chebyshev = Math.cosh(4 * Math.acosh(2.5 / 1.5));
  t.true(Math.abs(p.error * chebyshev - 1) < 1e-4, `${p.error}`);
  t.throws(() => minimax(Math.sin, [-1, 1], 3, true), { instanceOf: RangeError });
});

test('minimax: an approximated polynomial is itself', (t) => {
  const p = minimax((x) => 3 - 2 * x + 0.5 * x ** 3, [-1, 5], 4);
  t.true(p.error < 1e-12);
  for (const x of [-1, 0, 2.5, 5])
    t.true(Math.abs(evaluatePolynomial(p, x) - (3 - 2 * x + 0.5 * x ** 3)) < 1e-12);
});

test('minimax: what has no answer', (t) => {
  t.throws(() => minimax(Math.exp, [1, 1], 2), { instanceOf: RangeError });
  t.throws(() => minimax(Math.exp, [0, 1], -1), { instanceOf: RangeError });
  t.throws(() => minimax((x) => 1 / x, [0, 1], 3), { instanceOf: RangeError });
});
