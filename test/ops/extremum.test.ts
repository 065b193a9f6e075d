import test from 'ava';
import { DataType, int64, node, tensor } from '../helpers/onnx';
import { agrees, coreOps, refuses, weights } from './oracle';

const ints = (shape: number[]) => ({ shape, type: DataType.INT64 });

for (const op of ['Max', 'Min']) {
  test(`${op} of secret tensors: two and more, broadcasting, owners, ties`, async (t) => {
    const two = { inputs: { a: [4, 1, 3], b: [5, 1] }, outputs: { y: [4, 5, 3] } };
    const nodes = [node(op, ['a', 'b'], ['y'])];
    const r = await agrees(t, { ...two, nodes }, 3, { owners: { b: 1 } });
    t.deepEqual(coreOps(r), ['sub', 'relu', op === 'Max' ? 'add' : 'sub']);
    await agrees(t, { ...two, nodes }, 3, { whole: true });
    const inputs = { a: [4, 3], b: [3], c: [4, 1], d: [] };
    const four = [node(op, ['a', 'b', 'c', 'd'], ['y'])];
    const many = await agrees(t, { inputs, outputs: { y: [4, 3] }, nodes: four }, 3, {
      owners: { c: 'secret' },
    });
    t.is(coreOps(many).filter((o) => o === 'max_pool').length, 1);
    await agrees(t, { inputs: { a: [3] }, outputs: { y: [3] }, nodes: [node(op, ['a'], ['y'])] });
    const integers = { inputs: { a: ints([4, 3]), b: ints([3]) }, outputs: { y: ints([4, 3]) }, nodes };
    await agrees(t, integers);
  });

  test(`${op} beside constants`, async (t) => {
    const outputs = { y: [4, 3] };
    const run = (names: string[], initializers: Record<string, ReturnType<typeof tensor>>, owners = {}) =>
      agrees(t, { inputs: { x: [4, 3] }, outputs, nodes: [node(op, names, ['y'])], initializers }, 3, {
        owners,
      });
    t.deepEqual(coreOps(await run(['x', 'c'], { c: tensor([], [0.5]) })), ['clip']);
    t.deepEqual(coreOps(await run(['c', 'x', 'd'], { c: tensor([], [0.5]), d: tensor([1], [-1]) })), [
      'clip',
    ]);
    await run(['x', 'w'], { w: weights([3]) });
    await run(['x', 'w', 'c'], { w: weights([4, 3]), c: tensor([], [0.25]) });
    await run(['w', 'x'], { w: weights([3]) }, { weights: 'public' });
    const wide = { inputs: { x: [3] }, outputs, nodes: [node(op, ['x', 'w'], ['y'])] };
    await agrees(t, { ...wide, initializers: { w: weights([4, 1]) } }, 3, { owners: { weights: 'public' } });
    const same = tensor([4, 1], [1, 1, 1, 1]);
    await agrees(t, { ...wide, initializers: { w: same } }, 3, { owners: { weights: 'public' } });
  });
}

test('a maximum with 0 is a Relu; a minimum of a maximum is one Clip', async (t) => {
  const initializers = { zero: tensor([], [0]), six: tensor([], [1.5]) };
  const relu = [node('Max', ['x', 'zero'], ['y'])];
  const base = { inputs: { x: [4, 3] }, outputs: { y: [4, 3] } };
  t.deepEqual(coreOps(await agrees(t, { ...base, nodes: relu, initializers })), ['relu']);
  const relu6 = [node('Max', ['x', 'zero'], ['h']), node('Min', ['h', 'six'], ['y'])];
  t.deepEqual(coreOps(await agrees(t, { ...base, nodes: relu6, initializers })), ['clip']);
  const other = [node('Min', ['x', 'six'], ['h']), node('Max', ['zero', 'h'], ['y'])];
  t.deepEqual(coreOps(await agrees(t, { ...base, nodes: other, initializers })), ['clip']);
  // Bounds that cross each other, and a Relu that others use too, stay as they are.
  const crossed = [node('Min', ['x', 'zero'], ['h']), node('Max', ['h', 'six'], ['y'])];
  await agrees(t, { ...base, nodes: crossed, initializers });
  const shared = [
    node('Relu', ['x'], ['r']),
    node('Min', ['r', 'six'], ['h']),
    node('Add', ['h', 'r'], ['y']),
  ];
  t.deepEqual(coreOps(await agrees(t, { ...base, nodes: shared, initializers })), ['relu', 'clip', 'add']);
});

