// Truncation on an opening (spec/protocols.py P3, spec/refinements.py A), never off by more than one unit.
//
// z^ = z + r mod 2^M. Where M >= m + f for a result in Z_2^m, (z^ >> f) - (r >> f) is right modulo 2^m whatever wraps,
// and is the opening of z >> f under r >> f. Otherwise, for |z| < 2^(M-2) and h = z^ + 2^(M-2) mod 2^M, adding r
// wrapped past 2^M exactly when msb(r) = 1 and msb(h) = 0. The dealer shares r >> f and msb(r), and the wrap w is
// repaired locally:  [z >> f] = (h >> f) - 2^(M-2-f) - [r >> f] + 2^(M-f) w [msb r].
// Rounding follows the low bits of the public h: (z + 2^f - 1 - c) >> f with c = h mod 2^f, uniform and independent of z.

import type { Joint, Opened } from '../joint';
import type { Value } from '../program';
import { INTEGER_BITS } from '../widths';
import { words } from './protocol';

/** How z, opened in M bits, is truncated by f bits to a ring of `to` bits. */
export interface Truncation {
  readonly z: Opened;
  readonly f: number;
  readonly to: number;
  /** Shares of r >> f, and of msb(r), of which only those bits matter that 2^(M-f) leaves in the ring. */
  readonly high: Value;
  readonly highMask: Value;
  /** `null` where no wrap is repaired. */
  readonly top: { readonly share: Value; readonly mask: Value } | null;
  /** Attributes of the kernels: f, offset, M. */
  readonly attr: readonly (number | bigint)[];
}

/** Whether an opening of M bits is one of the truncated value too. */
export function shrinks(z: Opened, f: number, to: number): boolean {
  return z.hat.bits >= to + f;
}

export function truncation(joint: Joint, z: Opened, f: number, to: number): Truncation {
  const { elements, bits } = z.mask;
  const shrink = shrinks(z, f, to);
  const whole = f === 0 && bits >= to;
  const highMask = whole ? z.mask : joint.derive('shift_right', [z.mask], [f], { elements, bits: to });
  const offset = shrink ? 0n : 1n << BigInt(bits - 2);
  const part = { z, f, to, high: joint.sharesOf(highMask), highMask, attr: [f, offset, bits] };
  if (shrink) return { ...part, top: null };
  const mask = joint.derive('shift_right', [z.mask], [bits - 1], { elements, bits: to - (bits - f) });
  return { ...part, top: { share: joint.deal(mask), mask } };
}

/** The truncations that shares came from, where a wrap is repaired. */
const truncations = new WeakMap<Value, Truncation>();

export function truncationBehind(share: Value): Truncation | undefined {
  return truncations.get(share);
}

/** [z >> f] from the opening of z. Where that opens z >> f as well, nothing will open it again. */
export function truncated(joint: Joint, z: Opened, f: number, to: number): Value {
  const t = truncation(joint, z, f, to);
  const form = { elements: z.hat.elements, bits: to };
  const top = t.top?.share ?? joint.zero(form);
  const share = joint.local('truncate', [z.hat, t.high, top], t.attr, form);
  if (t.top === null) {
    const hat = joint.local('shift_right', [z.hat], [f], form);
    joint.opensAs(share, { share, hat, mask: t.highMask });
  } else {
    truncations.set(share, t);
  }
  return share;
}

/** The cleartext twin: it rounds with the same mask. */
export function clearTruncated(joint: Joint, share: Value, clear: Value, f: number): Value {
  const { mask } = joint.open(share);
  return clearTruncatedUnder(joint, clear, joint.clearMask(mask), f);
}

/** z >> f of a cleartext integer, rounded by the low bits of z + mask: downwards if the mask is zero. */
export function clearTruncatedUnder(joint: Joint, clear: Value, mask: Value, f: number): Value {
  const offset = 1n << BigInt(INTEGER_BITS);
  return joint.clear('clear_truncate', [clear, mask], [f, offset], words(clear.elements));
}
