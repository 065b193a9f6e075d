import test from 'ava';
import { type Attributes, float, int64, type ModelSpec, node, tensor } from '../helpers/onnx';
import { agrees, clearAgrees, coreOps, refuses } from './oracle';

/** Resizes the last two axes of an image in several ways at once. */
function resizes(
  x: readonly number[],
  y: readonly number[],
  target: { scales?: number[]; sizes?: number[]; roi?: number[] },
  forms: readonly Attributes[],
  opset: number = 13,
): ModelSpec {
  const { scales, sizes, roi } = target;
  const inputs = [
    'x',
    roi ? 'roi' : opset < 13 ? 'none' : '',
    scales ? 'scales' : opset < 13 ? 'none' : '',
    ...(sizes ? ['sizes'] : []),
  ];
  return {
    inputs: { x },
    outputs: Object.fromEntries(forms.map((_, i) => [`y${i}`, y])),
    nodes: forms.map((attrs, i) => node('Resize', inputs, [`y${i}`], attrs, `resize${i}`)),
    initializers: {
      none: tensor([0], []),
      ...(roi && { roi: tensor([roi.length], roi) }),
      ...(scales && { scales: tensor([scales.length], scales) }),
      ...(sizes && { sizes: int64(sizes) }),
    },
    opset,
  };
}

const transformations = [
  'half_pixel',
  'pytorch_half_pixel',
  'align_corners',
  'asymmetric',
  'half_pixel_symmetric',
];
const nearestModes = ['round_prefer_floor', 'round_prefer_ceil', 'floor', 'ceil'];

test('Resize: nearest in every mode, up and down, by scales that are no integers', async (t) => {
  const forms = transformations.flatMap((coordinate_transformation_mode) =>
    nearestModes.map((nearest_mode) => ({ coordinate_transformation_mode, nearest_mode })),
  );
  const up = await clearAgrees(
    t,
    resizes([1, 2, 5, 4], [1, 2, 11, 10], { scales: [1, 1, 2.2, 2.5] }, forms, 19),
  );
  // Forms that come to the same are one move, under several names.
  t.true(coreOps(up).every((op) => op === 'move' || op === 'reshape'));
  await clearAgrees(t, resizes([1, 2, 9, 7], [1, 2, 5, 3], { scales: [1, 1, 0.6, 0.5] }, forms, 19));
  await clearAgrees(t, resizes([1, 2, 5, 4], [1, 2, 7, 1], { sizes: [1, 2, 7, 1] }, forms, 19));
});

test('Resize: nearest by two, privately, is one move of one piece', async (t) => {
  const r = await agrees(
    t,
    resizes([2, 3, 4, 5], [2, 3, 8, 10], { scales: [1, 1, 2, 2] }, [
      { coordinate_transformation_mode: 'asymmetric', nearest_mode: 'floor' },
    ]),
  );
  t.deepEqual(coreOps(r), ['move']);
  t.is((r.optimized.graph.nodes[0]!.attrs.pieces as unknown[]).length, 1);
});

for (const mode of ['linear', 'cubic']) {
  test(`Resize: ${mode} in every transformation, up and down`, async (t) => {
    const forms = transformations.map((name) => ({ mode, coordinate_transformation_mode: name }));
    const r = await clearAgrees(
      t,
      resizes([1, 2, 5, 4], [1, 2, 11, 10], { scales: [1, 1, 2.2, 2.5] }, forms, 19),
    );
    t.false(coreOps(r).some((op) => ['matmul', 'mul', 'rescale'].includes(op)));
    await clearAgrees(t, resizes([1, 2, 9, 7], [1, 2, 5, 3], { scales: [1, 1, 0.6, 0.5] }, forms, 19));
    await clearAgrees(t, resizes([1, 2, 5, 4], [1, 2, 7, 6], { sizes: [1, 2, 7, 6] }, forms, 19));
  });

  test(`Resize: ${mode} to twice the size, privately`, async (t) => {
    const attrs = { mode, coordinate_transformation_mode: 'half_pixel' };
    const r = await agrees(t, resizes([1, 2, 3, 4], [1, 2, 6, 8], { scales: [1, 1, 2, 2] }, [attrs]));
    t.false(coreOps(r).includes('rescale'));
  });
}

