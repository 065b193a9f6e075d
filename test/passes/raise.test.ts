// What exporters write out as several operators becomes one, whatever the order; what only looks like it stays as it is.

import test, { type ExecutionContext } from 'ava';
import type { Graph } from '../../lib/compiler/ir/graph';
import { inferShapes } from '../../lib/compiler/passes/infer-shapes';
import { optimize } from '../../lib/compiler/passes/pipeline';
import { raise } from '../../lib/compiler/passes/raise';
import { importOnnx } from '../../lib/model/onnx/import';
import { int64, type ModelSpec, model, node, tensor } from '../helpers/onnx';
import { agrees, clearAgrees, randoms } from '../ops/oracle';
import { type Options, written } from './lines';

const MEAN = 'm = ReduceMean x | {"axes":[-1]}; d = Sub x m';
const ROOT = 'v = ReduceMean q | {"axes":[-1]}; w = Add v eps; r = Sqrt w';

/** Operators of a model after the pass. */
function raised(spec: ModelSpec): Graph['nodes'] {
  let found: Graph | undefined;
  const onPass = (name: string, graph: Graph): void => {
    if (name === 'raise') found = graph;
  };
  optimize(importOnnx(model(spec)).graph, { fractionalBits: 16, onPass });
  return found!.nodes;
}

const ops = (spec: ModelSpec): string[] => raised(spec).map((n) => n.op);

async function becomes(
  t: ExecutionContext,
  lines: string,
  expected: string | readonly string[],
  options: Options = {},
): Promise<Graph['nodes']> {
  const spec = written(lines, options);
  const nodes = raised(spec);
  t.deepEqual(
    nodes.map((n) => n.op),
    [expected].flat(),
    lines,
  );
  await clearAgrees(t, spec);
  return nodes;
}

function stays(t: ExecutionContext, lines: string, options: Options = {}): void {
  const spec = written(lines, options);
  t.deepEqual(
    ops(spec),
    spec.nodes.map((n) => n.opType),
    lines,
  );
}

// ---- activations -------------------------------------------------------------------------------------------------------

test('GELU by erf, in the orders that occur', async (t) => {
  for (const lines of [
    // torch.onnx of nn.GELU
    'd = Div x root2; e = Erf d; a = Add e one; m = Mul x a; y = Mul m half',
    // of x * 0.5 * (1 + erf(x / sqrt(2)))
    'h = Mul x half; d = Div x root2; e = Erf d; a = Add e one; y = Mul h a',
    'd = Mul x root1_2; e = Erf d; a = Add one e; h = Mul half a; y = Mul h x',
    'd = Div x root2; e = Erf d; g = Mul e half; a = Add g half; y = Mul a x',
    'd = Div x root2; e = Erf d; m = Mul x e; s = Add m x; y = Div s two',
  ]) {
    const [gelu] = await becomes(t, lines, 'Gelu');
    t.is(gelu!.attrs.approximate, 'none');
  }
});

test('numbers may be Constant nodes', (t) => {
  const spec = written('d = Div x root2; e = Erf d; a = Add e one; m = Mul x a; y = Mul m half');
  const constants = Object.entries(spec.initializers!).map(([name, value]) => {
    return node('Constant', [], [name], { value });
  });
  t.deepEqual(ops({ ...spec, nodes: [...constants, ...spec.nodes], initializers: {} }), ['Gelu']);
});

test('a number of more dimensions than the operand keeps a group what it is', (t) => {
  const outputs = ['y'];
  stays(t, 'd = Div x root2; e = Erf d; a = Add e one4; m = Mul x a; y = Mul m half', { outputs });
  stays(t, 'n = Neg x; e = Exp n; a = Add e one4; y = Reciprocal a', { outputs });
  stays(
    t,
    `${MEAN}; q = Pow d two; v = ReduceMean q | {"axes":[-1]}; w = Add v eps4; r = Sqrt w; y = Div d r`,
  );
  // The group before it is one.
  t.deepEqual(ops(written(`${MEAN}; q = Pow d two; ${ROOT}; n = Div d r; y = Mul n weight4`)), [
    'LayerNormalization',
    'Mul',
  ]);
});

