// Whatever passes make of a model, the values that are said to carry its results are those results.

import test from 'ava';
import type { Value } from '../../lib/compiler/ir/graph';
import type { FloatTensor } from '../../lib/compiler/ops/array';
import { evaluate } from '../../lib/compiler/ops/evaluate';
import { evaluateCore } from '../../lib/compiler/ops/evaluate-core';
import { optimize } from '../../lib/compiler/passes/pipeline';
import { producersOf } from '../../lib/compiler/passes/rewriter';
import { importOnnx } from '../../lib/model/onnx/import';
import { type ModelSpec, model, node, tensor } from '../helpers/onnx';
import { randoms, weights } from '../ops/oracle';
import { randomModel } from './graphs';

/** Names of the model's nodes of which some value carries the result, all of them compared. */
function compared(t: { true(b: boolean, m: string): unknown }, spec: ModelSpec, seed: number): string[] {
  const imported = importOnnx(model(spec)).graph;
  let real = imported;
  const onPass = (name: string, g: typeof real) => {
    if (name === 'infer-shapes') real = g;
  };
  const { graph } = optimize(imported, { fractionalBits: 20, onPass });
  const inputs = real.inputs.map((v, i) =>
    randoms(
      v.type.shape.reduce((a, b) => a * b, 1),
      seed + i,
      2,
    ),
  );
  const [exact, core] = [new Map<Value, FloatTensor>(), new Map<Value, FloatTensor>()];
  evaluate(real, inputs, (v, x) => {
    exact.set(v, x);
    return x;
  });
  evaluateCore(graph, inputs, { onValue: (v, x) => core.set(v, x) });
  const producers = producersOf(real);
  return [...graph.carriers!].map(([result, carrier]) => {
    const [a, b] = [exact.get(result)!, core.get(carrier)!];
    const name = producers.get(result)!.name;
    const largest = a.data.reduce((m, x) => Math.max(m, Math.abs(x)), 1e-3);
    const off = a.data.reduce((m, x, i) => Math.max(m, Math.abs(x - b.data[i]!)), 0);
    t.true(a.data.length === b.data.length && off <= 1e-3 * largest, `${name}: ${off} of ${largest}`);
    return name;
  });
}

for (let seed = 1; seed <= 12; seed++) {
  test(`random model ${seed}`, (t) => {
    const spec = randomModel(seed);
    const names = compared(t, spec, seed);
    t.true(names.length >= 1);
    const last = [...spec.nodes].reverse().find((n) => n.output.some((o) => Object.hasOwn(spec.outputs, o)))!;
    t.true(names.includes(last.name), 'outputs are carried');
  });
}

test('of merged nodes, the one whose result is left carries it', (t) => {
  const spec: ModelSpec = {
    inputs: { x: [2, 3, 6, 5] },
    outputs: { y: [2, 8] },
    nodes: [
      node('Conv', ['x', 'w'], ['c'], { pads: [1, 1, 1, 1] }, 'conv'),
      node('BatchNormalization', ['c', 's', 'b', 's2', 'v'], ['n'], {}, 'norm'),
      node('Relu', ['n'], ['r'], {}, 'relu'),
      node('MaxPool', ['r'], ['p'], { kernel_shape: [2, 2], strides: [2, 2] }, 'pool'),
      node('Flatten', ['p'], ['f'], {}, 'flat'),
      node('MatMul', ['f', 'm'], ['z'], {}, 'product'),
      node('Add', ['z', 'a'], ['y'], {}, 'bias'),
    ],
    initializers: {
      w: weights([4, 3, 3, 3]),
      s: weights([4], 2),
      b: weights([4], 3),
      s2: weights([4], 4),
      v: tensor([4], [0.5, 1, 2, 0.25]),
      m: weights([24, 8], 5),
      a: weights([8], 6),
    },
  };
  t.deepEqual(compared(t, spec, 3), ['norm', 'pool', 'flat', 'bias']);
});
