import { create } from '@bufbuild/protobuf';
import test, { type ExecutionContext } from 'ava';
import { optimize } from '../../lib/compiler/passes/pipeline';
import { inlineFunctions } from '../../lib/model/onnx/functions';
import { importOnnx } from '../../lib/model/onnx/import';
import {
  AttributeProto_AttributeType as A,
  type AttributeProto,
  AttributeProtoSchema,
  type FunctionProto,
  FunctionProtoSchema,
  GraphProtoSchema,
  type NodeProto,
} from '../../lib/model/onnx/onnx_pb';
import { coded } from '../helpers/errors';
import { float, int64, type ModelSpec, model, modelProto, node, tensor } from '../helpers/onnx';
import { agrees, operations } from '../ops/oracle';

const DOMAIN = 'local';

function define(
  name: string,
  input: readonly string[],
  output: readonly string[],
  nodes: readonly NodeProto[],
  more: { attribute?: string[]; attributeProto?: AttributeProto[]; overload?: string; opset?: number } = {},
): FunctionProto {
  const { attribute = [], attributeProto = [], overload = '', opset = 13 } = more;
  return create(FunctionProtoSchema, {
    name,
    domain: DOMAIN,
    overload,
    input: [...input],
    output: [...output],
    node: [...nodes],
    attribute,
    attributeProto,
    opsetImport: [
      { domain: '', version: BigInt(opset) },
      { domain: DOMAIN, version: 1n },
    ],
  });
}

function call(...args: Parameters<typeof node>): NodeProto {
  const made = node(...args);
  made.domain = DOMAIN;
  return made;
}

/** An attribute of a body that is the function's attribute `to`. */
function reference(to: string, type: A = A.FLOAT): AttributeProto {
  return create(AttributeProtoSchema, { type, refAttrName: to });
}

function named(name: string, attribute: AttributeProto): AttributeProto {
  return create(AttributeProtoSchema, { ...attribute, name });
}

function spec(functions: readonly FunctionProto[], nodes: readonly NodeProto[], more = {}): ModelSpec {
  return {
    inputs: { x: [2, 3] },
    outputs: { y: [2, 3] },
    nodes,
    edit(m) {
      m.functions = [...functions];
      m.opsetImport.push({ ...m.opsetImport[0]!, domain: DOMAIN, version: 1n });
    },
    ...more,
  };
}

const ops = (s: ModelSpec): string[] => importOnnx(model(s)).graph.nodes.map((n) => `${n.op} ${n.name}`);
const failing = (t: ExecutionContext, s: ModelSpec, says: RegExp): void => {
  t.throws(() => importOnnx(model(s)), coded('INVALID_MODEL', says));
};

const leaky = define(
  'Leaky',
  ['a'],
  ['b'],
  [node('LeakyRelu', ['a'], ['b'], { alpha: reference('slope') }, 'act')],
  { attributeProto: [named('slope', float(0.25))] },
);
const twice = define(
  'Twice',
  ['a', 'shift'],
  ['b', 'unused'],
  [
    call('Leaky', ['a'], ['t'], { slope: reference('outer') }, 'first'),
    node('Add', ['t', 'shift'], ['s']),
    call('Leaky', ['s'], ['b'], {}, 'second'),
    node('Neg', ['s'], ['unused']),
  ],
  { attribute: ['outer'] },
);

test('calls of functions give what their bodies give, with attributes handed on', async (t) => {
  const nodes = [
    // Values of the graph have the names of values of the bodies.
    node('Relu', ['x'], ['t']),
    call('Twice', ['x', 'w'], ['s', 'u'], { outer: float(0.5) }, 'one'),
    call('Twice', ['s', 't'], ['r', 'q'], {}, 'two'),
    node('Add', ['r', 'q'], ['y']),
  ];
  const made = spec([leaky, twice], nodes, { initializers: { w: tensor([3], [-2, 0.5, 1]) } });
  await agrees(t, made);
  t.deepEqual(ops(made), [
    'Relu Relu_0',
    'LeakyRelu one/first/act',
    'Add one/Add_1',
    'LeakyRelu one/second/act',
    'LeakyRelu two/first/act',
    'Add two/Add_1',
    'LeakyRelu two/second/act',
    'Neg two/Neg_3',
    'Add Add_9',
  ]);
  const slopes = importOnnx(model(made)).graph.nodes.filter((n) => n.op === 'LeakyRelu');
  // Given through two calls; the default, also where the outer call hands on nothing.
  t.deepEqual(
    slopes.map((n) => n.attrs.alpha),
    [0.5, 0.25, 0.25, 0.25],
  );
});

