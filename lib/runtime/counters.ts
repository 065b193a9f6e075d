// What the roles counted, each at its own end of its links, put together as one run.

import { PHASES, type Phase } from '../compiler/program';
import type { NodeCommunication, PhaseCommunication } from '../cost/communication';
import type { PhaseCounters } from '../native';

/** What one node of the model caused, as counted; bytes are summed over all senders and receivers. */
export interface CountedNode extends NodeCommunication {
  /** Largest time that any role spent on it, waiting included. */
  readonly seconds: number;
}

/** Counters of one role; a phase that it has no part in may be missing. */
export type RoleCounters = Readonly<Partial<Record<Phase, PhaseCounters>>>;

export function eachPhase<T>(f: (phase: Phase) => T): Record<Phase, T> {
  return Object.fromEntries(PHASES.map((phase) => [phase, f(phase)])) as Record<Phase, T>;
}

/** Communication of a phase. `parties` in order; `dealer` is missing in cleartext. */
export function countPhase(
  parties: readonly RoleCounters[],
  dealer: RoleCounters | undefined,
  phase: Phase,
): PhaseCommunication {
  const dealt = dealer?.[phase]?.bytesSent ?? [];
  return {
    rounds: Math.max(0, ...[...parties, dealer].map((r) => r?.[phase]?.clock ?? 0)),
    bytesSent: parties.map((r) => (r[phase]?.bytesSent ?? []).reduce((a, b) => a + b, 0)),
    dealerBytes: parties.map((_, party) => dealt[party] ?? 0),
  };
}

/** Rounds of a node: those between parties that it takes part in, and one for whatever the dealer sends it. */
export function countNode(
  parties: readonly RoleCounters[],
  dealer: RoleCounters | undefined,
  phase: Phase,
  node: number,
): CountedNode {
  const of = (role: RoleCounters | undefined) => role?.[phase]?.nodes.find((c) => c.node === node);
  const dealt = of(dealer);
  const counters = [...parties.map(of), dealt];
  const exchanges = Math.max(0, ...parties.map((r) => of(r)?.exchanges ?? 0));
  return {
    rounds: exchanges + Math.min(dealt?.exchanges ?? 0, 1),
    bytes: counters.reduce((sum, c) => sum + (c?.bytes ?? 0), 0),
    seconds: Math.max(0, ...counters.map((c) => c?.seconds ?? 0)),
  };
}
