import test from 'ava';
import { compile, runLocal, tensor as tensorOf } from '../../lib';
import { DataType, int64, model, node, tensor } from '../helpers/onnx';
import { agrees, coreOps, refuses, weights } from './oracle';

const bool = (shape: number[]) => ({ shape, type: DataType.BOOL });
const ints = (shape: number[]) => ({ shape, type: DataType.INT64 });
const COMPARISONS = ['Less', 'LessOrEqual', 'Greater', 'GreaterOrEqual', 'Equal'];

for (const op of COMPARISONS) {
  const one = [node(op, ['a', 'b'], ['y'])];

  test(`${op} of secret numbers: owners, broadcasting, ties`, async (t) => {
    for (const [a, b, y] of [
      [
        [5, 7],
        [5, 7],
        [5, 7],
      ],
      [
        [2, 1, 3],
        [4, 1],
        [2, 4, 3],
      ],
      [[3], [], [3]],
    ] as const) {
      const spec = { inputs: { a, b }, outputs: { y: bool([...y]) }, nodes: one };
      const r = await agrees(t, spec, 3, { whole: true, owners: { a: 0, b: 1 } });
      t.is(r.optimized.slack.get('y'), 0);
      await agrees(t, spec, 3, { owners: { b: 'secret', y: 'public' } });
    }
  });

  test(`${op} beside constants: public and private, on either side`, async (t) => {
    const outputs = { y: bool([4, 3]) };
    for (const [name, constant] of [
      ['one number', tensor([], [0.5])],
      ['whole numbers', tensor([1], [-2])],
      ['private weights', weights([3])],
      ['a private matrix', tensor([4, 3], [0, 1, 2, 3, -1, -2, -3, 0, 1, 2, 3, -1])],
    ] as const) {
      for (const [left, right] of [
        ['x', 'c'],
        ['c', 'x'],
      ] as const) {
        const nodes = [node(op, [left, right], ['y'])];
        const initializers = { c: constant };
        await agrees(t, { inputs: { x: [4, 3] }, outputs, nodes, initializers }, 3, { whole: true });
        t.pass(name);
      }
    }
  });

  test(`${op} of public weights, and of integers`, async (t) => {
    const initializers = { c: tensor([3], [0, 1, -1]) };
    const nodes = [node(op, ['c', 'x'], ['y'])];
    const spec = { inputs: { x: [2, 3] }, outputs: { y: bool([2, 3]) }, nodes, initializers };
    await agrees(t, spec, 3, { whole: true, owners: { weights: 'public' } });
    const integers = { inputs: { a: ints([4, 5]), b: ints([5]) }, outputs: { y: bool([4, 5]) }, nodes: one };
    const r = await agrees(t, integers, 3, { owners: { b: 1 } });
    t.is(r.optimized.slack.get('y'), 0);
    const beside = { inputs: { a: ints([4, 5]) }, outputs: { y: bool([4, 5]) }, nodes: one };
    await agrees(t, { ...beside, initializers: { b: int64([0, 1, 2, -1, -2]) } });
    await agrees(t, { ...beside, initializers: { b: int64([1], []) } });
  });
}

test('a comparison with one number takes the opening of the value, whose other uses need none', async (t) => {
  const nodes = [node('Greater', ['x', 'c'], ['m']), node('Where', ['m', 'x', 'z'], ['y'])];
  const initializers = { c: tensor([], [1]), z: tensor([], [0]) };
  const r = await agrees(t, { inputs: { x: [3, 4] }, outputs: { y: [3, 4] }, nodes, initializers });
  t.deepEqual(coreOps(r), ['step', 'mul']);
});

test('comparisons of rounded values have no bound', async (t) => {
  const nodes = [
    node('MatMul', ['x', 'w'], ['h']),
    node('Relu', ['h'], ['r']),
    node('Less', ['r', 'x'], ['y']),
  ];
  const r = await agrees(t, {
    inputs: { x: [3, 3] },
    outputs: { y: bool([3, 3]) },
    nodes,
    initializers: { w: weights([3, 3]) },
  });
  t.is(r.optimized.slack.get('y'), null);
});

const CONNECTIVES = ['And', 'Or', 'Xor'];

