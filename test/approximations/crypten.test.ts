// CrypTen's own approximations give what CrypTen gives: its formulas in our fixed point, against its outputs.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { compile, runLocal, tensor } from '../../lib';
import type { Selection } from '../../lib/compiler/approximations';
import { evaluated } from '../helpers/approximations';
import { model, node } from '../helpers/onnx';

interface Golden {
  readonly shape: readonly number[];
  readonly x: readonly number[];
  readonly crypten: readonly number[];
}

const golden = JSON.parse(readFileSync(join(__dirname, 'crypten.json'), 'utf8')) as Record<string, Golden>;

const close = (found: number, theirs: number): boolean =>
  Math.abs(found - theirs) <= 2e-3 + 0.01 * Math.abs(theirs);

const scalars: readonly (readonly [string, string, readonly number[], Selection])[] = [
  ['exp', 'exp', [], 'crypten'],
  ['exp', 'exp', [], { name: 'cryptorch', bits: 8, clamp: false }],
  ['log', 'log', [], 'crypten'],
  ['reciprocal', 'power', [-1, 1, 0], 'crypten'],
  ['inv_sqrt', 'power', [-0.5, 1, 0], 'crypten'],
  ['sqrt', 'power', [0.5, 1, 0], 'crypten'],
  ['sigmoid', 'sigmoid', [], 'crypten'],
  ['tanh', 'tanh', [], 'crypten'],
  ['tanh_chebyshev', 'tanh', [], 'crypten chebyshev'],
  ['sin', 'sin', [], 'crypten'],
];

for (const [name, fn, params, selection] of scalars) {
  test(`${name} by ${JSON.stringify(selection)}: what CrypTen computes`, (t) => {
    const { x, crypten } = golden[name]!;
    const found = evaluated(fn, params, selection, x);
    for (const [i, theirs] of crypten.entries())
      t.true(close(found[i]!, theirs), `f(${x[i]}) is ${found[i]}, CrypTen has ${theirs}`);
  });
}

for (const [name, op] of [
  ['softmax', 'Softmax'],
  ['log_softmax', 'LogSoftmax'],
] as const) {
  test(`${op} by CrypTen's exponential, reciprocal and logarithm: what CrypTen computes, on shares`, async (t) => {
    const { x, shape, crypten } = golden[name]!;
    const bytes = model({
      inputs: { x: shape },
      outputs: { y: shape },
      nodes: [node(op, ['x'], ['y'], { axis: -1 })],
    });
    const functions = { decay: 'crypten', reciprocal: 'crypten', log: 'crypten' };
    const compiled = await compile(bytes, { approximation: { functions } });
    const { outputs } = await runLocal(compiled, { x: tensor(x, shape) }, { seed: 1 });
    for (const [i, theirs] of crypten.entries())
      t.true(close(Number(outputs.y!.data[i]), theirs), `${outputs.y!.data[i]} instead of ${theirs}`);
  });
}

// CrypTen has x / 2^10 with 16 bits, rounded up or down as its shares happen to be: an angle in steps of 2^-6.
test('cos by "crypten": what CrypTen computes, but for the rounding of its angle', (t) => {
  const { x, crypten } = golden.cos!;
  const found = evaluated('cos', [], 'crypten', x);
  /** The real part of (1 + i angle / 2^10)^(2^10). */
  const limit = (angle: number) =>
    (1 + (angle / 2 ** 10) ** 2) ** 512 * Math.cos(2 ** 10 * Math.atan(angle / 2 ** 10));
  for (const [i, v] of x.entries()) {
    t.true(Math.abs(found[i]! - limit(v)) < 1e-3, `cos(${v}) is ${found[i]}`);
    const angles = [Math.floor(v * 2 ** 6), Math.ceil(v * 2 ** 6)].map((steps) => steps * 2 ** -6);
    t.true(
      angles.some((a) => close(limit(a), crypten[i]!)),
      `CrypTen has cos(${v}) = ${crypten[i]}`,
    );
  }
});

test("erf by CrypTen's series: the Taylor polynomial", (t) => {
  const x = Array.from({ length: 41 }, (_, i) => (i - 20) / 10);
  const found = evaluated('erf', [], 'crypten', x);
  for (const [i, v] of x.entries()) {
    let [term, sum] = [v, v];
    for (let n = 1; n <= 8; n++) {
      term *= -(v * v) / n;
      sum += term / (2 * n + 1);
    }
    t.true(Math.abs(found[i]! - (2 / Math.sqrt(Math.PI)) * sum) < 1e-3, `erf(${v}) is ${found[i]}`);
  }
});
