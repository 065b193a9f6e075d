import { create, toBinary } from '@bufbuild/protobuf';
import test from 'ava';
import { importOnnx } from '../../lib/model/onnx/import';
import {
  AttributeProto_AttributeType,
  AttributeProtoSchema,
  ModelProtoSchema,
  SparseTensorProtoSchema,
  TypeProtoSchema,
} from '../../lib/model/onnx/onnx_pb';
import { coded } from '../helpers/errors';
import { float, type ModelSpec, model, node, tensor } from '../helpers/onnx';

const base = {
  inputs: { x: ['N', 4] },
  outputs: { y: ['N', 4] },
  nodes: [node('Mul', ['x', 'w'], ['y'], {}, 'scale')],
  initializers: { w: tensor([4], [1, 2, 3, 4]) },
} as const;

function reading(change: Partial<ModelSpec>): () => unknown {
  const bytes = model({ ...base, ...change });
  return () => importOnnx(bytes);
}

test('a file cut off anywhere is refused', (t) => {
  const whole = model(base);
  for (let n = 0; n < whole.length; n++)
    t.throws(() => importOnnx(whole.subarray(0, n)), coded('INVALID_MODEL'), `${n} bytes`);
  t.notThrows(() => importOnnx(whole));
});

test('what is not a model is refused', (t) => {
  for (const text of ['hello world', '\x93NUMPY\x01\0v\0', '<html>', '\xff'.repeat(100), '']) {
    t.throws(() => importOnnx(Buffer.from(text, 'latin1')), coded('INVALID_MODEL', /not an ONNX model/));
  }
  t.throws(() => importOnnx('model.onnx' as never), coded('INVALID_OPTION', /Uint8Array/));
});

test('messages nested without end are refused', (t) => {
  // attribute 5 of a node of graph 6 of an attribute ...: every level adds six bytes around the one before.
  let bytes: Uint8Array = new Uint8Array(0);
  const field = (n: number, inner: Uint8Array): Uint8Array => {
    const length: number[] = [];
    for (let v = inner.length; ; v >>>= 7) {
      length.push(v > 127 ? (v & 127) | 128 : v);
      if (v <= 127) break;
    }
    return Buffer.concat([Buffer.from([(n << 3) | 2, ...length]), inner]);
  };
  for (let depth = 0; depth < 3000; depth++) bytes = field(6, field(1, field(5, bytes)));
  t.throws(() => importOnnx(field(7, field(1, field(5, bytes)))), coded('INVALID_MODEL'));
});

test('operator sets outside 11 to 23 are refused', (t) => {
  for (const opset of [1, 10, 24, 2 ** 40])
    t.throws(reading({ opset }), coded('UNSUPPORTED_OPSET', new RegExp(`opset ${opset}; opsets 11 to 23`)));
  for (const opset of [11, 17, 23]) t.notThrows(reading({ opset }));
  t.throws(
    reading({ edit: (m) => m.opsetImport.splice(0) }),
    coded('INVALID_MODEL', /which ONNX operator set/),
  );
  t.throws(
    reading({ edit: (m) => m.opsetImport.push({ ...m.opsetImport[0]!, version: 12n }) }),
    coded('INVALID_MODEL', /13, 12/),
  );
  t.notThrows(reading({ edit: (m) => m.opsetImport.push({ ...m.opsetImport[0]!, domain: 'com.example' }) }));
});

test('a cycle is refused and named', (t) => {
  const nodes = [
    node('Relu', ['x'], ['a'], {}, 'before'),
    node('Add', ['a', 'd'], ['b'], {}, 'one'),
    node('Relu', ['b'], ['c'], {}, 'two'),
    node('Relu', ['c'], ['d'], {}, 'three'),
    node('Relu', ['d'], ['y'], {}, 'after'),
  ];
  t.throws(reading({ nodes }), coded('INVALID_MODEL', /cyclic: "one" -> "two" -> "three" -> "one"/));
  const self = [node('Add', ['x', 'y'], ['y'], {}, 'self')];
  t.throws(reading({ nodes: self }), coded('INVALID_MODEL', /cyclic: "self" -> "self"/));
  const dead = [...base.nodes, node('Add', ['q', 'x'], ['q'])];
  t.throws(reading({ nodes: dead }), coded('INVALID_MODEL', /cyclic/));
});

test('every name has one definition', (t) => {
  const wrong: [Partial<ModelSpec>, RegExp][] = [
    [{ nodes: [node('Relu', ['z'], ['y'], {}, 'r')] }, /Node "r" \(Relu\) reads "z", which nothing/],
    [{ outputs: { q: [1] } }, /Output "q" is defined by nothing/],
    [{ outputs: {} }, /no output/],
    [
      { nodes: [node('A', ['x'], ['y'], {}, 'a'), node('B', ['x'], ['y'], {}, 'b')] },
      /Node "b" \(B\) produces "y", which node "a"/,
    ],
    [{ nodes: [node('A', ['x'], ['w', 'y'], {}, 'a')] }, /produces "w", which an input or initializer/],
    [{ nodes: [node('A', ['x'], ['x', 'y'])] }, /produces "x"/],
    [{ nodes: [node('', ['x'], ['y'])] }, /Node 0 has no operator/],
    [{ edit: (m) => m.graph!.input.push(m.graph!.input[0]!) }, /Input "x" is there twice/],
    [{ edit: (m) => m.graph!.output.push(m.graph!.output[0]!) }, /Output "y" is there twice/],
    [{ edit: (m) => m.graph!.initializer.push(m.graph!.initializer[0]!) }, /Initializer "w" is there twice/],
    [{ inputs: { '': [1], x: [1] } }, /Input 0 has no name/],
    [{ edit: (m) => delete (m.graph!.input[0]! as { type?: unknown }).type }, /Input "x" has no type/],
  ];
  for (const [change, message] of wrong)
    t.throws(reading(change), coded('INVALID_MODEL', message), String(message));
});

