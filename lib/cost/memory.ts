// Memory that a role plans for its shares, material and intermediate values, read off its plan.

import type { Program } from '../compiler/program';
import { dealerRole, project } from '../compiler/schedule/project';

/** Memory that the roles of a program plan: state, material and work. */
export interface PlannedMemory {
  /** Bytes for each party. */
  readonly parties: readonly number[];
  /** Bytes for the dealer. */
  readonly dealer: number;
}

export function plannedMemory(program: Program): PlannedMemory {
  const bytesOf = (role: number): number => {
    const { state, material, work } = project(program, role).bytes;
    return state + material + work;
  };
  return {
    parties: Array.from({ length: program.parties }, (_, party) => bytesOf(party)),
    dealer: bytesOf(dealerRole(program.parties)),
  };
}