test('Resize: cubic coefficients, exclude_outside', async (t) => {
  const forms = [
    { mode: 'cubic', cubic_coeff_a: float(-0.5) },
    { mode: 'cubic', exclude_outside: 1 },
    {
      mode: 'cubic',
      exclude_outside: 1,
      cubic_coeff_a: float(-1),
      coordinate_transformation_mode: 'asymmetric',
    },
  ];
  await clearAgrees(t, resizes([1, 1, 5, 4], [1, 1, 8, 6], { sizes: [1, 1, 8, 6] }, forms, 11));
});

test('Resize: tf_crop_and_resize with what lies outside, tf_half_pixel_for_nn', async (t) => {
  const attrs = { coordinate_transformation_mode: 'tf_crop_and_resize', extrapolation_value: float(1.5) };
  const forms = [
    attrs,
    { ...attrs, mode: 'linear' },
    { ...attrs, mode: 'linear', extrapolation_value: float(0) },
  ];
  const roi = [0, 0, 0.25, -0.3, 1, 1, 0.8, 1.2];
  await clearAgrees(t, resizes([1, 1, 6, 5], [1, 1, 4, 7], { sizes: [1, 1, 4, 7], roi }, forms, 11));
  await agrees(t, resizes([1, 1, 6, 5], [1, 1, 4, 7], { sizes: [1, 1, 4, 7], roi }, forms, 13));
  const nn = [{ coordinate_transformation_mode: 'tf_half_pixel_for_nn' }];
  await clearAgrees(t, resizes([1, 1, 6, 5], [1, 1, 9, 10], { scales: [1, 1, 1.5, 2] }, nn, 11));
});

test('Resize: axes and policies of opset 18', async (t) => {
  const named = (sizes: number[], y: number[], attrs: Attributes) =>
    resizes(
      [1, 2, 6, 4],
      y,
      { sizes },
      [
        { mode: 'linear', axes: [2, 3], ...attrs },
        { axes: [2, 3], ...attrs },
      ],
      18,
    );
  await clearAgrees(t, named([9, 5], [1, 2, 9, 5], {}));
  await clearAgrees(t, named([9, 5], [1, 2, 8, 5], { keep_aspect_ratio_policy: 'not_larger' }));
  await clearAgrees(t, named([9, 5], [1, 2, 9, 6], { keep_aspect_ratio_policy: 'not_smaller' }));
  await clearAgrees(t, resizes([3, 7], [3, 12], { scales: [1.75] }, [{ axes: [-1] }], 18));
  await clearAgrees(t, resizes([2, 3, 7], [2, 3, 12], { scales: [1, 1, 1.75] }, [{ mode: 'linear' }], 13));
});

test('Resize: what is refused', (t) => {
  const by = (attrs: Attributes, target: Parameters<typeof resizes>[2] = { scales: [1, 1, 2, 2] }) =>
    resizes([1, 1, 3, 3], [1, 1, 6, 6], target, [attrs], 18);
  refuses(t, by({ antialias: 1, mode: 'linear' }), 'UNSUPPORTED_ATTRIBUTE', 'resize0', 'antialias');
  refuses(t, by({ mode: 'area' }), 'UNSUPPORTED_ATTRIBUTE', 'resize0', 'area', 'nearest, linear, cubic');
  refuses(t, by({}, { scales: [1, 1, 2] }), 'INVALID_SHAPE', 'resize0', '[1, 1, 2]');
  refuses(t, by({}, {}), 'INVALID_SHAPE', 'resize0', 'sizes []');
  refuses(t, by({ axes: [3, -1] }, { scales: [1, 2] }), 'INVALID_SHAPE', 'resize0', 'an axis twice: [3, -1]');
  for (const mode of ['nearest', 'linear', 'cubic']) {
    const long = by({ mode }, { sizes: [1, 1, 3, 1e8] });
    refuses(t, long, 'UNSUPPORTED_ATTRIBUTE', 'resize0', '100000000 places', '1048576');
  }
  const large = by({ mode: 'linear' }, { sizes: [1, 1, 40_000, 40_000] });
  refuses(t, large, 'UNSUPPORTED_ATTRIBUTE', 'resize0', '1600000000 elements', '4194304');
  // Nearest rows and columns without a common step: as many runs as the product of both.
  const runs = resizes(
    [1, 1, 1009, 1009],
    [1, 1, 1787, 1787],
    { sizes: [1, 1, 1787, 1787] },
    [{ mode: 'cubic' }],
    18,
  );
  refuses(t, runs, 'UNSUPPORTED_ATTRIBUTE', 'resize0', 'runs', '65536');
  refuses(t, by({}, { scales: [1, 1, 0.1, 1] }), 'INVALID_SHAPE', 'resize0', '[1, 1, 0, 3]');
});
