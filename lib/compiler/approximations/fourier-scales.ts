// Integers of what repeats: the factor that makes a period a power of two of units, and the bits of a Fourier series.

import { roundHalfEven } from '../ops/array';
import { amplitudes, type FourierSeries, fourierError, fourierRange } from '../ops/fourier';
import { INTEGER_BITS } from '../widths';

/** factor 2^-scale is about 1 / period; a scale below 0 where the factor is 1 only. */
export interface Turns {
  readonly factor: bigint;
  readonly scale: number;
}

/** The factor with the fewest bits that is off by `relative` or less. */
export function turnsOf(period: number, relative: number): Turns {
  for (let scale = Math.ceil(Math.log2(period)); ; scale++) {
    const factor = Math.round(2 ** scale / period);
    const off = Math.abs((factor * period) / 2 ** scale - 1);
    if (scale < 0 && factor !== 1) continue;
    // Doubles have no more digits.
    if (off <= Math.max(relative, 2 ** -50)) return { factor: BigInt(factor), scale };
  }
}

/** Bits of a series: see ../ops/fourier.ts. */
export interface FourierScales {
  /** Fractional bits of the result, and of the waves of the mask. */
  readonly scale: number;
  readonly wave: number;
  readonly sine: BigInt64Array;
  readonly cosine: BigInt64Array;
  readonly constant: bigint;
  /** Bound of what rounding does to the value. */
  readonly error: number;
}

/** Fewest and most bits of a wave, and the most of a coefficient: native/cpu/fourier.cpp. */
const WAVE = { least: 4, most: 26 };
const COEFFICIENT_BITS = 31;

/** The result has the fewest bits, f at least, with which it is off by no more than `error`; as few as are worth it. */
export function fourierScales(
  series: FourierSeries,
  error: number,
  fractionalBits: number,
): FourierScales | undefined {
  const { lo, hi } = fourierRange(series);
  const largest = Math.max(Math.abs(lo), Math.abs(hi), 2 ** -fractionalBits);
  const coefficient = Math.max(...amplitudes(series), 2 ** -fractionalBits);
  // Room for a sign, and the wrap of a truncation.
  const most = INTEGER_BITS - 3 - Math.ceil(Math.log2(largest));
  let best: FourierScales | undefined;
  for (let scale = fractionalBits; scale <= most; scale++) {
    for (let wave = WAVE.least; wave <= Math.min(WAVE.most, scale); wave++) {
      if (scale - wave + Math.log2(coefficient) > COEFFICIENT_BITS) continue;
      const made = quantised(series, scale, wave);
      if (best === undefined || made.error < best.error) best = made;
    }
    if (best && best.error <= error) return best;
  }
  return best;
}

function quantised(series: FourierSeries, scale: number, wave: number): FourierScales {
  const unit = 2 ** (wave - scale);
  let off = 0;
  const integers = (data: ArrayLike<number>) =>
    BigInt64Array.from(Array.from(data), (c) => {
      const value = roundHalfEven(c / unit);
      off += Math.abs(value * unit - c);
      return BigInt(value);
    });
  const [sine, cosine] = [integers(series.sine), integers(series.cosine)];
  const constant = roundHalfEven(series.constant * 2 ** scale);
  off += Math.abs(constant * 2 ** -scale - series.constant);
  return {
    scale,
    wave,
    sine,
    cosine,
    constant: BigInt(constant),
    error: fourierError(series, scale, wave) + off,
  };
}