test('an attribute that nobody gives and that has no default is left out', (t) => {
  const inner = define('F', ['a'], ['b'], [node('LeakyRelu', ['a'], ['b'], { alpha: reference('alpha') })], {
    attribute: ['alpha'],
  });
  const { nodes } = importOnnx(model(spec([inner], [call('F', ['x'], ['y'])]))).graph;
  t.deepEqual(nodes[0]!.attrs, {});
});

test('inputs returned as they are, left-out inputs, overloads and unnamed calls', (t) => {
  const pass = define('Pass', ['a', 'b'], ['a', 'c', 'c'], [node('Neg', ['a'], ['c'])]);
  const nodes = [call('Pass', ['x'], ['p', 'q', 'r']), node('Sum2', ['p', 'q', 'r'], ['y'])];
  const sum = define(
    'Sum2',
    ['a', 'b', 'c'],
    ['d'],
    [node('Sub', ['a', 'b'], ['t']), node('Sub', ['t', 'c'], ['d'])],
  );
  sum.domain = '';
  t.deepEqual(ops(spec([pass, sum], nodes)), [
    'Neg Pass/Neg_0',
    'Identity Identity_1',
    'Identity Identity_2',
    'Sub Sum2/Sub_0',
    'Sub Sum2/Sub_1',
  ]);

  const other = define('Pass', ['a'], ['b'], [node('Relu', ['a'], ['b'])], { overload: 'relu' });
  const overloaded = call('Pass', ['x'], ['y']);
  overloaded.overload = 'relu';
  t.deepEqual(ops(spec([pass, other], [overloaded])), ['Relu Pass/Relu_0']);
  const optional = define('Clipped', ['a', 'lo', 'hi'], ['b'], [node('Clip', ['a', 'lo', 'hi'], ['b'])]);
  const clipped = importOnnx(model(spec([optional], [call('Clipped', ['x'], ['y'])]))).graph.nodes[0]!;
  t.deepEqual(
    clipped.inputs.map((v) => v.name),
    ['x'],
  );
});

test('what cannot be a function is refused', (t) => {
  const loop = (name: string, calls: string): FunctionProto =>
    define(name, ['a'], ['b'], [call(calls, ['a'], ['b'])]);
  const run = [call('F', ['x'], ['y'], {}, 'n')];
  failing(t, spec([loop('F', 'G'), loop('G', 'F')], run), /circle: "F" -> "G" -> "F"/);
  failing(t, spec([loop('F', 'F')], run), /circle: "F" -> "F"/);
  failing(t, spec([leaky, leaky], [call('Leaky', ['x'], ['y'])]), /"Leaky" twice/);
  failing(t, spec([leaky], [call('Leaky', ['x', 'x'], ['y'])]), /2 inputs and 1 outputs, but it has 1 and 1/);
  failing(t, spec([leaky], [call('Leaky', ['x'], ['y'], { other: 1 })]), /attribute "other"/);
  const open = define('F', ['a'], ['b'], [node('Add', ['a', 'x'], ['b'])]);
  failing(t, spec([open], run), /reads "n\/x", which nothing in the model defines/);
  const newer = define('F', ['a'], ['b'], [node('Relu', ['a'], ['b'])], { opset: 18 });
  failing(t, spec([newer], run), /opset 13, but its function "F" opset 18/);
});

