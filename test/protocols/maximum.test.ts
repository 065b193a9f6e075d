import test from 'ava';
import type { Program } from '../../lib/compiler/program';
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

const biggest = (v: readonly bigint[]): bigint => [...v].sort((a, b) => (a < b ? 1 : -1))[0]!;

for (const [parties, allPairs] of [
  [2, 2],
  [3, 2],
  [5, 2],
  [2, 10],
  [3, 5],
  [5, 10],
] as const) {
  const options = { parties, knobs: { allPairs } };
  const how = `${parties} parties, up to ${allPairs} candidates in all pairs`;
  test(`argmax of rows of any length, lowest index on ties, ${how}`, async (t) => {
    const random = new Random(21);
    for (const k of [1, 2, 3, 5, 8, 10]) {
      const x = Array.from({ length: 40 * k }, () => random.bits(2) - 2n);
      const graph = oneNode('arg_max', [{ name: 'x', shape: [40, k], owner: 'secret' }], [40], {
        axis: 1,
        keepdims: false,
      });
      const { y } = await check(t, programOf(graph, options), { x });
      for (let i = 0; i < 40; i++) {
        const row = x.slice(i * k, (i + 1) * k);
        t.is(y[i], BigInt(row.indexOf(biggest(row))), `${row}`);
      }
    }
  });

  test(`argmax over a middle axis of large values, ${how}`, async (t) => {
    const x = new Random(22).list(3 * 7 * 4, 60);
    const graph = oneNode('arg_max', [{ name: 'x', shape: [3, 7, 4], owner: 'secret' }], [3, 1, 4], {
      axis: -2,
      keepdims: true,
    });
    const { y } = await check(t, programOf(graph, options), { x });
    for (let o = 0; o < 3; o++) {
      for (let i = 0; i < 4; i++) {
        const column = Array.from({ length: 7 }, (_, k) => x[(o * 7 + k) * 4 + i]!);
        t.is(y[o * 4 + i], BigInt(column.indexOf(biggest(column))));
      }
    }
  });

  test(`maximum over windows, ${how}`, async (t) => {
    const random = new Random(23);
    for (const [k, stride, pad, dilation, h] of [
      [2, 2, 0, 1, 6],
      [3, 2, 1, 1, 7],
      [3, 1, 1, 1, 5],
      [2, 1, 1, 2, 6],
      [1, 1, 0, 1, 3],
    ] as const) {
      const oh = Math.floor((h + 2 * pad - dilation * (k - 1) - 1) / stride) + 1;
      const x = random.list(2 * 3 * h * h, 60);
      const attrs = {
        kernel: [k, k],
        strides: [stride, stride],
        pads: [pad, pad, pad, pad],
        dilations: [dilation, dilation],
      };
      const graph = oneNode(
        'max_pool',
        [{ name: 'x', shape: [2, 3, h, h], owner: 'secret' }],
        [2, 3, oh, oh],
        attrs,
      );
      const { y } = await check(t, programOf(graph, options), { x });
      for (let p = 0; p < 6; p++) {
        for (let i = 0; i < oh; i++) {
          for (let j = 0; j < oh; j++) {
            const taps: bigint[] = [];
            for (let a = 0; a < k; a++) {
              for (let b = 0; b < k; b++) {
                const [r, c] = [i * stride + a * dilation - pad, j * stride + b * dilation - pad];
                if (r >= 0 && c >= 0 && r < h && c < h) taps.push(x[(p * h + r) * h + c]!);
              }
            }
            t.is(y[(p * oh + i) * oh + j], biggest(taps));
          }
        }
      }
    }
  });
}

test('where the values are open already, the first level opens nothing but bits', async (t) => {
  const x = new Random(24).list(2048, 40);
  const graph = graphOf([{ name: 'x', shape: [1024, 2], owner: 'secret' }], (b, [v]) => {
    const at = (name: string) => ({ name, origin: name });
    const [r] = b.node(at('relu'), 'relu', [v!], [type([1024, 2])], { shift: 0 });
    const [i] = b.node(at('argmax'), 'arg_max', [v!], [type([1024])], { axis: 1, keepdims: false });
    return [i!, r!];
  });
  const checked = await check(t, programOf(graph, { parties: 2 }), { x });
  t.is(onlineBits(checked, 'argmax', 1024), 34);
  t.is(checked.program.nodes.find((n) => n.name === 'argmax')!.choices!.opens, 'no values');
  t.is(onlineRounds(checked, 'argmax'), 3);
  t.is(checked.run.counted.online.rounds, 5);
  t.deepEqual(
    [...checked.y],
    Array.from({ length: 1024 }, (_, i) => (x[2 * i]! >= x[2 * i + 1]! ? 0n : 1n)),
  );
});

