import test from 'ava';
import { float, node, tensor } from '../helpers/onnx';
import { agrees, coreOps, refuses, weights } from './oracle';

const broadcasts: [number[], number[]][] = [
  [
    [2, 3, 4],
    [2, 3, 4],
  ],
  [[2, 3, 4], [4]],
  [
    [2, 3, 4],
    [3, 1],
  ],
  [
    [2, 1, 4],
    [3, 1],
  ],
  [[4], [2, 3, 4]],
  [[1], [5]],
  [[], [3]],
];

const result = (a: number[], b: number[]) => {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, i) =>
    Math.max(a[i - rank + a.length] ?? 1, b[i - rank + b.length] ?? 1),
  );
};

for (const op of ['Add', 'Sub', 'Mul']) {
  for (const [a, b] of broadcasts) {
    test(`${op} of [${a}] and [${b}]: secret, private, public`, async (t) => {
      const base = { outputs: { y: result(a, b) }, nodes: [node(op, ['a', 'b'], ['y'])] };
      await agrees(t, { ...base, inputs: { a, b } });
      await agrees(t, { ...base, inputs: { a }, initializers: { b: weights(b) } });
      await agrees(t, { ...base, inputs: { b }, initializers: { a: weights(a) } });
    });
  }
  test(`${op} with a public scalar on either side needs no operand`, async (t) => {
    const base = { inputs: { x: [2, 3] }, outputs: { y: [2, 3] }, initializers: { c: tensor([], [-1.75]) } };
    const names = { Add: ['add_const'], Sub: ['add_const'], Mul: ['mul_const'] }[op];
    const right = await agrees(t, { ...base, nodes: [node(op, ['x', 'c'], ['y'])] });
    t.deepEqual(coreOps(right), names);
    const left = await agrees(t, { ...base, nodes: [node(op, ['c', 'x'], ['y'])] });
    t.deepEqual(coreOps(left), op === 'Sub' ? ['neg', 'add_const'] : names);
  });
}

test('public tensors: integers made floating point', async (t) => {
  for (const op of ['Add', 'Sub', 'Mul', 'Div']) {
    const r = await agrees(t, {
      inputs: { x: [2, 3] },
      outputs: { y: [2, 3] },
      nodes: [node('Cast', ['i'], ['c'], { to: 1 }), node(op, ['x', 'c'], ['y'])],
      initializers: { i: tensor([3], [3, -5, 7].map(BigInt), 7) },
    });
    t.is(r.optimized.graph.constants.size, 0);
  }
});

test('Div by a constant is a product with its reciprocal', async (t) => {
  const base = { inputs: { x: [2, 3] }, outputs: { y: [2, 3] }, nodes: [node('Div', ['x', 'c'], ['y'])] };
  t.deepEqual(coreOps(await agrees(t, { ...base, initializers: { c: tensor([1], [255]) } })), ['mul_const']);
  t.deepEqual(coreOps(await agrees(t, { ...base, initializers: { c: tensor([3], [3, -0.3, 7]) } })), ['mul']);
});

test('Div: what is refused', (t) => {
  const base = { outputs: { y: [2, 3] }, nodes: [node('Div', ['a', 'b'], ['y'], {}, 'ratio')] };
  const zero = { inputs: { a: [2, 3] }, initializers: { b: tensor([3], [1, 0, 2]) } };
  refuses(t, { ...base, ...zero }, 'INVALID_WEIGHTS', 'ratio', '0');
});

test('shapes that do not broadcast name the node and both', (t) => {
  for (const op of ['Add', 'Sub', 'Mul']) {
    const nodes = [node(op, ['a', 'b'], ['y'], {}, 'mix')];
    refuses(
      t,
      { inputs: { a: [2, 3], b: [2, 4] }, outputs: { y: [2, 3] }, nodes },
      'INVALID_SHAPE',
      'mix',
      op,
      '[2, 3]',
      '[2, 4]',
    );
  }
});

