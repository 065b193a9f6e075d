import test from 'ava';
import { node, tensor } from '../helpers/onnx';
import { agrees, clearAgrees, coreOps, refuses, weights } from './oracle';

type Attrs = Parameters<typeof node>[3];

function conv(x: readonly number[], w: readonly number[], attrs: Attrs, bias: boolean = true) {
  return {
    inputs: { x },
    outputs: { y: x.map(() => null) },
    nodes: [node('Conv', bias ? ['x', 'w', 'b'] : ['x', 'w'], ['y'], attrs, 'conv')],
    initializers: { w: weights(w), ...(bias && { b: weights([w[0]!], 13) }) },
  };
}

const cases: [string, number[], number[], Attrs][] = [
  ['plain', [2, 3, 7, 5], [4, 3, 3, 2], {}],
  ['padding that differs on every side', [1, 2, 5, 6], [3, 2, 3, 3], { pads: [0, 1, 2, 3] }],
  ['strides', [1, 2, 9, 8], [3, 2, 3, 3], { strides: [2, 3], pads: [1, 1, 1, 1] }],
  ['dilations', [1, 2, 9, 11], [3, 2, 3, 2], { dilations: [2, 3], pads: [2, 0, 1, 0] }],
  ['groups', [2, 6, 5, 5], [4, 3, 3, 3], { group: 2, pads: [1, 1, 1, 1] }],
  ['depthwise', [1, 5, 6, 7], [5, 1, 3, 3], { group: 5, strides: [2, 2], pads: [1, 1, 1, 1] }],
  ['depthwise with a multiplier', [1, 3, 5, 5], [6, 1, 2, 2], { group: 3 }],
  ['SAME_UPPER', [1, 2, 6, 7], [2, 2, 4, 3], { auto_pad: 'SAME_UPPER', strides: [2, 3] }],
  ['SAME_LOWER', [1, 2, 6, 7], [2, 2, 4, 2], { auto_pad: 'SAME_LOWER', strides: [1, 2] }],
  ['VALID', [1, 2, 6, 7], [2, 2, 3, 3], { auto_pad: 'VALID', strides: [2, 2] }],
  ['a kernel of one', [3, 4, 3, 3], [5, 4, 1, 1], { kernel_shape: [1, 1] }],
  ['the input as large as the kernel', [1, 3, 4, 4], [2, 3, 4, 4], {}],
  ['one dimension', [2, 3, 11], [4, 3, 3], { pads: [1, 2], strides: [2] }],
  ['one dimension, dilated groups', [1, 4, 13], [6, 2, 3], { group: 2, dilations: [3] }],
  ['one output channel, whose bias is public', [1, 2, 4, 4], [1, 2, 3, 3], {}],
];

for (const [what, x, w, attrs] of cases) {
  test(`Conv: ${what}`, async (t) => {
    await agrees(t, conv(x, w, attrs));
    await agrees(t, conv(x, w, attrs, false));
  });
}

const deep: [string, number[], number[], Attrs][] = [
  ['plain', [2, 2, 4, 3, 5], [3, 2, 2, 3, 2], {}],
  ['padding and strides', [1, 2, 6, 4, 5], [3, 2, 3, 2, 3], { pads: [2, 0, 1, 1, 1, 0], strides: [3, 1, 2] }],
  [
    'dilated groups',
    [1, 4, 7, 3, 4],
    [6, 2, 3, 2, 2],
    { group: 2, dilations: [2, 1, 3], pads: [2, 1, 1, 3, 0, 2] },
  ],
];

for (const [what, x, w, attrs] of deep) {
  test(`Conv in three dimensions: ${what}`, async (t) => {
    await clearAgrees(t, conv(x, w, attrs));
  });
}

test('Conv in three dimensions, privately: the input is opened as it is', async (t) => {
  const r = await agrees(t, conv([1, 2, 5, 3, 4], [3, 2, 3, 2, 2], { pads: [1, 0, 0, 1, 0, 0] }));
  const sums = ['move', 'move', 'move', 'add', 'add'];
  t.deepEqual(coreOps(r), ['move', 'reshape', 'conv2d', ...sums, 'add']);
  const product = r.optimized.graph.nodes.find((n) => n.op === 'conv2d');
  t.deepEqual([...product!.inputs[0]!.type.shape], [5, 2, 3, 4]);
  const { nodes, outputs } = conv([1, 1, 3, 3, 3], [2, 1, 2, 2, 2], {}, false);
  await clearAgrees(t, { inputs: { x: [1, 1, 3, 3, 3], w: [2, 1, 2, 2, 2] }, outputs, nodes });
});

