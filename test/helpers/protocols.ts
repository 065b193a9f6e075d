// Runs small core graphs privately and in the clear with one seed, and checks what must hold of every program: the
// leakage check passes, the parties' result is the cleartext result bit for bit, predicted communication is what the
// transport counted. Values are plain integers (scale 0).

import type { ExecutionContext } from 'ava';
import {
  type Attributes,
  type Graph,
  GraphBuilder,
  type Owner,
  type Value,
} from '../../lib/compiler/ir/graph';
import { checkLeakage } from '../../lib/compiler/leakage';
import type { Program } from '../../lib/compiler/program';
import { project } from '../../lib/compiler/schedule/project';
import { type SecureOptions, secure } from '../../lib/compiler/secure';
import { profile } from '../../lib/cost/communication';
import { type ProgramRun, runProgram } from '../../lib/runtime/local';

export interface Operand {
  readonly name: string;
  readonly shape: readonly number[];
  readonly owner: Owner;
  readonly weight?: boolean;
}

export const type = (shape: readonly number[], owner: Owner = 'secret') => ({
  shape,
  dtype: 'int' as const,
  owner,
  scale: 0,
});

/** A graph of one node over the operands; the output is called `y`. */
export function oneNode(
  op: string,
  operands: readonly Operand[],
  shape: readonly number[],
  attrs: Attributes = {},
): Graph {
  return graphOf(operands, (b, ins) =>
    b.node({ name: `${op}_0`, origin: op }, op, ins, [type(shape)], attrs),
  );
}

/** A graph whose outputs are called y, y1, y2, ... */
export function graphOf(
  operands: readonly Operand[],
  body: (b: GraphBuilder, ins: Value[]) => readonly Value[],
): Graph {
  const b = new GraphBuilder('test');
  const ins = operands.map((o) =>
    o.weight
      ? b.constant(o.name, type(o.shape, o.owner), {
          data: new Float64Array(o.shape.reduce((x, y) => x * y, 1)),
          private: true,
        })
      : b.input(o.name, type(o.shape, o.owner)),
  );
  const outs = body(b, ins);
  return b.build(outs.map((v, i) => ({ ...v, name: i === 0 ? 'y' : `y${i}` }))) as Graph;
}

/** Outputs are renamed copies in `graphOf`; the program builder looks values up by identity, so map them back. */
export function programOf(graph: Graph, options: SecureOptions): Program {
  const originals = new Map(
    graph.nodes
      .flatMap((n) => n.outputs)
      .concat(graph.inputs)
      .map((v) => [v.id, v] as const),
  );
  const outputs = graph.outputs.map((v) => originals.get(v.id) as Value);
  const renamed = new Map(outputs.map((v, i) => [v, graph.outputs[i] as Value]));
  const swap = (v: Value): Value => renamed.get(v) ?? v;
  const nodes = graph.nodes.map((n) => ({ ...n, inputs: n.inputs.map(swap), outputs: n.outputs.map(swap) }));
  return secure({ ...graph, inputs: graph.inputs.map(swap), nodes }, options);
}

export type Integers = Readonly<Record<string, readonly bigint[]>>;

export interface Checked {
  readonly program: Program;
  readonly run: ProgramRun;
  readonly y: readonly bigint[];
  readonly outputs: ReadonlyMap<string, readonly bigint[]>;
}

/** Runs a program both ways and checks the properties above. */
export async function check(
  t: ExecutionContext,
  program: Program,
  inputs: Integers,
  seed = 'test',
): Promise<Checked> {
  checkLeakage(program);
  const numbers = new Map(Object.entries(inputs).map(([name, v]) => [name, BigInt64Array.from(v)]));
  const run = await runProgram(program, numbers, { seed, timeout: 30_000 });
  const clear = await runProgram(program, numbers, { seed, cleartext: true });
  const list = (r: ProgramRun): Map<string, bigint[]> =>
    new Map([...r.outputs].map(([k, v]) => [k, Array.from(v, BigInt)]));
  const outputs = list(run);
  t.deepEqual(outputs, list(clear), 'the parties and the cleartext evaluator agree bit for bit');
  const predicted = profile(program);
  t.deepEqual(run.counted, predicted.total, 'predicted communication is what was counted');
  for (const [i, node] of predicted.nodes.entries()) {
    for (const phase of ['setup', 'offline', 'online'] as const) {
      const { rounds, bytes } = run.nodes[i]![phase];
      t.deepEqual({ rounds, bytes }, node[phase], `${program.nodes[i]?.name}, ${phase}`);
    }
  }
  return { program, run, y: outputs.get('y') ?? [], outputs };
}

/** Deterministic numbers. */
export class Random {
  private state: bigint;

  constructor(seed: number) {
    this.state = BigInt(seed) * 0x9e3779b97f4a7c15n + 1n;
  }

  bits(count: number): bigint {
    let out = 0n;
    for (let have = 0; have < count; have += 32) {
      this.state = BigInt.asUintN(64, this.state * 6364136223846793005n + 1442695040888963407n);
      out = (out << 32n) | (this.state >> 32n);
    }
    return BigInt.asUintN(count, out);
  }

  /** Uniform in [-2^bits, 2^bits). */
  signed(bits: number): bigint {
    return this.bits(bits + 1) - (1n << BigInt(bits));
  }

  list(count: number, bits: number): bigint[] {
    return Array.from({ length: count }, () => this.signed(bits));
  }
}

/** Payload of one node online, in bits per element and party. */
export function onlineBits(checked: Checked, node: string, elements: number): number {
  const index = checked.program.nodes.findIndex((n) => n.name === node);
  const n = checked.program.parties;
  return ((checked.run.nodes[index]?.online.bytes ?? 0) * 8) / (elements * n * (n - 1));
}

export function onlineRounds(checked: Checked, node: string): number {
  const index = checked.program.nodes.findIndex((n) => n.name === node);
  return checked.run.nodes[index]?.online.rounds ?? 0;
}

/** Both ends of every link between parties expect the same frames, in the same order. */
export function framesAgree(t: ExecutionContext, program: Program): void {
  const { parties } = program;
  const plans = Array.from({ length: parties }, (_, role) => project(program, role));
  for (const phase of [0, 1, 2] as const) {
    const frames = (role: number, kind: 'send' | 'receive', peer: number) =>
      plans[role]!.phases[phase].flatMap((s) =>
        s.type === kind && s.peer === peer ? [{ exchange: s.exchange, bytes: s.bytes }] : [],
      );
    for (let a = 0; a < parties; a++) {
      for (let b = 0; b < parties; b++)
        if (a !== b) t.deepEqual(frames(a, 'send', b), frames(b, 'receive', a));
    }
  }
}