test('an output on the way, whatever uses it, keeps a group what it is', (t) => {
  const group = `${MEAN}; q = Pow d two; ${ROOT}; i = Reciprocal r; y = Mul d i`;
  for (const output of ['q', 'v', 'r', 'i']) stays(t, group, { outputs: ['y', output] });
  const shifted =
    'm = ReduceMax x | {"axes":[-1]}; d = Sub x m; e = Exp d; s = ReduceSum e axes; i = Reciprocal s; y = Mul e i';
  for (const output of ['e', 's', 'i']) stays(t, shifted, { outputs: ['y', output] });
});

test('GELU by tanh, as powers or products', async (t) => {
  for (const lines of [
    // torch.onnx of nn.GELU(approximate="tanh")
    `q = Mul x x; c = Mul x q; k = Mul cube c; a = Add x k; i = Mul tanh a; h = Tanh i; o = Add one h; m = Mul x o
     y = Mul half m`,
    `z = Mul x half; c = Pow x three; k = Mul c cube; a = Add x k; i = Mul a tanh; h = Tanh i; o = Add h one
     y = Mul z o`,
    `z = Mul x half; s = Mul x tanh; k = Mul x cube; q = Mul k x; a = Add q one; i = Mul s a; h = Tanh i; o = Add h one
     y = Mul z o`,
    // torch.onnx with dynamo
    `c = Pow x three; k = Mul cube c; a = Add x k; p = Div two pi; l = CastLike p x; s = Sqrt l; i = Mul s a; h = Tanh i
     o = Add h one; m = Mul half o; y = Mul x m`,
    // Half precision
    `c = Pow x three; k = Mul c cube; a = Add x k; i = Mul a tanh16; h = Tanh i; o = Add h one; m = Mul o x
     y = Mul m half`,
  ]) {
    const [gelu] = await becomes(t, lines, 'Gelu');
    t.is(gelu!.attrs.approximate, 'tanh');
  }
});

test('no GELU: another constant, another operand, another user, an output on the way', (t) => {
  stays(t, 'd = Div x two; e = Erf d; a = Add e one; m = Mul x a; y = Mul m half');
  stays(t, 'd = Div x root2; e = Erf d; a = Add e two; m = Mul x a; y = Mul m half');
  stays(t, 'd = Div x root2; e = Erf d; a = Add e one; m = Mul x a; y = Mul m seven');
  stays(t, 'd = Div x root2; e = Erf d; a = Add e one; n = Neg x; m = Mul n a; y = Mul m half');
  const gelu = 'd = Div x root2; e = Erf d; a = Add e one; m = Mul x a; y = Mul m half';
  stays(t, `${gelu}; z = Neg e`, { outputs: ['y', 'z'] });
  for (const output of ['e', 'a', 'm']) stays(t, gelu, { outputs: ['y', output] });
  stays(
    t,
    'q = Mul x x; c = Mul x q; k = Mul half c; a = Add x k; i = Mul tanh a; h = Tanh i; o = Add one h; m = Mul x o; y = Mul half m',
  );
});

test('SiLU, in both orders and with a factor; a gate of something else is none', async (t) => {
  for (const [lines, alpha] of [
    ['s = Sigmoid x; y = Mul x s', 1],
    ['s = Sigmoid x; y = Mul s x', 1],
    ['z = Mul x quick; s = Sigmoid z; y = Mul x s', 1.702],
    ['n = Neg x; e = Exp n; a = Add e one; y = Div x a', 1],
  ] as const) {
    const [swish] = await becomes(t, lines, 'Swish');
    t.true(Math.abs(Number(swish!.attrs.alpha) - alpha) < 1e-6);
  }
  stays(t, 'n = Neg x; s = Sigmoid n; y = Mul x s');
  stays(t, 's = Sigmoid x; z = Tanh x; y = Mul z s');
  stays(t, 's = Sigmoid x; y = Mul x s', { outputs: ['y', 's'] });
  await becomes(t, 's = Sigmoid x; m = Mul x s; y = Mul m two', ['Swish', 'Mul']);
  // A gate that grows the operand.
  stays(t, 'r = ReduceMax x | {"axes":[2]}; s = Sigmoid x; y = Mul r s');
});

