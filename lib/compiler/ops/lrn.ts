// LRN, the normalisation of AlexNet and Inception: y = x (bias + alpha / size * s)^-beta, where s is the sum of squares
// over a window of `size` channels.
//
// With the square and the window, which is a local sum, s takes one opening. The power of s is one function of one
// number on a narrow interval, so usually a polynomial from the opening of s; then one product.

import { map, zip } from './array';
import type { OpContext } from './context';
import type { WindowAttributes } from './core';
import { defineOp } from './registry';
import { pool } from './windows';

/** Of what the power is taken, where nothing is known: with an alpha of 1e-4, squares of thousands. */
const MOST_BASE = 2 ** 8;

interface Form {
  readonly factor: number;
  readonly bias: number;
  readonly beta: number;
  /** The input as [N, 1, C, rest]: windows over channels are those of an image. */
  readonly planes: readonly number[];
  readonly window: WindowAttributes;
}

function form(c: OpContext): Form {
  const [n, channels, ...rest] = c.shape(0) as [number, number, ...number[]];
  const size = c.number('size', 0);
  const before = Math.floor((size - 1) / 2);
  const window: WindowAttributes = {
    kernel: [size, 1],
    strides: [1, 1],
    pads: [before, 0, size - 1 - before, 0],
    dilations: [1, 1],
  };
  return {
    factor: c.number('alpha', 1e-4) / size,
    bias: c.number('bias', 1),
    beta: c.number('beta', 0.75),
    planes: [n, 1, channels, rest.reduce((a, b) => a * b, 1)],
    window,
  };
}

defineOp({
  op: 'LRN',
  opset: [11, 23],
  restrictions: `alpha, bias > 0; bias + alpha / size * (sum of squares) is up to ${MOST_BASE} unless calibrated`,
  infer(c) {
    const x = c.shape(0);
    if (x.length < 3) throw c.invalidShape(`has an input of ${x.length} dimensions; it needs [N, C, ...]`, x);
    const { factor, bias, window } = form(c);
    if (!(window.kernel[0] >= 1)) throw c.error('INVALID_MODEL', 'has no size', 'Export the model again.');
    if (!(factor > 0 && bias > 0))
      throw c.unsupported('has an alpha or a bias that is not positive', 'Use positive ones.');
    if (bias >= MOST_BASE) throw c.unsupported(`has the bias ${bias}`, `Use one below ${MOST_BASE}.`);
    return [c.type(0)];
  },
  reference(c, [x]) {
    const { factor, bias, beta, planes, window } = form(c);
    const squares = { shape: planes, data: x!.data.map((v) => v * v) };
    const sums = pool(squares, planes, window, 0, (a, v) => a + v);
    const divisors = map({ shape: x!.shape, data: sums.data }, (s) => (bias + factor * s) ** -beta);
    return [zip(x!, divisors, (a, d) => a * d)];
  },
  lower(c) {
    const { factor, bias, beta, planes, window } = form(c);
    const x = c.core.reshape(c.value(0), planes);
    const sums = c.core.pool('sum_pool', c.core.mul(x, x), planes, window);
    const domain = { lo: 0, hi: (MOST_BASE - bias) / factor };
    const scale = c.core.approximate(sums, 'power', [-beta, factor, bias], domain);
    return [c.core.reshape(c.core.mul(x, scale), c.shape(0))];
  },
});