test('Conv: a kernel that is an input', async (t) => {
  const { nodes, outputs } = conv([1, 2, 5, 5], [3, 2, 2, 2], { strides: [2, 2] }, false);
  await agrees(t, { inputs: { x: [1, 2, 5, 5], w: [3, 2, 2, 2] }, outputs, nodes });
});

test('Conv takes over zero padding that a Pad adds around it', async (t) => {
  const pads = { pads: tensor([8], [0, 0, 1, 0, 0, 0, 2, 1].map(BigInt), 7) };
  const spec = conv([1, 2, 5, 4], [3, 2, 3, 3], { pads: [1, 0, 0, 1] });
  const nodes = [
    node('Pad', ['x', 'pads'], ['p']),
    node('Conv', ['p', 'w', 'b'], ['y'], { pads: [1, 0, 0, 1] }),
  ];
  const r = await agrees(t, { ...spec, nodes, initializers: { ...spec.initializers, ...pads } });
  t.deepEqual(coreOps(r), ['conv2d', 'add']);
});

test('the slack of convolutions in a row follows absolute row sums', async (t) => {
  const r = await agrees(t, {
    inputs: { x: [1, 2, 6, 6] },
    outputs: { y: [1, 2, 2, 2] },
    nodes: [node('Conv', ['x', 'v'], ['h']), node('Relu', ['h'], ['a']), node('Conv', ['a', 'w'], ['y'])],
    initializers: {
      v: weights([2, 2, 3, 3]),
      w: tensor(
        [2, 2, 3, 3],
        new Array(36).fill(0.5).map((v, i) => (i < 18 ? v : -v / 3)),
      ),
    },
  });
  t.true(Math.abs(r.optimized.slack.get('y')! - 10 * 2 ** -16) < 1e-9);
});

test('Conv: what is refused', (t) => {
  const wrongChannels = conv([1, 3, 5, 5], [4, 2, 3, 3], {});
  refuses(t, wrongChannels, 'INVALID_SHAPE', 'conv', 'Conv', '[1, 3, 5, 5]', '[4, 2, 3, 3]');
  refuses(t, conv([1, 4, 5, 5], [3, 2, 3, 3], { group: 2 }), 'INVALID_SHAPE', 'conv', '3 outputs');
  refuses(t, conv([1, 2, 2, 2], [3, 2, 3, 3], {}), 'INVALID_SHAPE', 'conv', '[1, 2, 2, 2]');
  refuses(t, conv([1, 2, 5, 5], [3, 2, 3, 3], { kernel_shape: [3, 2] }), 'INVALID_SHAPE', '[3, 2]');
  refuses(t, conv([1, 2, 5, 5], [3, 2, 3, 3], { pads: [1, 1] }), 'INVALID_SHAPE', 'pads', '[1, 1]');
  refuses(t, conv([1, 2, 5, 5], [3, 2, 3, 3], { strides: [0, 1] }), 'INVALID_SHAPE', 'strides');
  refuses(
    t,
    conv([1, 2, 5, 5], [3, 2, 3, 3], { pads: [-1, 0, 0, 0] }),
    'UNSUPPORTED_ATTRIBUTE',
    'negative pads',
  );
  refuses(t, conv([1, 2, 5, 5], [3, 2, 3, 3], { auto_pad: 'SOME' }), 'UNSUPPORTED_ATTRIBUTE', 'auto_pad');
  const group = conv([1, 2, 5, 5], [3, 2, 3, 3], { group: -1 });
  refuses(t, group, 'INVALID_MODEL', 'conv', 'group -1');
  const far = conv([1, 2, 5], [3, 2, 3], { pads: [2 ** 31, 2 ** 31], strides: [2 ** 32] });
  refuses(t, far, 'UNSUPPORTED_ATTRIBUTE', 'conv', `stride of ${2 ** 32}`, '16777216');
  const apart = { auto_pad: 'SAME_UPPER', dilations: [2 ** 24] };
  refuses(t, conv([1, 1, 4], [1, 1, 9], apart), 'UNSUPPORTED_ATTRIBUTE', 'conv', 'padding of 67108864');
  const four = conv([1, 2, 4, 4, 4, 4], [3, 2, 3, 3, 3, 3], {});
  refuses(t, four, 'UNSUPPORTED_ATTRIBUTE', '[1, 2, 4, 4, 4, 4]');
  const bias = conv([1, 2, 5, 5], [3, 2, 3, 3], {});
  refuses(t, { ...bias, initializers: { ...bias.initializers, b: weights([4]) } }, 'INVALID_SHAPE', '[4]');
});
