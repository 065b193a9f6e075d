// What approximations are written with: arithmetic on shared real numbers, and public ones as plain numbers.
//
// Nothing here has scales or rings. A product of two secrets costs an opening of each operand that is not open yet;
// sums and public factors are free; comparisons with several bounds of one value share its opening.

import { CryptorchError } from '../../errors';
import type { Value } from '../ir/graph';
import type { FloatTensor } from '../ops/array';
import type { CoreEmitter } from '../ops/emit';
import type { FourierSeries } from '../ops/fourier';
import type { Domain } from './registry';

function scalar(value: number): FloatTensor {
  return { shape: [], data: Float64Array.of(value) };
}

/** Arithmetic on shared real numbers and public ones, for approximations: scales and truncations are the compiler's. */
export class FunctionBuilder {
  /** @internal */
  constructor(private readonly core: CoreEmitter) {}

  /** a + b. */
  add(a: Value, b: Value | number): Value {
    if (typeof b !== 'number') return this.core.add(a, b);
    return b === 0 ? a : this.core.addConst(a, scalar(b));
  }

  /** a - b. */
  sub(a: Value, b: Value | number): Value {
    return typeof b === 'number' ? this.add(a, -b) : this.core.sub(a, b);
  }

  /** a * b; a boolean b keeps or drops a. */
  mul(a: Value, b: Value | number): Value {
    if (typeof b !== 'number') return this.core.mul(a, b);
    return b === 1 ? a : this.core.mulConst(a, scalar(b));
  }

  /** a^2, from one opening. */
  square(a: Value): Value {
    return this.core.mul(a, a);
  }

  /** a^(2^times). */
  squareRepeatedly(a: Value, times: number): Value {
    if (!(Number.isInteger(times) && times >= 0 && times <= 64)) throw new RangeError(`${times} squarings`);
    return times === 0 ? a : this.squareRepeatedly(this.square(a), times - 1);
  }

  /** -a. */
  neg(a: Value): Value {
    return this.core.neg(a);
  }

  /** a between lo and hi; null: no bound. */
  clip(a: Value, lo: number | null, hi: number | null): Value {
    if (Number.isNaN(lo) || Number.isNaN(hi) || (lo !== null && hi !== null && lo > hi))
      throw new RangeError(`[${lo}, ${hi}] is no interval`);
    return this.core.clip(a, lo, hi);
  }

  /** max(a, 0). */
  relu(a: Value): Value {
    return this.core.relu(a);
  }

  /** |a|, from one comparison. */
  abs(a: Value): Value {
    return this.core.sub(this.mul(this.core.relu(a), 2), a);
  }

  /** Whether a >= bound, as a boolean. */
  atLeast(a: Value, bound: number): Value {
    return this.core.step(a, bound, false);
  }

  /** Whether a > bound, as a boolean. */
  above(a: Value, bound: number): Value {
    return this.core.step(a, bound, true);
  }

  /** The other boolean. */
  not(a: Value): Value {
    return this.core.not(a);
  }

  /** A boolean as the number 0 or 1. */
  number(a: Value): Value {
    return this.core.cast(a, 'fixed');
  }

  /** -1 where a < 0, else 1. */
  sign(a: Value): Value {
    return this.add(this.mul(this.number(this.atLeast(a, 0)), 2), -1);
  }

  /** `yes` where the boolean holds, else `no`. */
  select(condition: Value, yes: Value, no: Value): Value {
    return this.core.add(no, this.core.mul(this.core.sub(yes, no), condition));
  }

  /** The sum of coefficients[k] a^k from one opening, for a in the domain; degrees 1 to 8. */
  polynomial(a: Value, coefficients: ArrayLike<number>, { lo, hi }: Domain): Value {
    const degree = coefficients.length - 1;
    if (!(degree >= 1 && degree <= 8)) throw new RangeError(`a polynomial of degree ${degree}, not 1 to 8`);
    if (!(lo < hi)) throw new RangeError(`[${lo}, ${hi}] is no interval`);
    return this.core.polynomial(a, Float64Array.from(coefficients), [lo, hi]);
  }

