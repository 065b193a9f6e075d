// The core operator `fourier`: a sum of sines and cosines of multiples of its operand,
//
//     f(x) = constant + sum over k of sine[k - 1] sin(2 pi k x / period) + cosine[k - 1] cos(2 pi k x / period).
//
// It is meant for operands from `lo` to `hi`, in real units; beyond them it is what it is. Before the fixed-point pass all of
// these are real numbers, and `error` is what rounding may do to the result. After it the period is a power of two of the operand's units, of which
// the attribute is the logarithm; coefficients have scale - wave fractional bits, and the private evaluation rounds sines and
// cosines of its mask to `wave` bits (protocols/fourier.ts).
//
// Below: the series on real numbers, its range, its steepest slope, and what the private evaluation rounds.

import type { Node } from '../ir/graph';
import { numberAttr } from './core';

/** constant + sum over k >= 1 of sine[k - 1] sin(2 pi k x / period) + cosine[k - 1] cos(2 pi k x / period). */
export interface FourierSeries {
  /** In real units of the operand. */
  readonly period: number;
  /** Mean of the series. */
  readonly constant: number;
  /** By frequency, 1 and more; as many as cosines. */
  readonly sine: ArrayLike<number>;
  /** By frequency, 1 and more. */
  readonly cosine: ArrayLike<number>;
}

/** A bound on the error of an integer sine: native/cpu/sine.hpp. */
const SINE_ERROR = 2 ** -26;

/** The series of a node in real units, before and after it has scales. */
export function seriesOf(node: Node): FourierSeries {
  const { sine, cosine, constant } = node.attrs;
  if (sine instanceof Float64Array)
    return { period: numberAttr(node, 'period'), constant: Number(constant), sine, cosine } as FourierSeries;
  const scale = numberAttr(node, 'scale');
  const real = (data: unknown) =>
    Float64Array.from(data as BigInt64Array, (c) => Number(c) * 2 ** (numberAttr(node, 'wave') - scale));
  return {
    period: 2 ** (numberAttr(node, 'period') - node.inputs[0]!.type.scale!),
    constant: Number(constant) * 2 ** -scale,
    sine: real(sine),
    cosine: real(cosine),
  };
}

export function evaluateFourier({ period, constant, sine, cosine }: FourierSeries, x: number): number {
  // Modulo a period first, where doubles are exact.
  const angle = (2 * Math.PI * (x % period)) / period;
  let sum = constant;
  for (let k = 1; k <= sine.length; k++)
    sum += sine[k - 1]! * Math.sin(k * angle) + cosine[k - 1]! * Math.cos(k * angle);
  return sum;
}

/** Largest magnitude of each frequency's part. */
export function amplitudes({ sine, cosine }: FourierSeries): number[] {
  return Array.from(sine, (s, i) => Math.hypot(s, cosine[i]!));
}

function derivative({ period, sine, cosine }: FourierSeries): FourierSeries {
  const times = (k: number, c: number) => (2 * Math.PI * (k + 1) * c) / period;
  return {
    period,
    constant: 0,
    sine: Float64Array.from(cosine, (c, k) => -times(k, c)),
    cosine: Float64Array.from(sine, (s, k) => times(k, s)),
  };
}

/** A bound on |f'| from lo to hi. */
export function steepestFourier(series: FourierSeries, lo: number, hi: number): number {
  const range = fourierRange(derivative(series), lo, hi);
  return Math.max(Math.abs(range.lo), Math.abs(range.hi));
}

/**
 * A bound on |private result - series|, in real units. Of a frequency with amplitude a, the public factors are rounded to
 * units of the coefficients, off by u, and the waves of the mask by w: p q is off by a w + u for each of two products whose
 * factors are a sine and a cosine, so sqrt(2) times that.
 */
export function fourierError(series: FourierSeries, scale: number, wave: number): number {
  const w = 2 ** -(wave + 1) + SINE_ERROR;
  return amplitudes(series).reduce((sum, a) => {
    if (a === 0) return sum;
    const u = 2 ** -(scale - wave + 1) + Math.SQRT2 * a * SINE_ERROR;
    return sum + Math.SQRT2 * (a * w + u) + 2 * u * w;
  }, 0);
}

const SAMPLES = 512;

/** Bounds of f from lo to hi; by default, whatever the operand is. */
export function fourierRange(
  series: FourierSeries,
  lo: number = Number.NEGATIVE_INFINITY,
  hi: number = Number.POSITIVE_INFINITY,
): { lo: number; hi: number } {
  const parts = amplitudes(series);
  const reach = parts.reduce((a, b) => a + b, 0);
  const all = { lo: series.constant - reach, hi: series.constant + reach };
  if (!(hi - lo < series.period)) return all;
  // Between two samples it stays within max |f''| h^2 / 8 of the line through them.
  const step = (hi - lo) / SAMPLES;
  const bend = parts.reduce((sum, a, i) => sum + a * ((2 * Math.PI * (i + 1)) / series.period) ** 2, 0);
  const margin = (bend * step * step) / 8;
  const values = Array.from({ length: SAMPLES + 1 }, (_, i) => evaluateFourier(series, lo + i * step));
  return {
    lo: Math.max(all.lo, Math.min(...values) - margin),
    hi: Math.min(all.hi, Math.max(...values) + margin),
  };
}
