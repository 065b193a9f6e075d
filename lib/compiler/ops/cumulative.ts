// CumSum and Trilu: sums and selections over a triangle of index pairs.
//
// A sum of all elements up to one is the sum over a window that reaches over the whole axis and, at the
// beginning, into padding of zeros; it is exact.

import { elementCount } from '../ir/graph';
import { type FloatTensor, offsets, stridesOf, tensorOf } from './array';
import { type LowerContext, type OpContext, show } from './context';
import { scaled } from './operands';
import { defineOp } from './registry';

interface Cumulation {
  /** Elements before the axis, along it, behind it. */
  readonly sizes: readonly [number, number, number];
  readonly exclusive: boolean;
  readonly reverse: boolean;
}

function cumulation(c: OpContext): Cumulation {
  const x = c.shape(0);
  const given = c.known(1, 'axis');
  if (given.length !== 1 || x.length === 0)
    throw c.invalidShape(`has axes ${show(given)} for an input of shape ${show(x)}`, x);
  const axis = c.axis(given[0]!, x.length);
  return {
    sizes: [elementCount(x.slice(0, axis)), x[axis]!, elementCount(x.slice(axis + 1))],
    exclusive: c.flag('exclusive', false),
    reverse: c.flag('reverse', false),
  };
}

function cumulate(x: FloatTensor, { sizes: [outer, n, inner], exclusive, reverse }: Cumulation): FloatTensor {
  const data = new Float64Array(x.data.length);
  const first = offsets([outer, inner], [n * inner, 1]);
  for (const start of first) {
    let sum = 0;
    for (let k = 0; k < n; k++) {
      const at = start + (reverse ? n - 1 - k : k) * inner;
      data[at] = exclusive ? sum : sum + x.data[at]!;
      sum += x.data[at]!;
    }
  }
  return { shape: x.shape, data };
}

function lowerCumSum(c: LowerContext) {
  const { sizes, exclusive, reverse } = cumulation(c);
  const [outer, n, inner] = sizes;
  const x = c.value(0);
  if (exclusive && n === 1) return scaled(c, x, 0);
  // An exclusive sum never takes the last element, and its windows are shorter by one.
  const count = exclusive ? n - 1 : n;
  const strides = [n * inner, inner, 1];
  const taken = c.core.gather(x, [outer, count, inner], strides, exclusive && reverse ? inner : 0);
  const reach = exclusive ? count : count - 1;
  const y = c.core.pool('sum_pool', taken, sizes, {
    kernel: [count, 1],
    strides: [1, 1],
    dilations: [1, 1],
    pads: reverse ? [0, 0, reach, 0] : [reach, 0, 0, 0],
  });
  return c.core.reshape(y, c.outputShape);
}

defineOp({
  op: 'CumSum',
  opset: [11, 23],
  restrictions: 'the axis is known at compile time',
  infer(c) {
    cumulation(c);
    return [c.type(0)];
  },
  reference: (c, [x]) => [cumulate(x!, cumulation(c))],
  lower: (c) => [lowerCumSum(c)],
});

/** 1 where an element of the last two dimensions is kept, and 0 elsewhere. */
function triangle(c: OpContext): FloatTensor {
  const x = c.shape(0);
  if (x.length < 2) throw c.invalidShape(`has an input of shape ${show(x)}; it needs matrices`, x);
  const k = c.has(1) ? (c.known(1, 'diagonal')[0] ?? 0) : 0;
  const upper = c.flag('upper', true);
  const shape = x.slice(-2);
  const [step] = stridesOf(shape);
  const keep = (_: unknown, i: number) => {
    const distance = (i % step!) - Math.floor(i / step!);
    return Number(upper ? distance >= k : distance <= k);
  };
  return tensorOf(shape, Float64Array.from({ length: elementCount(shape) }, keep));
}

defineOp({
  op: 'Trilu',
  opset: [14, 23],
  restrictions: 'the diagonal is known at compile time',
  integers: true,
  infer(c) {
    triangle(c);
    return [c.type(0)];
  },
  reference(c, [x]) {
    const { data } = triangle(c);
    return [{ shape: x!.shape, data: x!.data.map((v, i) => (data[i % data.length] === 0 ? 0 : v)) }];
  },
  lower: (c) => [scaled(c, c.value(0), triangle(c))],
});
