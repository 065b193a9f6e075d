// What the library chooses: its stated error is one, over the whole domain, and the choice follows from the domain.

import test from 'ava';
import { allFunctions, choose, DEFAULT_APPROXIMATION } from '../../lib/compiler/approximations';
import { type Graph, GraphBuilder, type Range } from '../../lib/compiler/ir/graph';
import { nodeCost } from '../../lib/compiler/node-cost';
import { evaluateCore } from '../../lib/compiler/ops/evaluate-core';
import { fixedPoint } from '../../lib/compiler/passes/fixed-point';

/** y = fn(x) for operands of a proven range. */
function graphOf(fn: string, params: readonly number[], range: Range, elements: number): Graph {
  const b = new GraphBuilder('test');
  const type = { shape: [elements], dtype: 'fixed' as const, owner: 'secret' as const };
  const x = b.input('x', { ...type, range });
  const { lo, hi } = allFunctions()
    .find((f) => f.name === fn)!
    .domain(params);
  const attrs = { fn, params, lo, hi, known: false };
  const [y] = b.node({ name: 'f', origin: fn }, 'approximate', [x], [type], attrs);
  return { ...b.build([{ ...y!, name: 'y' }]), outputs: [y!] };
}

const proven = (lo: number, hi: number): Range => ({ kind: 'proven', lo, hi });

const cases: readonly [string, readonly number[], Range, string][] = [
  ['power', [-1, 1, 0], proven(1, 2.5), 'polynomial'],
  ['power', [-0.5, 1, 0], proven(0.2, 0.8), 'polynomial'],
  ['power', [-0.75, 2e-5, 1], proven(0, 1e5), 'polynomial'],
  ['power', [-0.5, 0.01, 1e-5], proven(0.5, 1e5), 'spline'],
  ['power', [0.5, 1, 0], proven(2 ** -8, 1000), 'spline'],
  ['sigmoid', [], proven(-1.5, 1.5), 'polynomial'],
  ['sigmoid', [], proven(-7, 6), 'fourier'],
  ['tanh', [], proven(-3, 3), 'fourier'],
  ['exp', [], proven(-0.5, 0.5), 'polynomial'],
  ['exp', [], proven(-3.5, 3), 'exponential'],
  ['exp', [], proven(-10, 8), 'exponential'],
  ['decay', [], proven(-13.75, 0), 'exponential'],
  ['decay', [], proven(-59, 0), 'exponential'],
  ['erf', [], proven(-30, 30), 'fourier'],
  ['gelu', [], proven(-1, 1.5), 'polynomial'],
  ['gelu', [], proven(-100, 200), 'fourier'],
  ['gelu-tanh', [], proven(-100, 200), 'fourier'],
  ['silu', [], proven(-100, 200), 'fourier'],
  ['swish', [1.702], proven(-100, 200), 'fourier'],
  ['softplus', [], proven(-2, 1), 'polynomial'],
  ['softplus', [], proven(-100, 200), 'fourier'],
  ['mish', [], proven(-100, 200), 'fourier'],
  ['elu', [2, 1], proven(-100, 200), 'fourier'],
  ['elu', [0.3, 1], proven(-100, 200), 'polynomial'],
  ['log', [], proven(2 ** -10, 2 ** 14), 'spline'],
  ['log', [], proven(0.9, 1.1), 'polynomial'],
  ['exp', [], proven(-7.5, 7.5), 'exponential'],
  ['power', [-1, 1, 0], proven(1, 16), 'fourier'],
  ['sin', [], proven(-700, 1000), 'fourier'],
  // All beyond the domain that is taken where nothing is known.
  ['exp', [], proven(9, 25), 'exponential'],
  ['log', [], proven(20000, 40000), 'polynomial'],
  ['power', [-0.5, 1, 0], proven(2 ** -14, 2 ** -10.5), 'fourier'],
];

for (const [fn, params, range, kind] of cases) {
  test(`${fn}(${params}) on [${range.lo}, ${range.hi}]: a ${kind}`, (t) => {
    const count = 4001;
    const graph = graphOf(fn, params, range, count);
    const definition = allFunctions().find((f) => f.name === fn)!;
    const exact = definition.of(params);
    const options = { inputScale: 16, fractionalBits: 16, approximation: DEFAULT_APPROXIMATION };
    const chosen = choose(graph.nodes[0]!, options);
    const [error, name] = [chosen.error!, chosen.name];
    t.true(name.toLowerCase().startsWith(kind), name);
    t.true(error <= DEFAULT_APPROXIMATION.tolerance);

    const x = Array.from({ length: count }, (_, i) => range.lo + ((range.hi - range.lo) * i) / (count - 1));
    const core = fixedPoint(graph, 16);
    t.is(core.nodes.filter((n) => n.op === kind).length, 1);
    const floor = (v: number, scale: number) => Math.floor(v * 2 ** scale) * 2 ** -scale;
    const [y] = evaluateCore(core, [x], { rescale: floor });
    const largest = definition.unit ?? Math.max(...x.map((v) => Math.abs(exact(v))));
    let worst = 0;
    for (const [i, v] of x.entries()) {
      // The operand as its integer is, and the unit that the result is rounded to at last.
      const operand = Math.round(v * 2 ** 16) * 2 ** -16;
      const off = Math.abs(y!.data[i]! - exact(operand)) - 2 ** -16;
      worst = Math.max(worst, off / (definition.relative ? Math.abs(exact(operand)) : largest));
    }
    t.true(worst <= error, `${worst}, but ${error} is stated`);
  });
}

test('a polynomial takes one round and less material than a spline', (t) => {
  const cost = (range: Range) => {
    const core = fixedPoint(graphOf('power', [-0.5, 1, 0], range, 100), 16);
    const node = core.nodes.find((n) => n.op === 'polynomial' || n.op === 'spline')!;
    return nodeCost(node, { parties: 2 }).communication;
  };
  const [narrow, wide] = [cost(proven(0.2, 0.8)), cost(proven(0.01, 100))];
  t.is(narrow.online.rounds, 1);
  t.true(narrow.online.rounds < wide.online.rounds);
  t.true(narrow.offline.bytes < wide.offline.bytes / 5);
});

test('operands that are known to be where a function does not exist are refused', (t) => {
  const error = t.throws(() => fixedPoint(graphOf('power', [-0.5, 1, 0], proven(-5, -1), 10), 16));
  t.regex(error!.message, /"f".*\[-5, -1\].*between 0 and Infinity/);
});
