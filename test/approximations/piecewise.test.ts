// Piecewise polynomials as approximations are written with them: on real numbers, in every compiled form.

import test, { type ExecutionContext } from 'ava';
import { type CompileOptions, compile, defineApproximation, runLocal, tensor } from '../../lib';
import { checkApproximation, DEFAULT_APPROXIMATION } from '../../lib/compiler/approximations';
import { optimize } from '../../lib/compiler/passes/pipeline';
import { importOnnx } from '../../lib/model/onnx/import';
import { coded } from '../helpers/errors';
import { model, node, tensor as weights } from '../helpers/onnx';

/** Pang et al., BOLT, S&P 2024: GELU of order 4, by |x|. */
const BOLT = [0.00162081, -0.03798165, 0.54105502, -0.18352506, 0.02084861];

const mirrored = (p: readonly number[]) => p.map((c, k) => (k % 2 ? -c : c));
const plus = (p: readonly number[], x: number) => p.map((c, k) => (k === 1 ? c + x : c));

const PIECES = {
  four: { at: [-2.7, 0, 2.7], pieces: [[0], plus(mirrored(BOLT), 0.5), plus(BOLT, 0.5), [0, 1]] },
  // Saturates, and jumps.
  steps: { at: [-1, 0.25], pieces: [[-2], [0.5], [3]] },
  cubic: {
    at: [1],
    pieces: [
      [0, 1],
      [1, -2, 1.5, 0.25],
    ],
  },
} as const;

for (const [name, { at, pieces }] of Object.entries(PIECES))
  defineApproximation({ name, of: 'tanh', build: (g, x) => g.piecewise(x, at, pieces) });

/** |y - p(x)|, of the closer piece where a threshold is so near that rounding may decide. */
function off(name: keyof typeof PIECES, x: number, y: number, near: number): number {
  const { at, pieces } = PIECES[name];
  const of = (v: number) =>
    pieces[at.filter((t) => v >= t).length]!.reduceRight((sum: number, c) => sum * x + c, 0);
  return Math.min(...[x, x - near, x + near].map((v) => Math.abs(y - of(v))));
}

const points = [-40, -2.7, 0, 2.7, 40, 0.25, -1, 1].flatMap((v) => [v - 2 ** -16, v, v + 2 ** -16]);
const x = [...points, ...Array.from({ length: 181 }, (_, i) => (i - 90) / 29)];

/** Of the operand as it is, and of a product. */
function spec(product: boolean) {
  const act = node('Tanh', [product ? 'z' : 'x'], ['y']);
  const one = { one: weights([1, 1], [1]) };
  return {
    opset: 20,
    inputs: { x: [x.length, 1] },
    outputs: { y: [x.length, 1] },
    nodes: product ? [node('MatMul', ['x', 'one'], ['z']), act] : [act],
    ...(product && { initializers: one }),
  };
}

async function errors(
  t: ExecutionContext,
  name: keyof typeof PIECES,
  product: boolean,
  options: CompileOptions,
): Promise<number> {
  const compiled = await compile(model(spec(product)), {
    ...options,
    approximation: { functions: { tanh: name } },
  });
  const inputs = { x: tensor(Float32Array.from(x), [x.length, 1]) };
  const run = await runLocal(compiled, inputs, { seed: 5 });
  const clear = await runLocal(compiled, inputs, { seed: 5, cleartext: true });
  t.deepEqual(run.outputs, clear.outputs);
  t.deepEqual(run.communication.counted, run.communication.predicted);
  const near = name === 'steps' ? 0 : 2 ** -8;
  return Math.max(...x.map((v, i) => off(name, v, run.outputs.y!.data[i] as number, near)));
}

test('a piecewise polynomial takes its rounding and no more, far beyond its thresholds too', async (t) => {
  for (const product of [false, true]) {
    for (const options of [
      {},
      { ranges: { x: [-64, 64] } },
      { parties: 3, exactTruncation: true },
    ] as const) {
      const error = await errors(t, 'four', product, options);
      // 9 bits of the operand, and as good coefficients (commonScales).
      t.true(error <= 5.5e-3, `${error}, ${JSON.stringify(options)}`);
    }
    // At 41 a cubic of a few bits is far off in absolute terms: where nothing is known, values have room for 1000 times that.
    const cubic = await errors(t, 'cubic', product, { ranges: { x: [-41, 41] } });
    t.true(cubic <= 20, `${cubic}`);
  }
  // A product is off by a unit, so that at a threshold either side is right.
  t.true((await errors(t, 'steps', false, {})) <= 2 ** -12);
});

test('one opening, truncation included; a threshold is one comparison', (t) => {
  const functions = { tanh: 'four' };
  const approximation = checkApproximation({ ...DEFAULT_APPROXIMATION, functions });
  const { graph, slack } = optimize(importOnnx(model(spec(true))).graph, {
    fractionalBits: 16,
    approximation,
  });
  const [, piecewise] = graph.nodes;
  t.deepEqual(
    graph.nodes.map((n) => n.op),
    ['matmul', 'piecewise', 'rescale'],
  );
  t.is(piecewise!.inputs[0]!.type.scale, 32);
  t.true((piecewise!.attrs.shift as number) > 16);
  t.is((piecewise!.attrs.thresholds as BigInt64Array).length, 3);
  // What rounding does, and the jumps of the published coefficients at their thresholds.
  const bound = slack.get('y')!;
  t.true(bound > 2e-3 && bound < 2e-2, `${bound}`);
});

test('what is no piecewise polynomial is refused', async (t) => {
  const wrong = [
    [[], [[1]]],
    [
      [1, 1],
      [[1], [2], [3]],
    ],
    [
      [1, Number.NaN],
      [[1], [2], [3]],
    ],
    [
      [1, 2],
      [[1], [2]],
    ],
    [[1], [[], [2]]],
    [[1], [[0], new Array(10).fill(1)]],
    [new Array(9).fill(0).map((_, i) => i), new Array(10).fill([1])],
  ] as [number[], number[][]][];
  for (const [i, [at, pieces]] of wrong.entries()) {
    defineApproximation({ name: `wrong${i}`, of: 'tanh', build: (g, v) => g.piecewise(v, at, pieces) });
    await t.throwsAsync(
      compile(model(spec(false)), { approximation: { functions: { tanh: `wrong${i}` } } }),
      coded('INVALID_OPTION', /1 to 8 rising thresholds/),
    );
  }
});
