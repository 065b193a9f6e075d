// A minimax polynomial about the middle of the domain, from one opening of the operand: one round, and no message of its
// own. It serves any smooth function on a narrow domain. Its degree is the lowest one that is exact enough.
//
// All powers share the 62 bits of the ring: at degree d the operand keeps about 60 / (d + 1) significant bits
// (polynomial-scales.ts). So higher degrees round more, and there is a best one.

import { type Minimax, minimax, type Polynomial } from './minimax';
import { recentred } from './polynomial-bounds';
import { polynomialScales } from './polynomial-scales';
import { type Approximation, defineApproximation, type Proposal, type Request } from './registry';

/** Operands a little outside of the domain, by rounding. */
const ROOM = 2 ** -8;

function fitted({ fn, domain, relative }: Request, degree: number): Minimax | undefined {
  try {
    return minimax(fn, [domain.lo, domain.hi], degree, relative);
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** The least, or the largest, |f| on the domain: what an absolute error is measured against. */
function reference({ fn, domain, relative }: Request): number {
  const values = Array.from({ length: 65 }, (_, i) =>
    Math.abs(fn(domain.lo + ((domain.hi - domain.lo) * i) / 64)),
  );
  return relative ? Math.min(...values) : Math.max(...values);
}

function propose(request: Request, degree: number): Proposal | undefined {
  const { domain, inputScale, fractionalBits } = request;
  const best = fitted(request, degree);
  if (best === undefined) return undefined;
  // The centre is an integer at the operand's scale.
  const centre = BigInt(Math.round(best.centre * 2 ** inputScale));
  const about = Number(centre) * 2 ** -inputScale;
  const p: Polynomial = recentred(best, about);
  const room = ROOM * (domain.hi - domain.lo);
  const [lo, hi] = [domain.lo - about - room, domain.hi - about + room];
  const scales = polynomialScales(p.coefficients, { lo, hi }, inputScale, fractionalBits);
  if (scales === undefined) return undefined;
  const { coefficients, scale, operand, error } = scales;
  const against = reference(request);
  const shape = { data: BigInt64Array.of(-centre), shape: [] };
  return {
    name: `polynomial of degree ${degree}`,
    error: (request.relative ? best.error : best.error / against) + error / against,
    steps: [
      ...(centre === 0n ? [] : [{ op: 'add_const' as const, scale: inputScale, attrs: shape }]),
      { op: 'polynomial', scale, attrs: { coefficients, scale, shift: inputScale - operand, lo, hi } },
    ],
  };
}

export const polynomial: Approximation = defineApproximation({
  name: 'polynomial',
  propose(request) {
    const { degree, tolerance } = request.knobs;
    let best: Proposal | undefined;
    for (let d = 1; d <= degree; d++) {
      const made = propose(request, d);
      if (made && (!best || made.error < best.error)) best = made;
      if (best && best.error <= tolerance) return best;
    }
    return best;
  },
});
