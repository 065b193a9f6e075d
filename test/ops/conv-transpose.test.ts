import test from 'ava';
import { type Attributes, node, tensor } from '../helpers/onnx';
import { agrees, clearAgrees, coreOps, refuses, weights } from './oracle';

function deconv(x: readonly number[], w: readonly number[], attrs: Attributes, bias: boolean = true) {
  const outputs = w[1]! * (typeof attrs.group === 'number' ? attrs.group : 1);
  return {
    inputs: { x },
    outputs: { y: x.map(() => null) },
    nodes: [node('ConvTranspose', bias ? ['x', 'w', 'b'] : ['x', 'w'], ['y'], attrs, 'deconv')],
    initializers: { w: weights(w), ...(bias && { b: weights([outputs], 13) }) },
  };
}

const cases: [string, number[], number[], Attributes][] = [
  ['plain', [2, 3, 4, 5], [3, 4, 3, 2], {}],
  ['twice the size', [1, 4, 3, 5], [4, 3, 4, 4], { strides: [2, 2], pads: [1, 1, 1, 1] }],
  ['strides that differ', [1, 2, 3, 4], [2, 3, 3, 2], { strides: [2, 3] }],
  ['strides beyond the kernel', [1, 2, 3, 4], [2, 3, 2, 1], { strides: [3, 4] }],
  ['padding beyond the kernel', [1, 2, 6, 7], [2, 2, 2, 3], { strides: [2, 1], pads: [3, 4, 2, 0] }],
  [
    'output_padding',
    [1, 2, 3, 4],
    [2, 3, 3, 3],
    { strides: [2, 3], output_padding: [1, 2], pads: [1, 0, 1, 2] },
  ],
  ['dilations', [1, 2, 4, 3], [2, 3, 3, 2], { dilations: [2, 3], pads: [1, 0, 2, 1] }],
  [
    'dilations with strides',
    [1, 2, 4, 5],
    [2, 2, 4, 3],
    { dilations: [2, 3], strides: [4, 2], pads: [1, 2, 0, 3] },
  ],
  ['groups', [2, 6, 3, 4], [6, 2, 3, 3], { group: 3, strides: [2, 2], pads: [1, 0, 1, 1] }],
  ['depthwise', [1, 4, 3, 3], [4, 1, 2, 2], { group: 4, strides: [2, 2] }],
  ['output_shape', [1, 2, 3, 4], [2, 2, 3, 3], { strides: [2, 2], output_shape: [6, 7] }],
  [
    'output_shape, SAME_UPPER',
    [1, 2, 3, 4],
    [2, 2, 4, 3],
    { strides: [2, 2], output_shape: [5, 7], auto_pad: 'SAME_UPPER' },
  ],
  ['SAME_UPPER', [1, 2, 3, 4], [2, 2, 4, 3], { strides: [2, 2], auto_pad: 'SAME_UPPER' }],
  ['SAME_LOWER', [1, 2, 3, 4], [2, 2, 4, 3], { strides: [2, 2], auto_pad: 'SAME_LOWER' }],
  ['VALID', [1, 2, 3, 4], [2, 2, 2, 3], { strides: [2, 2], auto_pad: 'VALID' }],
  ['one dimension', [2, 3, 7], [3, 2, 4], { strides: [2], pads: [1, 2], output_padding: [1] }],
  ['a single element', [1, 3, 1, 1], [3, 2, 4, 3], { strides: [1, 2], kernel_shape: [4, 3] }],
];

for (const [what, x, w, attrs] of cases) {
  test(`ConvTranspose: ${what}`, async (t) => {
    await clearAgrees(t, deconv(x, w, attrs));
    await clearAgrees(t, { ...deconv(x, w, attrs, false), opset: 22 });
  });
}

