// Approximations by their names: registered from outside, selected for a function or for one node, with knobs.

import test, { type ExecutionContext } from 'ava';
import { type CompileOptions, compile, defineApproximation, runLocal, tensor } from '../../lib';
import type { FunctionBuilder } from '../../lib/compiler/approximations';
import { GraphBuilder, type Value } from '../../lib/compiler/ir/graph';
import { coded } from '../helpers/errors';
import { model, node, one } from '../helpers/onnx';

defineApproximation({
  name: 'hard',
  of: 'sigmoid',
  knobs: { slope: [0.25, 0.2] },
  domain: { lo: -8, hi: 8 },
  reference: (x) => Math.min(Math.max(0.25 * x + 0.5, 0), 1),
  build: (g, x, { slope }) => g.clip(g.add(g.mul(x, slope), 0.5), 0, 1),
});

const twoSigmoids = model({
  inputs: { x: [101] },
  outputs: { y: [101], z: [101] },
  nodes: [node('Sigmoid', ['x'], ['y'], {}, 'first'), node('Sigmoid', ['y'], ['z'], {}, 'second')],
});
const x = Array.from({ length: 101 }, (_, i) => (i - 50) / 8);

async function run(t: ExecutionContext, options: CompileOptions): Promise<Record<'y' | 'z', number[]>> {
  const compiled = await compile(twoSigmoids, options);
  const inputs = { x: tensor(Float32Array.from(x), [101]) };
  const [secret, clear] = [
    await runLocal(compiled, inputs, { seed: 5 }),
    await runLocal(compiled, inputs, { seed: 5, cleartext: true }),
  ];
  const values = (name: string) => Array.from(secret.outputs[name]!.data, Number);
  for (const name of ['y', 'z']) t.deepEqual(values(name), Array.from(clear.outputs[name]!.data, Number));
  return { y: values('y'), z: values('z') };
}

function near(
  t: ExecutionContext,
  found: number[],
  exact: (v: number) => number,
  at: number[],
  error: number,
): void {
  for (const [i, v] of at.entries()) t.true(Math.abs(found[i]! - exact(v)) <= error, `f(${v}) = ${found[i]}`);
}

const hard = (slope: number) => (v: number) => Math.min(Math.max(slope * v + 0.5, 0), 1);
const sigmoid = (v: number) => 1 / (1 + Math.exp(-v));

test('one from outside serves all nodes of its function, with the knobs that are given', async (t) => {
  const options = { approximation: { functions: { sigmoid: { name: 'hard', slope: 0.2 } } } };
  const { y, z } = await run(t, options);
  near(t, y, hard(0.2), x, 2 ** -14);
  near(t, z, hard(0.2), y, 2 ** -14);
});

test('one node takes it, the other one what is fitted', async (t) => {
  const { y, z } = await run(t, { approximation: { functions: { 'second/sigmoid': 'hard' } } });
  near(t, y, sigmoid, x, 2 ** -8);
  near(t, z, hard(0.25), y, 2 ** -14);
});

test('a fitted one can be asked for', async (t) => {
  const functions = { 'first/sigmoid': 'hard', sigmoid: { name: 'polynomial', degree: 3 } };
  const { y, z } = await run(t, { approximation: { functions } });
  near(t, y, hard(0.25), x, 2 ** -14);
  near(t, z, sigmoid, y, 2 ** -8);
});

test('operands that are known to lie beyond what it is meant for are refused', async (t) => {
  const options = { ranges: { x: [-20, 20] }, approximation: { functions: { sigmoid: 'hard' } } } as const;
  const error = await t.throwsAsync(compile(twoSigmoids, options));
  t.regex(error!.message, /"first".*\[-20, 20\] \(proven\).*hard.*meant for \[-8, 8\]/);
});

test('what does not exist is refused, with what does', async (t) => {
  const refused = async (
    functions: Record<string, string | { name: string; slope: number }>,
    message: RegExp,
  ) =>
    t.throwsAsync(compile(twoSigmoids, { approximation: { functions } }), coded('INVALID_OPTION', message));
  await refused({ sigmoid: 'soft' }, /"soft" of sigmoid; there are: .*hard/);
  await refused({ sigmoid: { name: 'hard', slope: 3 } }, /slope of hard is 3; give one of 0\.25, 0\.2/);
  await refused({ sigmoid: { name: 'polynomial', slope: 0.2 } }, /no knob slope.*degree/);
  await refused({ sinusoid: 'hard' }, /"sinusoid".*sigmoid/);
  await refused({ 'third/sigmoid': 'hard' }, /third\/sigmoid.*first\/sigmoid, second\/sigmoid/);
});

