// MaxPool, AveragePool, GlobalAveragePool over one or two spatial dimensions.
//
// An average is the sum over the window times the reciprocal of the number of elements counted. Without
// count_include_pad that number differs at the border, and the reciprocals are a public tensor.

import { elementCount, type Value } from '../ir/graph';
import { type FloatTensor, map, reduce, zip } from './array';
import type { LowerContext, OpContext } from './context';
import { scaled } from './operands';
import { defineOp } from './registry';
import { type Axis, pool, singleRow, spatialAxes, windowAttributes } from './windows';

interface Geometry {
  readonly axes: readonly [Axis, Axis];
  readonly out: readonly number[];
  /** Shapes of x and y with two spatial dimensions. */
  readonly x: readonly number[];
  readonly y: readonly number[];
}

function geometry(c: OpContext): Geometry {
  c.needRank(0, 3, 4);
  const x = c.shape(0);
  const kernel = c.numbers('kernel_shape');
  if (!kernel) throw c.error('INVALID_MODEL', 'has no kernel_shape', 'Export the model again.');
  const spatial = spatialAxes(c, x.slice(2), kernel, c.flag('ceil_mode', false));
  const out = [x[0]!, x[1]!, ...spatial.map((a) => a.out)];
  const two = (s: readonly number[]) => (s.length === 3 ? [s[0]!, s[1]!, 1, s[2]!] : s);
  const axes = (spatial.length === 1 ? [singleRow, spatial[0]!] : spatial) as [Axis, Axis];
  return { axes, out, x: two(x), y: two(out) };
}

/** Taps per window position along an axis that lie inside the input, or inside the padded input. */
function counts(a: Axis, includePad: boolean): number[] {
  const [from, to] = includePad ? [-a.before, a.size + a.declaredAfter] : [0, a.size];
  return Array.from({ length: a.out }, (_, o) => {
    const first = o * a.stride - a.before;
    let count = 0;
    for (let t = 0; t < a.kernel; t++)
      count += Number(first + t * a.dilation >= from && first + t * a.dilation < to);
    return count;
  });
}

function needNonEmpty(c: OpContext, axes: readonly Axis[]): void {
  if (axes.every((a) => counts(a, false).every((n) => n > 0))) return;
  throw c.unsupported(
    'has windows that lie in the padding alone',
    'Use less padding than the kernel is wide.',
  );
}

/** Runs a core pool in two spatial dimensions. */
function lowerPool(c: LowerContext, op: 'max_pool' | 'sum_pool', g: Geometry): Value {
  return c.core.pool(op, c.core.reshape(c.value(0), g.x), g.y, windowAttributes(g.axes));
}

defineOp({
  op: 'MaxPool',
  opset: [11, 23],
  restrictions: 'one or two spatial dimensions; no output Indices',
  infer(c) {
    const g = geometry(c);
    needNonEmpty(c, g.axes);
    return [{ shape: g.out, dtype: 'fixed' }];
  },
  reference(c, [x]) {
    const g = geometry(c);
    const input = { shape: g.x, data: x!.data };
    const y = pool(input, g.y, windowAttributes(g.axes), Number.NEGATIVE_INFINITY, Math.max);
    return [{ shape: g.out, data: y.data }];
  },
  lower(c) {
    const g = geometry(c);
    return [c.core.reshape(lowerPool(c, 'max_pool', g), g.out)];
  },
});

/** 1 / (elements counted) per window, [OH, OW]. */
function reciprocals(c: OpContext, [h, w]: readonly [Axis, Axis]): FloatTensor {
  const includePad = c.flag('count_include_pad', false);
  const [rows, columns] = [counts(h, includePad), counts(w, includePad)];
  const data = Float64Array.from(rows.flatMap((r) => columns.map((q) => 1 / (r * q))));
  return { shape: [h.out, w.out], data };
}

defineOp({
  op: 'AveragePool',
  opset: [11, 23],
  restrictions: 'one or two spatial dimensions',
  infer(c) {
    const g = geometry(c);
    needNonEmpty(c, g.axes);
    return [{ shape: g.out, dtype: 'fixed' }];
  },
  reference(c, [x]) {
    const g = geometry(c);
    const sum = pool({ shape: g.x, data: x!.data }, g.y, windowAttributes(g.axes), 0, (a, v) => a + v);
    return [{ shape: g.out, data: zip(sum, reciprocals(c, g.axes), (a, r) => a * r).data }];
  },
  lower(c) {
    const g = geometry(c);
    return [c.core.reshape(scaled(c, lowerPool(c, 'sum_pool', g), reciprocals(c, g.axes)), g.out)];
  },
});

function spatialDims(c: OpContext): number[] {
  const shape = c.shape(0);
  if (shape.length < 3)
    throw c.unsupported(`has an input of ${shape.length} dimensions`, 'It needs [N, C, ...].');
  return shape.slice(2).map((_, i) => i + 2);
}

defineOp({
  op: 'GlobalAveragePool',
  opset: [11, 23],
  restrictions: '',
  infer(c) {
    const axes = spatialDims(c);
    return [{ shape: c.shape(0).map((d, i) => (axes.includes(i) ? 1 : d)), dtype: 'fixed' }];
  },
  reference(c, [x]) {
    const count = elementCount(x!.shape.slice(2));
    return [
      map(
        reduce(x!, spatialDims(c), true, 0, (a, v) => a + v),
        (v) => v / count,
      ),
    ];
  },
  lower(c) {
    const count = elementCount(c.shape(0).slice(2));
    return [scaled(c, c.core.sum(c.value(0), spatialDims(c), true), 1 / count)];
  },
});