test('ConvTranspose: privately, x is opened once for all remainders', async (t) => {
  const r = await agrees(t, deconv([1, 4, 3, 5], [4, 3, 4, 4], { strides: [2, 2], pads: [1, 1, 1, 1] }));
  t.deepEqual(coreOps(r), ['conv2d', 'conv2d', 'conv2d', 'conv2d', 'move', 'add']);
  const inputs = r.optimized.graph.nodes.filter((n) => n.op === 'conv2d').map((n) => n.inputs[0]);
  t.is(new Set(inputs).size, 1);
  // Every tap is in one of them: nothing is multiplied by zeros.
  const taps = r.optimized.graph.nodes.flatMap((n) => (n.op === 'conv2d' ? [n.inputs[1]!.type.shape] : []));
  t.deepEqual(taps, new Array(4).fill([3, 4, 2, 2]));
});

test('ConvTranspose: a kernel that is an input', async (t) => {
  const { nodes, outputs } = deconv([1, 2, 3, 4], [2, 3, 3, 2], { strides: [2, 2] }, false);
  await agrees(t, { inputs: { x: [1, 2, 3, 4], w: [2, 3, 3, 2] }, outputs, nodes });
});

test('ConvTranspose takes over a normalisation, unless it has groups', async (t) => {
  const normalised = (group: number) => {
    const spec = deconv([1, 4, 3, 2], [4, 4 / group, 2, 2], { group }, group === 1);
    const [first] = spec.nodes;
    first!.output[0] = 'h';
    const parameters = { scale: weights([4], 1), shift: weights([4], 2), mean: weights([4], 3) };
    const variance = tensor([4], [0.5, 1, 2, 3]);
    const norm = node('BatchNormalization', ['h', 'scale', 'shift', 'mean', 'variance'], ['y']);
    return {
      ...spec,
      nodes: [first!, norm],
      initializers: { ...spec.initializers, ...parameters, variance },
      opset: 15,
    };
  };
  t.deepEqual(coreOps(await clearAgrees(t, normalised(1))), ['conv2d', 'add']);
  t.deepEqual(coreOps(await clearAgrees(t, normalised(2))), ['conv2d', 'rescale', 'mul', 'add']);
});

test('ConvTranspose: what is refused', (t) => {
  const x = [1, 2, 3, 4];
  refuses(t, deconv(x, [3, 2, 2, 2], {}), 'INVALID_SHAPE', 'deconv', '[1, 2, 3, 4]', '[3, 2, 2, 2]');
  refuses(t, deconv(x, [2, 2, 2, 2], { kernel_shape: [2, 3] }), 'INVALID_SHAPE', 'deconv', '[2, 3]');
  refuses(t, deconv(x, [2, 2, 2, 2], { strides: [2] }), 'INVALID_SHAPE', 'deconv', 'strides [2]');
  refuses(t, deconv(x, [2, 2, 2, 2], { pads: [9, 0, 0, 0] }), 'INVALID_SHAPE', 'deconv', 'leaves none');
  refuses(t, deconv(x, [2, 2, 2, 2], { auto_pad: 'SOME' }), 'UNSUPPORTED_ATTRIBUTE', 'deconv', 'SAME_UPPER');
  const group = deconv(x, [2, 2, 2, 2], { group: -1 }, false);
  refuses(t, group, 'INVALID_MODEL', 'deconv', 'group -1');
  const phases = deconv(x, [2, 2, 2, 2], { strides: [100, 100] });
  refuses(t, phases, 'UNSUPPORTED_ATTRIBUTE', 'deconv', 'strides [100, 100]', '1024');
  const far = deconv(x, [2, 2, 2, 2], { strides: [2 ** 32, 1] });
  refuses(t, far, 'UNSUPPORTED_ATTRIBUTE', 'deconv', `${2 ** 32}`, '16777216');
  const three = deconv([1, 2, 3, 3, 3], [2, 2, 2, 2, 2], {});
  refuses(t, three, 'UNSUPPORTED_ATTRIBUTE', 'deconv', '[1, 2, 3, 3, 3]');
});
