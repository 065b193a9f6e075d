// A factor of an element-wise product: v = hat - c, with a public hat and a mask c of which the parties hold shares.
//
//     [v w] = v^ [w] - [c] w^ + [c d]
//
// for w = w^ - d. An opening is of that form. So is a value that was truncated on an opening of the value before, without
// an opening of its own (spec/refinements.py C): there c = (r >> f) - s [msb r], where s is 2^(M-f) or 0 by the public
// wrap bit, element by element. Its products with d follow from two that are dealt, those of r >> f and of msb r.

import type { Joint, Opened, Use } from '../joint';
import type { Value } from '../program';
import type { Run } from './protocol';
import { truncationBehind } from './truncate';

/** A part of a mask c: plus the dealer's mask, or minus it times a public multiple of 2^zeros. */
interface Part {
  readonly mask: Value;
  readonly times: { readonly value: Value; readonly zeros: number } | null;
}

export interface MaskedFactor {
  readonly share: Value;
  readonly hat: Value;
  /** Shares of c. */
  readonly mask: Value;
  readonly parts: readonly Part[];
}

export function maskedByOpening(joint: Joint, { share, hat, mask }: Opened): MaskedFactor {
  return { share, hat, mask: joint.sharesOf(mask), parts: [{ mask, times: null }] };
}

/** Those that were needed already: a value may have several products. */
const masked = new WeakMap<Value, MaskedFactor>();

/** The factor that a truncated value is on the opening before it; `null` for any other value. */
export function maskedByTruncation(joint: Joint, share: Value): MaskedFactor | null {
  const known = masked.get(share);
  if (known !== undefined) return known;
  const t = truncationBehind(share);
  if (t?.top === null || t === undefined) return null;
  const { z, f, to, high, highMask, top } = t;
  const { elements, bits } = z.hat;
  const [offset, zeros] = [t.attr[1] as bigint, bits - f];
  const h = joint.local('lincomb', [z.hat], [offset, 1], { elements, bits });
  const form = { elements, bits: to };
  const shifted = joint.local('shift_right', [h], [f], form);
  const hat = joint.local('lincomb', [shifted], [-(offset >> BigInt(f)), 1], form);
  const notWrapped = joint.local('shift_right', [h], [bits - 1], { elements, bits: 1 });
  const unit = 1n << BigInt(zeros);
  const times = joint.local('lincomb', [notWrapped], [unit, -unit], form);
  const factor = {
    share,
    hat,
    mask: joint.local('mulsum', [times, top.share, high], [1, -1, 1, 1], form),
    parts: [
      { mask: highMask, times: null },
      { mask: top.mask, times: { value: times, zeros } },
    ],
  };
  masked.set(share, factor);
  return factor;
}

/** How the elements of a value of the left or right factor are spread over the result. */
export type Spread = (value: Value, run: Run) => Use;

function idOf(use: Use): number {
  return 'inner' in use ? use.value.id : use.id;
}

/** [x y] in a ring of `form.bits`, element by element. */
export function productOfMasked(
  joint: Joint,
  [x, spreadX]: readonly [MaskedFactor, Spread],
  [y, spreadY]: readonly [MaskedFactor, Spread],
  form: { elements: number; bits: number },
): Value {
  const local: Run = joint.local.bind(joint);
  const derive: Run = joint.derive.bind(joint);
  const pairs: { a: Use; b: Use; c: 1 | -1 }[] = [
    { a: spreadX(x.hat, local), b: spreadY(y.share, local), c: 1 },
    { a: spreadX(x.mask, local), b: spreadY(y.hat, local), c: -1 },
  ];
  const addends: Value[] = [];
  for (const p of x.parts) {
    for (const q of y.parts) {
      const bits = form.bits - (p.times?.zeros ?? 0) - (q.times?.zeros ?? 0);
      if (bits <= 0) continue;
      // In one order, so that a square deals a product of two of its masks once.
      const masks = [spreadX(p.mask, derive), spreadY(q.mask, derive)].sort((a, b) => idOf(a) - idOf(b));
      const dealt = joint.deal(derive('mulsum', masks, [1, 1, 0], { elements: form.elements, bits }));
      const times = [
        ...(p.times ? [spreadX(p.times.value, local)] : []),
        ...(q.times ? [spreadY(q.times.value, local)] : []),
      ];
      if (times.length === 0) addends.push(dealt);
      else if (times.length === 1) pairs.push({ a: times[0]!, b: dealt, c: -1 });
      else pairs.push({ a: local('mulsum', times, [1, 1, 0], form), b: dealt, c: 1 });
    }
  }
  const attr = [pairs.length, ...pairs.map((p) => p.c), addends.length, ...addends.map(() => 1)];
  return local('mulsum', [...pairs.flatMap((p) => [p.a, p.b]), ...addends], attr, form);
}
