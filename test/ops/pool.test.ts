import test from 'ava';
import { node } from '../helpers/onnx';
import { agrees, clearAgrees, coreOps, refuses } from './oracle';

type Attrs = NonNullable<Parameters<typeof node>[3]>;

function pool(op: string, x: readonly number[], attrs: Attrs, opset: number = 13) {
  return {
    inputs: { x },
    outputs: { y: x.map(() => null) },
    nodes: [node(op, ['x'], ['y'], attrs, 'pool')],
    opset,
  };
}

const cases: [string, number[], Attrs][] = [
  ['plain', [2, 3, 6, 8], { kernel_shape: [2, 2], strides: [2, 2] }],
  ['odd sizes, default strides', [1, 2, 5, 7], { kernel_shape: [3, 2] }],
  [
    'padding that differs on every side',
    [1, 2, 6, 7],
    { kernel_shape: [3, 4], strides: [2, 3], pads: [0, 1, 2, 3] },
  ],
  ['ceil_mode', [1, 2, 6, 7], { kernel_shape: [3, 3], strides: [2, 2], ceil_mode: 1 }],
  [
    'ceil_mode with padding',
    [1, 1, 7, 6],
    { kernel_shape: [3, 2], strides: [3, 2], pads: [1, 1, 1, 1], ceil_mode: 1 },
  ],
  ['ceil_mode that overhangs far', [1, 1, 5, 9], { kernel_shape: [2, 4], strides: [4, 4], ceil_mode: 1 }],
  ['SAME_UPPER', [1, 2, 7, 6], { kernel_shape: [3, 2], strides: [2, 2], auto_pad: 'SAME_UPPER' }],
  ['SAME_LOWER', [1, 2, 7, 6], { kernel_shape: [2, 2], strides: [2, 1], auto_pad: 'SAME_LOWER' }],
  ['VALID', [1, 2, 7, 6], { kernel_shape: [3, 2], strides: [2, 2], auto_pad: 'VALID' }],
  ['one dimension', [2, 3, 11], { kernel_shape: [3], strides: [2], pads: [1, 1] }],
  ['the whole input', [2, 3, 7, 7], { kernel_shape: [7, 7] }],
  [
    'three dimensions',
    [1, 2, 5, 4, 6],
    { kernel_shape: [3, 2, 2], strides: [2, 1, 3], pads: [1, 0, 1, 0, 1, 0], ceil_mode: 1 },
  ],
];

for (const [what, x, attrs] of cases) {
  test(`MaxPool: ${what}`, async (t) => {
    t.true(coreOps(await agrees(t, pool('MaxPool', x, attrs))).includes('max_pool'));
  });
  for (const count_include_pad of [0, 1]) {
    test(`AveragePool: ${what}, count_include_pad ${count_include_pad}`, async (t) => {
      await agrees(t, pool('AveragePool', x, { ...attrs, count_include_pad }));
    });
  }
}

test('MaxPool: dilations', async (t) => {
  await agrees(
    t,
    pool('MaxPool', [1, 2, 9, 8], { kernel_shape: [3, 2], dilations: [2, 3], strides: [2, 1] }),
  );
  await agrees(
    t,
    pool('MaxPool', [1, 2, 9, 8], { kernel_shape: [3, 2], dilations: [2, 3], pads: [2, 1, 1, 1] }),
  );
});

test('AveragePool: dilations; ceil_mode in later operator sets', async (t) => {
  const attrs = { kernel_shape: [3, 2], dilations: [2, 3], strides: [2, 1], pads: [2, 1, 1, 1] };
  await agrees(t, pool('AveragePool', [1, 2, 9, 8], attrs, 19));
  await clearAgrees(t, pool('AveragePool', [1, 2, 9, 8], { ...attrs, count_include_pad: 1 }, 22));
  const ceil = { kernel_shape: [3, 2], strides: [3, 2], pads: [1, 1, 1, 1], ceil_mode: 1 };
  for (const opset of [19, 22, 23]) {
    await clearAgrees(t, pool('AveragePool', [1, 1, 7, 6], ceil, opset));
    await clearAgrees(t, pool('AveragePool', [1, 1, 7, 6], { ...ceil, count_include_pad: 1 }, opset));
  }
});