test('a domain that is none is refused where it is used', async (t) => {
  defineApproximation({ name: 'turned', of: 'sigmoid', domain: { lo: 2, hi: -2 }, build: (_, v) => v });
  await t.throwsAsync(
    compile(twoSigmoids, { approximation: { functions: { sigmoid: 'turned' } } }),
    coded('INVALID_OPTION', /turned of sigmoid has the domain \[2, -2\]/),
  );
});

test('names are taken once, and knobs have values', (t) => {
  const build = () => t.fail() as never;
  t.throws(
    () => defineApproximation({ name: 'hard', of: 'sigmoid', build }),
    coded('INVALID_OPTION', /hard/),
  );
  t.throws(
    () => defineApproximation({ name: 'spline', of: 'sigmoid', build }),
    coded('INVALID_OPTION', /spline/),
  );
  t.throws(
    () => defineApproximation({ name: 'other', of: 'sigmod', build }),
    coded('INVALID_OPTION', /"sigmod".*sigmoid/),
  );
  t.throws(
    () => defineApproximation({ name: 'other', of: 'sigmoid', knobs: { order: [] }, build }),
    coded('INVALID_OPTION', /order/),
  );
});

test('what cannot be built is refused, and the function is named', async (t) => {
  const spec = one('Gelu', [3], [3], {}, {}, 20);
  const other = new GraphBuilder('other').input('x', { shape: [3], dtype: 'fixed', owner: 'secret' });
  const interval = { lo: -1, hi: 1 };
  const wrong: Readonly<Record<string, [build: (g: FunctionBuilder, v: Value) => unknown, why: RegExp]>> = {
    nothing: [() => undefined, /no value of this graph/],
    number: [() => 3, /no value of this graph/],
    foreign: [() => other, /no value of this graph/],
    boolean: [(g, v) => g.atLeast(v, 0), /gives bool/],
    unknown: [(g, v) => g.approximate(v, 'gelou'), /gelou/],
    long: [(g, v) => g.polynomial(v, new Float64Array(12).fill(1), interval), /degree 11/],
    constant: [(g, v) => g.polynomial(v, [1], interval), /degree 0/],
    backwards: [(g, v) => g.polynomial(v, [1, 1], { lo: 1, hi: -1 }), /\[1, -1\]/],
    bounds: [(g, v) => g.clip(v, 2, 1), /\[2, 1\]/],
    bound: [(g, v) => g.clip(v, Number.NaN, 1), /NaN/],
    series: [
      (g, v) => g.fourier(v, { period: 0, constant: 0, sine: [1], cosine: [0] }, interval, 1),
      /period/,
    ],
    table: [(g, v) => g.lookup(v, [1, 2, 3], interval), /3 entries/],
    squares: [(g, v) => g.squareRepeatedly(v, -1), /squarings/],
  };
  for (const [name, [build, why]] of Object.entries(wrong)) {
    defineApproximation({ name, of: 'gelu', build: build as (g: FunctionBuilder, v: Value) => Value });
    const refused = compile(model(spec), { approximation: { functions: { gelu: name } } });
    const error = await t.throwsAsync(refused, coded('INVALID_OPTION', why), name);
    t.regex(error!.message, /gelu/, name);
  }
});

test('what serves gelu serves the formula with tanh too', async (t) => {
  defineApproximation({ name: 'ramp', of: 'gelu', build: (g, v) => g.clip(v, 0, null) });
  const spec = one('Gelu', [101], [101], { approximate: 'tanh' }, {}, 20);
  const compiled = await compile(model(spec), { approximation: { functions: { gelu: 'ramp' } } });
  const { outputs } = await runLocal(
    compiled,
    { x: tensor(Float32Array.from(x), [101]) },
    { cleartext: true },
  );
  t.deepEqual(
    Array.from(outputs.y!.data, Number),
    x.map((v) => Math.max(v, 0)),
  );
});
