// Products of matrices against multiply-adds in registers, or against reading their matrix once where that takes longer; convolutions
// against a large product.

import { type Effort, type Measured, measure, type Work } from './binding';
import { giga, type Ratio, rate, rateRatio } from './ratio';

interface Product {
  readonly name: string;
  readonly goal: number;
  /** batch, m, k, n, whether A and B are transposed */
  readonly shape: readonly [number, number, number, number, 0 | 1, 0 | 1];
}

const LARGE = 'matmul 1024x1024x1024';

function product(
  goal: number,
  batch: number,
  [m, k, n]: readonly [number, number, number],
  ta: 0 | 1 = 0,
  tb: 0 | 1 = 0,
): Product {
  const times = batch > 1 ? `${batch} x ` : '';
  const how = `${ta ? ', A^T' : ''}${tb ? ', B^T' : ''}`;
  return { name: `matmul ${times}${m}x${k}x${n}${how}`, goal, shape: [batch, m, k, n, ta, tb] };
}

const PRODUCTS: readonly Product[] = [
  product(0.7, 1, [1024, 1024, 1024]),
  product(0.5, 1, [1024, 1024, 1024], 1),
  product(0.5, 1, [1024, 1024, 1024], 0, 1),
  product(0.5, 1, [1024, 1024, 1024], 1, 1),
  product(0.5, 12, [128, 64, 128], 0, 1),
  product(0.5, 12, [128, 128, 64]),
  product(0.5, 1, [64, 64, 64]),
  product(0.5, 1, [128, 768, 768]),
  ...[1, 2, 4, 5, 8].flatMap((m) => [
    product(0.5, 1, [m, 512, 512]),
    product(0.5, 1, [m, 512, 512], 0, 1),
    product(0.5, 1, [m, 4096, 1000]),
    product(0.5, 1, [m, 4096, 1000], 0, 1),
  ]),
  product(0.5, 1, [512, 512, 1]),
  product(0.5, 1, [512, 512, 8]),
];

/** Bytes of the larger factor of a product. */
function matrixBytes([batch, m, k, n]: Product['shape']): number {
  return 8 * batch * k * Math.max(m, n);
}

function works(): Map<string, Work> {
  const all = new Map<string, Work>([['registers', { kind: 'registers', shape: [] }]]);
  for (const { name, shape } of PRODUCTS) {
    const bytes = matrixBytes(shape);
    all.set(`stream ${bytes}`, { kind: 'stream', shape: [bytes] });
    all.set(name, { kind: 'matmul', shape });
  }
  return all;
}

export function products(effort: Effort): Ratio[] {
  const of = measure(effort, works());
  const registers = of('registers');
  return PRODUCTS.map(({ name, goal, shape }) => {
    const measured = of(name);
    const stream = of(`stream ${matrixBytes(shape)}`);
    // Multiply-adds a second if the matrix were read at full speed and multiplying took no time.
    const reading = (i: number): number => (measured.work / matrixBytes(shape)) * rate(stream, i);
    const bounds = [...measured.seconds].map((_, i) => [rate(registers, i), reading(i)] as const);
    const byMemory = bounds.filter(([compute, memory]) => memory < compute).length > bounds.length / 2;
    const sides = byMemory
      ? `${giga(measured)} G/s; reading the matrix once, at ${giga(stream)} GB/s`
      : `${giga(measured)} G/s; in registers ${giga(registers)}`;
    const bound = (i: number): number => bounds[i]?.[byMemory ? 1 : 0] as number;
    return rateRatio({ suite: 'products', name, bound: 'at least', goal }, measured, bound, sides);
  });
}

interface Convolution {
  readonly name: string;
  /** n, channels, height, width, filters, kernel, stride, padding */
  readonly shape: readonly number[];
}

const CONVOLUTIONS: readonly Convolution[] = (
  [
    [56, 64],
    [28, 128],
    [14, 256],
    [7, 512],
    [32, 64],
    [16, 128],
    [8, 256],
    [4, 512],
  ] as const
).flatMap(([side, channels]) =>
  [3, 1].map((kernel) => ({
    name: `conv ${kernel}x${kernel}, ${side}x${side}x${channels}`,
    shape: [1, channels, side, side, channels, kernel, 1, kernel >> 1],
  })),
);

export function convolutions(effort: Effort): Ratio[] {
  const all = new Map<string, Work>([[LARGE, { kind: 'matmul', shape: [1, 1024, 1024, 1024, 0, 0] }]]);
  for (const { name, shape } of CONVOLUTIONS) all.set(name, { kind: 'conv2d', shape });
  const of = measure(effort, all);
  const large: Measured = of(LARGE);
  return CONVOLUTIONS.map(({ name }) =>
    rateRatio(
      { suite: 'convolutions', name, bound: 'at least', goal: 0.6 },
      of(name),
      (i) => rate(large, i),
      `${giga(of(name))} G/s; ${LARGE} ${giga(large)}`,
    ),
  );
}