test('MaxPool keeps the scale of its input: no rescale before it', async (t) => {
  const r = await agrees(t, {
    inputs: { x: [1, 1, 4, 4], w: [1, 1, 4, 4] },
    outputs: { y: [1, 1, 3, 3] },
    nodes: [node('Mul', ['x', 'w'], ['h']), node('MaxPool', ['h'], ['y'], { kernel_shape: [2, 2] })],
  });
  t.deepEqual(coreOps(r), ['mul', 'max_pool']);
  t.is(r.optimized.graph.nodes[1]!.outputs[0]!.type.scale, 32);
});

test('GlobalAveragePool: one to three spatial dimensions', async (t) => {
  for (const x of [
    [2, 3, 5],
    [2, 3, 4, 5],
    [1, 2, 3, 2, 5],
  ])
    await agrees(t, pool('GlobalAveragePool', x, {}));
});

test('an average over a power of two costs no rescale', async (t) => {
  const r = await agrees(t, pool('AveragePool', [1, 2, 4, 4], { kernel_shape: [2, 2], strides: [2, 2] }));
  t.deepEqual(coreOps(r), ['sum_pool', 'mul_const']);
  t.is(r.optimized.graph.nodes[1]!.outputs[0]!.type.scale, 18);
});

test('pools: what is refused', (t) => {
  for (const op of ['MaxPool', 'AveragePool']) {
    refuses(t, pool(op, [1, 2, 5, 5], {}), 'INVALID_MODEL', 'pool', op, 'kernel_shape');
    refuses(t, pool(op, [1, 2, 5, 5], { kernel_shape: [3] }), 'INVALID_SHAPE', 'pool', '[3]', '[1, 2, 5, 5]');
    refuses(t, pool(op, [1, 2, 2, 2], { kernel_shape: [3, 3] }), 'INVALID_SHAPE', '[1, 2, 2, 2]');
    refuses(
      t,
      pool(op, [1, 2, 4, 4, 4, 4], { kernel_shape: [2, 2, 2, 2] }),
      'UNSUPPORTED_ATTRIBUTE',
      '[1, 2, 4, 4, 4, 4]',
    );
    const far = { kernel_shape: [2, 2], pads: [2, 2, 2, 2] };
    refuses(t, pool(op, [1, 2, 4, 4], far), 'UNSUPPORTED_ATTRIBUTE', 'pool', 'padding alone');
    const apart = { kernel_shape: [2], dilations: [2 ** 40], pads: [2 ** 40, 2 ** 40] };
    refuses(t, pool(op, [1, 2, 4], apart), 'UNSUPPORTED_ATTRIBUTE', 'pool', `${2 ** 40}`, '16777216');
    const huge = 2 ** 30;
    const all = { kernel_shape: [huge, huge], pads: [huge, huge, huge, huge] };
    refuses(t, pool(op, [1, 2, 4, 4], all), 'UNSUPPORTED_ATTRIBUTE', 'pool', '16777216');
    const many = { kernel_shape: [2048, 2048], pads: [2047, 2047, 2047, 2047] };
    refuses(t, pool(op, [1, 2, 4, 4], many), 'UNSUPPORTED_ATTRIBUTE', 'pool', '4194304 elements', '1048576');
  }
  refuses(t, pool('GlobalAveragePool', [2, 3], {}), 'UNSUPPORTED_ATTRIBUTE', 'pool');
  const indices = {
    ...pool('MaxPool', [1, 1, 4, 4], {}),
    outputs: { y: [1, 1, 2, 2], i: [1, 1, 2, 2] },
    nodes: [node('MaxPool', ['x'], ['y', 'i'], { kernel_shape: [2, 2], strides: [2, 2] }, 'pool')],
  };
  refuses(t, indices, 'UNSUPPORTED_ATTRIBUTE', 'pool', 'MaxPool', 'output i');
});
