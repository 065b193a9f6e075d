import test from 'ava';
import type { Graph } from '../../lib/compiler/ir/graph';
import { optimize } from '../../lib/compiler/passes/pipeline';
import { CryptorchError } from '../../lib/errors';
import { importOnnx } from '../../lib/model/onnx/import';
import { type ModelSpec, model, node, tensor } from '../helpers/onnx';
import { operations, weights } from '../ops/oracle';

function compile(spec: ModelSpec): Graph {
  return optimize(importOnnx(model(spec)).graph, { fractionalBits: 16 }).graph;
}

const ops = operations;
const x = { x: [1, 2, 6, 6] };
const conv = (input: string, w: string, output: string) =>
  node('Conv', [input, w], [output], { pads: [1, 1, 1, 1] });
const square = { v: weights([2, 2, 3, 3]), w: weights([2, 2, 3, 3], 8) };

test('a residual sum of two products comes before the truncation, which joins the Relu', (t) => {
  const g = compile({
    inputs: x,
    outputs: { y: [1, 2, 6, 6] },
    nodes: [
      conv('x', 'v', 'a'),
      conv('x', 'w', 'b'),
      node('Add', ['a', 'b'], ['s']),
      node('Relu', ['s'], ['y']),
    ],
    initializers: square,
  });
  t.deepEqual(ops(g), ['conv2d', 'conv2d', 'add', 'relu']);
  t.is(g.nodes[3]!.attrs.shift, 16);
});

test('the smaller scale of a sum is shifted up, nothing is rescaled for it', (t) => {
  const g = compile({
    inputs: x,
    outputs: { y: [1, 2, 6, 6] },
    nodes: [conv('x', 'v', 'a'), node('Add', ['a', 'x'], ['y'])],
    initializers: square,
  });
  t.deepEqual(ops(g), ['conv2d', 'shift_left', 'add']);
  t.is(g.nodes[2]!.outputs[0]!.type.scale, 32);
});

test('a value that two products need is rescaled once; the Relu beside them reads the unscaled value', (t) => {
  const g = compile({
    inputs: x,
    outputs: { p: [1, 2, 6, 6], q: [1, 2, 6, 6], r: [1, 2, 6, 6] },
    nodes: [conv('x', 'v', 'a'), conv('a', 'v', 'p'), conv('a', 'w', 'q'), node('Relu', ['a'], ['r'])],
    initializers: square,
  });
  t.deepEqual(ops(g), ['conv2d', 'rescale', 'conv2d', 'conv2d', 'relu']);
  t.is(g.nodes[4]!.inputs[0], g.nodes[0]!.outputs[0]);
  t.is(g.nodes[4]!.attrs.shift, 16);
});

test('a few extra bits pass through a product without a rescale', (t) => {
  const g = compile({
    inputs: x,
    outputs: { y: [1, 2, 3, 3] },
    nodes: [
      node('AveragePool', ['x'], ['a'], { kernel_shape: [2, 2], strides: [2, 2] }),
      conv('a', 'v', 'y'),
    ],
    initializers: square,
  });
  t.deepEqual(ops(g), ['sum_pool', 'mul_const', 'conv2d']);
  t.is(g.nodes[2]!.outputs[0]!.type.scale, 34);
});

test('an output is brought back to f bits before it is revealed', (t) => {
  const g = compile({
    inputs: x,
    outputs: { y: [1, 2, 6, 6] },
    nodes: [conv('x', 'v', 'y')],
    initializers: { v: square.v },
  });
  t.deepEqual(
    g.nodes.map((n) => n.op),
    ['conv2d', 'rescale'],
  );
  t.is(g.outputs[0]!.type.scale, 16);
});

test('a weight used at two scales appears under two names', (t) => {
  const g = compile({
    inputs: { x: [2, 3] },
    outputs: { y: [2, 3] },
    nodes: [node('Mul', ['x', 'w'], ['a']), node('Add', ['a', 'w'], ['y'])],
    initializers: { w: weights([3]) },
  });
  t.deepEqual(
    [...g.constants.keys()].map((v) => [v.name, v.type.scale]),
    [
      ['w', 16],
      ['w#2', 32],
    ],
  );
});