/** Rounds, bits opened and material per column of a maximum of k values of a 64-bit ring. */
function cost(op: 'arg_max' | 'max_pool', k: number, allPairs: number): number[] {
  const m = 4096;
  const operand = (shape: number[]) => [{ name: 'x', shape, owner: 'secret' as const }];
  const pool = { kernel: [1, k], strides: [1, k], pads: [0, 0, 0, 0], dilations: [1, 1] };
  const graph =
    op === 'arg_max'
      ? oneNode(op, operand([m, k]), [m], { axis: 1, keepdims: false })
      : oneNode(op, operand([1, 1, m, k]), [1, 1, m, 1], pool);
  const { online, offline } = profile(programOf(graph, { parties: 2, knobs: { allPairs } })).nodes[1]!;
  return [online.rounds, (online.bytes * 8) / m / 2, (offline.bytes * 8) / m];
}

test('costs of all pairs: the openings, comparisons of all pairs side by side, one gate, and the bits kept', (t) => {
  const [compared, shared] = [33, 329]; // bits opened and material of one comparison of opened 64-bit values
  for (const [k, gate] of [
    [3, 2 ** 2 - 1 - 2],
    [4, 2 ** 3 - 1 - 3],
    [9, 2 ** 8 - 1 - 8],
  ] as const) {
    const pairs = (k * (k - 1)) / 2;
    const bits = 64 * k + pairs * (compared + 1) + (k - 1);
    t.deepEqual(cost('max_pool', k, 9), [5, bits, pairs * shared + (k - 1) * (gate + 128)]);
    const index = Math.ceil(Math.log2(k)) + 1;
    t.deepEqual(cost('arg_max', k, 9), [5, bits, pairs * shared + (k - 1) * (gate + index)]);
  }
  t.deepEqual(
    cost('max_pool', 4, 3),
    cost('max_pool', 4, 2),
    'up to three: four in a tournament, and then two',
  );
  t.is(cost('max_pool', 4, 2)[0], 8);
  t.is(cost('max_pool', 9, 3)[0], 13, 'a tournament of nine and of five, then three in all pairs');
  t.is(cost('arg_max', 10, 10)[0], 6, 'a gate of nine factors takes two rounds');
});

test('the form that was taken is on record', (t) => {
  const graph = oneNode('arg_max', [{ name: 'x', shape: [1, 5], owner: 'secret' }], [1], {
    axis: 1,
    keepdims: false,
  });
  const formsOf = (program: Program) => {
    const { opens, maximum } = program.nodes[1]!.choices!;
    return { opens, maximum };
  };
  const chosen = (allPairs: number) => formsOf(programOf(graph, { parties: 2, knobs: { allPairs } }));
  t.deepEqual(chosen(2), { opens: 'differences', maximum: 'tournament' });
  t.deepEqual(chosen(3), { opens: 'differences', maximum: 'tournament, all pairs of 3' });
  t.deepEqual(chosen(5), { opens: 'candidates', maximum: 'all pairs of 5' });
  const byDefault = (rows: number) =>
    formsOf(
      programOf(
        oneNode('arg_max', [{ name: 'x', shape: [rows, 5], owner: 'secret' }], [rows], {
          axis: 1,
          keepdims: false,
        }),
        { parties: 2 },
      ),
    );
  t.deepEqual(byDefault(25), { opens: 'candidates', maximum: 'all pairs of 5' }, '250 comparisons');
  t.deepEqual(byDefault(26), { opens: 'differences', maximum: 'tournament, all pairs of 3' });
});

test('overlapping windows open their input, others the differences, whichever is less', (t) => {
  const opens = (k: number, stride: number): string => {
    const out = (9 - k) / stride + 1;
    const attrs = { kernel: [k, k], strides: [stride, stride], pads: [0, 0, 0, 0], dilations: [1, 1] };
    const operands = [{ name: 'x', shape: [1, 2, 9, 9], owner: 'secret' as const }];
    const program = programOf(oneNode('max_pool', operands, [1, 2, out, out], attrs), {
      parties: 2,
      knobs: { allPairs: 2 },
    });
    return program.nodes[1]!.choices!.opens!;
  };
  t.is(opens(3, 1), 'its input', '7 x 7 x 4 differences of 9 x 9 values');
  t.is(opens(3, 2), 'differences', '4 x 4 x 4');
  t.is(opens(3, 3), 'differences', '3 x 3 x 4');
});
