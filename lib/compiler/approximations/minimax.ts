// The polynomial of a degree with the least largest error on an interval, by the exchange algorithm of Remez; or with the
// least largest error relative to the function, which has no zero there then.
//
// It is found in the Chebyshev basis on t = (x - centre) / halfWidth in [-1, 1]. On a reference of degree + 2 points the
// linear system p(t_i) + (-1)^i E w(t_i) = f(t_i) has one solution, and |E| bounds the best error from below (de la Vallée
// Poussin); w is 1, or |f|. Extremes of (f - p) / w with alternating signs become the next reference, until the largest error is |E|: then
// no polynomial of this degree is better. (Powell, Approximation Theory and Methods, 1981, chapters 7 to 9.)

/** p(x) = sum of coefficients[k] (x - centre)^k. */
export interface Polynomial {
  readonly centre: number;
  readonly coefficients: Float64Array;
}

export interface Minimax extends Polynomial {
  /** Largest |f(x) - p(x)|, or |1 - p(x) / f(x)|, on the interval, found on a fine grid: to five digits where f is smooth. */
  readonly error: number;
  /** No polynomial of this degree has a smaller largest error than this one. */
  readonly bound: number;
  /** Points of alternating, nearly equal error, ascending: degree + 2 of them. */
  readonly points: Float64Array;
}

/** Grid points between two neighbouring extremes of a Chebyshev polynomial. */
const GRID_PER_EXTREME = 64;
const ROUNDS = 60;
/** How far the largest error may lie above the lower bound, relative to it. */
const LEVEL = 1e-6;
const SKEW = 0.05;

type Fn = (x: number) => number;

/** Values of T_0 .. T_degree at t. */
function chebyshev(degree: number, t: number): Float64Array {
  const values = new Float64Array(degree + 1);
  values[0] = 1;
  if (degree > 0) values[1] = t;
  for (let k = 2; k <= degree; k++) values[k] = 2 * t * values[k - 1]! - values[k - 2]!;
  return values;
}

/** sum of c_k T_k(t), by Clenshaw's recurrence. */
function clenshaw(c: ArrayLike<number>, t: number): number {
  let [b1, b2] = [0, 0];
  for (let k = c.length - 1; k > 0; k--) [b1, b2] = [2 * t * b1 - b2 + c[k]!, b1];
  return t * b1 - b2 + c[0]!;
}

/** Solves a x = b by elimination with row exchanges; a and b are overwritten. */
export function solve(a: Float64Array[], b: Float64Array): Float64Array {
  const n = b.length;
  for (let k = 0; k < n; k++) {
    let pivot = k;
    for (let i = k + 1; i < n; i++) if (Math.abs(a[i]![k]!) > Math.abs(a[pivot]![k]!)) pivot = i;
    [a[k], a[pivot]] = [a[pivot]!, a[k]!];
    [b[k], b[pivot]] = [b[pivot]!, b[k]!];
    for (let i = k + 1; i < n; i++) {
      const factor = a[i]![k]! / a[k]![k]!;
      for (let j = k; j < n; j++) a[i]![j]! -= factor * a[k]![j]!;
      b[i]! -= factor * b[k]!;
    }
  }
  for (let k = n - 1; k >= 0; k--) {
    for (let j = k + 1; j < n; j++) b[k]! -= a[k]![j]! * b[j]!;
    b[k]! /= a[k]![k]!;
  }
  return b;
}

/** Chebyshev coefficients and the levelled error of the best approximation on a reference. */
function levelled(f: Fn, weight: Fn, reference: Float64Array): { c: Float64Array; level: number } {
  const degree = reference.length - 2;
  const rows = Array.from(reference, (t, i) =>
    Float64Array.of(...chebyshev(degree, t), i % 2 === 0 ? weight(t) : -weight(t)),
  );
  const x = solve(rows, Float64Array.from(reference, f));
  return { c: x.slice(0, degree + 1), level: x[degree + 1]! };
}

/** The largest of every run of errors of one sign; a finer maximum by a parabola through its neighbours. */
function extremes(error: Fn, grid: Float64Array): { t: number; e: number }[] {
  const e = grid.map(error);
  const found: { t: number; e: number }[] = [];
  for (let i = 0; i < grid.length; i++) {
    const last = found.at(-1);
    if (e[i] === 0 && last) continue;
    const here = refined(error, grid, e, i);
    if (!last || last.e * here.e < 0) found.push(here);
    else if (Math.abs(here.e) > Math.abs(last.e)) found[found.length - 1] = here;
  }
  return found;
}