test('NaN and infinite weights are refused by name and index', (t) => {
  const w = tensor([2, 2], [1, 2, Number.NaN, 4]);
  t.throws(reading({ initializers: { w } }), coded('INVALID_WEIGHTS', /Initializer "w" is NaN at index 2/));
  t.throws(
    reading({ initializers: { w: tensor([1], [-Infinity]) } }),
    coded('INVALID_WEIGHTS', /infinite at index 0/),
  );
  const attribute = [node('LeakyRelu', ['x'], ['y'], { alpha: float(Number.NaN) }, 'leak')];
  t.throws(
    reading({ nodes: attribute }),
    coded('INVALID_WEIGHTS', /"alpha" of node "leak" \(LeakyRelu\) is NaN/),
  );
  const unused = { ...base.initializers, old: tensor([1], [Number.NaN]) };
  t.notThrows(reading({ initializers: unused }));
});

test('operators outside the standard and control flow are refused by name', (t) => {
  const custom = node('FusedConv', ['x'], ['y'], {}, 'fused');
  custom.domain = 'com.microsoft';
  t.throws(
    reading({ nodes: [custom] }),
    coded('UNSUPPORTED_OPERATOR', /Node "fused" uses operator "FusedConv" of the domain "com\.microsoft"/),
  );
  const dead = node('FusedConv', ['x'], ['z']);
  dead.domain = 'com.microsoft';
  t.notThrows(reading({ nodes: [...base.nodes, dead] }));
  const branch = create(AttributeProtoSchema, {
    type: AttributeProto_AttributeType.GRAPH,
    g: { name: 'then' },
  });
  t.throws(
    reading({ nodes: [node('Loop', ['', '', 'x'], ['y'], { body: branch }, 'loop')] }),
    coded('UNSUPPORTED_OPERATOR', /"body" of node "loop" \(Loop\) is a graph/),
  );
});

test('damaged nodes are refused', (t) => {
  const twice = node('Mul', ['x', 'w'], ['y'], { a: 1 }, 'm');
  twice.attribute.push(twice.attribute[0]!);
  const untyped = node('Mul', ['x', 'w'], ['y'], { a: create(AttributeProtoSchema, { i: 1n }) }, 'm');
  const wrong: [ModelSpec['nodes'][number][], RegExp][] = [
    [[twice], /has the attribute "a" twice/],
    [[untyped], /"a" of node "m" \(Mul\) has no type/],
    [[node('Constant', [], ['y'], {}, 'c')], /node "c" \(Constant\) has not exactly one value/],
    [[node('Constant', [], ['y'], { value_float: float(1), value_int: 1 }, 'c')], /not exactly one value/],
    [[node('Constant', ['x'], ['y'], { value_int: 1 }, 'c')], /no input and one output/],
  ];
  for (const [nodes, message] of wrong) {
    t.throws(reading({ nodes }), coded('INVALID_MODEL', message), String(message));
  }
});

test('data that cannot be read is refused with what to do', (t) => {
  const external = (m: { graph?: { initializer: { dataLocation: number; rawData: Uint8Array }[] } }) => {
    Object.assign(m.graph!.initializer[0]!, { dataLocation: 1, rawData: new Uint8Array(0) });
  };
  const text = node('Constant', [], ['y'], { value_string: 'hello' });
  const sparse = node('Constant', [], ['y'], {
    sparse_value: create(AttributeProtoSchema, { type: AttributeProto_AttributeType.SPARSE_TENSOR }),
  });
  const wrong: [Partial<ModelSpec>, RegExp][] = [
    [
      { edit: external as never },
      /Initializer "w" keeps its data in another file.*save_as_external_data=False/,
    ],
    [{ nodes: [text] }, /is text/],
    [{ nodes: [sparse] }, /is sparse/],
    [
      { edit: (m) => m.graph!.sparseInitializer.push(create(SparseTensorProtoSchema)) },
      /sparse initializers/,
    ],
    [
      {
        edit: (m) => {
          m.graph!.input[0]!.type = create(TypeProtoSchema, { value: { case: 'sequenceType', value: {} } });
        },
      },
      /Input "x" is not a tensor but a sequence/,
    ],
  ];
  for (const [change, message] of wrong)
    t.throws(reading(change), coded('UNSUPPORTED_DATA', message), String(message));
});

test('names from the file cannot write to the terminal', (t) => {
  const error = t.throws(
    reading({ nodes: [node('Relu', [`\x1b[2J\n${'z'.repeat(500)}`], ['y'])] }),
    coded('INVALID_MODEL'),
  );
  t.false(error.message.includes('\x1b'));
  t.false(error.message.includes('\n'));
  t.true(error.message.length < 300);
});

test('an empty model is refused', (t) => {
  t.throws(
    () => importOnnx(toBinary(ModelProtoSchema, create(ModelProtoSchema, { irVersion: 8n }))),
    coded('INVALID_MODEL', /no graph/),
  );
});
