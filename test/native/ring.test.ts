// The ring functions against BigInt arithmetic mod 2^64.

import { fc, testProp } from '@fast-check/ava';
import test from 'ava';
import { CryptorchError } from '../../lib/errors';
import { native } from '../../lib/native';

const { ring } = native();
const wrap = (x: bigint): bigint => BigInt.asUintN(64, x);
const EDGES = [
  0n,
  1n,
  2n,
  (1n << 63n) - 1n,
  1n << 63n,
  (1n << 63n) + 1n,
  (1n << 64n) - 1n,
  0xffffffffn,
  1n << 32n,
];

/** Edge values first, then numbers that look random. */
function values(length: number, seed: bigint): BigUint64Array {
  let state = seed * 0x9e3779b97f4a7c15n + 1n;
  return BigUint64Array.from({ length }, (_, i) => {
    state = wrap(state * 6364136223846793005n + 1442695040888963407n);
    return i < EDGES.length ? EDGES[(i + Number(seed)) % EDGES.length]! : state ^ (state >> 29n);
  });
}

function invalid(
  t: { throws: (f: () => unknown) => unknown; is: (a: unknown, b: unknown) => void },
  f: () => unknown,
): void {
  const error = t.throws(f) as CryptorchError;
  t.is(error.code, 'ERR_CRYPTORCH_INVALID_OPTION');
}

for (const length of [0, 1, 8, 511, 512, 513, 5000]) {
  test(`add, sub, mul, neg and truncate of ${length} elements`, (t) => {
    const a = values(length, 1n);
    const b = values(length, 4n);
    const check = (name: string, out: BigUint64Array, expected: (x: bigint, y: bigint) => bigint): void => {
      t.is(out.length, length);
      const wrong = a.findIndex((x, i) => out[i] !== wrap(expected(x, b[i]!)));
      t.is(wrong, -1, `${name} at ${wrong}`);
    };
    check('add', ring.add(a, b), (x, y) => x + y);
    check('sub', ring.sub(a, b), (x, y) => x - y);
    check('mul', ring.mul(a, b), (x, y) => x * y);
    check('neg', ring.neg(a), (x) => -x);
    for (const bits of [0, 1, 16, 63]) {
      check(`truncate ${bits}`, ring.truncate(a, bits), (x) => BigInt.asIntN(64, x) >> BigInt(bits));
    }
  });
}

test('operands are not changed, results are new arrays', (t) => {
  const a = values(100, 2n);
  const copy = a.slice();
  const out = ring.add(a, a);
  ring.neg(a);
  t.deepEqual(a, copy);
  t.not(out.buffer, a.buffer);
  const part = new BigUint64Array(a.buffer, 8 * 10, 5);
  t.deepEqual([...ring.sub(part, part)], [0n, 0n, 0n, 0n, 0n]);
  t.deepEqual(
    [...ring.neg(part)],
    [...part].map((x) => wrap(-x)),
  );
});

for (const [m, k, n] of [
  [1, 1, 1],
  [3, 5, 2],
  [17, 33, 9],
  [64, 40, 65],
  [2, 0, 3],
  [1, 300, 1],
] as const) {
  test(`matmul of ${m} x ${k} and ${k} x ${n}`, (t) => {
    const a = values(m * k, 3n);
    const b = values(k * n, 5n);
    const out = ring.matmul(a, b, m, k, n);
    const expected = BigUint64Array.from({ length: m * n }, (_, at) => {
      const [i, j] = [Math.floor(at / n), at % n];
      let sum = 0n;
      for (let l = 0; l < k; l++) sum += a[i * k + l]! * b[l * n + j]!;
      return wrap(sum);
    });
    t.deepEqual(out, expected);
  });
}

