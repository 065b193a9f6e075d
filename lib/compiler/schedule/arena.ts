// Memory of a role, planned before it runs: every buffer gets an offset in its region.
//
// State and material outlive the steps that write them and are laid out one after the other. Work buffers live from
// their first to their last use in the order of steps; a buffer takes the lowest gap that is free by then.

import type { Buffer, Place, Plan, PlanStep, Region } from './plan';

const ALIGNMENT = 64;

function aligned(bytes: number): number {
  return Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
}

/** Every place that a step reads or writes. */
export function placesOf(step: PlanStep): Place[] {
  if (step.type !== 'kernel') return [step.place];
  const places = [...step.in.flatMap((s) => [s.place, s.correction]), ...step.out.map((s) => s.place)];
  return places.filter((p) => p !== null);
}

/** Sets the offset of every buffer of the steps; returns the size of each region. */
export function layOut(phases: Plan['phases']): Record<Region, number> {
  const steps = phases.flat();
  const last = new Map<Buffer, number>();
  steps.forEach((step, i) => {
    for (const p of placesOf(step)) last.set(p.buffer, i);
  });
  const size: Record<Region, number> = { state: 0, material: 0, work: 0 };
  const gaps = new Gaps();
  const placed = new Set<Buffer>();
  const ending = new Map<number, Buffer[]>();
  steps.forEach((step, i) => {
    for (const { buffer } of placesOf(step)) {
      if (placed.has(buffer)) continue;
      placed.add(buffer);
      if (buffer.region === 'work') {
        buffer.offset = gaps.take(aligned(buffer.bytes));
        size.work = Math.max(size.work, buffer.offset + aligned(buffer.bytes));
        const end = last.get(buffer) as number;
        ending.set(end, [...(ending.get(end) ?? []), buffer]);
      } else {
        buffer.offset = size[buffer.region];
        size[buffer.region] += aligned(buffer.bytes);
      }
    }
    for (const buffer of ending.get(i) ?? []) gaps.give(buffer.offset, aligned(buffer.bytes));
  });
  return size;
}

/** Free ranges below an open end, lowest first. */
class Gaps {
  private free: { at: number; bytes: number }[] = [{ at: 0, bytes: Number.POSITIVE_INFINITY }];

  take(bytes: number): number {
    const gap = this.free.find((g) => g.bytes >= bytes) as { at: number; bytes: number };
    const at = gap.at;
    gap.at += bytes;
    gap.bytes -= bytes;
    if (gap.bytes === 0) this.free.splice(this.free.indexOf(gap), 1);
    return at;
  }

  give(at: number, bytes: number): void {
    if (bytes === 0) return;
    const next = this.free.findIndex((g) => g.at > at);
    this.free.splice(next < 0 ? this.free.length : next, 0, { at, bytes });
    const merged: { at: number; bytes: number }[] = [];
    for (const g of this.free) {
      const before = merged.at(-1);
      if (before !== undefined && before.at + before.bytes === g.at) before.bytes += g.bytes;
      else merged.push(g);
    }
    this.free = merged;
  }
}
