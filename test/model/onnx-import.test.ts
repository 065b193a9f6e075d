import test from 'ava';
import type { Graph, Value } from '../../lib/compiler/ir/graph';
import { isAbsent, optionalInput } from '../../lib/model/onnx/absent';
import { type ImportOptions, importOnnx } from '../../lib/model/onnx/import';
import { coded } from '../helpers/errors';
import { DataType, float, floats, int64, type ModelSpec, model, node, tensor } from '../helpers/onnx';

const relu = {
  inputs: { x: ['N', 4] },
  outputs: { y: ['N', 4] },
  nodes: [node('Relu', ['x'], ['y'])],
} as const;

function graphOf(spec: ModelSpec, options?: ImportOptions): Graph {
  return importOnnx(model(spec), options).graph;
}

function constantOf(
  graph: Graph,
  name: string,
): { value: Value; data: ArrayLike<number | bigint>; private: boolean } {
  const [value, constant] = [...graph.constants].find(([v]) => v.name === name)!;
  return { value, ...constant };
}

test('a model becomes a graph of its own operators', (t) => {
  const imported = importOnnx(
    model({
      name: 'two layers',
      inputs: { x: ['N', 4] },
      outputs: { y: ['N', 2] },
      nodes: [node('Gemm', ['x', 'w', 'b'], ['h'], { transB: 1 }, 'fc'), node('Relu', ['h'], ['y'])],
      initializers: {
        w: tensor([2, 4], [1, 2, 3, 4, 5, 6, 7, 8]),
        b: tensor([2], [0.5, -0.5]),
        unused: tensor([9], new Float32Array(9)),
      },
    }),
    { batch: 3 },
  );
  const { graph } = imported;
  t.is(graph.name, 'two layers');
  t.is(imported.opset, 13);
  t.deepEqual([imported.inputs, imported.outputs], [['x'], ['y']]);
  t.deepEqual(
    graph.inputs.map((v) => v.type),
    [{ shape: [3, 4], dtype: 'fixed', owner: 0 }],
  );
  t.deepEqual(
    graph.nodes.map((n) => [n.id, n.name, n.op, n.origin]),
    [
      [0, 'fc', 'Gemm', 'Gemm'],
      [1, 'Relu_1', 'Relu', 'Relu'],
    ],
  );
  t.deepEqual(graph.nodes[0]!.attrs, { transB: 1 });
  t.is(graph.nodes[1]!.inputs[0], graph.nodes[0]!.outputs[0]);
  t.deepEqual(graph.outputs, [graph.nodes[1]!.outputs[0]!]);
  t.is(graph.outputs[0]!.name, 'y');
  t.deepEqual(imported.declaredOutputs.get('y'), [3, 2]);
  t.deepEqual(constantOf(graph, 'w').value.type, { shape: [2, 4], dtype: 'fixed', owner: 1 });
  t.deepEqual(constantOf(graph, 'w').data, Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8));
  t.deepEqual(imported.privateInitializers, [
    { name: 'w', shape: [2, 4], elements: 8 },
    { name: 'b', shape: [2], elements: 2 },
  ]);
});

test('floating point with more than one element is private, all else public', (t) => {
  const nodes = ['w', 'one', 'k', 's'].map((name) => node('Op', ['x', name], [`y_${name}`]));
  const graph = graphOf({
    inputs: { x: [1] },
    outputs: Object.fromEntries(nodes.map((n) => [n.output[0]!, []])),
    nodes: [...nodes, node('Constant', [], ['s'], { value: tensor([2], [1, 2]) })],
    initializers: { w: tensor([2], [1, 2]), one: tensor([1, 1], [3]), k: int64([4, 5]) },
  });
  const list = ['w', 'one', 'k', 's'].map((name) => constantOf(graph, name));
  t.deepEqual(
    list.map((c) => c.private),
    [true, false, false, true],
  );
  t.deepEqual(
    list.map((c) => c.value.type.owner),
    [1, 'public', 'public', 1],
  );
});

