import { create } from '@bufbuild/protobuf';
import test from 'ava';
import { optimize } from '../../lib/compiler/passes/pipeline';
import { importOnnx } from '../../lib/model/onnx/import';
import {
  AttributeProto_AttributeType,
  AttributeProtoSchema,
  FunctionProtoSchema,
  GraphProtoSchema,
  type NodeProto,
  TensorProtoSchema,
} from '../../lib/model/onnx/onnx_pb';
import { int64, type ModelSpec, model, node, tensor } from '../helpers/onnx';
import { agrees, clearAgrees, coreOps, refuses, weights } from '../ops/oracle';

function graph(nodes: readonly NodeProto[], outputs: readonly string[], w?: readonly number[]) {
  const initializer = w ? [create(TensorProtoSchema, { ...weights(w), name: 'v' })] : [];
  const g = create(GraphProtoSchema, {
    name: 'branch',
    node: [...nodes],
    initializer,
    output: outputs.map((name) => ({ name })),
  });
  return create(AttributeProtoSchema, { type: AttributeProto_AttributeType.GRAPH, g });
}

/** y = If(x has `size` rows) {relu of x w} else {x w + v, cut by a Squeeze that only some shapes allow}. */
function branching(
  x: readonly number[],
  rows: number,
  last: string = 'Squeeze',
  more: readonly string[] = [],
): ModelSpec {
  const then = graph([node('Relu', ['h'], ['t'], {}, 'inner')], ['t']);
  const otherwise = graph(
    [
      node('Add', ['h', 'v'], ['a']),
      node(last, last === 'Squeeze' ? ['a', 'zero'] : ['a'], ['e'], {}, 'last'),
    ],
    ['e'],
    [4],
  );
  return {
    inputs: { x },
    outputs: { y: [null, null] },
    nodes: [
      node('If', ['c'], ['y', ...more], { then_branch: then, else_branch: otherwise }, 'if'),
      node('Equal', ['n', 'rows'], ['c']),
      node('Gather', ['s', 'zero0'], ['n']),
      node('Shape', ['x'], ['s']),
      node('MatMul', ['x', 'w'], ['h']),
    ],
    initializers: { w: weights([3, 4]), zero: int64([0]), zero0: int64([0], []), rows: int64([rows], []) },
  };
}

/** onnxruntime wants nodes in order. */
const inOrder = (spec: ModelSpec): ModelSpec => ({ ...spec, nodes: spec.nodes.toReversed() });

test('If with a condition that follows from shapes is the branch that is taken', async (t) => {
  const then = await agrees(t, inOrder(branching([2, 3], 2, 'Neg')));
  t.deepEqual(coreOps(then), ['matmul', 'relu']);
  const nodes = then.optimized.graph.nodes.map((n) => n.name);
  t.true(nodes.includes('if/inner'));
  const spec = branching([1, 3], 2);
  const flat = { ...inOrder(spec), outputs: { y: [null] } };
  const otherwise = await agrees(t, flat);
  t.deepEqual(coreOps(otherwise), ['matmul', 'add', 'reshape']);
  // The branch that is not taken need not make sense.
  t.notThrows(() => optimize(importOnnx(model(branching([2, 3], 2))).graph, { fractionalBits: 16 }));
});

test('nodes that a branch reads come first whatever their place in the file; weights in branches are weights', (t) => {
  const imported = importOnnx(model(branching([2, 3], 2)));
  t.deepEqual(
    imported.graph.nodes.map((n) => n.op),
    ['Shape', 'Gather', 'Equal', 'MatMul', 'If'],
  );
  t.deepEqual(imported.privateInitializers.map((i) => i.name).sort(), ['v', 'w']);
  t.deepEqual(
    imported.graph.nodes.at(-1)!.inputs.map((v) => v.name),
    ['c', 'h', 'zero'],
  );
});

