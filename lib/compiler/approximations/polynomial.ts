// A minimax polynomial about the middle of the domain, from one opening of the operand: one round, and no message of its
// own. It serves any smooth function on a narrow domain. Its degree is the lowest one that is exact enough.
//
// All powers share the 62 bits of the ring: at degree d the operand keeps about 60 / (d + 1) significant bits
// (polynomial-scales.ts). So higher degrees round more, and there is a best one.

import { type Minimax, minimax, type Polynomial } from './minimax';
import { samplesOf } from './operand-domain';
import { recentred } from './polynomial-bounds';
import { polynomialScales } from './polynomial-scales';
import { defineFitted, type Request, type Stated } from './registry';

/** Operands a little outside of the domain, by rounding. */
const ROOM = 2 ** -8;

function fitted({ fn, domain, unit }: Request, degree: number): Minimax | undefined {
  try {
    return minimax(fn, [domain.lo, domain.hi], degree, unit === undefined);
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** The least |f| on the domain, which rounding is measured against where errors are relative to each result. */
function smallest({ fn, domain }: Request): number {
  return Math.min(...samplesOf(domain).map((x) => Math.abs(fn(x))));
}

function propose(request: Request, degree: number): Stated | undefined {
  const { domain, inputScale, fractionalBits, unit } = request;
  const best = fitted(request, degree);
  if (best === undefined) return undefined;
  // The centre is an integer at the operand's scale.
  const about = Math.round(best.centre * 2 ** inputScale) * 2 ** -inputScale;
  const p: Polynomial = recentred(best, about);
  const room = ROOM * (domain.hi - domain.lo);
  const [lo, hi] = [domain.lo - about - room, domain.hi - about + room];
  const scales = polynomialScales(p.coefficients, { lo, hi }, inputScale, fractionalBits);
  if (scales === undefined) return undefined;
  return {
    name: `polynomial of degree ${degree}`,
    error: best.error / (unit ?? 1) + scales.error / (unit ?? smallest(request)),
    build: (g, x) => g.polynomial(g.sub(x, about), p.coefficients, { lo, hi }),
  };
}

defineFitted({
  name: 'polynomial',
  knobs: { degree: ['auto', 1, 2, 3, 4, 5, 6, 7, 8] },
  propose(request, { degree }) {
    if (typeof degree === 'number') return propose(request, degree);
    let best: Stated | undefined;
    for (let d = 1; d <= request.degree; d++) {
      const made = propose(request, d);
      if (made && (!best || made.error < best.error)) best = made;
      if (best && best.error <= request.tolerance) return best;
    }
    return best;
  },
});
