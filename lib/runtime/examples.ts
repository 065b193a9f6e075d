// Examples of a model's inputs, and the intervals that values are in on them.

import type { Io } from '../compiler/program';
import type { Tensor } from '../tensor';

/** Tensors by the name of the input. */
export type Examples = Readonly<Record<string, Tensor>>;

export interface Interval {
  lo: number;
  hi: number;
}

export function widen(seen: Interval | undefined, data: ArrayLike<number>): Interval {
  const { lo, hi } = seen ?? { lo: Number.POSITIVE_INFINITY, hi: Number.NEGATIVE_INFINITY };
  const interval = { lo, hi };
  for (let i = 0; i < data.length; i++) {
    const x = Number(data[i]);
    if (x < interval.lo) interval.lo = x;
    if (x > interval.hi) interval.hi = x;
  }
  return interval;
}

/** With `margin` times as far from zero; what never was below zero stays so, and what was always zero gets room. */
export function withMargin({ lo, hi }: Interval, margin: number): [number, number] {
  if (lo === 0 && hi === 0) return [-margin, margin];
  return [lo < 0 ? lo * margin : lo / margin, hi > 0 ? hi * margin : hi / margin];
}

/** One example per batch of a program: tensors may hold several, one after the other along their first axis. */
export function batches(ios: readonly Pick<Io, 'name' | 'shape'>[], example: Examples): Examples[] {
  const counts = ios.map(({ name, shape }) => {
    const given = example[name]?.shape ?? [];
    const several = given.length === shape.length && given.slice(1).join() === shape.slice(1).join();
    const count = several ? (given[0] ?? 1) / (shape[0] ?? 1) : 1;
    return Number.isInteger(count) && count > 0 ? count : 1;
  });
  const count = Math.min(...counts);
  if (count === 1 || counts.some((c) => c !== count)) return [example];
  return Array.from({ length: count }, (_, k) =>
    Object.fromEntries(
      ios.map(({ name, shape }) => {
        const { dtype, data } = example[name] as Tensor;
        const size = data.length / count;
        return [name, { shape, dtype, data: data.subarray(k * size, (k + 1) * size) }];
      }),
    ),
  );
}
