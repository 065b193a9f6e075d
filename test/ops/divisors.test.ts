// Reciprocals of either sign: where nothing is known of a divisor, where it is known to be negative, and where it is known
// to be positive, which takes no comparison.

import test from 'ava';
import { compile, runLocal, tensor } from '../../lib';
import { model, node, tensor as tensorProto } from '../helpers/onnx';

const reciprocal = model({
  inputs: { x: [64] },
  outputs: { y: [64] },
  nodes: [node('Reciprocal', ['x'], ['y'], {}, 'r')],
});

const magnitudes = Array.from({ length: 32 }, (_, i) => 2 ** (-8 + (i * 20) / 31));
const positive = [...magnitudes, ...magnitudes];
const negative = positive.map((v) => -v);
const mixed = positive.map((v, i) => (i % 3 === 0 ? v : -v));

for (const [name, x, ranges] of [
  ['of either sign', mixed, undefined],
  ['that is known to be of either sign', mixed, [-5000, 4500]],
  ['that is known to be negative', negative, [-5000, -(2 ** -9)]],
  ['that is known to be positive', positive, [2 ** -9, 5000]],
  ['that is known not to be negative', positive, [0, 5000]],
] as const) {
  test(`Reciprocal of an operand ${name}`, async (t) => {
    const compiled = await compile(reciprocal, { parties: 2, ...(ranges && { ranges: { x: ranges } }) });
    const inputs = { x: tensor(x, [64]) };
    const { outputs } = await runLocal(compiled, inputs, { seed: 3 });
    const clear = await runLocal(compiled, inputs, { seed: 3, cleartext: true });
    t.deepEqual(outputs.y!.data, clear.outputs.y!.data);
    for (const [i, v] of x.entries()) {
      const exact = 1 / (Math.round(v * 2 ** 16) * 2 ** -16);
      const off = Math.abs(Number(outputs.y!.data[i]) - exact);
      t.true(off <= 2 ** -8 * Math.abs(exact) + 2 ** -15, `1 / ${v} is ${outputs.y!.data[i]}`);
    }
  });
}

test('a comparison is made only where the sign is not known', async (t) => {
  const rounds = async (ranges?: readonly [number, number]) =>
    (await compile(reciprocal, ranges ? { ranges: { x: ranges } } : {})).predicted.online.rounds;
  const [known, unknown] = [await rounds([1, 1000]), await rounds()];
  t.true(known < unknown, `${known} and ${unknown}`);
  t.is(await rounds([-1000, -1]), known);
});

test('Pow with an even negative exponent takes bases of either sign', async (t) => {
  const square = model({
    inputs: { x: [64] },
    outputs: { y: [64] },
    initializers: { e: tensorProto([], [-2]) },
    nodes: [node('Pow', ['x', 'e'], ['y'])],
  });
  const compiled = await compile(square);
  const bases = Array.from({ length: 64 }, (_, i) => (i % 2 === 0 ? 1 : -1) * 2 ** (-4 + i / 8));
  const { outputs } = await runLocal(compiled, { x: tensor(bases, [64]) }, { seed: 4 });
  for (const [i, v] of bases.entries()) {
    const off = Math.abs(Number(outputs.y!.data[i]) - v ** -2);
    t.true(off <= 2 ** -7 * v ** -2 + 2 ** -15, `${v}^-2 is ${outputs.y!.data[i]}`);
  }
});
