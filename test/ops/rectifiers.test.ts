import test from 'ava';
import { compile, runLocal, tensor as tensorOf } from '../../lib';
import { evaluate } from '../../lib/compiler/ops/evaluate';
import { inferShapes } from '../../lib/compiler/passes/infer-shapes';
import { importOnnx } from '../../lib/model/onnx/import';
import { toFloat64 } from '../../lib/tensor';
import { type Attributes, float, type ModelSpec, model, one } from '../helpers/onnx';
import { agrees, clearAgrees, coreOps, refuses } from './oracle';

const APPROXIMATED: ReadonlySet<string> = new Set(['fourier', 'spline', 'polynomial']);

interface Case {
  readonly op: string;
  readonly opset: number;
  readonly attrs?: Readonly<Record<string, number | string>>;
  /** Run privately too. */
  readonly secret?: boolean;
}

const CASES: readonly Case[] = [
  { op: 'Erf', opset: 13, secret: true },
  { op: 'Softplus', opset: 11 },
  { op: 'Softplus', opset: 22, secret: true },
  { op: 'Gelu', opset: 20, secret: true },
  { op: 'Gelu', opset: 23, attrs: { approximate: 'tanh' }, secret: true },
  { op: 'Elu', opset: 11, secret: true },
  // A polynomial, whose result has more bits than there is room for beside a tail.
  { op: 'Elu', opset: 22, attrs: { alpha: 0.3 }, secret: true },
  { op: 'Elu', opset: 22, attrs: { alpha: 2 } },
  { op: 'Elu', opset: 22, attrs: { alpha: -1 } },
  { op: 'Selu', opset: 11, secret: true },
  { op: 'Selu', opset: 22, attrs: { alpha: 2, gamma: 0.5 } },
  { op: 'Celu', opset: 12 },
  { op: 'Celu', opset: 23, attrs: { alpha: 0.7 }, secret: true },
  { op: 'Celu', opset: 12, attrs: { alpha: 3 } },
  { op: 'Mish', opset: 18 },
  { op: 'Mish', opset: 22, secret: true },
];

function specOf({ op, opset, attrs = {} }: Case, shape: readonly number[]): ModelSpec {
  const written = Object.entries(attrs).map(([name, v]) => [name, typeof v === 'number' ? float(v) : v]);
  return one(op, shape, shape, Object.fromEntries(written) as Attributes, {}, opset);
}

/** What parties compute in the clear for operands from -20 to 20, and what the operator is there. */
async function evaluated(spec: ModelSpec): Promise<{ y: Float64Array; exact: Float64Array }> {
  const bytes = model(spec);
  const x = Array.from({ length: 2001 }, (_, i) => (i - 1000) / 64);
  const compiled = await compile(bytes);
  const inputs = { x: tensorOf(Float32Array.from(x), [x.length]) };
  const { outputs } = await runLocal(compiled, inputs, { seed: 7, cleartext: true });
  const [exact] = evaluate(inferShapes(importOnnx(bytes).graph), [x]);
  return { y: toFloat64(outputs.y!), exact: exact!.data };
}

for (const c of CASES) {
  const name = `${c.op} ${JSON.stringify(c.attrs ?? {})} of opset ${c.opset}`;

  test(`${name}: onnxruntime agrees around 0 and far away`, async (t) => {
    const spec = specOf(c, [3, 5, 7]);
    const r = await (c.secret ? agrees : clearAgrees)(t, spec, 3, { magnitude: 6 });
    t.is(coreOps(r).filter((op) => APPROXIMATED.has(op)).length, 1);
    await clearAgrees(t, spec, 3, { magnitude: 1000 });
  });

  test(`${name}: rounding included, results are within the tolerance`, async (t) => {
    const { y, exact } = await evaluated(specOf(c, [2001]));
    const worst = exact.reduce((m, v, i) => Math.max(m, Math.abs(y[i]! - v)), 0);
    // Selu is more than one times the function; results are rounded to 16 bits.
    t.true(worst <= 1.06 * 2 ** -8 + 2 ** -16, `${worst}`);
  });
}

test('a scalar, and a tensor of one element', async (t) => {
  await agrees(t, one('Gelu', [], [], {}, {}, 20), 30, { magnitude: 6 });
  for (const op of ['Erf', 'Softplus', 'Elu', 'Selu', 'Celu', 'Mish'])
    await clearAgrees(t, one(op, [1, 1], [1, 1], {}, {}, 22), 30, { magnitude: 6 });
});

test('what is known to stay in the domain is not clipped, and on a narrow one it is a polynomial', async (t) => {
  for (const op of ['Erf', 'Softplus', 'Gelu', 'Mish']) {
    for (const [magnitude, approximation] of [
      [0.75, 'polynomial'],
      [3.5, 'fourier'],
    ] as const) {
      const ranges = { x: [-magnitude, magnitude] as const };
      const r = await clearAgrees(t, one(op, [40], [40], {}, {}, 20), 3, { magnitude, ranges });
      t.false(coreOps(r).includes('clip'), op);
      t.true(coreOps(r).includes(approximation), `${op}: ${coreOps(r)}`);
    }
  }
});

test('rectifiers: what is refused', (t) => {
  refuses(t, one('Gelu', [2], [2], { approximate: 'sigmoid' }, {}, 20), 'INVALID_MODEL', 'it', 'sigmoid');
  refuses(t, one('Celu', [2], [2], { alpha: float(0) }, {}, 12), 'UNSUPPORTED_ATTRIBUTE', 'it', 'alpha = 0');
  refuses(t, one('Swish', [2], [2], {}, {}, 23), 'UNSUPPORTED_OPSET', 'it', 'opset 24');
  refuses(t, one('Mish', [2], [2], {}, {}, 17), 'UNSUPPORTED_OPSET', 'it', 'opset 18');
});
