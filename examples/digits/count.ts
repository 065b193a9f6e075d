// What dealer and parties counted, each at its own end of its links, put together as one run beside the prediction.

import type { ReportedRun } from '../../lib/cli/report';
import type { Phase } from '../../lib/compiler/program';
import type { CompiledModel } from '../../lib/index';
import type { PhaseReport } from '../../lib/native-endpoint';
import { countNode, countPhase, eachPhase } from '../../lib/runtime/counters';

/** Of one role; the dealer has no online phase. */
export type RoleReports = Partial<Record<Phase, PhaseReport>>;

/** @param roles the parties in order, then the dealer */
export function together(model: CompiledModel, roles: readonly RoleReports[]): ReportedRun {
  const [parties, dealer] = [roles.slice(0, -1), roles.at(-1)];
  const seconds = eachPhase((phase) => Math.max(0, ...roles.map((r) => r[phase]?.seconds ?? 0)));
  return {
    seconds: { compile: model.seconds, ...seconds },
    communication: {
      predicted: model.predicted,
      counted: eachPhase((phase) => countPhase(parties, dealer, phase)),
    },
    layers: model.layers.map(({ name, op, shape, predicted }, node) => {
      return {
        name,
        op,
        shape,
        predicted,
        counted: eachPhase((phase) => countNode(parties, dealer, phase, node)),
      };
    }),
  };
}
