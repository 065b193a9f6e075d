// Truncation on an opening (spec/protocols.py P3), never off by more than one unit for |z| < 2^62.
//
// z^ = z + r mod 2^m, m = 64; with h = z^ + 2^62, adding r wrapped past 2^m when msb(r) = 1 and msb(h) = 0. The dealer shares
// r >> f and msb(r), so the wrap is repaired locally:  [z >> f] = (h >> f) - 2^(62-f) - [r >> f] + 2^(64-f) w [msb r].
// Rounding follows the low bits of the public h: (z + 2^f - 1 - c) >> f with c = h mod 2^f, uniform and independent of z.

import type { Joint, Opened } from '../joint';
import type { Value } from '../program';
import { numberAttr, type Protocol, RING_BITS, ring } from './protocol';

/** Added before shifting, so that every |z| < 2^62 is non-negative. */
export const TRUNCATION_OFFSET: bigint = 1n << 62n;

/** Shares of r >> f, and of msb(r), of which only f bits matter because it is multiplied by 2^(64-f). */
export function truncationMaterial(
  joint: Joint,
  z: Opened,
  f: number,
): { high: Value; highMask: Value; top: Value; topMask: Value } {
  const elements = z.mask.elements;
  const highMask = joint.derive('shift_right', [z.mask], [f], ring(elements));
  const topMask = joint.derive('shift_right', [z.mask], [63], { elements, bits: f });
  return { high: joint.deal(highMask), highMask, top: joint.deal(topMask), topMask };
}

/** [z >> f] from the opening of z. */
export function truncated(joint: Joint, z: Opened, f: number): Value {
  const { high, top } = truncationMaterial(joint, z, f);
  return joint.local('truncate', [z.hat, high, top], [f, TRUNCATION_OFFSET, RING_BITS], ring(z.hat.elements));
}

/** The cleartext twin: it rounds with the same mask. */
export function clearTruncated(joint: Joint, share: Value, clear: Value, f: number): Value {
  return joint.clear(
    'clear_truncate',
    [clear, joint.open(share).mask],
    [f, TRUNCATION_OFFSET],
    ring(clear.elements),
  );
}

export const rescale: Protocol = {
  name: 'truncate',
  of: ['rescale'],
  build: (joint, node, [x]) => [truncated(joint, joint.open(x!.share), numberAttr(node, 'bits'))],
  clear: (joint, node, [x]) => [clearTruncated(joint, x!.share, x!.clear, numberAttr(node, 'bits'))],
};
