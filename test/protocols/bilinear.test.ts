import test from 'ava';
import type { Owner } from '../../lib/compiler/ir/graph';
import { check, oneNode, onlineBits, onlineRounds, programOf, Random } from '../helpers/protocols';

const wrap = (v: bigint): bigint => BigInt.asIntN(64, v);

function product(a: readonly bigint[], b: readonly bigint[], m: number, k: number, n: number): bigint[] {
  return Array.from({ length: m * n }, (_, at) => {
    const [i, j] = [Math.floor(at / n), at % n];
    let sum = 0n;
    for (let s = 0; s < k; s++) sum += a[i * k + s]! * b[s * n + j]!;
    return wrap(sum);
  });
}

const owners: readonly Owner[] = [0, 1, 'secret'];

for (const parties of [2, 3, 5]) {
  for (const a of owners) {
    for (const b of new Set([...owners, parties - 1])) {
      test(`matrix product of an input of ${a} and weights of ${b}, ${parties} parties`, async (t) => {
        const random = new Random(7);
        const [x, w] = [random.list(5 * 9, 20), random.list(9 * 3, 20)];
        const graph = oneNode(
          'matmul',
          [
            { name: 'x', shape: [5, 9], owner: a },
            { name: 'w', shape: [9, 3], owner: b, weight: true },
          ],
          [5, 3],
        );
        const { y, run } = await check(t, programOf(graph, { parties, outputOwners: { y: parties - 1 } }), {
          x,
          w,
        });
        t.deepEqual([...y], product(x, w, 5, 9, 3));
        t.true(run.counted.online.rounds <= 2);
      });
    }
  }

  test(`products of two inputs with broadcasting, ${parties} parties`, async (t) => {
    const random = new Random(8);
    for (const [sx, sy, out] of [
      [
        [4, 1, 3],
        [4, 5, 1],
        [4, 5, 3],
      ],
      [[2, 3, 4], [4], [2, 3, 4]],
      [
        [2, 3, 4],
        [3, 1],
        [2, 3, 4],
      ],
      [[1], [7], [7]],
      [[6], [6], [6]],
    ] as const) {
      const count = (s: readonly number[]): number => s.reduce((p, d) => p * d, 1);
      const [x, v] = [random.list(count(sx), 25), random.list(count(sy), 25)];
      const graph = oneNode(
        'mul',
        [
          { name: 'x', shape: sx, owner: 0 },
          { name: 'v', shape: sy, owner: 1 },
        ],
        out,
      );
      const { y } = await check(t, programOf(graph, { parties }), { x, v });
      const at = (data: readonly bigint[], shape: readonly number[], i: number): bigint => {
        let [rest, index, stride] = [i, 0, 1];
        for (let d = out.length - 1; d >= 0; d--) {
          const own = shape[d - out.length + shape.length] ?? 1;
          if (own !== 1) index += (rest % out[d]!) * stride;
          stride *= own;
          rest = Math.floor(rest / out[d]!);
        }
        return data[index]!;
      };
      t.deepEqual(
        [...y],
        Array.from({ length: count(out) }, (_, i) => at(x, sx, i) * at(v, sy, i)),
      );
    }
  });
}

test('a square opens its operand once', async (t) => {
  const x = new Random(9).list(512, 30);
  const graph = oneNode('mul', [{ name: 'x', shape: [512], owner: 'secret' }], [512]);
  const [node] = graph.nodes;
  const square = { ...graph, nodes: [{ ...node!, inputs: [node!.inputs[0]!, node!.inputs[0]!] }] };
  const checked = await check(t, programOf(square, { parties: 2 }), { x });
  t.deepEqual(
    [...checked.y],
    x.map((v) => v * v),
  );
  t.is(onlineBits(checked, 'mul_0', 512), 64);
});

test('batched and transposed matrix products', async (t) => {
  const random = new Random(10);
  for (const { sx, sw, out, attrs } of [
    { sx: [2, 3, 4, 5], sw: [2, 3, 5, 6], out: [2, 3, 4, 6], attrs: {} },
    { sx: [2, 3, 4, 5], sw: [3, 5, 6], out: [2, 3, 4, 6], attrs: {} },
    { sx: [4, 5], sw: [3, 5, 2], out: [3, 4, 2], attrs: {} },
    { sx: [3, 4, 5], sw: [6, 5], out: [3, 4, 6], attrs: { transB: 1 } },
    { sx: [5, 4], sw: [5, 6], out: [4, 6], attrs: { transA: 1 } },
  ]) {
    const count = (s: readonly number[]): number => s.reduce((p, d) => p * d, 1);
    const [x, w] = [random.list(count(sx), 20), random.list(count(sw), 20)];
    const graph = oneNode(
      'matmul',
      [
        { name: 'x', shape: sx, owner: 0 },
        { name: 'w', shape: sw, owner: 1 },
      ],
      out,
      attrs,
    );
    const { y } = await check(t, programOf(graph, { parties: 2 }), { x, w });
    const [m, n] = out.slice(-2) as [number, number];
    const k = 'transA' in attrs ? sx.at(-2)! : sx.at(-1)!;
    const batch = count(out.slice(0, -2));
    const part = (data: bigint[], shape: number[], b: number): bigint[] => {
      const size = shape.at(-1)! * shape.at(-2)!;
      const own = count(shape.slice(0, -2));
      return data.slice((b % own) * size, ((b % own) + 1) * size);
    };
    const flip = (data: bigint[], r: number, c: number): bigint[] =>
      Array.from({ length: r * c }, (_, i) => data[(i % r) * c + Math.floor(i / r)]!);
    const expected = Array.from({ length: batch }, (_, b) => {
      const [pa, pb] = [part(x, sx, b), part(w, sw, b)];
      return product(
        'transA' in attrs ? flip(pa, k, m) : pa,
        'transB' in attrs ? flip(pb, n, k) : pb,
        m,
        k,
        n,
      );
    }).flat();
    t.deepEqual([...y], expected);
  }
});