const conv = [
  { input: [1, 1, 4, 4], weight: [1, 1, 3, 3] },
  { input: [2, 3, 7, 6], weight: [4, 3, 3, 2], pads: [1, 0, 1, 1], strides: [2, 1] },
  { input: [1, 4, 9, 9], weight: [6, 2, 3, 3], groups: 2, dilations: [2, 2], pads: [2, 2, 2, 2] },
  { input: [1, 2, 3, 3], weight: [5, 2, 1, 1] },
] as const;
for (const shape of conv) {
  test(`conv2d of ${shape.input.join('x')} by ${shape.weight.join('x')}`, (t) => {
    const { strides, pads, dilations, groups } = {
      strides: [1, 1],
      pads: [0, 0, 0, 0],
      dilations: [1, 1],
      groups: 1,
      ...shape,
    };
    const [N, C, H, W] = shape.input;
    const [O, perGroup, kh, kw] = shape.weight;
    const x = values(N * C * H * W, 6n);
    const w = values(O * perGroup * kh * kw, 7n);
    const oh = Math.floor((H + pads[0]! + pads[2]! - dilations[0]! * (kh - 1) - 1) / strides[0]!) + 1;
    const ow = Math.floor((W + pads[1]! + pads[3]! - dilations[1]! * (kw - 1) - 1) / strides[1]!) + 1;
    const expected: bigint[] = [];
    for (let n = 0; n < N; n++)
      for (let o = 0; o < O; o++)
        for (let i = 0; i < oh; i++)
          for (let j = 0; j < ow; j++) {
            let sum = 0n;
            for (let c = 0; c < perGroup; c++)
              for (let u = 0; u < kh; u++)
                for (let v = 0; v < kw; v++) {
                  const [y, z] = [
                    i * strides[0]! + u * dilations[0]! - pads[0]!,
                    j * strides[1]! + v * dilations[1]! - pads[1]!,
                  ];
                  if (y < 0 || y >= H || z < 0 || z >= W) continue;
                  const channel = Math.floor(o / (O / groups)) * perGroup + c;
                  sum += x[((n * C + channel) * H + y) * W + z]! * w[((o * perGroup + c) * kh + u) * kw + v]!;
                }
            expected.push(wrap(sum));
          }
    t.deepEqual(ring.conv2d(x, w, shape), BigUint64Array.from(expected));
  });
}

testProp(
  'decode undoes encode, to half a unit',
  [fc.double({ min: -1e9, max: 1e9, noNaN: true }), fc.integer({ min: 0, max: 30 })],
  (t, x, scale) => {
    const y = ring.decode(ring.encode(Float64Array.of(x), scale), scale)[0]!;
    t.true(Math.abs(y - x) <= 2 ** -scale / 2 + Math.abs(x) * 2 ** -52);
  },
);

test('encode rounds half to even and keeps the sign', (t) => {
  t.deepEqual([...ring.encode(Float64Array.of(0.5, 1.5, -0.5, -1.5, 2.5), 0)], [0n, 2n, 0n, wrap(-2n), 2n]);
  t.deepEqual([...ring.encode(Float32Array.of(1, -2), 16)], [65536n, wrap(-131072n)]);
  t.deepEqual([...ring.encode(new Float64Array(0), 16)], []);
});

test('encode refuses what does not fit, by position', (t) => {
  for (const [bad, reason] of [
    [NaN, 'nan'],
    [Infinity, 'infinite'],
    [2 ** 47, 'range'],
    [-(2 ** 60), 'range'],
  ] as const) {
    const error = t.throws(() => ring.encode(Float64Array.of(0, 0, bad), 16)) as CryptorchError;
    t.true(CryptorchError.is(error, 'VALUE_RANGE'));
    t.like(error.details, { index: 2, reason });
    t.false(error.message.includes(String(bad)));
  }
});

test('operands that do not fit each other are refused', (t) => {
  const a = values(6, 1n);
  invalid(t, () => ring.add(a, values(5, 1n)));
  invalid(t, () => ring.matmul(a, a, 2, 3, 3));
  invalid(t, () => ring.matmul(a, a, 2 ** 39, 0, 2 ** 39));
  invalid(t, () => ring.matmul(a, a, -1, 3, 2));
  invalid(t, () => ring.matmul(a, a, 2.5, 3, 2));
  invalid(t, () => ring.truncate(a, 64));
  invalid(t, () => ring.encode(Float64Array.of(1), 100));
  invalid(t, () => ring.neg(new Float64Array(3) as unknown as BigUint64Array));
  invalid(t, () => ring.neg([1n] as unknown as BigUint64Array));
  invalid(t, () => ring.conv2d(a, a, { input: [1, 1, 2, 3], weight: [1, 2, 1, 3] }));
  invalid(t, () => ring.conv2d(a, a, { input: [1, 2, 1, 3], weight: [3, 1, 1, 2], groups: 2 }));
});
