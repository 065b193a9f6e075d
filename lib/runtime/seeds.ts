// Seeds of a run's roles: one of its own for every party, one for every pair of parties, and what each role holds.
//
// A party knows its seed and those it shares with each peer (for zero sharings); the dealer knows every party's own
// seed and none of the pairs'. In one process they are drawn together, from the operating system, or from a given
// seed so that a run can be repeated.

import { createHash, randomBytes } from 'node:crypto';

export const SEED_BYTES = 16;

export interface Seeds {
  readonly own: readonly Uint8Array[];
  /** pairs[i][j] for i < j. */
  readonly pairs: readonly (readonly Uint8Array[])[];
  /** Shares of inputs that arrive as shares (one process only). */
  readonly inputs: Uint8Array;
}

export function drawSeeds(parties: number, seed?: string | number): Seeds {
  const root =
    seed === undefined ? randomBytes(32) : createHash('sha256').update(`cryptorch seed ${seed}`).digest();
  const draw = (label: string): Uint8Array =>
    createHash('sha256').update(root).update(label).digest().subarray(0, SEED_BYTES);
  return {
    own: Array.from({ length: parties }, (_, p) => draw(`party ${p}`)),
    pairs: Array.from({ length: parties }, (_, p) =>
      Array.from({ length: parties }, (_, q) => draw(`pair ${p} ${q}`)),
    ),
    inputs: draw('inputs'),
  };
}

/** The keys of a role, in the order of its plan: see schedule/project.ts. */
export function keysOf(seeds: Seeds, parties: number, role: number): Uint8Array[] {
  if (role >= parties) return [...seeds.own];
  const unused = new Uint8Array(SEED_BYTES);
  const pair = (q: number): Uint8Array => seeds.pairs[Math.min(role, q)]?.[Math.max(role, q)] as Uint8Array;
  return [
    seeds.own[role] as Uint8Array,
    ...Array.from({ length: parties }, (_, q) => (q === role ? unused : pair(q))),
  ];
}
