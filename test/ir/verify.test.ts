import test from 'ava';
import {
  type Attributes,
  type Graph,
  GraphBuilder,
  type Node,
  type Type,
  type Value,
} from '../../lib/compiler/ir/graph';
import { verifyGraph } from '../../lib/compiler/ir/verify';
import { optimize } from '../../lib/compiler/passes/pipeline';
import { importOnnx } from '../../lib/model/onnx/import';
import { coded } from '../helpers/errors';
import { int64, model, node, tensor } from '../helpers/onnx';

const fixed = (shape: readonly number[], scale: number = 16): Type => ({
  shape,
  dtype: 'fixed',
  owner: 'secret',
  scale,
});
const truth = (shape: readonly number[]): Type => ({ ...fixed(shape, 0), dtype: 'bool' });
const whole = (shape: readonly number[]): Type => ({ ...fixed(shape, 0), dtype: 'int' });
const from = { name: 'layer', origin: 'Gemm' };

/** x [2, 3] times a private w [3, 4], then relu. */
function sound(): GraphBuilder {
  const g = new GraphBuilder('g');
  const x = g.input('x', { ...fixed([2, 3]), owner: 0 });
  const w = g.constant('w', { ...fixed([3, 4]), owner: 1 }, { data: new Float64Array(12), private: true });
  const [h] = g.node(from, 'matmul', [x, w], [fixed([2, 4], 32)], { transA: false, transB: false });
  g.outputs.push(...g.node(from, 'relu', [h!], [fixed([2, 4], 16)], { shift: 16 }));
  return g;
}

function broken(
  change: (g: GraphBuilder, nodes: [Node, Node], w: Value) => Partial<Graph> | undefined,
): () => void {
  const g = sound();
  const changed = change(g, g.nodes as [Node, Node], [...g.constants.keys()][0]!);
  return () => verifyGraph({ ...g.build(), ...changed }, 'my-pass');
}

test('a sound graph passes', (t) => {
  t.notThrows(() => verifyGraph(sound().build(), 'p'));
  t.notThrows(() => verifyGraph(sound().build(), 'p', { core: true }));
});

test('a graph that is not single-assignment and topological is refused, naming pass and node', (t) => {
  const x = (g: GraphBuilder): Value => g.inputs[0]!;
  const wrong: [() => void, RegExp][] = [
    [
      broken((_, [a, b]) => ({ nodes: [b, a] })),
      /After pass my-pass, node "layer" \(relu\) uses %2 .* before it is defined/,
    ],
    [broken((_, [a, b]) => ({ nodes: [a, b, { ...b, id: 2 }] })), /is defined twice/],
    [broken((_, [a, b]) => ({ nodes: [a, { ...b, id: a.id }] })), /has the id 0 of another node/],
    [
      broken((_, [a, b]) => ({ nodes: [a, { ...b, outputs: [{ ...b.outputs[0]!, id: 0 }] }] })),
      /has the id 0 of another value/,
    ],
    [broken((_, [a, b]) => ({ nodes: [a, { ...b, outputs: [] }] })), /has no output/],
    [broken((_, [a, b]) => ({ nodes: [a, { ...b, op: '' }] })), /has no operation/],
    [broken((_, [a, b]) => ({ nodes: [a, { ...b, inputs: [undefined as never] }] })), /uses nothing/],
    [broken((_, [a]) => ({ nodes: [a] })), /output %3 .* is never computed/],
    [broken((g) => ({ inputs: [x(g), x(g)] })), /input %0 "x" is defined twice/],
    [broken((g) => ({ outputs: [x(g), x(g)] })), /has the name of another output/],
    [
      broken((g) => ({
        constants: new Map([...g.constants, [x(g), { data: new Float64Array(6), private: false }]]),
      })),
      /is defined twice/,
    ],
  ];
  for (const [run, message] of wrong) t.throws(run, coded('INTERNAL', message), String(message));
  const error = t.throws(broken((_, [a, b]) => ({ nodes: [b, a] })));
  t.deepEqual((error as unknown as { details: unknown }).details, {
    pass: 'my-pass',
    node: 'layer',
    op: 'relu',
  });
});