test('Softplus, Mish, Sigmoid, Softsign and logarithms of them', async (t) => {
  await becomes(t, 'e = Exp x; a = Add e one; y = Log a', 'Softplus');
  // torch.onnx with dynamo
  await becomes(t, 'b = Mul x one; s = Softplus b; d = Div s one; g = Greater b twenty; y = Where g x d', [
    'Mul',
    'Softplus',
    'Div',
  ]);
  await becomes(t, 'b = Mul x two; s = Softplus b; d = Div s two; g = Greater b twenty; y = Where g x d', [
    'Mul',
    'Softplus',
    'Div',
  ]);
  stays(t, 'b = Mul x two; s = Softplus b; d = Div s two; g = Greater b six; y = Where g x d');
  stays(t, 'b = Mul x two; s = Softplus b; d = Div s two; g = Greater x twenty; y = Where g x d');
  await becomes(t, 's = Softplus x; h = Tanh s; y = Mul x h', 'Mish');
  await becomes(t, 'e = Exp x; a = Add one e; s = Log a; h = Tanh s; y = Mul h x', 'Mish');
  await becomes(t, 'n = Neg x; e = Exp n; a = Add e one; y = Div one a', 'Sigmoid');
  await becomes(t, 'n = Neg x; e = Exp n; a = Add e one; y = Reciprocal a', 'Sigmoid');
  await becomes(t, 'e = Exp x; a = Add e one; y = Reciprocal a', ['Neg', 'Sigmoid']);
  await becomes(t, 's = Sigmoid x; y = Log s', ['Neg', 'Softplus', 'Neg']);
  await becomes(t, 'b = Abs x; a = Add one b; y = Div x a', 'Softsign');
  stays(t, 'b = Abs x; a = Add b two; y = Div x a');
  stays(t, 'e = Exp x; a = Add e two; y = Log a');
  stays(t, 'e = Exp x; a = Add e one; y = Log a', { outputs: ['y', 'e'] });
  stays(t, 'n = Neg x; s = Softplus n; h = Tanh s; y = Mul x h');
  stays(t, 's = Sigmoid x; y = Log s', { outputs: ['y', 's'] });
});

test('HardSwish and HardSigmoid', async (t) => {
  await becomes(t, 'h = HardSigmoid x | {"alpha":0.16666667}; y = Mul x h', 'HardSwish');
  await becomes(t, 'a = Add x three; c = Clip a zero six; d = Div c six; y = Mul d x', 'HardSwish');
  await becomes(t, 'a = Add x three; c = Clip a zero six; m = Mul x c; y = Mul m sixth', 'HardSwish');
  await becomes(t, 'a = Add x three; c = Clip a zero six; y = Div c six', 'HardSigmoid');
  stays(t, 'h = HardSigmoid x; y = Mul x h');
  await becomes(t, 'a = Add x two; c = Clip a zero six; d = Div c six; y = Mul d x', ['HardSigmoid', 'Mul']);
  stays(t, 'a = Add x three; c = Clip a zero six; y = Div c two');
  stays(t, 'a = Add x three; c = Clip a one six; y = Div c six');
});

// ---- normalisations ----------------------------------------------------------------------------------------------------

