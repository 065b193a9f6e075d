// TopK and Hardmax: the largest elements along an axis, or the smallest.

import { elementCount, type Value } from '../ir/graph';
import { argMax, rank, tensorOf } from './array';
import type { LowerContext, OpContext } from './context';
import { largestOfRows, needNumbers, turned } from './extremum';
import { type Chosen, firstInOrder, type Sizes } from './ranking';
import { defineOp } from './registry';

interface Top {
  readonly axis: number;
  readonly k: number;
  readonly smallest: boolean;
  readonly shape: readonly number[];
}

function top(c: OpContext): Top {
  const x = c.shape(0);
  const axis = c.axis(c.number('axis', -1), x.length);
  const [k] = c.known(1, 'k') as [number];
  if (k < 1 || k > (x[axis] ?? 1)) throw c.invalidShape(`takes ${k} of ${x[axis] ?? 1} elements`, x);
  return { axis, k, smallest: !c.flag('largest', true), shape: x.with(axis, k) };
}

function split(x: readonly number[], axis: number): Sizes {
  return [elementCount(x.slice(0, axis)), x[axis]!, elementCount(x.slice(axis + 1))];
}

/** The first one: a maximum, and where it is. */
function single(c: LowerContext, key: Value, sizes: Sizes): Chosen {
  return { values: largestOfRows(c, key, sizes), indices: c.core.argMax(key, 1, true) };
}

defineOp({
  op: 'TopK',
  opset: [11, 23],
  restrictions: 'k is known at compile time; results are sorted',
  integers: true,
  infer(c) {
    needNumbers(c);
    const { shape } = top(c);
    return [
      { shape, dtype: c.type(0).dtype },
      { shape, dtype: 'int' },
    ];
  },
  reference(c, [x]) {
    const { axis, k, smallest, shape } = top(c);
    const [, n, inner] = split(x!.shape, axis);
    const ranks = rank({ shape: x!.shape, data: smallest ? x!.data.map((v) => -v) : x!.data }, axis);
    const [values, indices] = [0, 1].map(() => new Float64Array(elementCount(shape))) as [
      Float64Array,
      Float64Array,
    ];
    ranks.data.forEach((p, i) => {
      if (p >= k) return;
      const at = (Math.floor(i / (n * inner)) * k + p) * inner + (i % inner);
      values[at] = x!.data[i]!;
      indices[at] = Math.floor(i / inner) % n;
    });
    return [
      { shape, data: values },
      { shape, data: indices },
    ];
  },
  lower(c) {
    const { axis, k, smallest, shape } = top(c);
    const sizes = split(c.shape(0), axis);
    const key = c.core.reshape(turned(c, c.value(0), smallest), sizes);
    const { values, indices } = k === 1 ? single(c, key, sizes) : firstInOrder(c, key, k, sizes);
    return [c.core.reshape(turned(c, values, smallest), shape), c.core.reshape(indices, shape)];
  },
});

/** The input as rows of which each has one largest: along an axis, before opset 13 along all from the axis on. */
function rows(c: OpContext): Sizes {
  const x = c.shape(0);
  if (c.opset >= 13) return split(x, c.axis(c.number('axis', -1), x.length));
  const axis = c.axis(c.number('axis', 1), x.length);
  return [elementCount(x.slice(0, axis)), elementCount(x.slice(axis)), 1];
}

defineOp({
  op: 'Hardmax',
  opset: [11, 23],
  restrictions: '',
  infer(c) {
    rows(c);
    return [c.type(0)];
  },
  reference(c, [x]) {
    const [outer, n, inner] = rows(c);
    const found = argMax({ shape: [outer, n, inner], data: x!.data }, 1, [outer, inner]);
    const isFound = (i: number): boolean =>
      found.data[Math.floor(i / (n * inner)) * inner + (i % inner)] === Math.floor(i / inner) % n;
    return [{ shape: x!.shape, data: x!.data.map((_, i) => Number(isFound(i))) }];
  },
  lower(c) {
    const sizes = rows(c);
    const found = c.core.argMax(c.core.reshape(c.value(0), sizes), 1, true);
    const offsets = tensorOf(
      [sizes[1], 1],
      Array.from({ length: sizes[1] }, (_, i) => -i),
    );
    const isHere = c.core.equals(c.core.addConst(c.core.expand(found, sizes), offsets), 0);
    return [c.core.reshape(c.core.cast(isHere, 'fixed'), c.outputShape)];
  },
});
