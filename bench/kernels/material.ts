// Expansion of pseudo-random material against OpenSSL, and what protocols compute per element: all kernels of a phase of the compiled
// program, expansion included, frames left out.

import type { Graph } from '../../lib/compiler/ir/graph';
import { PHASES, type Phase, type Program } from '../../lib/compiler/program';
import { encodePlan, type PlanStep } from '../../lib/compiler/schedule/plan';
import { project } from '../../lib/compiler/schedule/project';
import { secure } from '../../lib/compiler/secure';
import { ofProduct } from '../functions';
import { operator } from '../protocols';
import { type Effort, measure, type Work } from './binding';
import { giga, type Ratio, rate, rateRatio, ratio } from './ratio';

const STREAM_BYTES = 1 << 16;
const ELEMENTS = 1 << 17;
const DEALER = 2;

export function expansion(effort: Effort): Ratio[] {
  const of = measure(
    effort,
    new Map<'expansion' | 'cipher', Work>([
      ['expansion', { kind: 'expansion', shape: [STREAM_BYTES] }],
      ['cipher', { kind: 'cipher', shape: [STREAM_BYTES] }],
    ]),
  );
  const goal = { suite: 'expansion', name: 'AES-128-CTR against EVP', bound: 'at least', goal: 0.8 } as const;
  const sides = `${giga(of('expansion'))} GB/s; OpenSSL ${giga(of('cipher'))}`;
  return [rateRatio(goal, of('expansion'), (i) => rate(of('cipher'), i), sides)];
}

type Operator = (elements: number) => Graph;

/** Truncation by `shift` and ReLU; the comparison has 64 - shift bits. */
function relu(shift: number): Operator {
  return (elements) => operator('relu', [[elements]], [elements], { shift });
}

function gelu(elements: number): Graph {
  return ofProduct([elements], (core, x) => core.approximate(x, 'gelu', []));
}

/** Of values that arrive as shares. */
function programOf(graph: Graph): Program {
  return secure(graph, {
    parties: DEALER,
    outputOwners: Object.fromEntries(graph.outputs.map((v) => [v.name, 'secret' as const])),
  });
}

/** The kernels of one phase of a role, without those in `without`. */
function kernels(
  elements: number,
  of: Operator,
  role: number,
  phase: Phase,
  without: readonly string[] = [],
): Work {
  const plan = project(programOf(of(elements)), role);
  const [setup, offline, online] = PHASES.map((name, p) =>
    name === phase
      ? (plan.phases[p] ?? []).filter((s) => s.type === 'kernel' && !without.includes(s.kernel))
      : [],
  ) as [PlanStep[], PlanStep[], PlanStep[]];
  return {
    kind: 'plan',
    shape: [elements],
    plan: encodePlan({ ...plan, phases: [setup, offline, online] }),
    phase: PHASES.indexOf(phase),
  };
}

/** The online phase of a 64-bit ReLU at party 1, which gets the corrections. */
export function reluWork(elements: number): Work {
  return kernels(elements, relu(0), 1, 'online');
}

interface Case {
  readonly name: string;
  readonly goal: number;
  readonly of: Operator;
  readonly phase: Phase;
  readonly roles: readonly number[];
  readonly without?: readonly string[];
}

const CASES: readonly Case[] = [
  { name: 'ReLU, 64 bits, online', goal: 35, of: relu(0), phase: 'online', roles: [0, 1] },
  { name: 'truncation and ReLU, online', goal: 35, of: relu(16), phase: 'online', roles: [0, 1] },
  {
    name: 'comparison, 32 bits, online',
    goal: 20,
    of: relu(32),
    phase: 'online',
    roles: [0, 1],
    without: ['truncate_select'],
  },
  { name: 'truncation and ReLU, dealer', goal: 150, of: relu(16), phase: 'offline', roles: [DEALER] },
  { name: 'truncation and GELU, online', goal: 110, of: gelu, phase: 'online', roles: [0, 1] },
];

export function protocols(effort: Effort): Ratio[] {
  const all = new Map<string, Work>();
  for (const { name, of: operator, phase, roles, without } of CASES) {
    for (const role of roles) all.set(`${name} ${role}`, kernels(ELEMENTS, operator, role, phase, without));
  }
  const of = measure(effort, all);
  return CASES.map(({ name, goal, roles }) => {
    const samples = roles.map((role) => [...of(`${name} ${role}`).seconds].map((s) => (s / ELEMENTS) * 1e9));
    const slowest = samples[0]!.map((_, i) => Math.max(...samples.map((s) => s[i] as number)));
    const at = roles.length > 1 ? 'the slower party' : 'the dealer';
    const what = `per element of ${ELEMENTS} and core, ${at}`;
    return ratio({ suite: 'protocols', name, bound: 'at most', goal }, 'ns', slowest, what);
  });
}
