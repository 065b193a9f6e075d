import test from 'ava';
import type { Graph } from '../../lib/compiler/ir/graph';
import { allOps } from '../../lib/compiler/ops';
import { problemsOf } from '../../lib/compiler/passes/infer-shapes';
import { optimize } from '../../lib/compiler/passes/pipeline';
import type { Problem } from '../../lib/compiler/problem';
import { importOnnx } from '../../lib/model/onnx/import';
import { model, node } from '../helpers/onnx';
import { weights } from '../ops/oracle';

function check(graph: Graph): Problem[] {
  const problems: Problem[] = [];
  problemsOf(graph, (problem) => problems.push(problem));
  return problems;
}

test('all problems of a model are found at once', (t) => {
  const { graph } = importOnnx(
    model({
      inputs: { x: [2, 3] },
      outputs: { y: [2, 3], e: [2, 3] },
      nodes: [
        node('Det', ['x'], ['a'], {}, 'first'),
        node('Relu', ['a'], ['b'], {}, 'fine'),
        node('Det', ['b'], ['c'], {}, 'second'),
        node('MatMul', ['x', 'w'], ['d'], {}, 'third'),
        node('Cast', ['x'], ['e'], { to: 7 }, 'fourth'),
        node('Add', ['c', 'd'], ['y'], {}, 'last'),
      ],
      initializers: { w: weights([4, 3]) },
    }),
  );
  const found = check(graph).map((p) => [p.node, p.operator, p.error.code.replace('ERR_CRYPTORCH_', '')]);
  t.deepEqual(found, [
    ['first', 'Det', 'UNSUPPORTED_OPERATOR'],
    ['second', 'Det', 'UNSUPPORTED_OPERATOR'],
    ['third', 'MatMul', 'INVALID_SHAPE'],
    ['fourth', 'Cast', 'UNSUPPORTED_ATTRIBUTE'],
  ]);
});

test('a model without problems has none', (t) => {
  const nodes = [node('Relu', ['x'], ['y'])];
  t.deepEqual(check(importOnnx(model({ inputs: { x: [2] }, outputs: { y: [2] }, nodes })).graph), []);
});

test('the registry lists every operator once, with versions', (t) => {
  const ops = allOps();
  t.is(new Set(ops.map((o) => o.op)).size, ops.length);
  for (const o of ops) t.true(o.opset[0] <= o.opset[1] && o.restrictions.length < 120, o.op);
});

test('an output of another shape than the model declares is refused', (t) => {
  const nodes = [node('Relu', ['x'], ['y'], {}, 'act')];
  const imported = importOnnx(model({ inputs: { x: [2, 3] }, outputs: { y: [null, 4] }, nodes }));
  const compile = () =>
    optimize(imported.graph, { fractionalBits: 16, declaredOutputs: imported.declaredOutputs });
  const error = t.throws(compile, { code: 'ERR_CRYPTORCH_INVALID_SHAPE' });
  t.regex(error!.message, /"y".*"act".*\[2, 3\].*\[\?, 4\]/);
  const fine = importOnnx(model({ inputs: { x: [2, 3] }, outputs: { y: ['n', 3] }, nodes }));
  t.notThrows(() => optimize(fine.graph, { fractionalBits: 16, declaredOutputs: fine.declaredOutputs }));
});