for (const op of CONNECTIVES) {
  test(`${op} of secret booleans, of several owners and beside constants`, async (t) => {
    const nodes = [node(op, ['a', 'b'], ['y'])];
    for (const owners of [{}, { b: 1 }, { a: 'secret', b: 1 }] as const) {
      const spec = { inputs: { a: bool([5, 3]), b: bool([3]) }, outputs: { y: bool([5, 3]) }, nodes };
      await agrees(t, spec, 3, { owners });
    }
    const mask = tensor([3], [1, 0, 1], DataType.BOOL);
    const half = { inputs: { a: bool([5, 3]) }, outputs: { y: bool([5, 3]) } };
    await agrees(t, { ...half, nodes, initializers: { b: mask } });
    await agrees(t, { ...half, nodes: [node(op, ['b', 'a'], ['y'])], initializers: { b: mask } });
    await agrees(t, { ...half, nodes, initializers: { b: tensor([], [1], DataType.BOOL) } });
    // A truth about private weights is private.
    const decided = [node('Greater', ['w', 'zero'], ['b']), ...nodes];
    await agrees(t, {
      ...half,
      nodes: decided,
      initializers: { w: weights([3], 2), zero: tensor([], [0]) },
    });
  });
}

test('conditions are combined, moved, negated and revealed', async (t) => {
  const nodes = [
    node('Greater', ['x', 'lo'], ['a']),
    node('Less', ['x', 'hi'], ['b']),
    node('And', ['a', 'b'], ['inside']),
    node('Not', ['inside'], ['outside']),
    node('Transpose', ['outside'], ['turned'], { perm: [1, 0] }),
    node('Concat', ['turned', 'constant'], ['y'], { axis: 1 }),
  ];
  const initializers = {
    lo: tensor([], [-1]),
    hi: tensor([], [1.5]),
    constant: tensor([4, 1], [1, 0, 0, 1], DataType.BOOL),
  };
  await agrees(t, { inputs: { x: [3, 4] }, outputs: { y: bool([4, 4]) }, nodes, initializers });
});

test('Where: secret, public and private conditions', async (t) => {
  const nodes = [node('Where', ['c', 'a', 'b'], ['y'])];
  const outputs = { y: [4, 3] };
  const mask = tensor([3], [1, 0, 1], DataType.BOOL);
  await agrees(t, { inputs: { c: bool([4, 1]), a: [4, 3], b: [3] }, outputs, nodes }, 3, {
    owners: { c: 1, b: 'secret' },
  });
  await agrees(t, { inputs: { c: bool([3]), a: [4, 1], b: [] }, outputs, nodes });
  await agrees(t, { inputs: { a: [4, 3], b: [3] }, outputs, nodes, initializers: { c: mask } });
  // A constant on either side, on both, one number, infinite where it is not taken.
  const values = { five: tensor([], [5]), w: weights([4, 3]), zero: tensor([1], [0]) };
  for (const [a, b] of [
    ['w', 'x'],
    ['x', 'w'],
    ['five', 'x'],
    ['x', 'zero'],
    ['zero', 'x'],
    ['five', 'zero'],
    ['w', 'five'],
  ] as const) {
    const chosen = [node('Where', ['c', a, b], ['y'])];
    const used = Object.fromEntries(
      Object.entries(values).filter(([name]) => [a, b].includes(name as never)),
    );
    for (const owners of [{}, { weights: 'public' }] as const) {
      const x = [a, b].includes('x' as never) ? { x: [4, 3] } : {};
      const spec = { inputs: { c: bool([4, 3]), ...x }, outputs, nodes: chosen };
      await agrees(t, { ...spec, initializers: used }, 3, { owners });
      if (!('x' in x)) continue;
      const known = { inputs: x, outputs, nodes: chosen };
      await agrees(t, { ...known, initializers: { ...used, c: mask } }, 3, { owners });
    }
  }
  const decided = [node('Greater', ['w', 'zero'], ['c']), node('Where', ['c', 'x', 'five'], ['y'])];
  await agrees(t, { inputs: { x: [4, 3] }, outputs, nodes: decided, initializers: values });
  const causal = [node('Where', ['c', 'x', 'low'], ['y'])];
  // Where it is not taken a constant may be as large as it likes.
  const low = tensor(
    [4, 3],
    Array.from({ length: 12 }, (_, i) => (i % 3 === 1 ? -100 : -3e38)),
  );
  const spec = { inputs: { x: [4, 3] }, outputs, nodes: causal, initializers: { low, c: mask } };
  for (const owners of [{}, { weights: 'public' }] as const) await agrees(t, spec, 3, { owners });
});

