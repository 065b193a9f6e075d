// The list of operators in README.md and the table of docs/operators.md: every operator of the ONNX standard, whether it is
// supported as the compiler's registry says, and what it costs as a small model of it says (test/ops/examples.ts).

import { compileImported } from '../lib/compiler/compile';
import type { Graph } from '../lib/compiler/ir/graph';
import { allOps, findOp, type OpDefinition } from '../lib/compiler/ops';
import { withoutOutputRounding } from '../lib/compiler/passes/without-output-rounding';
import { secure } from '../lib/compiler/secure';
import { profile } from '../lib/cost/communication';
import { CryptorchError } from '../lib/errors';
import { importOnnx } from '../lib/model/onnx/import';
import { DEPRECATED, OUTSIDE, STANDARD_OPERATORS } from '../lib/model/onnx/standard';
import { DataType, type ModelSpec, model } from '../test/helpers/onnx';
import { examplesOf, WITHOUT_EXAMPLE } from '../test/ops/examples';

/** Operators that the importer itself understands, without an entry in the registry. */
const IMPORTED: Readonly<Record<string, string>> = {
  Constant: 'a number or dense tensor; no text',
};

const PARTIES = 2;

type Interval = readonly [number, number];

/** What inputs of an example lie in, where the operator is not computed without a range: an approximation needs one. */
const INTERVALS: readonly Interval[] = [
  [-2, 2],
  [0.5, 2],
];

interface Compiled {
  readonly spec: ModelSpec;
  readonly graph: Graph;
  readonly interval: Interval | undefined;
}

interface Cost {
  readonly rounds: number;
  /** Bits that a party sends online for each element of the first input, on average. */
  readonly online: number;
  /** Bits that a party is sent and sends ahead, in the same unit. */
  readonly ahead: number;
  /** Shapes of the inputs: secret ones, then constants. */
  readonly example: string;
}

/** The first example of an operator that can be computed, compiled for inputs and outputs that exist as shares. */
function compiledExample(op: string): Compiled | undefined {
  for (const interval of [undefined, ...INTERVALS]) {
    for (const spec of examplesOf(op)) {
      const names = Object.keys(spec.inputs);
      const owners = Object.fromEntries(
        [...names, ...Object.keys(spec.outputs)].map((name) => [name, 'secret' as const]),
      );
      const ranges = interval && { ranges: Object.fromEntries(names.map((name) => [name, interval])) };
      try {
        const imported = importOnnx(model(spec), { owners });
        const { graph } = compileImported(imported, { owners, ...ranges }, 0);
        return { spec, graph: withoutOutputRounding(graph), interval };
      } catch (error) {
        if (!CryptorchError.is(error)) throw error;
      }
    }
  }
  return undefined;
}

export function costOf(op: string): Cost | undefined {
  const made = compiledExample(op);
  if (!made) return undefined;
  const { inputs } = made.graph;
  const outputOwners = Object.fromEntries(made.graph.outputs.map((v) => [v.name, 'secret' as const]));
  const { nodes, total } = profile(secure(made.graph, { parties: PARTIES, outputOwners }));
  const elements = inputs[0]!.type.shape.reduce((a, b) => a * b, 1);
  const bits = (phase: 'online' | 'offline'): number =>
    (8 * nodes.reduce((sum, node) => sum + node[phase].bytes, 0)) / PARTIES / elements;
  const shapes = [
    ...inputs.map(({ type }) => `[${type.shape.join(', ')}]`),
    ...(made.interval ? [`between ${made.interval.join(' and ')}`] : []),
    ...Object.values(made.spec.initializers ?? {})
      .filter((t) => t.dataType === DataType.FLOAT && t.dims.some((d) => d > 1n))
      .map((t) => `weights [${t.dims.join(', ')}]`),
  ];
  return {
    rounds: total.online.rounds,
    online: bits('online'),
    ahead: bits('offline'),
    example: shapes.join(', '),
  };
}

function figure(x: number): string {
  return x === 0 || x >= 10 ? x.toFixed(0) : x.toFixed(1);
}

/** First and last change of an operator within the standard. */
function versions(op: string): string {
  const list = STANDARD_OPERATORS[op] ?? [];
  return list.length > 1 ? `${list[0]}, ${list.at(-1)}` : `${list[0]}`;
}

function supported(definition: OpDefinition): string {
  const [first] = definition.opset;
  const since = STANDARD_OPERATORS[definition.op]?.[0] ?? first;
  const from = first > Math.max(since, 11) ? `from opset ${first} on` : '';
  const own = definition.restrictions === KNOWN ? '' : definition.restrictions;
  const kind = definition.lower ? '' : KNOWN;
  return [kind, own, from].filter((part) => part !== '').join('; ') || 'everything';
}

const KNOWN = 'values known at compile time';

function row(op: string): string {
  const definition = findOp(op);
  const cells = (says: string, ...figures: string[]): string =>
    `| ${[op, versions(op), says, ...figures, '', '', '', ''].slice(0, 7).join(' | ')} |`;
  if (definition?.lower) {
    const cost = costOf(op);
    if (!cost && WITHOUT_EXAMPLE.has(op)) return cells(supported(definition));
    if (!cost) throw new Error(`no example of ${op} can be computed: write one in test/ops/examples.ts`);
    const { rounds, online, ahead, example } = cost;
    return cells(supported(definition), `${rounds}`, figure(online), figure(ahead), example);
  }
  if (definition) return cells(supported(definition));
  if (Object.hasOwn(IMPORTED, op)) return cells(IMPORTED[op]!);
  const deprecated = DEPRECATED[op];
  if (deprecated) return cells(`no: withdrawn in opset ${deprecated[0]} for ${deprecated[1]}`);
  const reason = Object.entries(OUTSIDE).find(([, ops]) => ops.includes(op))?.[0];
  return cells(reason ? `no: ${reason}` : 'no');
}

/** Every operator of the standard, by name. */
export function operatorTable(): string {
  return [
    '| operator | opsets | supported | rounds | online | ahead | example |',
    '|---|---|---|---|---|---|---|',
    ...Object.keys(STANDARD_OPERATORS).map(row),
  ].join('\n');
}

/** The names of what is supported. */
export function operatorList(): string {
  const all = Object.keys(STANDARD_OPERATORS);
  const names = (ops: readonly OpDefinition[]): string => ops.map(({ op }) => op).join(', ');
  const read = allOps().filter(({ op }) => Object.hasOwn(STANDARD_OPERATORS, op));
  const [secret, known] = [read.filter((op) => op.lower), read.filter((op) => !op.lower)];
  return [
    `On secret values (${secret.length} of the ${all.length} operators up to opset 23): ${names(secret)}.`,
    ...(known.length > 0 ? ['', `On values known when the model is compiled also: ${names(known)}.`] : []),
    '',
    'What each of them takes, what it costs, and all others: [docs/operators.md](docs/operators.md).',
  ].join('\n');
}
