// Large openings by slices, for three and more parties.
//
// If everybody sends everything to everybody, a party sends n - 1 times the size of a value, in one round. Instead,
// slice k of it may be opened towards party k alone, which then sends the opened slice to all others: 2 (n - 1) / n
// times the size, in two rounds (reduce-scatter and all-gather). That is faster where bandwidth matters more than half a
// round trip: for large values.

import {
  allParties,
  isSingle,
  type Program,
  partiesOf,
  type Segment,
  type Value,
  wireBytes,
} from '../program';
import { partyTimes, phaseOf } from './moments';

/** Openings of at least this many bytes are sliced: they take several times half a round trip on common networks. */
export const SLICED_BYTES: number = 1 << 20;

/** A range of a packed value: whole words, so that it can be sent from where it lies. */
export interface Slice {
  /** Bytes from the start of the packed value. */
  readonly offset: number;
  readonly bytes: number;
  readonly layout: 'packed' | 'planes';
  readonly bits: number;
  readonly planes: number;
  readonly elements: number;
}

/** The slices of a value, nearly equal; bit planes are cut as one long plane. */
export function slicesOf(v: Value, count: number): Slice[] {
  const words = v.layout === 'planes' ? wireBytes(v) / 8 : Math.ceil(v.elements / 64);
  const elements = v.layout === 'planes' ? 64 * words : v.elements;
  return Array.from({ length: count }, (_, i) => {
    const [first, end] = [i, i + 1].map((j) => Math.floor((j * words) / count)) as [number, number];
    const part = Math.max(0, Math.min(64 * end, elements) - 64 * first);
    const form = { layout: v.layout, bits: v.bits, planes: v.layout === 'planes' ? 1 : 0, elements: part };
    return {
      ...form,
      layout: v.layout === 'planes' ? 'planes' : 'packed',
      offset: first * v.bits * 8,
      bytes: wireBytes(form),
    };
  });
}

/**
 * Marks the openings that go by slices: those of at least `least` bytes that everybody sees, and that two or more parties
 * send in the same phase. Where one party alone has to send while inputs wait, slices would add a round and bytes.
 */
export function sliceLargeOpenings(program: Program, least: number = SLICED_BYTES): Program {
  const everyone = allParties(program.parties);
  if (program.parties < 3) return program;
  const times = partyTimes(program);
  const sliced = (s: Segment): boolean => {
    if (s.kind !== 'open' || isSingle(s.senders)) return false;
    if (wireBytes(program.values[s.out] as Value) < least) return false;
    const phases = partiesOf(s.senders).map((p) => phaseOf(times[p]?.sent.get(s) ?? 0));
    const last = Math.max(...phases);
    return phases.filter((p) => p === last).length > 1;
  };
  const steps = program.steps.map((step) =>
    step.kind !== 'exchange' || step.audience !== everyone
      ? step
      : { ...step, segments: step.segments.map((s) => (sliced(s) ? { ...s, sliced: true as const } : s)) },
  );
  return { ...program, steps };
}
