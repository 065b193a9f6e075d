import test from 'ava';
import type { Attributes, Graph } from '../../lib/compiler/ir/graph';
import { profile } from '../../lib/cost/communication';
import { check, graphOf, onlineBits, onlineRounds, programOf, Random, type } from '../helpers/protocols';

interface Pieces {
  readonly thresholds: readonly bigint[];
  /** [thresholds + 1][degree + 1] */
  readonly pieces: readonly (readonly bigint[])[];
}

function attrs({ thresholds, pieces }: Pieces, shift: number): Attributes {
  return {
    thresholds: BigInt64Array.from(thresholds),
    degree: pieces[0]!.length - 1,
    coefficients: BigInt64Array.from(pieces.flat(), (c) => BigInt.asIntN(64, c)),
    scale: 0,
    shift,
  };
}

function evaluate({ thresholds, pieces }: Pieces, v: bigint, bits: number): bigint {
  const piece = pieces[thresholds.filter((t) => v >= t).length]!;
  return BigInt.asIntN(
    bits,
    piece.reduceRight((sum, c) => sum * v + c, 0n),
  );
}

/** Of 2 x, shared in `opened` bits, in a ring of `to` bits. */
function graph(pieces: Pieces, shift: number, elements: number, opened: number, to: number): Graph {
  return graphOf([{ name: 'x', shape: [elements], owner: 'secret' }], (b, [x]) => {
    const at = (name: string) => ({ name, origin: name });
    const [v] = b.node(at('add'), 'add', [x!, x!], [{ ...type([elements]), ring: opened }]);
    return b.node(at('p'), 'piecewise', [v!], [{ ...type([elements]), ring: to }], attrs(pieces, shift));
  });
}

function random(seed: number, count: number, degree: number, reach: number): Pieces {
  const r = new Random(seed);
  const thresholds = r.list(count, reach).sort((a, b) => (a < b ? -1 : 1));
  return { thresholds, pieces: Array.from({ length: count + 1 }, () => r.list(degree + 1, 62)) };
}

/** Operands x for which (2 x) >> shift is at a threshold, next to one, or far away. */
function operands({ thresholds }: Pieces, shift: number, most: number, seed: number): bigint[] {
  const half = (v: bigint) => (v << BigInt(shift)) / 2n;
  const near = thresholds.flatMap((t) => [t - 2n, t - 1n, t, t + 1n, t + 2n].map(half));
  const units = thresholds.flatMap((t) => [half(t) - 1n, half(t) + 1n]);
  const far = [(1n << BigInt(most)) - 1n, -(1n << BigInt(most)), 0n, 1n, -1n];
  const limit = 1n << BigInt(most);
  return [...near, ...units, ...far, ...new Random(seed).list(157, most)].filter(
    (x) => x >= -limit && x < limit,
  );
}

for (const parties of [2, 3, 5]) {
  test(`the polynomial of the interval, ${parties} parties`, async (t) => {
    for (const [opened, to, shift, count, degree] of [
      [64, 64, 0, 1, 2],
      [64, 64, 16, 3, 4],
      [64, 50, 22, 2, 3],
      [30, 61, 8, 4, 1],
      [30, 22, 8, 2, 3],
      [24, 60, 0, 2, 0],
    ] as const) {
      const most = opened - 5;
      const p = random(parties + count, count, degree, most - shift - 2);
      const x = operands(p, shift, most, opened);
      for (const knobs of [
        {},
        { truncation: 'floor' },
        { comparison: { leaf: 4, fanin: 4, fused: 3 } },
      ] as const) {
        if (parties === 5 && 'comparison' in knobs) continue;
        const checked = await check(t, programOf(graph(p, shift, x.length, opened, to), { parties, knobs }), {
          x,
        });
        const exact = shift === 0 || 'truncation' in knobs;
        for (const [i, v] of x.entries()) {
          const low = (2n * v) >> BigInt(shift);
          const expected = (exact ? [low] : [low, low + 1n]).map((c) => evaluate(p, c, to));
          const name = `${opened} to ${to} bits, shift ${shift}, degree ${degree}, ${JSON.stringify(knobs)}: ${v}`;
          t.true(expected.includes(BigInt.asIntN(to, checked.y[i]!)), name);
        }
      }
    }
  });
}

test('cost: an opening, a comparison for every threshold, no round more than one', async (t) => {
  const elements = 4096;
  const x = new Random(4).list(elements, 40);
  for (const count of [1, 2, 3]) {
    for (const degree of [0, 1, 4]) {
      const p = random(count, count, degree, 20);
      const checked = await check(t, programOf(graph(p, 16, elements, 64, 64), { parties: 2 }), { x });
      const bits = onlineBits(checked, 'p', elements);
      // As relu: 25 bits for 48 that are compared.
      t.is(bits, 64 + 25 * count, `${count} thresholds, degree ${degree}`);
      t.is(onlineRounds(checked, 'p'), 4);
      const { bytes } = profile(checked.program).nodes[2]!.offline;
      // Digits of the mask once, products of gates for every threshold; powers, and those times the mask's top bit, of which 16 bits count; the same for every threshold, and one plain.
      const powers = (64 + 16) * degree;
      const comparison = (bytes * 8) / elements - powers - count * (64 + powers);
      t.is(comparison, 180 + 64 * count, `${count} thresholds, degree ${degree}`);
    }
  }
});
