// `npm run bench -- protocols [--json] [FILTER]`: single operators, shares in and shares out, two parties and the dealer as threads of this
// process, against CrypTen's figures (peers.ts).

import { type Graph, GraphBuilder, type Type } from '../lib/compiler/ir/graph';
import type { ComparisonKnobs } from '../lib/compiler/protocols/protocol';
import { secure } from '../lib/compiler/secure';
import { GraphWeights } from '../lib/compiler/weights';
import { runProgram } from '../lib/runtime/local';
import { FUNCTIONS, type FunctionCase } from './functions';
import { normals, uniforms } from './networks/builder';
import { type Measured, publish, repeat } from './runs';

const fixed = (shape: readonly number[], scale = 16): Type => ({
  shape,
  dtype: 'fixed',
  owner: 'secret',
  scale,
});

/** One operator on inputs that arrive as shares. */
export function operator(
  op: string,
  ins: readonly (readonly number[])[],
  out: readonly number[],
  attrs: Record<string, unknown> = {},
): Graph {
  const b = new GraphBuilder(op);
  const inputs = ins.map((shape, i) => b.input(`x${i}`, fixed(shape)));
  const outputs = b.node({ name: op, origin: op }, op, inputs, [fixed(out)], attrs as never);
  return b.build(outputs);
}

const window = { strides: [1, 1], dilations: [1, 1], pads: [1, 1, 1, 1], group: 1 };

interface Case {
  readonly name: string;
  readonly graph: () => Graph;
  readonly comparison?: ComparisonKnobs;
  readonly operand?: FunctionCase['operand'];
  readonly peer?: string;
}

/** Forms of a comparison: fewer rounds or bits for more material (docs/performance.md). */
const COMPARISONS: readonly ComparisonKnobs[] = [
  { leaf: 5, fanin: 5 },
  { leaf: 4, fanin: 6, fused: 2 },
  { leaf: 5, fanin: 5, fused: 2 },
  { leaf: 4, fanin: 4, fused: 3 },
];

const CASES: readonly Case[] = [
  ...[1e4, 1e5, 1e6].map((n) => ({
    name: `ReLU 1e${Math.log10(n)}`,
    graph: () => operator('relu', [[n]], [n], { shift: 0 }),
  })),
  ...[1e4, 1e5, 1e6].map((n) => ({
    name: `truncation and ReLU 1e${Math.log10(n)}`,
    graph: () => operator('relu', [[n]], [n], { shift: 16 }),
  })),
  ...COMPARISONS.map((comparison) => ({
    name: `truncation and ReLU 1e5: ${Object.entries(comparison).join(' ')}`,
    graph: () => operator('relu', [[1e5]], [1e5], { shift: 16 }),
    comparison,
  })),
  { name: 'multiply 1e6', graph: () => operator('mul', [[1e6], [1e6]], [1e6]) },
  {
    name: 'matmul 256x256x256',
    graph: () =>
      operator(
        'matmul',
        [
          [256, 256],
          [256, 256],
        ],
        [256, 256],
      ),
  },
  {
    name: 'matmul 1024x1024x1024',
    graph: () =>
      operator(
        'matmul',
        [
          [1024, 1024],
          [1024, 1024],
        ],
        [1024, 1024],
      ),
  },
  {
    name: 'conv 3x3 64 to 64, 56x56',
    graph: () =>
      operator(
        'conv2d',
        [
          [1, 64, 56, 56],
          [64, 64, 3, 3],
        ],
        [1, 64, 56, 56],
        window,
      ),
  },
  {
    name: 'argmax of 128x128',
    graph: () => operator('arg_max', [[128, 128]], [128], { axis: 1, keepdims: false }),
  },
  ...FUNCTIONS,
];

/** Numbers for every operand, and for weights. */
function numbersFor(graph: Graph, operand: Case['operand']): Map<string, Float64Array> {
  const normal = normals(7);
  const uniform = uniforms(8);
  const of = (shape: readonly number[]) =>
    Float64Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) =>
      operand ? operand(uniform(), normal()) : Math.sin(i),
    );
  return new Map(graph.inputs.map((v) => [v.name, of(v.type.shape)]));
}

export async function main(args: readonly string[]): Promise<void> {
  const filter = args.find((a) => !a.startsWith('--')) ?? '';
  const measured: Measured[] = [];
  for (const { name, graph, comparison, operand, peer } of CASES.filter((c) => c.name.includes(filter))) {
    const g = graph();
    const outputOwners = Object.fromEntries(g.outputs.map((v) => [v.name, 'secret' as const]));
    const program = secure(g, { parties: 2, outputOwners, ...(comparison && { knobs: { comparison } }) });
    const numbers = new Map([...numbersFor(g, operand), ...new GraphWeights(g)]);
    const entry = await repeat(
      name,
      async () => {
        const { seconds, counted } = await runProgram(program, numbers);
        return { seconds, communication: counted };
      },
      2000,
    );
    measured.push({ ...entry, ...(peer !== undefined && { peer }) });
    console.error(`${name}: offline ${entry.offline.toFixed(1)} ms, online ${entry.online.toFixed(1)} ms`);
  }
  publish(measured, args.includes('--json'));
}