test('types must make sense', (t) => {
  const typed = (change: Partial<Type>): (() => void) =>
    broken((_, [a, b]) => ({
      nodes: [a, { ...b, outputs: [{ ...b.outputs[0]!, type: { ...b.outputs[0]!.type, ...change } }] }],
    }));
  const wrong: [Partial<Type>, RegExp][] = [
    [{ shape: [2, 0] }, /has the shape \[2, 0\]/],
    [{ shape: [-1] }, /has the shape/],
    [{ shape: [1.5] }, /has the shape/],
    [{ shape: [2 ** 40, 2 ** 40] }, /too many elements/],
    [{ owner: -1 }, /has the owner -1/],
    [{ owner: 'me' as never }, /has the owner me/],
    [{ dtype: 'float' as never }, /has the element type float/],
    [{ scale: -1 }, /has the scale -1/],
    [{ scale: 63 }, /has the scale 63/],
    [{ dtype: 'int', scale: 4 }, /is int with scale 4/],
    [{ range: { kind: 'proven', lo: 1, hi: 0 } }, /has the range \[1, 0\]/],
    [{ range: { kind: 'proven', lo: Number.NaN, hi: 0 } }, /has the range/],
  ];
  for (const [change, message] of wrong) t.throws(typed(change), coded('INTERNAL', message), String(message));
});

test('constants fit their types, and nothing private is public', (t) => {
  const wrong: [() => void, RegExp][] = [
    [
      broken((_, __, w) => ({ constants: new Map([[w, { data: new Float64Array(11), private: true }]]) })),
      /11 elements, but its shape says 12/,
    ],
    [
      broken((_, __, w) => ({ constants: new Map([[w, { data: new Float64Array(12), private: false }]]) })),
      /is public, but its owner is 1/,
    ],
    [
      broken((g, [a, b], w) => ({
        nodes: [a, { ...b, attrs: { list: [{ data: g.constants.get(w)!.data }] } }],
      })),
      /attribute list that holds private data/,
    ],
    [
      broken((_, [a, b]) => ({ nodes: [a, { ...b, attrs: { f: (() => 0) as never } }] })),
      /attribute f that is a function/,
    ],
    [
      broken((_, [a, b]) => ({ nodes: [a, { ...b, attrs: { f: undefined as never } }] })),
      /attribute f that is a undefined/,
    ],
  ];
  for (const [run, message] of wrong) t.throws(run, coded('INTERNAL', message), String(message));
  const g = sound();
  g.constant(
    'axes',
    { shape: [1], dtype: 'int', owner: 'public', scale: 0 },
    { data: Float64Array.of(1), private: false },
  );
  t.throws(() => verifyGraph(g.build(), 'p'), coded('INTERNAL', /is int but not exact/));
});

/** Checks one core node over inputs of the given shapes and scales. */
function core(op: string, inputs: readonly Type[], out: Type, attrs: Attributes): () => void {
  const g = new GraphBuilder('g');
  const values = inputs.map((type, i) => g.input(`x${i}`, type));
  const outputs = g.node(from, op, values, [out], attrs);
  return () => verifyGraph(g.build(outputs), 'p', { core: true });
}

const window = { kernel: [2, 2], strides: [2, 2], pads: [0, 0, 0, 0], dilations: [1, 1] };
const polynomial = { coefficients: new BigInt64Array(4), scale: 40, shift: 20, lo: -1, hi: 1 };
const piecewise = {
  thresholds: BigInt64Array.of(-3n, 5n),
  degree: 2,
  coefficients: new BigInt64Array(9),
  scale: 40,
  shift: 20,
};
const conv = { strides: [1, 1], dilations: [1, 1], pads: [1, 1, 1, 1], group: 1 };
const piece = (outBase: number, inBase: number, ...dims: [number, number, number][]) => ({
  outBase,
  inBase,
  dims,
});

