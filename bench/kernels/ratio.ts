// Ratios with their goals: both sides are measured in turn, so every repetition gives a ratio of its own, and the median of these is
// what counts.

import { type Column, renderTable } from '../../lib/cli/table';
import { median } from '../runs';
import type { Measured } from './binding';

export interface Ratio {
  readonly suite: string;
  readonly name: string;
  readonly value: number;
  /** Of `value`: empty for a ratio. */
  readonly unit: '' | 'ns' | 'us';
  readonly bound: 'at least' | 'at most';
  readonly goal: number;
  /** From the 10th to the 90th percentile of the repetitions, over the median. */
  readonly spread: number;
  /** What stands on the two sides. */
  readonly of: string;
}

type Goal = Pick<Ratio, 'suite' | 'name' | 'bound' | 'goal'>;

export function met({ value, bound, goal }: Ratio): boolean {
  return bound === 'at least' ? value >= goal : value <= goal;
}

/** From the samples of a value. */
export function ratio(goal: Goal, unit: Ratio['unit'], samples: readonly number[], of: string): Ratio {
  const sorted = [...samples].sort((a, b) => a - b);
  const at = (q: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? Number.NaN;
  const value = median(sorted);
  return { ...goal, unit, value, spread: (at(0.9) - at(0.1)) / value, of };
}

/** Work per second of a sample. */
export function rate({ work, seconds }: Measured, i: number): number {
  return work / (seconds[i] as number);
}

/** Median rate in G per second. */
export function giga(measured: Measured): string {
  return (measured.work / median([...measured.seconds]) / 1e9).toPrecision(3);
}

/** The rate of `measured` over `bound(i)`, the rate of the other side in repetition i. */
export function rateRatio(goal: Goal, measured: Measured, bound: (i: number) => number, of: string): Ratio {
  const samples = [...measured.seconds].map((_, i) => rate(measured, i) / bound(i));
  return ratio(goal, '', samples, of);
}

const COLUMNS: readonly Column[] = [
  { title: 'ratio', align: 'left' },
  { title: 'measured', align: 'right' },
  { title: 'goal', align: 'right' },
  { title: 'met', align: 'left' },
  { title: 'spread', align: 'right' },
  { title: 'of', align: 'left' },
];

export function ratioTable(ratios: readonly Ratio[]): string {
  const rows = ratios.map((r) => {
    const unit = r.unit && ` ${r.unit}`;
    return [
      r.name,
      `${r.value.toFixed(r.unit ? 1 : 2)}${unit}`,
      `${r.bound} ${r.goal}${unit}`,
      met(r) ? 'yes' : 'NO',
      `${(r.spread * 100).toFixed(0)} %`,
      r.of,
    ];
  });
  return renderTable(COLUMNS, rows);
}