test('owners of inputs and weights can be chosen', (t) => {
  const spec: ModelSpec = {
    inputs: { a: [2], b: [2] },
    outputs: { y: [2] },
    nodes: [node('Add', ['a', 'b'], ['s']), node('Mul', ['s', 'w'], ['y'])],
    initializers: { w: tensor([2], [1, 2]) },
  };
  const graph = graphOf(spec, { owners: { a: 2, b: 'secret', weights: 0, y: 1 } });
  t.deepEqual(
    graph.inputs.map((v) => v.type.owner),
    [2, 'secret'],
  );
  t.is(constantOf(graph, 'w').value.type.owner, 0);
  t.false(constantOf(graphOf(spec, { owners: { weights: 'public' } }), 'w').private);
  t.throws(() => graphOf(spec, { owners: { c: 0 } }), coded('INVALID_OPTION', /"c"/));
  t.throws(() => graphOf(spec, { owners: { a: -1 } }), coded('INVALID_OPTION', /"a" is -1/));
  t.throws(() => graphOf(spec, { owners: { a: 'me' as never } }), coded('INVALID_OPTION', /"a" is me/));
  t.throws(
    () => graphOf(spec, { owners: { b: 'public' } }),
    coded('INVALID_OPTION', /input "b" is "public"/),
  );
});

test('symbolic dimensions are bound by shapes, then by the batch', (t) => {
  const spec: ModelSpec = {
    ...relu,
    inputs: { x: ['N', 'C', 4], z: ['N', 'C'] },
    outputs: { y: ['N', 'C', 'other'] },
  };
  const imported = importOnnx(model(spec), { shapes: { x: [5, 6, 4] } });
  t.deepEqual(
    imported.graph.inputs.map((v) => v.type.shape),
    [
      [5, 6, 4],
      [5, 6],
    ],
  );
  t.deepEqual(imported.declaredOutputs.get('y'), [5, 6, undefined]);
  t.deepEqual(graphOf(relu).inputs[0]!.type.shape, [1, 4]);
  t.deepEqual(graphOf({ ...relu, inputs: { x: [null, 4] } }, { batch: 7 }).inputs[0]!.type.shape, [7, 4]);
  t.deepEqual(graphOf({ ...relu, inputs: { x: [-1, 4] } }, { batch: 7 }).inputs[0]!.type.shape, [7, 4]);
  t.deepEqual(graphOf({ ...relu, inputs: { x: [] } }).inputs[0]!.type.shape, []);
});

test('shapes that contradict the model, or are not known, are refused', (t) => {
  const wrong: [ModelSpec, ImportOptions, RegExp][] = [
    [relu, { shapes: { x: [2, 5] } }, /\[2, 5\], but the model has \[N, 4\]/],
    [relu, { shapes: { x: [2] } }, /but the model has \[N, 4\]/],
    [relu, { shapes: { x: [0, 4] } }, /positive integers/],
    [{ ...relu, inputs: { x: ['N', 'C'] } }, {}, /Dimension 1 of input "x" is "C"/],
    [{ ...relu, inputs: { x: ['N', null] } }, {}, /Dimension 1 of input "x" is not stated/],
    [{ ...relu, inputs: { x: ['N', 4], z: ['N'] } }, { shapes: { x: [2, 4], z: [3] } }, /"N" is 2 elsewhere/],
    [
      { ...relu, inputs: { x: [1, 4] } },
      { batch: 2 },
      /batch of 2 was asked for, but the shapes are fixed: "x" \[1, 4\]/,
    ],
    [
      { ...relu, edit: (m) => delete (m.graph!.input[0]!.type!.value.value as { shape?: unknown }).shape },
      {},
      /does not say what shape/,
    ],
  ];
  for (const [spec, options, message] of wrong)
    t.throws(() => graphOf(spec, options), coded('INVALID_SHAPE', message));
  t.throws(
    () => graphOf(relu, { shapes: { w: [1] } }),
    coded('UNKNOWN_INPUT', /no input "w"; the inputs are "x"/),
  );
  t.throws(() => graphOf(relu, { batch: 0 }), coded('INVALID_OPTION'));
});

test('initializers that are listed as inputs are constants', (t) => {
  const imported = importOnnx(
    model({
      ...relu,
      inputs: { x: ['N', 4], w: [2] },
      nodes: [node('Mul', ['x', 'w'], ['y'])],
      initializers: { w: tensor([2], [1, 2]) },
    }),
  );
  t.deepEqual(imported.inputs, ['x']);
  t.is(imported.privateInitializers.length, 1);
});

test('nodes come in an order in which they can be computed; those that no output needs are dropped', (t) => {
  const names = graphOf({
    ...relu,
    nodes: [
      node('D', ['c', 'b'], ['y'], {}, 'd'),
      node('C', ['b'], ['c'], {}, 'c'),
      node('Dead', ['a'], ['nothing'], {}, 'dead'),
      node('A', ['x'], ['a'], {}, 'a'),
      node('B', ['a'], ['b'], {}, 'b'),
    ],
  }).nodes.map((n) => n.name);
  t.deepEqual(names, ['a', 'b', 'c', 'd']);
});

