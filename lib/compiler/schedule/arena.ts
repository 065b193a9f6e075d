// Memory of a role, planned before it runs: every buffer gets an offset in its region.
//
// State and material outlive the steps that write them and are laid out one after the other. Work buffers live from
// their first to their last use in the order of steps. A sum is written over an operand that ends with it, and every
// buffer takes the lowest gap between those that live at the same time (Pisarchyk and Lee, Efficient Memory Management
// for Deep Neural Net Inference, 2020).

import type { KernelName } from '../kernels';
import type { Buffer, Place, Plan, PlanStep, Region, Source } from './plan';

const ALIGNMENT = 64;

/** Kernels that have read a block of all their operands when they write that block of their result. */
const IN_PLACE: ReadonlySet<KernelName> = new Set(['lincomb', 'xor']);

function aligned(bytes: number): number {
  return Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
}

/** Every place that a step reads or writes. */
export function placesOf(step: PlanStep): Place[] {
  if (step.type !== 'kernel') return [step.place];
  const places = [...step.in.flatMap((s) => [s.place, s.correction]), ...step.out.map((s) => s.place)];
  return places.filter((p) => p !== null);
}

/** Buffers at one offset: the first is written over by the second when it ends, and so on. */
export interface Block {
  readonly buffers: Buffer[];
  readonly bytes: number;
  /** Positions of the first and last step that use it, in the order of setup, offline and online. */
  readonly first: number;
  last: number;
}

/** The work buffers of a plan and how long they live, in the order in which they are needed. */
export function workBlocks(phases: Plan['phases']): Block[] {
  const steps = phases.flat();
  const last = new Map<Buffer, number>();
  steps.forEach((step, i) => {
    for (const { buffer } of placesOf(step)) last.set(buffer, i);
  });
  const blocks = new Map<Buffer, Block>();
  steps.forEach((step, i) => {
    for (const { buffer } of placesOf(step)) {
      if (buffer.region !== 'work' || blocks.has(buffer)) continue;
      const over = overwritten(step, buffer, (b) => b.region === 'work' && last.get(b) === i);
      const block = over === null ? undefined : blocks.get(over);
      if (block === undefined) {
        blocks.set(buffer, {
          buffers: [buffer],
          bytes: buffer.bytes,
          first: i,
          last: last.get(buffer) as number,
        });
      } else {
        block.buffers.push(buffer);
        block.last = last.get(buffer) as number;
        blocks.set(buffer, block);
      }
    }
  });
  return [...new Set(blocks.values())];
}

/** An operand of the step whose memory its result may take, if `buffer` is its result and there is such an operand. */
function overwritten(step: PlanStep, buffer: Buffer, ends: (b: Buffer) => boolean): Buffer | null {
  if (step.type !== 'kernel' || !IN_PLACE.has(step.kernel)) return null;
  const [out] = step.out;
  if (out?.place?.buffer !== buffer || out.place.at !== 0) return null;
  const words = (s: Pick<Source, 'layout' | 'bits'>): boolean =>
    s.layout === 'ring' || (s.layout === 'packed' && s.bits === 64);
  const alike = (s: Source): boolean =>
    s.elements === out.elements &&
    s.inner === 1 &&
    s.mid === s.elements &&
    (out.layout === 'planes' ? s.layout === 'planes' && s.planes === out.planes : words(s) && words(out));
  for (const s of step.in) {
    if (s.place === null || s.place.at !== 0 || s.place.buffer.bytes !== buffer.bytes || !alike(s)) continue;
    const uses = placesOf(step).filter((p) => p.buffer === s.place?.buffer).length;
    if (uses === 1 && ends(s.place.buffer)) return s.place.buffer;
  }
  return null;
}

/** No placement takes less: the most that lives at the same time. */
export function liveBytes(blocks: readonly Block[]): number {
  const change = new Map<number, number>();
  for (const { first, last, bytes } of blocks) {
    change.set(first, (change.get(first) ?? 0) + aligned(bytes));
    change.set(last + 1, (change.get(last + 1) ?? 0) - aligned(bytes));
  }
  let live = 0;
  let most = 0;
  for (const [, bytes] of [...change].sort(([a], [b]) => a - b)) {
    live += bytes;
    most = Math.max(most, live);
  }
  return most;
}

/** Sets the offset of every buffer of the steps; returns the size of each region. */
export function layOut(phases: Plan['phases']): Record<Region, number> {
  const size: Record<Region, number> = { state: 0, material: 0, work: 0 };
  const placed = new Set<Buffer>();
  for (const { buffer } of phases.flat().flatMap(placesOf)) {
    if (placed.has(buffer) || buffer.region === 'work') continue;
    placed.add(buffer);
    buffer.offset = size[buffer.region];
    size[buffer.region] += aligned(buffer.bytes);
  }
  size.work = placeBlocks(workBlocks(phases));
  return size;
}

interface Taken extends Block {
  readonly at: number;
  readonly end: number;
}

/**
 * Offsets for all blocks; returns how much they take. Neither order is always the better one: by time reaches the bound
 * in most plans, by size where small blocks would otherwise break up the room of a large one.
 */
function placeBlocks(blocks: readonly Block[]): number {
  const largestFirst = [...blocks].sort((a, b) => b.bytes - a.bytes || a.first - b.first);
  const bySize = place(largestFirst);
  const byTime = place(blocks);
  return bySize < byTime ? place(largestFirst) : byTime;
}

/** Each block in turn, into the lowest gap between those that live at the same time. */
function place(blocks: readonly Block[]): number {
  const taken: Taken[] = []; // by offset
  let size = 0;
  for (const block of blocks) {
    const bytes = aligned(block.bytes);
    let at = 0;
    for (const other of taken) {
      if (other.at >= at + bytes) break;
      if (other.first <= block.last && block.first <= other.last) at = Math.max(at, other.end);
    }
    for (const buffer of block.buffers) buffer.offset = at;
    const next = taken.findIndex((t) => t.at > at);
    taken.splice(next < 0 ? taken.length : next, 0, { ...block, at, end: at + bytes });
    size = Math.max(size, at + bytes);
  }
  return size;
}