test('core operations as they should be', (t) => {
  const index: Type = { ...fixed([2], 0), dtype: 'int' };
  const right: Parameters<typeof core>[] = [
    ['add', [fixed([2, 1, 4]), fixed([3, 1])], fixed([2, 3, 4]), {}],
    ['neg', [fixed([2])], fixed([2]), {}],
    ['shift_left', [fixed([2])], fixed([2], 20), { bits: 4 }],
    ['add_const', [fixed([2, 3])], fixed([2, 3]), { data: new BigInt64Array(3), shape: [3] }],
    ['mul_const', [fixed([2, 3])], fixed([2, 3], 20), { data: new BigInt64Array(1), shape: [], scale: 4 }],
    ['mul', [fixed([2, 3]), fixed([3], 10)], fixed([2, 3], 26), {}],
    [
      'matmul',
      [fixed([5, 1, 3, 2]), fixed([7, 4, 3])],
      fixed([5, 7, 2, 4], 32),
      { transA: true, transB: true },
    ],
    ['conv2d', [fixed([1, 2, 5, 5]), fixed([4, 1, 3, 3])], fixed([1, 4, 5, 5], 32), { ...conv, group: 2 }],
    ['rescale', [fixed([2], 32)], fixed([2], 16), { bits: 16 }],
    ['clip', [fixed([2], 32)], fixed([2], 16), { lo: 0n, hi: null, shift: 16 }],
    ['leaky_relu', [fixed([2], 32)], fixed([2], 24), { alpha: 3n, alphaScale: 8, shift: 16 }],
    ['polynomial', [fixed([2], 32)], fixed([2], 40), polynomial],
    ['piecewise', [fixed([2], 32)], fixed([2], 40), piecewise],
    ['max_pool', [fixed([1, 2, 5, 5])], fixed([1, 2, 2, 2]), window],
    ['max_pool', [fixed([1, 2, 5, 5])], fixed([1, 2, 3, 3]), window],
    ['arg_max', [fixed([2, 3])], index, { axis: 1, keepdims: false }],
    ['reshape', [index], { ...index, shape: [2, 1] }, { shape: [2, 1] }],
    ['sum', [fixed([2, 3, 4])], fixed([1, 3, 1]), { axes: [0, 2], keepdims: true }],
    [
      'move',
      [fixed([2, 3])],
      fixed([3, 2]),
      { pieces: [piece(0, 0, [3, 2, 1], [2, 1, 3])], fill: null, from: 'Transpose' },
    ],
    ['move', [fixed([3])], fixed([5]), { pieces: [piece(1, 2, [3, 1, -1])], fill: 0n, from: 'Pad' }],
  ];
  const [bool, int] = [truth([2]), whole([2])];
  right.push(
    ['step', [fixed([2])], bool, { bound: 3n, strict: true }],
    ['equals', [int], bool, { bound: 0n }],
    ['rank', [fixed([2])], int, { axis: 0 }],
    ['not', [bool], bool, {}],
    ['xor', [bool, truth([1])], bool, {}],
    ['lift', [bool], int, {}],
    ['lift', [bool], fixed([2], 0), {}],
    ['mul', [fixed([2]), bool], fixed([2]), {}],
    ['reshape', [int], fixed([2, 1], 0), { shape: [2, 1] }],
  );
  for (const args of right) t.notThrows(core(...args), args[0]);
});

