import test, { type ExecutionContext } from 'ava';
import type { Graph, Range } from '../../lib/compiler/ir/graph';
import { evaluateCore } from '../../lib/compiler/ops/evaluate-core';
import { optimize } from '../../lib/compiler/passes/pipeline';
import { importOnnx } from '../../lib/model/onnx/import';
import { type ModelSpec, model, node, tensor } from '../helpers/onnx';
import { randoms, weights } from '../ops/oracle';
import { randomModel } from './graphs';

/** A compiled model whose first input has a range. */
function compile(spec: ModelSpec, range: Range): Graph {
  const { graph } = importOnnx(model(spec));
  const old = graph.inputs[0]!;
  const input = { ...old, type: { ...old.type, range } };
  const nodes = graph.nodes.map((n) => ({ ...n, inputs: n.inputs.map((v) => (v === old ? input : v)) }));
  const ranged = { ...graph, inputs: [input, ...graph.inputs.slice(1)], nodes };
  return optimize(ranged, { fractionalBits: 16 }).graph;
}

/** Runs the graph at the ends of the range and inside it: every value that has a range stays within it. */
function staysInside(graph: Graph): boolean {
  const { shape, range } = graph.inputs[0]!.type;
  const count = shape.reduce((a, b) => a * b, 1);
  let inside = true;
  for (let seed = 0; seed < 4; seed++) {
    const unit = randoms(count, seed + 1);
    const x = unit.map((v) =>
      seed % 2 ? (v > 0 ? range!.hi : range!.lo) : range!.lo + ((v + 1) / 2) * (range!.hi - range!.lo),
    );
    evaluateCore(graph, [x], {
      onValue: ({ type }, t) => {
        const r = type.range;
        if (!r) return;
        const margin = 1e-3 * Math.max(1, Math.abs(r.lo), Math.abs(r.hi));
        inside &&= t.data.every((v) => v >= r.lo - margin && v <= r.hi + margin);
      },
    });
  }
  return inside;
}

for (let seed = 100; seed < 125; seed++) {
  test(`random model ${seed}: values stay within their ranges`, (t) => {
    const g = compile(randomModel(seed), { kind: 'assumed', lo: -1, hi: 2 });
    t.true(staysInside(g));
    t.true(g.nodes.every((n) => n.outputs[0]!.type.range?.kind === 'assumed'));
  });
}

/** A range is the expected one, and what rescales on the way may add: some units of 2^-16. */
function covers(t: ExecutionContext, range: Range | undefined, expected: Range): void {
  t.is(range?.kind, expected.kind);
  const [below, above] = [expected.lo - range!.lo, range!.hi - expected.hi];
  t.true(below >= 0 && below < 1e-4 && above >= 0 && above < 1e-4, `[${range!.lo}, ${range!.hi}]`);
}

const small: [string, ModelSpec['nodes'], ModelSpec['initializers'], number, number][] = [
  [
    'Gemm, weights transposed',
    [node('Gemm', ['x', 'w'], ['y'], { transB: 1 })],
    { w: tensor([2, 3], [1, -2, 3, 0, 0, 1]) },
    -8,
    10,
  ],
  ['Gemm', [node('Gemm', ['x', 'w'], ['y'])], { w: tensor([3, 2], [1, 0, -2, 0, 3, 1]) }, -8, 10],
  ['Clip', [node('Clip', ['x', 'l', 'h'], ['y'])], { l: tensor([], [-0.5]), h: tensor([], [9]) }, -0.5, 2],
  ['LeakyRelu', [node('LeakyRelu', ['x'], ['y'], { alpha: 0.5 })], {}, -0.5, 2],
  ['ReduceSum', [node('ReduceSum', ['x', 'a'], ['y'], { keepdims: 0 })], { a: tensor([1], [1n], 7) }, -3, 6],
  [
    'Pad',
    [node('Pad', ['x', 'p', 'v'], ['y'])],
    { p: tensor([4], [0n, 1n, 0n, 1n], 7), v: tensor([], [5]) },
    -1,
    5,
  ],
  ['Mul of two computed values', [node('Relu', ['x'], ['h']), node('Mul', ['x', 'h'], ['y'])], {}, -2, 4],
  ['a square', [node('Mul', ['x', 'x'], ['y'])], {}, 0, 4],
  [
    'MatMul of two computed values',
    [node('Transpose', ['x'], ['t']), node('MatMul', ['x', 't'], ['y'])],
    {},
    -6,
    12,
  ],
  [
    'scalars',
    [node('Mul', ['x', 'c'], ['h']), node('Sub', ['h', 'c'], ['y'])],
    { c: tensor([], [-3]) },
    -3,
    6,
  ],
  ['a difference', [node('Relu', ['x'], ['h']), node('Sub', ['h', 'x'], ['y'])], {}, -2, 3],
];

for (const [what, nodes, initializers, lo, hi] of small) {
  test(`the range of ${what}`, (t) => {
    const spec = {
      inputs: { x: [2, 3] },
      outputs: { y: [null, null] },
      nodes,
      initializers: initializers ?? {},
    };
    const g = compile(spec, { kind: 'calibrated', lo: -1, hi: 2 });
    covers(t, g.outputs[0]!.type.range, { kind: 'calibrated', lo, hi });
    t.true(staysInside(g));
  });
}

test('without a range of the input only Clip has one', (t) => {
  const nodes = [
    node('Gemm', ['x', 'w'], ['h']),
    node('Clip', ['h', 'l', 'u'], ['c']),
    node('Gemm', ['c', 'v'], ['y']),
  ];
  const initializers = {
    w: weights([3, 4]),
    v: tensor([4, 1], [1, 1, 1, -1]),
    l: tensor([], [0]),
    u: tensor([], [6]),
  };
  const { graph } = importOnnx(model({ inputs: { x: [2, 3] }, outputs: { y: [2, 1] }, nodes, initializers }));
  const g = optimize(graph, { fractionalBits: 16 }).graph;
  t.is(g.nodes[0]!.outputs[0]!.type.range, undefined);
  covers(t, g.outputs[0]!.type.range, { kind: 'proven', lo: -6, hi: 18 });
});

test('the slack of a product of computed values needs ranges', (t) => {
  const nodes = [
    node('Gemm', ['x', 'w'], ['h']),
    node('Gemm', ['h', 'w'], ['k']),
    node('Mul', ['k', 'k'], ['y']),
  ];
  const spec = { inputs: { x: [2, 3] }, outputs: { y: [2, 3] }, nodes, initializers: { w: weights([3, 3]) } };
  const { graph } = importOnnx(model(spec));
  t.is(optimize(graph, { fractionalBits: 16 }).slack.get('y'), null);
});
