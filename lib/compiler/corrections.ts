// Which party receives the correction of each dealt value.
//
// What the dealer computes minus the streams of all other parties is the share of one: its correction. It may be any of
// them, whose own stream is not used: what hides the value from it are the others'. Nothing else depends on the choice, so
// it is made for memory: what a party has to keep until its inputs come is the largest part of its material. Corrections
// are given out one by one, the largest first, each to the party that keeps least so far. One that is used up before the
// run (the dealt part of a linear layer goes into a sum at once) is kept by nobody and goes to the party that has received
// least.

import {
  type KernelStep,
  memoryBytes,
  PHASES,
  type Phase,
  type Program,
  partiesOf,
  type Value,
  wireBytes,
} from './program';

export interface Correction {
  readonly to: number;
  /** Whether it is used in a later phase than the one in which it is dealt. */
  readonly kept: boolean;
}

/** By id of the dealt value. */
export type Corrections = ReadonlyMap<number, Correction>;

function isLater(phase: Phase, than: Phase): boolean {
  return PHASES.indexOf(phase) > PHASES.indexOf(than);
}

/**
 * Everything to one party, if it is given. What is dealt in one phase does not influence the choice in another, so
 * programs over the same weights agree on what belongs to the weights.
 */
export function correctionsOf(
  parties: number,
  values: Program['values'],
  steps: readonly KernelStep[],
  only?: number,
): Corrections {
  const later = new Set<number>();
  for (const step of steps) {
    for (const { value } of step.in) {
      const v = values[value] as Value;
      if (!isLater(step.phase, v.phase)) continue;
      later.add(v.origin.kind === 'view' ? v.origin.of : v.id);
    }
  }
  const chosen = new Map<number, Correction>();
  for (const phase of PHASES) {
    const own = values.filter((v) => v.phase === phase);
    const keeps = Array<number>(parties).fill(0);
    const receives = Array<number>(parties).fill(0);
    for (const v of own) {
      if (v.origin.kind !== 'step' || (v.world !== 'share' && v.world !== 'public') || !later.has(v.id))
        continue;
      for (const p of partiesOf(v.parties)) keeps[p] = (keeps[p] as number) + memoryBytes(v);
    }
    const dealt = own
      .filter((v) => v.origin.kind === 'deal')
      .sort((a, b) => wireBytes(b) - wireBytes(a) || a.id - b.id);
    for (const kept of [true, false]) {
      const load = kept ? keeps : receives;
      for (const v of dealt.filter((d) => later.has(d.id) === kept)) {
        const to = only ?? load.indexOf(Math.min(...load));
        chosen.set(v.id, { to, kept });
        if (kept) keeps[to] = (keeps[to] as number) + wireBytes(v);
        receives[to] = (receives[to] as number) + wireBytes(v);
      }
    }
  }
  return chosen;
}