test('LayerNormalization, with and without scale and bias', async (t) => {
  for (const [lines, inputs] of [
    // torch.onnx up to operator set 16
    [`${MEAN}; q = Pow d two; ${ROOT}; n = Div d r; k = Mul n weight; y = Add k bias`, 3],
    [`${MEAN}; q = Mul d d; ${ROOT}; n = Div d r; k = Mul weight n; y = Add bias k`, 3],
    [`${MEAN}; q = Pow d two; ${ROOT}; n = Div d r; y = Mul n weight`, 2],
    [`${MEAN}; q = Pow d two; ${ROOT}; y = Div d r`, 1],
    [`${MEAN}; q = Pow d two; ${ROOT}; i = Reciprocal r; n = Mul d i; y = Mul n weight`, 2],
    [`${MEAN}; q = Pow d two; ${ROOT}; i = Div one r; n = Mul i d; y = Mul n weight`, 2],
    [
      `${MEAN}; q = Mul d d; v = ReduceMean q | {"axes":[-1]}; w = Add eps v; i = Pow w minus; y = Mul d i`,
      1,
    ],
    // The mean and the difference are written twice.
    [`${MEAN}; o = ReduceMean x | {"axes":[-1]}; e = Sub x o; q = Mul e e; ${ROOT}; y = Div d r`, 1],
    // x f + (bias - mean f), as TensorFlow has it
    [
      `${MEAN}; q = Mul d d; ${ROOT}; i = Reciprocal r; f = Mul i weight; a = Mul x f; b = Mul m f; c = Sub bias b
       y = Add a c`,
      3,
    ],
  ] as const) {
    const [norm] = await becomes(t, lines, 'LayerNormalization');
    t.is(norm!.inputs.length, inputs);
    t.is(norm!.attrs.axis, 2);
    t.true(Math.abs(Number(norm!.attrs.epsilon) - 1e-3) < 1e-9);
  }
});

test('LayerNormalization over two axes, with axes as an input', async (t) => {
  const two =
    'm = ReduceMean x | {"axes":[1,2]}; d = Sub x m; q = Pow d two; v = ReduceMean q | {"axes":[1,2]}; w = Add v eps; r = Sqrt w; y = Div d r';
  const [norm] = await becomes(t, two, 'LayerNormalization');
  t.is(norm!.attrs.axis, 1);
  const late =
    'm = ReduceMean x axes; d = Sub x m; q = Pow d two; v = ReduceMean q axes; w = Add v eps; r = Sqrt w; y = Div d r';
  await becomes(t, late, 'LayerNormalization', { opset: 18 });
});

test('no LayerNormalization: other axes, another power, a parameter for something else', async (t) => {
  const over = (a: number, b: number) =>
    `m = ReduceMean x | {"axes":[${a}]}; d = Sub x m; q = Pow d two; v = ReduceMean q | {"axes":[${b}]}; w = Add v eps; r = Sqrt w; y = Div d r`;
  stays(t, over(1, 1));
  // Centred along another axis: the mean of squares of d is what is left.
  await becomes(t, over(1, 2), ['ReduceMean', 'Sub', 'RMSNormalization']);
  stays(t, `${MEAN}; q = Pow d three; ${ROOT}; y = Div d r`);
  stays(t, `${MEAN}; q = Pow d two; ${ROOT}; y = Div x r`);
  stays(t, `${MEAN}; q = Pow d two; ${ROOT}; y = Div d r`, { outputs: ['y', 'v'] });
  await becomes(t, `${MEAN}; q = Pow d two; ${ROOT}; n = Div d r; y = Mul n wide`, [
    'LayerNormalization',
    'Mul',
  ]);
  await becomes(t, `${MEAN}; q = Pow d two; ${ROOT}; n = Div d r; y = Add n x`, [
    'LayerNormalization',
    'Add',
  ]);
  await becomes(
    t,
    `${MEAN}; q = Pow d two; ${ROOT}; n = Div d r; y = Mul n weight`,
    ['LayerNormalization', 'Mul'],
    {
      outputs: ['n', 'y'],
    },
  );
});

test('RMSNormalization', async (t) => {
  for (const [lines, inputs] of [
    // torch.onnx of w * (x * rsqrt(mean(x^2) + eps))
    [`q = Pow x two; ${ROOT}; i = Div one r; n = Mul x i; y = Mul weight n`, 2],
    [`q = Mul x x; ${ROOT}; y = Div x r`, 1],
    [
      `q = Pow x two; v = ReduceMean q | {"axes":[-1]}; w = Add v eps; r = Pow w half; n = Div x r; y = Mul n weight`,
      2,
    ],
  ] as const) {
    const [norm] = await becomes(t, lines, 'RMSNormalization');
    t.is(norm!.inputs.length, inputs);
  }
  stays(t, `q = Pow x two; ${ROOT}; i = Div two r; y = Mul x i`);
  stays(
    t,
    `q = Pow x two; v = ReduceMean q | {"axes":[-1],"keepdims":1}; w = Mul v two; r = Sqrt w; y = Div x r`,
  );
  stays(t, `q = Pow x two; ${ROOT}; y = Div x r`, { outputs: ['y', 'r'] });
});

