import test from 'ava';
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

for (const parties of [2, 3, 5]) {
  test(`argmax of rows of any length, lowest index on ties, ${parties} parties`, async (t) => {
    const random = new Random(21);
    for (const k of [1, 2, 3, 5, 8, 10]) {
      const x = Array.from({ length: 40 * k }, () => random.bits(2) - 2n);
      const graph = oneNode('arg_max', [{ name: 'x', shape: [40, k], owner: 'secret' }], [40], {
        axis: 1,
        keepdims: false,
      });
      const { y } = await check(t, programOf(graph, { parties }), { x });
      for (let i = 0; i < 40; i++) {
        const row = x.slice(i * k, (i + 1) * k);
        t.is(y[i], BigInt(row.indexOf(biggest(row))), `${row}`);
      }
    }
  });

  test(`argmax over a middle axis of large values, ${parties} parties`, async (t) => {
    const x = new Random(22).list(3 * 7 * 4, 60);
    const graph = oneNode('arg_max', [{ name: 'x', shape: [3, 7, 4], owner: 'secret' }], [3, 1, 4], {
      axis: -2,
      keepdims: true,
    });
    const { y } = await check(t, programOf(graph, { parties }), { x });
    for (let o = 0; o < 3; o++) {
      for (let i = 0; i < 4; i++) {
        const column = Array.from({ length: 7 }, (_, k) => x[(o * 7 + k) * 4 + i]!);
        t.is(y[o * 4 + i], BigInt(column.indexOf(biggest(column))));
      }
    }
  });

  test(`maximum over windows, ${parties} parties`, async (t) => {
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
      const { y } = await check(t, programOf(graph, { parties }), { x });
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
  t.is(onlineRounds(checked, 'argmax'), 3);
  t.is(checked.run.counted.online.rounds, 5);
  t.deepEqual(
    [...checked.y],
    Array.from({ length: 1024 }, (_, i) => (x[2 * i]! >= x[2 * i + 1]! ? 0n : 1n)),
  );
});
