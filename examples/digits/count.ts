// What dealer and parties counted, each at its own end of its links, put together as one run beside the prediction.

import type { ReportedRun } from '../../lib/cli/report';
import { PHASES, type Phase } from '../../lib/compiler/program';
import type { PhaseCommunication } from '../../lib/cost/communication';
import type { CompiledModel, CountedNode } from '../../lib/index';
import type { PhaseReport } from '../../lib/native';

/** Of one role; the dealer has no online phase. */
export type RoleReports = Partial<Record<Phase, PhaseReport>>;

/** @param roles the parties in order, then the dealer */
export function together(model: CompiledModel, roles: readonly RoleReports[]): ReportedRun {
  const seconds = each((phase) => Math.max(0, ...roles.map((r) => r[phase]?.seconds ?? 0)));
  return {
    seconds: { compile: model.seconds, ...seconds },
    communication: { predicted: model.predicted, counted: each((phase) => countPhase(roles, phase)) },
    layers: model.layers.map(({ name, op, shape, predicted }, node) => {
      return { name, op, shape, predicted, counted: each((phase) => countNode(roles, phase, node)) };
    }),
  };
}

function each<T>(f: (phase: Phase) => T): Record<Phase, T> {
  return Object.fromEntries(PHASES.map((phase) => [phase, f(phase)])) as Record<Phase, T>;
}

function countPhase(roles: readonly RoleReports[], phase: Phase): PhaseCommunication {
  const parties = roles.slice(0, -1);
  const dealt = roles.at(-1)?.[phase]?.bytesSent ?? [];
  return {
    rounds: Math.max(0, ...roles.map((r) => r[phase]?.clock ?? 0)),
    bytesSent: parties.map((r) => (r[phase]?.bytesSent ?? []).reduce((a, b) => a + b, 0)),
    dealerBytes: parties.map((_, party) => dealt[party] ?? 0),
  };
}

/** Rounds of a node: exchanges between parties that it takes part in, and one for whatever the dealer sends it. */
function countNode(roles: readonly RoleReports[], phase: Phase, node: number): CountedNode {
  const counters = roles.map((r) => r[phase]?.nodes.find((c) => c.node === node));
  const dealt = counters.at(-1)?.exchanges ?? 0;
  const exchanges = counters.slice(0, -1).map((c) => c?.exchanges ?? 0);
  return {
    rounds: Math.max(0, ...exchanges) - dealt + Math.min(dealt, 1),
    bytes: counters.reduce((sum, c) => sum + (c?.bytes ?? 0), 0),
    seconds: Math.max(0, ...counters.map((c) => c?.seconds ?? 0)),
  };
}
