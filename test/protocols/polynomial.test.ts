import test from 'ava';
import type { Attributes, Graph } from '../../lib/compiler/ir/graph';
import { profile } from '../../lib/cost/communication';
import {
  check,
  graphOf,
  oneNode,
  onlineBits,
  onlineRounds,
  programOf,
  Random,
  type,
} from '../helpers/protocols';

const edges = [0n, 1n, -1n, 255n, 256n, -255n, -256n, -257n];

function attrs(coefficients: readonly bigint[], shift: number): Attributes {
  const data = BigInt64Array.from(coefficients, (c) => BigInt.asIntN(64, c));
  return { coefficients: data, scale: 0, shift, lo: -1, hi: 1 };
}

function evaluate(coefficients: readonly bigint[], x: bigint, bits = 64): bigint {
  return BigInt.asIntN(
    bits,
    coefficients.reduceRight((sum, c) => sum * x + c, 0n),
  );
}

function whole(coefficients: readonly bigint[], shift: number, elements: number): Graph {
  const operand = { name: 'x', shape: [elements], owner: 'secret' as const };
  return oneNode('polynomial', [operand], [elements], attrs(coefficients, shift));
}

/** The polynomial of 2 x, shared in `opened` bits, in a ring of `to` bits. */
function narrow(
  coefficients: readonly bigint[],
  shift: number,
  elements: number,
  opened: number,
  to: number,
): Graph {
  return graphOf([{ name: 'x', shape: [elements], owner: 'secret' }], (b, [x]) => {
    const at = (name: string) => ({ name, origin: name });
    const [v] = b.node(at('add'), 'add', [x!, x!], [{ ...type([elements]), ring: opened }]);
    const out = { ...type([elements]), ring: to };
    return b.node(at('polynomial_0'), 'polynomial', [v!], [out], attrs(coefficients, shift));
  });
}

for (const parties of [2, 3, 5]) {
  test(`polynomials modulo 2^64, ${parties} parties`, async (t) => {
    const random = new Random(parties);
    const x = [...edges, ...random.list(1021, 62), ...random.list(200, 20)];
    for (const degree of [1, 2, 3, 4, 8]) {
      const coefficients = random.list(degree + 1, 62);
      const program = programOf(whole(coefficients, 0, x.length), { parties });
      const checked = await check(t, program, { x });
      t.deepEqual(
        [...checked.y],
        x.map((v) => evaluate(coefficients, v)),
        `degree ${degree}`,
      );
      t.is(onlineRounds(checked, 'polynomial_0'), 1);
      t.is(onlineBits(checked, 'polynomial_0', x.length), 64);
    }
  });

  test(`polynomials of a truncated value, its wrap repaired, ${parties} parties`, async (t) => {
    const random = new Random(10 + parties);
    for (const [opened, to, shift, degree] of [
      [64, 64, 16, 3],
      [64, 50, 30, 2],
      [30, 64, 8, 3],
      [30, 61, 8, 4],
      [24, 60, 0, 2],
      [24, 47, 1, 5],
    ] as const) {
      // The operand stays below a quarter of the ring that it is opened in.
      const most = opened - 4;
      const x = [...edges, (1n << BigInt(most)) - 1n, -(1n << BigInt(most)), ...random.list(531, most)];
      const coefficients = random.list(degree + 1, 61);
      const graph = narrow(coefficients, shift, x.length, opened, to);
      for (const knobs of [{}, { truncation: 'floor' }] as const) {
        const name = `${opened} bits to ${to}, shift ${shift}, degree ${degree}, ${JSON.stringify(knobs)}`;
        const { y } = await check(t, programOf(graph, { parties, knobs }), { x });
        // Revealed in `to` bits, so as integers without a sign.
        x.forEach((v, i) => {
          const low = (2n * v) >> BigInt(shift);
          const candidates = shift > 0 && !('truncation' in knobs) ? [low, low + 1n] : [low];
          const expected = candidates.map((c) => evaluate(coefficients, c, to));
          t.true(expected.includes(BigInt.asIntN(to, y[i]!)), `${name}: ${v}`);
        });
      }
    }
  });
}

test('where the opening is wide enough for an exact shift, no wrap is repaired', async (t) => {
  const random = new Random(3);
  const x = [...edges, ...random.list(523, 50)];
  const coefficients = [5n, -3n, 7n, 11n];
  const checked = await check(t, programOf(narrow(coefficients, 10, x.length, 58, 48), { parties: 2 }), {
    x,
  });
  x.forEach((v, i) => {
    const low = (2n * v) >> 10n;
    const expected = [low, low + 1n].map((c) => evaluate(coefficients, c, 48));
    t.true(expected.includes(BigInt.asIntN(48, checked.y[i]!)));
  });
  const { bytes } = profile(checked.program).nodes[2]!.offline;
  t.is(bytes, 3 * Math.ceil((x.length * 48) / 64) * 8, 'three powers of 48 bits');
});

test('material: powers of the mask in the ring, and times its top bit in fewer bits', async (t) => {
  const elements = 4096;
  const x = new Random(4).list(elements, 20);
  const checked = await check(t, programOf(narrow([1n, 2n, 3n, 4n], 8, elements, 30, 60), { parties: 2 }), {
    x,
  });
  t.is(onlineBits(checked, 'polynomial_0', elements), 30);
  const { bytes } = profile(checked.program).nodes[2]!.offline;
  // z = 30 - 8: the wrap adds multiples of 2^22.
  t.is((bytes * 8) / elements, 3 * 60 + 3 * 38);
});

test('several polynomials of one value, and its sign, take one opening', async (t) => {
  const x = new Random(8).list(300, 20);
  const graph = graphOf([{ name: 'x', shape: [300], owner: 'secret' }], (b, [v]) => {
    const node = (name: string, op: string, a: Attributes) =>
      b.node({ name, origin: op }, op, [v!], [type([300])], a)[0]!;
    return [
      node('p', 'polynomial', attrs([1n, 2n, 3n], 0)),
      node('q', 'polynomial', attrs([0n, 0n, 0n, 1n], 0)),
      node('r', 'relu', { shift: 0 }),
    ];
  });
  const checked = await check(t, programOf(graph, { parties: 2 }), { x });
  t.deepEqual(
    [...checked.outputs.get('y')!],
    x.map((v) => 1n + 2n * v + 3n * v * v),
  );
  t.deepEqual(
    [...checked.outputs.get('y1')!],
    x.map((v) => v ** 3n),
  );
  t.deepEqual(
    [...checked.outputs.get('y2')!],
    x.map((v) => (v > 0n ? v : 0n)),
  );
  t.is(onlineBits(checked, 'q', 300), 0);
});