  /**
   * The polynomial of the interval that a is in, by coefficients from the lowest: pieces[i] from thresholds[i - 1] on, up to
   * thresholds[i]. All comparisons at once, from one opening; 1 to 8 thresholds, rising, and degrees 0 to 8.
   * @throws CryptorchError INVALID_OPTION for other numbers of them
   */
  piecewise(a: Value, thresholds: readonly number[], pieces: readonly (readonly number[])[]): Value {
    const degrees = pieces.map((p) => p.length - 1);
    const rising = thresholds.every((t, i) => Number.isFinite(t) && (i === 0 || t > thresholds[i - 1]!));
    const count = thresholds.length;
    if (
      rising &&
      count >= 1 &&
      count <= 8 &&
      pieces.length === count + 1 &&
      degrees.every((d) => d >= 0 && d <= 8)
    )
      return this.core.piecewise(a, thresholds, pieces);
    const message =
      `A piecewise polynomial has the thresholds ${thresholds.join(', ')} and pieces of the degrees ${degrees.join(', ')}; ` +
      'give 1 to 8 rising thresholds, one piece more, and degrees from 0 to 8.';
    throw new CryptorchError('INVALID_OPTION', message);
  }

  /** The sum of coefficients[k] a^k by Horner's rule: one product a degree, one after another. */
  horner(a: Value, coefficients: readonly number[]): Value {
    const [last, ...others] = [...coefficients].reverse();
    const [next, ...rest] = others;
    if (last === undefined || next === undefined) throw new RangeError('a polynomial needs a degree');
    const start = this.add(this.mul(a, last), next);
    return rest.reduce((sum: Value, c) => this.add(this.core.mul(sum, a), c), start);
  }

  /** The sum of coefficients[k] a^k from powers that are products, for a of any size that they fit for. */
  powerSum(a: Value, coefficients: readonly number[]): Value {
    const powers = new Map<number, Value>([[1, a]]);
    const power = (k: number): Value => {
      const known = powers.get(k);
      if (known) return known;
      const half = Math.floor(k / 2);
      const made = this.core.mul(power(k - half), power(half));
      powers.set(k, made);
      return made;
    };
    let sum = this.mul(a, coefficients[1] ?? 0);
    coefficients.forEach((c, k) => {
      if (k > 1 && c !== 0) sum = this.core.add(sum, this.mul(power(k), c));
    });
    return this.add(sum, coefficients[0] ?? 0);
  }

  /**
   * A sum of sines and cosines of multiples of a, from one opening modulo its period: that of `series` to `error`, for a in
   * the domain. Beyond it, periods that are no power of two are off in proportion to |a|.
   */
  fourier(a: Value, series: FourierSeries, domain: Domain, error: number): Value {
    return this.core.fourier(a, series, domain, error);
  }

  /**
   * The entry of a table for the cell that a lies in: its entries, a power of two of them, cut the domain into cells, and
   * repeat beyond it. From one opening, and material for every entry. Unless it is `exact`, which takes two more rounds, it
   * may be the entry of the neighbour that is nearer to a; the first cell is next to the last.
   */
  lookup(a: Value, table: ArrayLike<number>, domain: Domain, exact = false): Value {
    return this.core.lookup(a, Float64Array.from(table), domain, exact);
  }

  /** A function of the library, as the compiler approximates it by itself. */
  approximate(a: Value, fn: string, params: readonly number[] = [], domain?: Domain): Value {
    return this.core.approximate(a, fn, params, domain);
  }

  /** @internal An exponential by its factors. */
  exponential(a: Value, table: Parameters<CoreEmitter['exponential']>[1]): Value {
    return this.core.exponential(a, table);
  }

  /** @internal A spline by its tables. */
  spline(a: Value, table: Parameters<CoreEmitter['spline']>[1]): Value {
    return this.core.spline(a, table);
  }
}
