// What programs of one deployment must have in common: the setup of every role, word for word, and with it the place of
// every value in the state. Batch sizes may differ in everything else.

import { createHash } from 'node:crypto';
import type { Program } from '../compiler/program';
import { encodePlan, type Plan } from '../compiler/schedule/plan';
import { project } from '../compiler/schedule/project';

/** SHA-256 of the setup of all roles, the dealer's included, and of the weights it takes. */
export function setupHash(program: Program): string {
  const hash = createHash('sha256').update('cryptorch setup 1\n');
  const weights = program.ios.flatMap((io, i) =>
    io.kind === 'weight' ? [{ i, name: io.name, owner: io.owner, shape: io.shape, scale: io.scale }] : [],
  );
  hash.update(JSON.stringify({ parties: program.parties, weights }));
  for (let role = 0; role <= program.parties; role++) {
    const words = encodePlan(setupOf(project(program, role)));
    hash.update(new Uint8Array(words.buffer, words.byteOffset, words.byteLength));
  }
  return hash.digest('hex');
}

function setupOf(plan: Plan): Plan {
  const [setup] = plan.phases;
  return {
    ...plan,
    bytes: { state: plan.bytes.state, material: 0, work: 0 },
    nodes: 0,
    ios: [],
    phases: [setup, [], []],
  };
}