test('Relu before a MaxPool moves behind it, unless something else uses it', (t) => {
  const pool = node('MaxPool', ['r'], ['y'], { kernel_shape: [2, 2], strides: [2, 2] });
  const nodes = [conv('x', 'v', 'a'), node('Relu', ['a'], ['r'], {}, 'act'), pool];
  const y = { y: [1, 2, 3, 3] };
  const g = compile({ inputs: x, outputs: y, nodes, initializers: square });
  t.deepEqual(ops(g), ['conv2d', 'max_pool', 'relu']);
  t.is(g.nodes[2]!.name, 'act');
  const kept = compile({ inputs: x, outputs: { ...y, r: [1, 2, 6, 6] }, nodes, initializers: square });
  t.deepEqual(ops(kept), ['conv2d', 'relu', 'max_pool']);
});

test('a chain of public factors and terms is one of each', (t) => {
  const g = compile({
    inputs: { x: [2, 3] },
    outputs: { y: [2, 3] },
    nodes: [
      node('Div', ['x', 'c'], ['a']),
      node('Mul', ['a', 'd'], ['b']),
      node('Sub', ['b', 'd'], ['e']),
      node('Add', ['e', 'c'], ['y']),
    ],
    initializers: { c: tensor([], [255]), d: tensor([], [0.5]) },
  });
  t.deepEqual(ops(g), ['mul_const', 'add_const']);
});

test('a constant that does not fit its scale is refused with the range', (t) => {
  const spec = (value: number, op: string): ModelSpec => ({
    inputs: { x: [2] },
    outputs: { y: [2] },
    nodes: [node('Mul', ['x', 'x'], ['s']), node(op, ['s', 'c'], ['y'], {}, 'big')],
    initializers: { c: tensor([], [value]) },
  });
  const error = t.throws(() => compile(spec(2e9, 'Add')), { instanceOf: CryptorchError });
  t.is(error?.code, 'ERR_CRYPTORCH_VALUE_RANGE');
  t.regex(error!.message, /big.*2000000000.*1073741824/);
  t.notThrows(() => compile(spec(1e9, 'Add')));
});

test('what rests on a known range of the input: scales move, nothing is refused', (t) => {
  const { graph } = importOnnx(
    model({
      inputs: { x: [2, 3] },
      outputs: { y: [2, 4] },
      nodes: [
        node('Mul', ['x', 'x'], ['a']),
        node('Mul', ['a', 'x'], ['b']),
        node('MatMul', ['b', 'w'], ['y']),
      ],
      initializers: { w: weights([3, 4]) },
    }),
  );
  const withRange = (hi: number): Graph => {
    const input = {
      ...graph.inputs[0]!,
      type: { ...graph.inputs[0]!.type, range: { kind: 'assumed' as const, lo: -hi, hi } },
    };
    const now = <T>(v: T): T => ((v as unknown) === graph.inputs[0] ? (input as T) : v);
    const nodes = graph.nodes.map((n) => ({ ...n, inputs: n.inputs.map(now) }));
    return optimize({ ...graph, inputs: [input], nodes }, { fractionalBits: 16 }).graph;
  };
  const rescales = (g: Graph) => g.nodes.filter((n) => n.op === 'rescale').length;
  t.true(rescales(withRange(0.5)) < rescales(withRange(1000)));
  const range = withRange(2).outputs[0]!.type.range!;
  t.is(range.kind, 'assumed');
  t.true(range.hi > 0 && range.hi <= 8 * 3);
  t.notThrows(() => withRange(1e12));
});

test('averages come before the rescale, so that only what is left of a value is opened', (t) => {
  const opened = (pool: string, attrs: Parameters<typeof node>[3], out: number[]) => {
    const g = compile({
      inputs: x,
      outputs: { y: out },
      nodes: [conv('x', 'v', 'a'), node(pool, ['a'], ['p'], attrs), conv('p', 'w', 'y')],
      initializers: square,
    });
    const first = g.nodes.findIndex((n) => n.op === 'rescale');
    return g.nodes[first]!.inputs[0]!.type.shape;
  };
  t.deepEqual(opened('AveragePool', { kernel_shape: [2, 2], strides: [2, 2] }, [1, 2, 3, 3]), [1, 2, 3, 3]);
  t.deepEqual(opened('GlobalAveragePool', {}, [1, 2, 1, 1]), [1, 2, 1, 1]);
});