test('convolutions: strides, padding, dilation, groups', async (t) => {
  const random = new Random(11);
  for (const [group, stride, dilation, pad] of [
    [1, 1, 1, 0],
    [1, 2, 1, 1],
    [2, 1, 2, 2],
    [4, 1, 1, 1],
  ] as const) {
    const [c, o, h, k] = [4, 8, 7, 3];
    const oh = Math.floor((h + 2 * pad - dilation * (k - 1) - 1) / stride) + 1;
    const [x, w] = [random.list(2 * c * h * h, 20), random.list(o * (c / group) * k * k, 20)];
    const attrs = {
      group,
      strides: [stride, stride],
      dilations: [dilation, dilation],
      pads: [pad, pad, pad, pad],
    };
    const graph = oneNode(
      'conv2d',
      [
        { name: 'x', shape: [2, c, h, h], owner: 0 },
        { name: 'w', shape: [o, c / group, k, k], owner: 1, weight: true },
      ],
      [2, o, oh, oh],
      attrs,
    );
    const { y } = await check(t, programOf(graph, { parties: 3 }), { x, w });
    const expected: bigint[] = [];
    for (let n = 0; n < 2; n++)
      for (let f = 0; f < o; f++)
        for (let i = 0; i < oh; i++)
          for (let j = 0; j < oh; j++) {
            let sum = 0n;
            for (let s = 0; s < c / group; s++)
              for (let p = 0; p < k; p++)
                for (let q = 0; q < k; q++) {
                  const [r, l] = [i * stride + p * dilation - pad, j * stride + q * dilation - pad];
                  if (r < 0 || l < 0 || r >= h || l >= h) continue;
                  const channel = Math.floor(f / (o / group)) * (c / group) + s;
                  sum +=
                    x[((n * c + channel) * h + r) * h + l]! * w[((f * (c / group) + s) * k + p) * k + q]!;
                }
            expected.push(sum);
          }
    t.deepEqual([...y], expected);
  }
});

test('a linear layer costs its input once and no weight online', async (t) => {
  const random = new Random(12);
  const graph = oneNode(
    'matmul',
    [
      { name: 'x', shape: [8, 64], owner: 'secret' },
      { name: 'w', shape: [64, 100], owner: 1, weight: true },
    ],
    [8, 100],
  );
  const checked = await check(t, programOf(graph, { parties: 2 }), {
    x: random.list(512, 20),
    w: random.list(6400, 20),
  });
  // Its holder sees the masked input and sends nothing of its own but its part of the output.
  t.deepEqual(checked.run.counted.online.bytesSent, [512 * 8 + 24, 800 * 8 + 24]);
  t.is(onlineRounds(checked, 'matmul_0'), 1);
  t.deepEqual(checked.run.counted.setup.bytesSent, [0, 6400 * 8 + 24]);
});

test('weights that arrive as shares: every party sends its masked input once', async (t) => {
  const random = new Random(14);
  const graph = oneNode(
    'matmul',
    [
      { name: 'x', shape: [8, 64], owner: 'secret' },
      { name: 'w', shape: [64, 100], owner: 'secret', weight: true },
    ],
    [8, 100],
  );
  const checked = await check(t, programOf(graph, { parties: 2 }), {
    x: random.list(512, 20),
    w: random.list(6400, 20),
  });
  t.is(onlineBits(checked, 'matmul_0', 512), 64);
});

test('what one party holds both factors of costs nothing', async (t) => {
  const random = new Random(15);
  const graph = oneNode(
    'matmul',
    [
      { name: 'x', shape: [4, 16], owner: 1 },
      { name: 'w', shape: [16, 4], owner: 1, weight: true },
    ],
    [4, 4],
  );
  const [x, w] = [random.list(64, 20), random.list(64, 20)];
  const { y, run } = await check(t, programOf(graph, { parties: 3 }), { x, w });
  t.deepEqual([...y], product(x, w, 4, 16, 4));
  t.deepEqual(run.counted.online.bytesSent, [0, 16 * 8 + 24, 0]);
  t.deepEqual(run.counted.offline.dealerBytes, [0, 0, 0]);
});

test('what an owner holds is opened by that owner alone', async (t) => {
  const random = new Random(13);
  const graph = oneNode(
    'matmul',
    [
      { name: 'x', shape: [4, 16], owner: 0 },
      { name: 'w', shape: [16, 4], owner: 1, weight: true },
    ],
    [4, 4],
  );
  const { run } = await check(t, programOf(graph, { parties: 2 }), {
    x: random.list(64, 20),
    w: random.list(64, 20),
  });
  // Party 1 sends only its part of the reveal.
  t.deepEqual(run.counted.online.bytesSent, [64 * 8 + 24, 16 * 8 + 24]);
});