function refined(error: Fn, grid: Float64Array, e: Float64Array, i: number): { t: number; e: number } {
  const plain = { t: grid[i]!, e: e[i]! };
  if (i === 0 || i === grid.length - 1) return plain;
  const [l, m, r] = [e[i - 1]!, e[i]!, e[i + 1]!].map(Math.abs) as [number, number, number];
  if (m < l || m < r) return plain;
  const [dl, dr] = [grid[i]! - grid[i - 1]!, grid[i + 1]! - grid[i]!];
  if (dl === 0 || dr === 0) return plain;
  const [sl, sr] = [(m - l) / dl, (m - r) / dr];
  const curvature = (sl + sr) / (dl + dr);
  if (!(curvature > 0)) return plain;
  // The derivative of the parabola at its middle point, over twice its curvature.
  const t = grid[i]! + (sl * dr - sr * dl) / (dl + dr) / (2 * curvature);
  const there = error(t);
  return Math.abs(there) > m ? { t, e: there } : plain;
}

/** As many alternating extremes as the reference has points, without the smallest ones at the ends. */
function chosen(found: { t: number; e: number }[], count: number): Float64Array | null {
  let [from, to] = [0, found.length];
  if (to < count) return null;
  while (to - from > count) {
    if (Math.abs(found[from]!.e) < Math.abs(found[to - 1]!.e)) from++;
    else to--;
  }
  return Float64Array.from(found.slice(from, to), (p) => p.t);
}

/** Coefficients of powers of x - centre from those of T_k((x - centre) / halfWidth). */
function powers(c: Float64Array, halfWidth: number): Float64Array {
  const degree = c.length - 1;
  const out = new Float64Array(degree + 1);
  let [before, now] = [new Float64Array(degree + 1), new Float64Array(degree + 1)];
  now[0] = 1;
  for (let k = 0; k <= degree; k++) {
    for (let j = 0; j <= k; j++) out[j]! += c[k]! * now[j]!;
    // T_1 = t T_0 and T_(k+1) = 2 t T_k - T_(k-1).
    const next = Float64Array.from(now, (_, j) => (k === 0 ? 1 : 2) * (now[j - 1] ?? 0) - before[j]!);
    [before, now] = [now, next];
  }
  return out.map((v, k) => v / halfWidth ** k);
}

/** p(x), by Horner's rule. */
export function evaluatePolynomial({ centre, coefficients }: Polynomial, x: number): number {
  const t = x - centre;
  let sum = 0;
  for (let k = coefficients.length - 1; k >= 0; k--) sum = sum * t + coefficients[k]!;
  return sum;
}

/**
 * The minimax polynomial of `fn` on [lo, hi], of a degree up to 24; by relative errors if wanted.
 * @throws RangeError for an interval that is none, another degree, or a function that is not finite on the interval, or
 * zero where errors are relative
 */
export function minimax(
  fn: Fn,
  [lo, hi]: readonly [number, number],
  degree: number,
  relative: boolean = false,
): Minimax {
  if (!(lo < hi && Number.isFinite(hi - lo))) throw new RangeError(`[${lo}, ${hi}] is no interval`);
  if (!Number.isInteger(degree) || degree < 0 || degree > 24) throw new RangeError(`degree ${degree}`);
  const [centre, halfWidth] = [(lo + hi) / 2, (hi - lo) / 2];
  const f: Fn = (t) => fn(centre + halfWidth * t);
  const weight: Fn = relative ? (t) => Math.abs(f(t)) : () => 1;
  const count = degree + 2;
  // Ascending, denser at the ends, as extremes are.
  const cosines = (n: number) => Float64Array.from({ length: n + 1 }, (_, i) => -Math.cos((Math.PI * i) / n));
  const grid = cosines(GRID_PER_EXTREME * count);
  if (!grid.every((t) => Number.isFinite(f(t)) && (!relative || f(t) * f(0) > 0)))
    throw new RangeError(`the function is not finite on [${lo}, ${hi}], or has a zero there`);

  // Not quite symmetric: on a symmetric reference the level of an odd or even function may be zero.
  let reference: Float64Array = cosines(count - 1).map((t) => t + SKEW * (1 - t * t));
  let best: { c: Float64Array; error: number; points: Float64Array } | undefined;
  let bound = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const { c, level } = levelled(f, weight, reference);
    bound = Math.max(bound, Math.abs(level));
    const errorAt: Fn = (t) => (f(t) - clenshaw(c, t)) / weight(t);
    const found = extremes(errorAt, Float64Array.of(...grid, ...reference).sort());
    const error = found.reduce((m, p) => Math.max(m, Math.abs(p.e)), 0);
    if (!best || error < best.error) best = { c, error, points: reference };
    const next = chosen(found, count);
    if (next === null) break;
    if (best.error === error) best = { c, error, points: next };
    if (error <= bound * (1 + LEVEL)) break;
    reference = next;
  }
  const { c, error, points } = best!;
  return {
    centre,
    coefficients: powers(c, halfWidth),
    error,
    bound,
    points: points.map((t) => centre + halfWidth * t),
  };
}
