// What of a joint program exists at one role: which steps run there, which operands they have there, and which values
// anything there still needs.
//
// A share is zero at a party outside its `parties`; a public term of a sum belongs to the lead party; an opening that
// only some parties see is no operand at the others, where the share that it multiplies must be zero too.

import { has, type KernelStep, leadOf, type Origin, type Program, type Value } from '../program';

const SUMS: ReadonlySet<string> = new Set(['lincomb', 'copy']);

function outputOf(program: Program, step: KernelStep): Value {
  return program.values[step.out.find((id) => id >= 0) as number] as Value;
}

export function runsAt(program: Program, step: KernelStep, role: number): boolean {
  if (step.world === 'mask') return role === program.parties;
  if (step.world === 'clear') return role === program.parties + 1;
  return role < program.parties && has(outputOf(program, step).parties, role);
}

/** Whether this role adds the public terms of a step. */
export function leadsAt(program: Program, step: KernelStep, role: number): boolean {
  return step.world !== 'share' || leadOf(outputOf(program, step).parties) === role;
}

/** The factor that operand i of a product is multiplied by; undefined for an addend. */
function partner(step: KernelStep, i: number): number | undefined {
  const factors =
    step.kernel === 'mulsum'
      ? 2 * Number(step.attr[0])
      : step.kernel === 'matmul' || step.kernel === 'conv2d'
        ? 2
        : 0;
  return i < factors ? i ^ 1 : undefined;
}

/** For every operand of a step that runs at a role: whether it has a value other than zero there. */
export function operandsAt(program: Program, step: KernelStep, role: number): boolean[] {
  const values = step.in.map((o) => program.values[o.value] as Value);
  if (step.world !== 'share') return values.map((v) => v.origin.kind !== 'zero');
  const lead = leadsAt(program, step, role);
  const held = values.map((v) => has(v.parties, role) && v.origin.kind !== 'zero');
  return values.map((v, i) => {
    const other = partner(step, i);
    if (other !== undefined && !held[other]) {
      const alone = v.world === 'public' || !held[i] || values[other]?.world === 'share';
      if (!alone)
        throw new Error(`step ${step.kernel}: party ${role} cannot see what value ${v.id} is multiplied by`);
      return false;
    }
    if (v.world === 'public' && SUMS.has(step.kernel)) return lead;
    return held[i] as boolean;
  });
}

/** Values that a role must have, because a step there, a peer or an output uses them. */
export function neededAt(program: Program, role: number): ReadonlySet<number> {
  const needed = new Set<number>();
  const need = (id: number): void => {
    needed.add(id);
    const { origin } = program.values[id] as Value;
    if (origin.kind === 'view') need(origin.of);
  };
  for (const io of program.ios) {
    if (io.kind !== 'output') continue;
    if (role === program.parties + 1) need(io.clear);
    else if (has((program.values[io.value] as Value).parties, role)) need(io.value);
  }
  for (const step of [...program.steps].reverse()) {
    if (step.kind === 'kernel') {
      if (!runsAt(program, step, role) || !step.out.some((id) => needed.has(id))) continue;
      const present = operandsAt(program, step, role);
      step.in.forEach((o, i) => {
        if (present[i]) need(o.value);
      });
    } else if (step.kind === 'deal') {
      if (role !== program.parties) continue;
      for (const id of step.values)
        need(((program.values[id] as Value).origin as Origin & { kind: 'deal' }).mask);
    } else {
      const others = step.audience & ~(2 ** role);
      for (const s of step.segments) {
        const listens = has(step.audience, role) && needed.has(s.out);
        if (role < program.parties && has(s.senders, role) && (others !== 0 || listens)) need(s.share);
      }
    }
  }
  return needed;
}
