// What passes make of comparisons, choices and booleans: bounds, ranges, rings, and operations that become one.

import test from 'ava';
import { calibrate, compile, runLocal, tensor as tensorOf } from '../../lib';
import type { Graph, Node } from '../../lib/compiler/ir/graph';
import { optimize } from '../../lib/compiler/passes/pipeline';
import { comparedBits } from '../../lib/compiler/widths';
import { importOnnx } from '../../lib/model/onnx/import';
import { toFloat64 } from '../../lib/tensor';
import { DataType, int64, type ModelSpec, model, node, tensor } from '../helpers/onnx';
import { operations, randoms } from '../ops/oracle';

const bool = (shape: number[]) => ({ shape, type: DataType.BOOL });

function core(spec: ModelSpec, ranges?: Record<string, [number, number]>): Graph {
  return optimize(importOnnx(model(spec)).graph, { fractionalBits: 16, inputRanges: ranges }).graph;
}

const found = (g: Graph, op: string): Node => g.nodes.find((n) => n.op === op)!;

test('a bound is written at the scale of what is compared; one out of reach decides nothing', (t) => {
  const nodes = [node('Mul', ['x', 'x'], ['s']), node('Greater', ['s', 'c'], ['y'])];
  const attrs = (c: number) =>
    found(
      core({ inputs: { x: [3] }, outputs: { y: bool([3]) }, nodes, initializers: { c: tensor([], [c]) } }),
      'step',
    ).attrs;
  t.deepEqual(attrs(0.75), { bound: 3n << 30n, strict: true });
  t.is(attrs(1e30).bound, 1n << 61n);
  t.is(attrs(-1e30).bound, -1n << 61n);
});

test('comparisons see as many bits as their ranges say; booleans are one', (t) => {
  const nodes = [
    node('Less', ['x', 'z'], ['l']),
    node('Equal', ['x', 'z'], ['e']),
    node('Or', ['l', 'e'], ['y']),
    node('Where', ['y', 'x', 'z'], ['w']),
  ];
  const spec = { inputs: { x: [3], z: [3] }, outputs: { y: bool([3]), w: [3] }, nodes };
  const g = core(spec, { x: [-3, 3], z: [-2, 2] });
  // The difference is at most 5 in magnitude: 3 bits, the sign, and 16 behind the point.
  t.is(comparedBits(found(g, 'step')), 20);
  t.is(comparedBits(found(core(spec), 'step')), 64);
  for (const { outputs } of g.nodes) {
    const { dtype, ring, range } = outputs[0]!.type;
    if (dtype !== 'bool') continue;
    t.is(ring, 1);
    t.deepEqual(range, { kind: 'proven', lo: 0, hi: 1 });
  }
});

test('equal operations on the same values are one; a bit that is cast to multiply is a condition', (t) => {
  const nodes = [
    node('Greater', ['x', 'z'], ['g']),
    node('Less', ['x', 'z'], ['l']),
    node('LessOrEqual', ['x', 'z'], ['le']),
    node('Where', ['g', 'x', 'z'], ['a']),
    node('Cast', ['le'], ['f'], { to: 1 }),
    node('Mul', ['f', 'x'], ['b']),
  ];
  const outputs = { a: [3], b: [3], l: bool([3]) };
  const ops = operations(core({ inputs: { x: [3], z: [3] }, outputs, nodes }));
  const count = (op: string): number => ops.filter((o) => o === op).length;
  t.is(count('sub'), 1);
  t.is(count('step'), 2);
  t.is(count('mul'), 2);
});

test('a clip of a clip is one, if only it uses the first and the bounds do not cross', (t) => {
  const clip = (x: string, lo: string, hi: string, y: string) => node('Clip', [x, lo, hi], [y]);
  const initializers = Object.fromEntries([-1, 0, 1, 2].map((v) => [`c${v}`, tensor([], [v])] as const));
  const one = (...nodes: ReturnType<typeof node>[]) =>
    core({ inputs: { x: [3] }, outputs: { y: [3] }, nodes, initializers });
  const both = one(clip('x', 'c-1', 'c1', 'h'), clip('h', 'c0', 'c2', 'y'));
  t.deepEqual(operations(both), ['clip']);
  t.deepEqual(found(both, 'clip').attrs, { lo: 0n, hi: 65536n, shift: 0 });
  t.deepEqual(operations(one(clip('x', 'c-1', '', 'h'), node('Relu', ['h'], ['y']))), ['relu']);
  t.deepEqual(operations(one(clip('x', 'c-1', 'c0', 'h'), clip('h', 'c1', 'c2', 'y'))), ['clip', 'clip']);
});

for (const parties of [2, 3]) {
  test(`narrow rings decide as words do, and send less, ${parties} parties`, async (t) => {
    const bytes = model({
      inputs: { x: [2, 9], z: [9] },
      outputs: {
        w: [2, 9],
        v: [2, 3],
        i: { shape: [2, 3], type: DataType.INT64 },
        m: [2, 1],
        e: bool([2, 9]),
        p: [2, 9],
      },
      nodes: [
        node('Less', ['x', 'z'], ['l']),
        node('Where', ['l', 'x', 'z'], ['w']),
        node('TopK', ['x', 'k'], ['v', 'i']),
        node('ReduceMin', ['x'], ['m'], { axes: [1] }),
        node('Equal', ['w', 'x'], ['e']),
        node('PRelu', ['x', 's'], ['p']),
      ],
      initializers: { k: int64([3]), s: tensor([9], randoms(9, 4)) },
    });
    const owners = { z: parties - 1 };
    const x = tensorOf(randoms(18, 1, 3), [2, 9]);
    const z = tensorOf(randoms(9, 2, 3), [9]);
    const wide = await compile(bytes, { parties, owners });
    const ranges = { x: [-3, 3], z: [-3, 3] } as const;
    const calibration = await calibrate(bytes, [{ x, z }], { parties, owners });
    const expected = await runLocal(wide, { x, z }, { seed: 1 });
    const bytesSent = (m: typeof wide): number => m.predicted.online.bytesSent.reduce((a, b) => a + b, 0);
    for (const narrow of [
      await compile(bytes, { parties, owners, ranges }),
      await compile(bytes, { parties, owners, calibration }),
      await compile(bytes, { parties, owners, ranges, network: 'wan' }),
      await compile(bytes, { parties, owners, exactTruncation: true }),
    ]) {
      const actual = await runLocal(narrow, { x, z }, { seed: 1 });
      t.deepEqual(actual.communication.counted, actual.communication.predicted);
      for (const { name, slack } of narrow.outputs) {
        const far = toFloat64(actual.outputs[name]!).map((v, i) =>
          Math.abs(v - toFloat64(expected.outputs[name]!)[i]!),
        );
        const allowed = (slack ?? 0) + (wide.outputs.find((o) => o.name === name)!.slack ?? 0);
        t.true(Math.max(...far) <= allowed, name);
      }
      if (narrow.graph.inputs[0]!.type.range) t.true(bytesSent(narrow) < bytesSent(wide));
    }
  });
}