test('core operations with a wrong operand, attribute, scale or shape', (t) => {
  const two = [fixed([2]), fixed([2])];
  const moved = { pieces: [piece(0, 0, [3, 1, 1])], fill: null, from: 'Slice' };
  const [bool, int] = [truth([2]), whole([2])];
  type Wrong = [...Parameters<typeof core>, RegExp];
  const wrong: Wrong[] = [
    ['step', [fixed([2])], int, { bound: 0n, strict: false }, /is int, which does not follow/],
    ['step', [bool], bool, { bound: 0n, strict: false }, /has an operand that is bool/],
    ['step', [fixed([2])], bool, { bound: 0.5, strict: false }, /no attribute bound of kind integer/],
    ['equals', [fixed([2])], truth([1]), { bound: 0n }, /has shape/],
    ['rank', [fixed([2])], fixed([2], 0), { axis: 0 }, /is fixed, which does not follow/],
    ['not', [int], bool, {}, /has an operand that is int/],
    ['xor', [bool, int], bool, {}, /has an operand that is int/],
    ['lift', [bool], bool, {}, /is bool, which does not follow/],
    ['reshape', [bool], fixed([2], 0), { shape: [2] }, /is fixed, which does not follow/],
    ['Conv', two, fixed([2]), {}, /\(Conv\) is not a core operation/],
    ['constructor', two, fixed([2]), {}, /is not a core operation/],
    ['add', [fixed([2])], fixed([2]), {}, /has 1 inputs/],
    ['polynomial', [fixed([2])], fixed([2], 39), polynomial, /has scale 39, but 40 follows/],
    [
      'polynomial',
      [fixed([2])],
      fixed([2], 40),
      { ...polynomial, coefficients: new BigInt64Array(1) },
      /2 to 9/,
    ],
    ['polynomial', [fixed([2])], fixed([2], 40), { ...polynomial, lo: 1 }, /has the domain \[1, 1\]/],
    ['polynomial', [fixed([2])], fixed([2], 40), { ...polynomial, hi: Number.NaN }, /no attribute hi/],
    ['piecewise', [fixed([2])], fixed([2], 39), piecewise, /has scale 39, but 40 follows/],
    ['piecewise', [bool], fixed([2], 40), piecewise, /bool/],
    ['piecewise', [fixed([2])], fixed([1], 40), piecewise, /has shape/],
    ...(
      [
        [{ thresholds: new BigInt64Array(0) }, /0 thresholds instead of 1 to 8/],
        [{ thresholds: new BigInt64Array(9), coefficients: new BigInt64Array(30) }, /9 thresholds/],
        [{ thresholds: BigInt64Array.of(5n, -3n) }, /do not rise/],
        [{ thresholds: BigInt64Array.of(0n, 1n << 42n) }, /out of reach/],
        [{ thresholds: Float64Array.of(0, 1) }, /no attribute thresholds of kind integers/],
        [{ degree: 9, coefficients: new BigInt64Array(30) }, /degree 9/],
        [{ degree: 3 }, /9 coefficients instead of 12/],
        [{ coefficients: new BigInt64Array(8) }, /8 coefficients instead of 9/],
        [{ shift: -1 }, /no attribute shift of kind int/],
        [{ lo: 0 }, /attribute lo, which a piecewise has not/],
      ] as const
    ).map(
      ([change, message]): Wrong => [
        'piecewise',
        [fixed([2])],
        fixed([2], 40),
        { ...piecewise, ...change },
        message,
      ],
    ),
    ['add', [fixed([2]), fixed([2], 17)], fixed([2]), {}, /operands of scales 16, 17/],
    ['add', two, fixed([2], 15), {}, /has scale 15, but 16 follows/],
    ['add', two, fixed([2, 1]), {}, /has shape \[2, 1\], which does not follow from \[2\], \[2\]/],
    ['add', two, { ...fixed([2]), dtype: 'int', scale: 0 }, {}, /has scale 0/],
    ['mul', two, fixed([2], 16), {}, /has scale 16, but 32 follows/],
    ['relu', [fixed([2])], fixed([2]), {}, /no attribute shift of kind int/],
    ['relu', [fixed([2])], fixed([2]), { shift: 0, axis: 1 }, /attribute axis, which a relu has not/],
    ['relu', [fixed([2])], fixed([2]), { shift: 1 }, /has scale 16, but 15 follows/],
    ['rescale', [fixed([2], 8)], fixed([2], 0), { bits: 16 }, /has scale 0, but -8 follows/],
    ['clip', [fixed([2])], fixed([2]), { lo: 0, hi: null, shift: 0 }, /no attribute lo of kind integer\?/],
    ['add_const', [fixed([2])], fixed([2]), { data: new BigInt64Array(3), shape: [3] }, /has shape/],
    [
      'add_const',
      [fixed([2])],
      fixed([2]),
      { data: Float64Array.of(1), shape: [] },
      /no attribute data of kind integers/,
    ],
    [
      'mul_const',
      [fixed([1])],
      fixed([2], 20),
      { data: new BigInt64Array(2), shape: [2], scale: 4 },
      /has shape/,
    ],
    [
      'matmul',
      [fixed([2, 3]), fixed([2, 3])],
      fixed([2, 3], 32),
      { transA: false, transB: false },
      /has shape/,
    ],
    ['conv2d', [fixed([1, 2, 5, 5]), fixed([4, 2, 3, 3])], fixed([1, 4, 3, 3], 32), conv, /has shape/],
    ['conv2d', [fixed([1, 3, 5, 5]), fixed([4, 2, 3, 3])], fixed([1, 4, 5, 5], 32), conv, /has shape/],
    ['sum_pool', [fixed([1, 2, 5, 5])], fixed([1, 2, 4, 4]), window, /has shape/],
    [
      'arg_max',
      [fixed([2, 3])],
      fixed([2], 0),
      { axis: 1, keepdims: false },
      /is fixed, which does not follow from operands that are fixed/,
    ],
    ['sum', [fixed([2, 3])], fixed([2]), { axes: [0], keepdims: false }, /has shape/],
    ['sum', [fixed([2, 3])], fixed([3]), { axes: [2], keepdims: false }, /has shape/],
    ['reshape', [fixed([2, 3])], fixed([5]), { shape: [5] }, /has shape/],
    ['move', [fixed([2])], fixed([3]), moved, /has shape/],
    ['move', [fixed([3])], fixed([4]), moved, /has shape/],
    ['move', [fixed([3])], fixed([3]), { ...moved, pieces: [] }, /has shape/],
    ['move', [fixed([3])], fixed([3]), { ...moved, pieces: [{ outBase: 0 }] }, /no attribute pieces/],
    ['move', [fixed([3])], fixed([3]), { ...moved, pieces: [piece(0, 1, [3, 1, -1])] }, /has shape/],
  ];
  for (const [op, inputs, out, attrs, message] of wrong)
    t.throws(core(op, inputs, out, attrs), coded('INTERNAL', message), `${op} ${message}`);
});