test('If within If, with values of both graphs around', async (t) => {
  const inner = (then: string, otherwise: string) =>
    node('If', ['d'], ['i'], {
      then_branch: graph([node('Mul', [then, 'x'], ['p'])], ['p']),
      else_branch: graph([node('Sub', [otherwise, 'x'], ['q'])], ['q']),
    });
  const outer = (value: number) => ({
    inputs: { x: [2, 3] },
    outputs: { y: [2, 3] },
    nodes: [
      node('Cast', ['one'], ['c'], { to: 9 }),
      node('If', ['c'], ['y'], {
        then_branch: graph(
          [node('Cast', ['other'], ['d'], { to: 9 }), node('Neg', ['x'], ['n']), inner('n', 'n')],
          ['i'],
        ),
        else_branch: graph([node('Identity', ['x'], ['k'])], ['k']),
      }),
    ],
    initializers: { one: int64([1], []), other: int64([value], []) },
  });
  t.deepEqual(coreOps(await clearAgrees(t, outer(1))), ['neg', 'mul']);
  t.deepEqual(coreOps(await clearAgrees(t, outer(0))), ['neg', 'sub']);
});

test('If in a function of the model, and a function called in a branch', async (t) => {
  const half = create(FunctionProtoSchema, {
    name: 'Half',
    domain: 'own',
    input: ['h'],
    output: ['o'],
    node: [
      node('Mul', ['h', 'k'], ['o']),
      node('Constant', [], ['k'], { value: tensor([], [0.5]) }),
    ].toReversed(),
    opsetImport: [{ domain: '', version: 13n }],
  });
  const call = node('Half', ['z'], ['t'], {}, 'call');
  call.domain = 'own';
  const choose = create(FunctionProtoSchema, {
    name: 'Choose',
    domain: 'own',
    input: ['z', 'c'],
    output: ['o'],
    node: [
      node('If', ['c'], ['o'], {
        then_branch: graph([call], ['t']),
        else_branch: graph([node('Neg', ['z'], ['z2'])], ['z2']),
      }),
    ],
    opsetImport: [
      { domain: '', version: 13n },
      { domain: 'own', version: 1n },
    ],
  });
  const use = node('Choose', ['x', 'yes'], ['y']);
  use.domain = 'own';
  const spec: ModelSpec = {
    inputs: { x: [2] },
    outputs: { y: [2] },
    nodes: [node('Cast', ['one'], ['yes'], { to: 9 }), use],
    initializers: { one: int64([1], []) },
    edit: (m) => {
      m.functions = [half, choose];
      m.opsetImport.push({ ...m.opsetImport[0]!, domain: 'own', version: 1n });
    },
  };
  t.deepEqual(coreOps(await clearAgrees(t, spec)), ['mul_const']);
});

test('If: what is refused', (t) => {
  const spec = branching([2, 3], 2);
  const secret = {
    ...spec,
    nodes: spec.nodes.map((n) => (n.opType === 'Equal' ? node('ArgMax', ['h'], ['c']) : n)),
  };
  refuses(t, secret, 'UNSUPPORTED_ATTRIBUTE', 'if', 'condition', 'static shapes');
  refuses(t, branching([1, 3], 2, 'Neg', ['z']), 'INVALID_MODEL', 'if', '2 outputs', 'then_branch');
  const bad = branching([3, 3], 2);
  refuses(t, bad, 'INVALID_SHAPE', 'if/last', '[3, 4]');
  const [first] = branching([2, 3], 2).nodes;
  first!.attribute.pop();
  refuses(t, { ...spec, nodes: [first!, ...spec.nodes.slice(1)] }, 'INVALID_MODEL', 'else_branch');
  const unknown = branching([2, 3], 2);
  unknown.nodes[0]!.attribute[0]!.g!.node[0]!.input[0] = 'nowhere';
  refuses(t, unknown, 'INVALID_MODEL', 'if', 'nowhere');
});
