// `npm run bench -- ring [SUITE]`: the functions of `ring`, against each other and against loops over BigUint64Array.
//
// `ring` copies nothing in, allocates its result and runs on one thread, so these are single-thread figures with allocation.

import { randomFillSync } from 'node:crypto';
import { ring } from '../lib/index';
import type { Suite } from './harness';

const ELEMENTS = 1 << 16;
const SIZES: readonly (readonly [number, number, number])[] = [
  [64, 64, 64],
  [256, 256, 256],
  [128, 768, 768],
];

function random(elements: number): BigUint64Array {
  return randomFillSync(new BigUint64Array(elements));
}

const a: BigUint64Array = random(ELEMENTS);
const b: BigUint64Array = random(ELEMENTS);
const reals: Float64Array = Float64Array.from({ length: ELEMENTS }, (_, i) => Math.sin(i) * 100);
const encoded: BigUint64Array = ring.encode(reals, 16);

/** The convolution of a ResNet stage: 64 channels to 64, 3 x 3, on 28 x 28. */
const image = { input: [1, 64, 28, 28], weight: [64, 64, 3, 3], pads: [1, 1, 1, 1] } as const;
const x: BigUint64Array = random(64 * 28 * 28);
const w: BigUint64Array = random(64 * 64 * 9);

export const suites: readonly Suite[] = [
  {
    name: `element-wise, ${ELEMENTS} elements`,
    unit: 'element',
    cases: [
      { name: 'add', work: ELEMENTS, run: () => void ring.add(a, b) },
      { name: 'sub', work: ELEMENTS, run: () => void ring.sub(a, b) },
      { name: 'mul', work: ELEMENTS, run: () => void ring.mul(a, b) },
      { name: 'truncate', work: ELEMENTS, run: () => void ring.truncate(a, 16) },
      { name: 'encode', work: ELEMENTS, run: () => void ring.encode(reals, 16) },
      { name: 'decode', work: ELEMENTS, run: () => void ring.decode(encoded, 16) },
      { name: 'add in JavaScript', work: ELEMENTS, run: () => void a.map((v, i) => v + b[i]!) },
    ],
  },
  {
    name: 'matmul and conv2d, 64-bit',
    unit: 'multiply-add',
    cases: [
      ...SIZES.map(([m, k, n]) => {
        const [left, right] = [random(m * k), random(k * n)];
        return {
          name: `matmul ${m} x ${k} x ${n}`,
          work: m * k * n,
          run: () => void ring.matmul(left, right, m, k, n),
        };
      }),
      {
        name: 'conv2d 64 -> 64, 3 x 3, 28 x 28',
        work: 64 * 64 * 9 * 28 * 28,
        run: () => void ring.conv2d(x, w, image),
      },
    ],
  },
];