test('core graphs need a scale everywhere', (t) => {
  const { scale: _, ...unscaled } = fixed([2]);
  t.throws(core('neg', [unscaled], fixed([2]), {}), coded('INTERNAL', /has the scale undefined/));
});

test('every pass leaves a sound graph', (t) => {
  const bytes = model({
    inputs: { x: ['N', 2, 8, 8] },
    outputs: { y: ['N', 3], i: ['N', 1] },
    nodes: [
      node('Conv', ['x', 'k', 'b'], ['c'], { pads: [1, 1, 1, 1], strides: [2, 2] }),
      node('BatchNormalization', ['c', 'b', 'b', 'b', 'var'], ['bn']),
      node('Relu', ['bn'], ['r']),
      node('MaxPool', ['r'], ['p'], { kernel_shape: [2, 2], ceil_mode: 1 }),
      node('Add', ['p', 'p'], ['p2']),
      node('GlobalAveragePool', ['p2'], ['g']),
      node('Concat', ['g', 'g'], ['cat'], { axis: 1 }),
      node('Transpose', ['cat'], ['tr'], { perm: [0, 2, 3, 1] }),
      node('Flatten', ['tr'], ['f']),
      node('Clip', ['f', '', 'six'], ['cl']),
      node('Reshape', ['cl', 'shape'], ['rs']),
      node('Gemm', ['rs', 'w'], ['y'], { transB: 1 }),
      node('ArgMax', ['y'], ['i'], { axis: 1 }),
    ],
    initializers: {
      k: tensor([4, 2, 3, 3], new Float32Array(72).fill(0.1)),
      b: tensor([4], [1, 2, 3, 4]),
      var: tensor([4], [1, 1, 1, 1]),
      six: tensor([], [6]),
      shape: int64([0, 8]),
      w: tensor([3, 8], new Float32Array(24).fill(0.5)),
    },
  });
  const imported = importOnnx(bytes, { batch: 2 }).graph;
  verifyGraph(imported, 'import');
  const seen: string[] = [];
  const { graph } = optimize(imported, {
    fractionalBits: 16,
    onPass: (name, g) => {
      verifyGraph(g, name);
      seen.push(name);
    },
  });
  t.true(seen.length > 0);
  t.notThrows(() => verifyGraph(graph, 'the last pass', { core: true }));
});