test('Where on integers', async (t) => {
  const nodes = [node('Where', ['c', 'a', 'b'], ['y'])];
  const c = bool([4, 3]);
  await agrees(t, { inputs: { c, a: ints([4, 3]), b: ints([3]) }, outputs: { y: ints([4, 3]) }, nodes });
  const initializers = { a: int64([7], []), b: int64([1, 2, 3]) };
  await agrees(t, { inputs: { c }, outputs: { y: ints([4, 3]) }, nodes, initializers });
});

test('Where on booleans, which onnxruntime has not', async (t) => {
  const nodes = [node('Where', ['c', 'a', 'b'], ['y'])];
  const bytes = model({
    inputs: { c: bool([8]), a: bool([8]), b: bool([8]) },
    outputs: { y: bool([8]) },
    nodes,
  });
  const bit = (k: number) =>
    tensorOf(
      Uint8Array.from({ length: 8 }, (_, i) => (i >> k) & 1),
      [8],
      'bool',
    );
  const compiled = await compile(bytes, { owners: { b: 1 } });
  const { outputs } = await runLocal(compiled, { c: bit(0), a: bit(1), b: bit(2) }, { seed: 1 });
  t.is(outputs.y!.dtype, 'bool');
  t.deepEqual(
    [...(outputs.y!.data as Uint8Array)],
    Array.from({ length: 8 }, (_, i) => (i & 1 ? (i >> 1) & 1 : (i >> 2) & 1)),
  );
});

test('Cast between booleans and numbers', async (t) => {
  const cast = (from: Parameters<typeof agrees>[1]['inputs'][string], to: number, y: unknown) =>
    agrees(
      t,
      { inputs: { x: from }, outputs: { y: y as never }, nodes: [node('Cast', ['x'], ['y'], { to })] },
      3,
      { whole: true },
    );
  await cast(bool([3, 4]), 1, [3, 4]);
  await cast(bool([3, 4]), 7, ints([3, 4]));
  await cast(ints([3, 4]), 1, [3, 4]);
  await cast(ints([3, 4]), 9, bool([3, 4]));
  await cast([3, 4], 9, bool([3, 4]));
  // A mask that is cast to multiply by it is a condition: one bit is opened.
  const nodes = [
    node('Greater', ['x', 'z'], ['m']),
    node('Cast', ['m'], ['f'], { to: 1 }),
    node('Mul', ['f', 'z'], ['y']),
  ];
  const r = await agrees(t, { inputs: { x: [3, 4], z: [4] }, outputs: { y: [3, 4] }, nodes });
  t.deepEqual(coreOps(r), ['sub', 'step', 'mul']);
  const index = [node('ArgMax', ['x'], ['i'], { axis: 1 }), node('Cast', ['i'], ['y'], { to: 1 })];
  await agrees(t, { inputs: { x: [3, 4] }, outputs: { y: [3, 1] }, nodes: index });
});

test('comparisons: what is refused', (t) => {
  const cast = [node('Cast', ['x'], ['y'], { to: 7 }, 'index')];
  const outputs = { y: ints([3]) };
  refuses(
    t,
    { inputs: { x: [3] }, outputs, nodes: cast },
    'UNSUPPORTED_ATTRIBUTE',
    'index',
    'floating-point',
  );
  const wrong = [node('Less', ['x', 'z'], ['y'], {}, 'less')];
  const shapes = { inputs: { x: [3], z: [2] }, outputs: { y: bool([3]) }, nodes: wrong };
  refuses(t, shapes, 'INVALID_SHAPE', 'less', 'broadcast');
  const number = [node('Or', ['x', 'z'], ['y'], {}, 'either')];
  const floats = { inputs: { x: [3], z: [3] }, outputs: { y: bool([3]) }, nodes: number };
  refuses(t, floats, 'INVALID_MODEL', 'either', 'not boolean');
});