test('functions that call each other twice do not grow without bound', (t) => {
  const doubling = Array.from({ length: 40 }, (_, i) =>
    define(`F${i}`, ['a'], ['b'], [call(`F${i + 1}`, ['a'], ['t']), call(`F${i + 1}`, ['t'], ['b'])]),
  );
  const last = define('F40', ['a'], ['b'], []);
  failing(t, spec([...doubling, last], [call('F0', ['x'], ['y'])]), /more than 200000 nodes/);
});

function graph(nodes: readonly NodeProto[]): AttributeProto {
  const g = create(GraphProtoSchema, { name: 'g', node: [...nodes], output: [{ name: 'o' }] });
  return create(AttributeProtoSchema, { type: A.GRAPH, g });
}

/** `nodes` in `levels` graphs of If within each other; the result is o. */
function nested(levels: number, nodes: readonly NodeProto[]): readonly NodeProto[] {
  const otherwise = graph([node('Neg', ['x'], ['o'])]);
  let inner = nodes;
  for (let i = 0; i < levels; i++)
    inner = [node('If', ['c'], ['o'], { then_branch: graph(inner), else_branch: otherwise })];
  return inner;
}

test('functions that nest graphs are refused where these lie too deep', (t) => {
  const chain = (functions: number, levels: number): ModelSpec => {
    const made = Array.from({ length: functions }, (_, i) =>
      define(`F${i}`, ['x', 'c'], ['o'], nested(levels, [call(`F${i + 1}`, ['x', 'c'], ['o'])])),
    );
    const last = define(`F${functions}`, ['x', 'c'], ['o'], [node('Relu', ['x'], ['o'])]);
    const nodes = [node('Cast', ['one'], ['c'], { to: 9 }), call('F0', ['x', 'c'], ['y'])];
    return spec([...made, last], nodes, { initializers: { one: int64([1], []) } });
  };
  failing(t, chain(40, 28), /If nodes more than 64 deep.*Export it without functions/);
  failing(t, chain(5, 13), /more than 64 deep/);
  const { graph } = importOnnx(model(chain(4, 16)));
  t.deepEqual(operations(optimize(graph, { fractionalBits: 16 }).graph), ['relu']);
});

test('graphs that lie too deep in the file are refused when it is decoded', (t) => {
  failing(t, spec([], nested(40, [node('Neg', ['x'], ['o'])])), /cannot be decoded/);
});

test('graphs that functions hand on do not grow without bound', (t) => {
  const body = (): AttributeProto => reference('body', A.GRAPH);
  const wrapping = (one: NodeProto[]): FunctionProto[] =>
    Array.from({ length: 70 }, (_, i) =>
      define(`F${i}`, ['x', 'c'], ['o'], [call(`F${i + 1}`, ['x', 'c'], ['o'], { body: graph(one) })], {
        attribute: ['body'],
      }),
    );
  const doubled = node('If', ['c'], ['o'], { then_branch: body(), else_branch: body() });
  const nodes = [call('F0', ['x', 'x'], ['y'], { body: graph([node('Neg', ['x'], ['o'])]) })];
  failing(t, spec(wrapping([doubled]), nodes), /more than 200000 nodes/);
  const once = node('If', ['c'], ['o'], { then_branch: body() });
  failing(t, spec(wrapping([once]), nodes), /more than 64 deep/);
});

test('many calls of one name get numbers that are free', (t) => {
  const calls = Array.from({ length: 20_000 }, (_, i) => call('F', ['x'], [`F/t.${2 * i + 1}`]));
  const f = define('F', ['a'], ['b'], [node('Relu', ['a'], ['t']), node('Neg', ['t'], ['b'])]);
  const written = inlineFunctions(modelProto(spec([f], calls)), 13);
  t.is(new Set(written.map((n) => n.name)).size, 40_000);
  t.is(new Set(written.flatMap((n) => n.output)).size, 40_000);
  t.is(written.at(-1)!.name, 'F.19999/Neg_1');
  const free = modelProto(spec([f], [call('F', ['x'], ['F/t']), call('F', ['x'], ['F/t.1'], {}, 'F')]));
  t.deepEqual(
    inlineFunctions(free, 13).flatMap((n) => n.output),
    ['F/t.2', 'F/t', 'F.1/t', 'F/t.1'],
  );
});
