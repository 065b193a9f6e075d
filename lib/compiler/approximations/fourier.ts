// A Fourier series on a period that is longer than the domain, from one opening modulo the period (ops/fourier.ts): for
// domains too wide for a polynomial, on which the function is smooth. Two waves of the mask for each frequency, some tens of
// bytes of material an element.
//
// The inverse of the period has one or two bits, so that next to none are opened besides those of the operand.

import { amplitudes } from '../ops/fourier';
import { type FourierFit, fitFourier } from './fourier-fit';
import { fourierScales } from './fourier-scales';
import { samplesOf } from './operand-domain';
import { type Domain, defineFitted, type Request, type Stated } from './registry';

/** Part of the period that is free, at least. */
const FREE = 1 / 8;
/** Parts of the tolerance that the series, and the rounding of its integers, may take. */
const FIT = 1 / 2;
const ROUNDING = 1 / 4;
/** Most frequencies, where nothing is asked for. */
const MOST = 8;
/** Small coefficients take fewer bits than large ones that cancel: the first penalty is taken with which the fit will do. */
const PENALTIES = [2 ** -14, 2 ** -18, 2 ** -22, 2 ** -26];
const LEAST_PENALTY = 2 ** -32;

/** Periods whose inverse is 1 or 3 times a power of two. */
function periods({ lo, hi }: Domain): number[] {
  const shortest = (hi - lo) / (1 - FREE);
  const [one, three] = [1, 3].map((factor) => 2 ** Math.ceil(Math.log2(shortest * factor)) / factor);
  return [one!, three!, 2 * Math.min(one!, three!)];
}

function fits({ fn, domain, unit }: Request, frequencies: number, penalty: number): FourierFit[] {
  return periods(domain)
    .map((period) => ({ fn, domain, period, frequencies, relative: unit === undefined, penalty }))
    .map(fitFourier)
    .filter((f) => f !== undefined);
}

function within({ unit, tolerance }: Request): (fit: FourierFit) => boolean {
  return (fit) => fit.error <= tolerance * FIT * (unit ?? 1);
}

function size({ series }: FourierFit): number {
  return amplitudes(series).reduce((a, b) => a + b, 0);
}

/** The fit with the smallest coefficients that will do, or the best one. */
function bestFit(request: Request, frequencies: number): FourierFit | undefined {
  const all = fits(request, frequencies, LEAST_PENALTY);
  const good = (list: readonly FourierFit[]) =>
    list.filter(within(request)).sort((a, b) => size(a) - size(b))[0];
  const last = good(all);
  if (last === undefined) return all.sort((a, b) => a.error - b.error)[0];
  for (const penalty of PENALTIES) {
    const found = good(fits(request, frequencies, penalty));
    if (found) return found;
  }
  return last;
}

function propose(request: Request, frequencies: number): Stated | undefined {
  const { fn, domain, unit, fractionalBits, tolerance } = request;
  const best = bestFit(request, frequencies);
  if (best === undefined) return undefined;
  const units = unit ?? Math.min(...samplesOf(domain).map((x) => Math.abs(fn(x))));
  const rounding = tolerance * ROUNDING * units;
  const scales = fourierScales(best.series, rounding, fractionalBits);
  return (
    scales && {
      name: `Fourier series of ${frequencies} frequencies`,
      error: best.error / (unit ?? 1) + scales.error / units,
      build: (g, x) => g.fourier(x, best.series, domain, rounding),
    }
  );
}

/** The fewest frequencies with which the fit will do. */
function fewest(request: Request): number {
  const will = (count: number) => fits(request, count, LEAST_PENALTY).some(within(request));
  if (!will(MOST)) return MOST;
  let [few, enough] = [0, MOST];
  while (enough - few > 1) {
    const count = Math.ceil((few + enough) / 2);
    if (will(count)) enough = count;
    else few = count;
  }
  return enough;
}

defineFitted({
  name: 'fourier',
  knobs: { frequencies: ['auto', 1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 16] },
  propose: (request, { frequencies }) =>
    propose(request, typeof frequencies === 'number' ? frequencies : fewest(request)),
});