test('Softmax and LogSoftmax', async (t) => {
  const shifted = 'm = ReduceMax x | {"axes":[-1]}; d = Sub x m; e = Exp d';
  for (const lines of [
    `${shifted}; s = ReduceSum e axes; y = Div e s`,
    `${shifted}; s = ReduceSum e axes; i = Reciprocal s; y = Mul e i`,
    'e = Exp x; s = ReduceSum e axes; y = Div e s',
  ])
    await becomes(t, lines, 'Softmax');
  await becomes(t, `${shifted}; s = ReduceSum e axes; l = Log s; y = Sub d l`, 'LogSoftmax');
  await becomes(t, 's = Softmax x; y = Log s', 'LogSoftmax');
  await becomes(t, `${shifted}; s = ReduceSum e axes; z = Div e s; y = Log z`, 'LogSoftmax');
  await becomes(t, 'e = Exp x; s = ReduceSum e axes; y = Log s', 'ReduceLogSumExp');
  // Axes other than the last one are meant otherwise before operator set 13.
  const early = 'e = Exp x; s = ReduceSum e | {"axes":[1]}; y = Div e s';
  stays(t, early, { opset: 11 });
  await becomes(t, early.replace('[1]', '[2]'), 'Softmax', { opset: 11 });
  stays(t, `${shifted}; s = ReduceSum e axes; y = Div e s`, { outputs: ['y', 'e'] });
  stays(t, `${shifted}; s = ReduceSum e axes; y = Div d s`);
  stays(t, 'e = Exp x; s = ReduceSum e axes; y = Div s e');
  stays(t, 's = Softmax x; y = Log s', { outputs: ['y', 's'] });
});

// ---- whole models ------------------------------------------------------------------------------------------------------

test('a group as torch.onnx writes GroupNorm, then a GELU, privately', async (t) => {
  const lines = `g = Reshape x groups; n = InstanceNormalization g ones zeros; s = Shape x; b = Reshape n s; k = Mul b scale
    z = Add k shift; d = Div z root2; e = Erf d; a = Add e one; m = Mul z a; y = Mul m half`;
  const spec = written(lines, { shape: [2, 6, 4] });
  const initializers = {
    ...spec.initializers,
    groups: int64([0, 2, -1]),
    ones: tensor([2], [1, 1]),
    zeros: tensor([2], [0, 0]),
    scale: tensor([6, 1], randoms(6, 41)),
    shift: tensor([6, 1], randoms(6, 42)),
  };
  const { optimized } = await agrees(t, { ...spec, initializers });
  // The root of the variances, and the GELU.
  t.is(optimized.graph.nodes.filter((n) => n.op === 'spline' || n.op === 'fourier').length, 2);
});

test('several groups in a row keep the names of outputs, and run privately', async (t) => {
  const gelu = (from: string, to: string) =>
    `${to}d = Div ${from} root2; ${to}e = Erf ${to}d; ${to}a = Add ${to}e one; ${to}m = Mul ${from} ${to}a; ${to} = Mul ${to}m half`;
  const spec = written(`${gelu('x', 'y')}; s = Sigmoid y; z = Mul y s`, { outputs: ['y', 'z'] });
  const nodes = raised(spec);
  t.deepEqual(
    nodes.map((n) => [n.op, n.outputs[0]!.name]),
    [
      ['Gelu', 'y'],
      ['Swish', 'z'],
    ],
  );
  await agrees(t, spec);
});

test('a long chain ends, and stays what it is', (t) => {
  const count = 20_000;
  const lines = Array.from({ length: count }, (_, i) => {
    return `${i === count - 1 ? 'y' : `v${i + 1}`} = Add ${i === 0 ? 'x' : `v${i}`} half`;
  });
  const graph = inferShapes(importOnnx(model(written(lines.join('\n')))).graph);
  t.is(raise(graph).nodes.length, count);
});
