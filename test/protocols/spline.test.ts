// Functions over a wide range: the tables, and their private evaluation against the function itself.

import test from 'ava';
import { type SegmentOptions, segmentTable } from '../../lib/compiler/approximations/segments';
import type { Graph } from '../../lib/compiler/ir/graph';
import { type SplineTable, splineAttributes } from '../../lib/compiler/ops/spline';
import { check, oneNode, programOf, Random } from '../helpers/protocols';

function graphFor(table: SplineTable, n: number): Graph {
  return oneNode('spline', [{ name: 'x', shape: [n], owner: 'secret' }], [n], splineAttributes(table));
}

/** Operands over the domain: evenly in the logarithm, and around every border. */
function operands({ borders }: SplineTable, count: number, seed = 1): bigint[] {
  const random = new Random(seed);
  const [lo, hi] = [borders[0]!, borders.at(-1)!];
  const list: bigint[] = [];
  for (const b of borders) {
    for (const d of [-1n, 0n, 1n]) list.push((1n << BigInt(b)) + d);
    if (b > 6) list.push((15n << BigInt(b - 4)) - 1n, 15n << BigInt(b - 4));
  }
  for (let i = 0; i < count; i++) {
    const b = lo + (i % (hi - lo));
    list.push((1n << BigInt(b)) + random.bits(b));
  }
  return list.filter((x) => x >= 1n << BigInt(lo) && x < 1n << BigInt(hi));
}

const functions: Record<string, SegmentOptions> = {
  reciprocal: { fn: (x) => 1 / x, domain: [2 ** -10, 2 ** 14], inputScale: 16 },
  'inverse square root': { fn: (x) => 1 / Math.sqrt(x), domain: [2 ** -10, 2 ** 14], inputScale: 16 },
};

for (const [name, options] of Object.entries(functions)) {
  for (const parties of [2, 3, 5]) {
    test(`${name}, ${parties} parties`, async (t) => {
      const { table, error } = segmentTable(options);
      const x = operands(table, 300);
      const { y, run } = await check(t, programOf(graphFor(table, x.length), { parties }), { x });
      let worst = 0;
      for (const [i, v] of x.entries()) {
        const exact = options.fn(Number(v) * 2 ** -table.inputScale);
        worst = Math.max(worst, Math.abs((Number(y[i]) * 2 ** -table.outputScale) / exact - 1));
      }
      t.log(
        worst,
        error,
        run.nodes.map((n) => n.online.rounds),
        run.nodes.map((n) => n.offline.bytes / x.length),
      );
      t.true(worst <= error);
    });
  }
}