test('a long chain in reverse order is sorted at once', (t) => {
  const nodes = Array.from({ length: 20000 }, (_, i) =>
    node('Relu', [i === 0 ? 'x' : `v${i - 1}`], [i === 19999 ? 'y' : `v${i}`]),
  );
  const graph = graphOf({ ...relu, nodes: nodes.reverse() });
  t.is(graph.nodes.length, 20000);
  t.is(graph.nodes[0]!.inputs[0]!.name, 'x');
});

test('nodes without a name, or with one that is taken, get one', (t) => {
  const nodes = [
    node('Relu', ['x'], ['a'], {}, 'n'),
    node('Relu', ['a'], ['b'], {}, 'n'),
    node('Relu', ['b'], ['y'], {}, 'n_1'),
  ];
  t.deepEqual(
    graphOf({ ...relu, nodes }).nodes.map((n) => n.name),
    ['n', 'n_1.1', 'n_1'],
  );
});

test('inputs that are left out', (t) => {
  const [clip] = graphOf({
    ...relu,
    nodes: [node('Clip', ['x', '', 'hi', ''], ['y', ''])],
    initializers: { hi: tensor([], [6]) },
  }).nodes;
  t.is(clip!.inputs.length, 3);
  t.is(clip!.outputs.length, 1);
  t.true(isAbsent(clip!.inputs[1]));
  t.deepEqual(
    [0, 1, 2, 3].map((i) => optionalInput(clip!, i)?.name),
    ['x', undefined, 'hi', undefined],
  );
  const [split] = graphOf({ ...relu, nodes: [node('Op', ['x'], ['', 'y'])] }).nodes;
  t.deepEqual(split!.outputs.map(isAbsent), [true, false]);
});

test('attributes become plain values', (t) => {
  const attrs = {
    i: 3,
    f: 0.5,
    one: float(1),
    s: 'constant',
    is: [1, -2],
    fs: [0.25, 1],
    gs: floats([1, 2]),
    ss: ['a', 'b'],
    empty: [],
    v: tensor([1], [2]),
  };
  const edit: NonNullable<ModelSpec['edit']> = (m) => {
    m.graph!.node[0]!.attribute.push({ ...node('', [], [], { big: 1 }).attribute[0]!, i: 2n ** 63n - 1n });
  };
  const [op] = graphOf({ ...relu, nodes: [node('Op', ['x'], ['y'], attrs)], edit }).nodes;
  t.deepEqual(op!.attrs, {
    i: 3,
    f: 0.5,
    one: 1,
    s: 'constant',
    is: [1, -2],
    fs: [0.25, 1],
    gs: [1, 2],
    ss: ['a', 'b'],
    empty: [],
    v: { shape: [1], dtype: 'fixed', data: Float32Array.of(2) },
    big: Number.MAX_SAFE_INTEGER,
  });
});

test('Constant nodes in every form are constants of the graph', (t) => {
  const forms = {
    value: tensor([2], [1, 2]),
    value_float: float(1.5),
    value_floats: floats([1, 2]),
    value_int: 7,
    value_ints: [8, 9],
  };
  const graph = graphOf({
    ...relu,
    nodes: [
      ...Object.entries(forms).map(([key, value]) => node('Constant', [], [key], { [key]: value })),
      node('Op', ['x', ...Object.keys(forms)], ['y']),
    ],
  });
  t.is(graph.nodes.length, 1);
  t.deepEqual(
    Object.keys(forms).map((name) => [
      constantOf(graph, name).value.type.shape,
      [...(constantOf(graph, name).data as Float32Array)],
    ]),
    [
      [[2], [1, 2]],
      [[], [1.5]],
      [[2], [1, 2]],
      [[], [7n]],
      [[2], [8n, 9n]],
    ] as never,
  );
});

test('element types of inputs', (t) => {
  const inputs = {
    x: { shape: [1], type: DataType.DOUBLE },
    i: { shape: [1], type: DataType.INT64 },
    b: { shape: [1], type: DataType.BOOL },
  };
  t.deepEqual(
    graphOf({ ...relu, inputs }).inputs.map((v) => v.type.dtype),
    ['fixed', 'int', 'bool'],
  );
  const text = { x: { shape: [1], type: DataType.STRING } };
  t.throws(
    () => graphOf({ ...relu, inputs: text }),
    coded('UNSUPPORTED_DATA', /Input "x" has element type string/),
  );
});