test('Neg, Relu', async (t) => {
  const r = await agrees(t, {
    inputs: { x: [2, 3, 5] },
    outputs: { y: [2, 3, 5], z: [2, 3, 5] },
    nodes: [node('Neg', ['x'], ['n']), node('Relu', ['n'], ['y']), node('Neg', ['n'], ['z'])],
  });
  t.deepEqual(coreOps(r), ['neg', 'relu', 'reshape']);
});

test('LeakyRelu: default, exact, negative, growing and trivial slopes', async (t) => {
  const base = { inputs: { x: [3, 7] }, outputs: { y: [3, 7] } };
  for (const alpha of [undefined, 0.25, -0.3, 1.5, float(0), float(1)]) {
    await agrees(t, {
      ...base,
      nodes: [node('LeakyRelu', ['x'], ['y'], alpha === undefined ? {} : { alpha })],
    });
  }
});

test('a rescale joins the LeakyRelu and the Clip behind it', async (t) => {
  const base = { inputs: { x: [3, 7], w: [3, 7] }, outputs: { y: [3, 7] } };
  const leaky = [node('Mul', ['x', 'w'], ['h']), node('LeakyRelu', ['h'], ['y'], { alpha: 0.1 })];
  t.deepEqual(coreOps(await agrees(t, { ...base, nodes: leaky })), ['mul', 'leaky_relu']);
  const clip = [node('Mul', ['x', 'w'], ['h']), node('Clip', ['h', '', 'hi'], ['y'])];
  const r = await agrees(t, { ...base, nodes: clip, initializers: { hi: tensor([], [1.5]) } });
  t.deepEqual(coreOps(r), ['mul', 'clip']);
});

test('Clip: both bounds, either missing, none, infinite, crossed', async (t) => {
  const bounds: [number | null, number | null][] = [
    [-1, 0.5],
    [null, 1],
    [-0.25, null],
    [null, null],
    [0, null],
    [0, 6],
    [-3.4028234663852886e38, 1],
  ];
  for (const [lo, hi] of bounds) {
    const initializers = {
      ...(lo !== null && { lo: tensor([], [lo]) }),
      ...(hi !== null && { hi: tensor([], [hi]) }),
    };
    const names = ['x', lo === null ? '' : 'lo', hi === null ? '' : 'hi'];
    while (names.at(-1) === '') names.pop();
    await agrees(t, {
      inputs: { x: [4, 5] },
      outputs: { y: [4, 5] },
      nodes: [node('Clip', names, ['y'])],
      initializers,
    });
  }
  const initializers = { lo: tensor([], [2]), hi: tensor([], [1]) };
  await agrees(t, {
    inputs: { x: [4] },
    outputs: { y: [4] },
    nodes: [node('Clip', ['x', 'lo', 'hi'], ['y'])],
    initializers,
  });
});

test('Clip: secret bounds are refused', (t) => {
  const nodes = [node('Clip', ['x', 'lo'], ['y'], {}, 'cut')];
  refuses(
    t,
    { inputs: { x: [4], lo: [] }, outputs: { y: [4] }, nodes },
    'UNSUPPORTED_ATTRIBUTE',
    'cut',
    'Clip',
    'min',
  );
});

test('Sum and Mean of inputs, weights and public constants', async (t) => {
  const nodes = [
    node('Sum', ['w', 'x', 'z', 'two'], ['a']),
    node('Mean', ['two', 'x', 'z'], ['b']),
    node('Sum', ['x'], ['c']),
  ];
  const initializers = { w: tensor([3], [1, 2, 3]), two: tensor([], [2]) };
  const outputs = { a: [2, 3], b: [2, 3], c: [2, 3] };
  await agrees(t, { inputs: { x: [2, 3], z: [2, 1] }, outputs, nodes, initializers });
  const wrong = {
    inputs: { x: [2, 3], z: [2, 2] },
    outputs: { y: [2, 3] },
    nodes: [node('Sum', ['x', 'z'], ['y'], {}, 'it')],
  };
  refuses(t, wrong, 'INVALID_SHAPE', 'it', 'broadcast');
});