const after = (x: number[], axes: number[], keep: number) => {
  const at = axes.map((a) => (a < 0 ? a + x.length : a));
  return x.flatMap((d, i) => (at.includes(i) ? (keep ? [1] : []) : [d]));
};

for (const op of ['ReduceMax', 'ReduceMin']) {
  test(`${op}: axes as attribute and input, keepdims, integers`, async (t) => {
    const x = [3, 5, 2, 7];
    for (const [axes, keepdims] of [
      [[1], 1],
      [[-1], 0],
      [[0, 2], 0],
      [[1, 2], 1],
      [[0, 1, 2, 3], 0],
    ] as const) {
      const outputs = { y: after(x, [...axes], keepdims) };
      await agrees(t, { inputs: { x }, outputs, nodes: [node(op, ['x'], ['y'], { axes, keepdims })] });
      const nodes = [node(op, ['x', 'a'], ['y'], { keepdims })];
      const r = await agrees(
        t,
        { inputs: { x }, outputs, nodes, initializers: { a: int64(axes) }, opset: 18 },
        3,
        { owners: { x: 'secret' }, whole: true },
      );
      t.is(r.optimized.slack.get('y'), 0);
    }
    await agrees(t, { inputs: { x }, outputs: { y: [1, 1, 1, 1] }, nodes: [node(op, ['x'], ['y'])] });
    const nodes = [node(op, ['x'], ['y'], { axes: [1], keepdims: 0 })];
    await agrees(t, { inputs: { x: ints([3, 5]) }, outputs: { y: ints([3]) }, nodes });
  });
}

test('GlobalMaxPool over one to three spatial dimensions', async (t) => {
  for (const x of [
    [2, 3, 7],
    [1, 2, 5, 3],
    [1, 2, 3, 2, 3],
  ]) {
    const y = x.map((d, i) => (i < 2 ? d : 1));
    await agrees(t, { inputs: { x }, outputs: { y }, nodes: [node('GlobalMaxPool', ['x'], ['y'])] });
  }
});

for (const op of ['ArgMax', 'ArgMin']) {
  test(`${op}: axes, keepdims, the first or the last of equal elements`, async (t) => {
    for (const [axis, keepdims] of [
      [0, 1],
      [1, 0],
      [-1, 1],
    ] as const) {
      for (const select_last_index of [0, 1]) {
        const nodes = [node(op, ['x'], ['y'], { axis, keepdims, select_last_index })];
        const outputs = { y: ints(after([4, 5, 6], [axis], keepdims)) };
        const r = await agrees(t, { inputs: { x: [4, 5, 6] }, outputs, nodes }, 3, { whole: true });
        t.is(r.optimized.slack.get('y'), 0);
      }
    }
    const nodes = [node(op, ['x'], ['y'], { axis: 1, keepdims: 0 })];
    await agrees(t, { inputs: { x: [4, 5] }, outputs: { y: ints([4]) }, nodes }, 3, {
      owners: { x: 'secret' },
    });
  });
}

test('ArgMax: its result moves and may be cast to another integer type', async (t) => {
  const outputs = { y: { shape: [6], type: DataType.INT32 } };
  const nodes = [
    node('ArgMax', ['x'], ['i'], { axis: 2, keepdims: 0 }),
    node('Transpose', ['i'], ['j']),
    node('Reshape', ['j', 's'], ['k']),
    node('Cast', ['k'], ['y'], { to: 6 }),
  ];
  await agrees(t, { inputs: { x: [2, 3, 4] }, outputs, nodes, initializers: { s: int64([6]) } });
});

test('extrema: what is refused', (t) => {
  const bool = { shape: [3], type: DataType.BOOL };
  const nodes = [node('Max', ['x', 'z'], ['y'], {}, 'larger')];
  refuses(
    t,
    { inputs: { x: [3], z: [2] }, outputs: { y: [3] }, nodes },
    'INVALID_SHAPE',
    'larger',
    'broadcast',
  );
  const truth = { inputs: { x: bool, z: bool }, outputs: { y: bool }, nodes };
  refuses(t, truth, 'UNSUPPORTED_ATTRIBUTE', 'larger', 'booleans');
  const sum = [node('ArgMax', ['x'], ['i']), node('Add', ['i', 'i'], ['y'], {}, 'twice')];
  const spec = { inputs: { x: [2, 3] }, outputs: { y: ints([1, 3]) }, nodes: sum };
  refuses(t, spec, 'UNSUPPORTED_ATTRIBUTE', 'twice', 'int');
});
