// A coarse table and one Newton step: over the whole domain about as exact as a fine table, beside the unit of an output.

import test from 'ava';
import { compile, runLocal, tensor } from '../../lib';
import { toFloat64 } from '../../lib/tensor';
import { evaluated } from '../helpers/approximations';
import { model, one } from '../helpers/onnx';

// Operands with 16 fractional bits.
const operands = Array.from({ length: 2000 }, (_, i) => Math.round(2 ** (6 + (24 * i) / 1999)) / 2 ** 16);

for (const [name, exponent, error] of [
  ['reciprocal', -1, 2 ** -8],
  ['rsqrt', -0.5, 2 ** -8],
] as const) {
  test(`${name} by a table and a step`, (t) => {
    const found = evaluated('power', [exponent, 1, 0], 'newton', operands);
    for (const [i, x] of operands.entries()) {
      const exact = x ** exponent;
      t.true(
        Math.abs(found[i]! - exact) <= error * exact + 2 ** -16,
        `${x}: ${found[i]} instead of ${exact}`,
      );
    }
  });
}

test('reciprocals of either sign, where a divisor may have both', async (t) => {
  const x = Float64Array.from(operands, (v, i) => (i % 2 === 0 ? v : -v)).filter(
    (v) => Math.abs(v) < 2 ** 12,
  );
  const spec = one('Reciprocal', [x.length], [x.length]);
  const approximation = { functions: { reciprocal: 'newton' } };
  for (const ranges of [{}, { x: [-4096, 4096] }] as const) {
    const compiled = await compile(model(spec), { approximation, ranges });
    const { outputs } = await runLocal(compiled, { x: tensor(x, [x.length]) }, { cleartext: true, seed: 1 });
    const y = toFloat64(outputs.y!);
    for (const [i, v] of x.entries()) {
      const off = Math.abs(y[i]! - 1 / v);
      t.true(off <= Math.abs(2 ** -8 / v) + 2 ** -16, `${v}: ${y[i]} instead of ${1 / v}`);
    }
  }
  for (const [lo, hi] of [
    [-(2 ** 15), 1],
    [1, 2 ** 15],
  ] as const) {
    const beyond = compile(model(spec), { approximation, ranges: { x: [lo, hi] } });
    await t.throwsAsync(beyond, { message: /meant for \[-16384, 16384\]/ });
  }
});
