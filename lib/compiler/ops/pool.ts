// MaxPool, AveragePool, GlobalAveragePool over one to three spatial dimensions.
//
// An average is the sum over the window times the reciprocal of the number of elements counted. Without
// count_include_pad that number differs at the border, and the reciprocals are a public tensor.

import { elementCount, type Value } from '../ir/graph';
import { type FloatTensor, map, reduce, tensorOf, zip } from './array';
import { type LowerContext, MOST_LISTED, type OpContext } from './context';
import { scaled } from './operands';
import { defineOp } from './registry';
import { type Axis, needWindow, pool, singleRow, spatialAxes, windowAttributes, windowAxis } from './windows';

/** A pool over two dimensions, the last of these shapes. */
interface Step {
  readonly axes: readonly [Axis, Axis];
  readonly x: readonly number[];
  readonly y: readonly number[];
}

interface Geometry {
  readonly axes: readonly Axis[];
  readonly out: readonly number[];
  /** Sums and maxima over a box are those over depth of those over a slice. */
  readonly steps: readonly Step[];
}

/** Most positions of a window. */
const MOST_POSITIONS = 2 ** 20;

function needPositions(c: OpContext, kernel: readonly number[]): void {
  const positions = elementCount(kernel);
  if (positions <= MOST_POSITIONS) return;
  const remedy = `The most are ${MOST_POSITIONS}: use a global pool, or several smaller ones.`;
  throw c.unsupported(`has windows of ${positions} elements`, remedy);
}

function geometry(c: OpContext): Geometry {
  c.needRank(0, 3, 4, 5);
  const x = c.shape(0);
  const kernel = c.numbers('kernel_shape');
  if (!kernel) throw c.error('INVALID_MODEL', 'has no kernel_shape', 'Export the model again.');
  const axes = spatialAxes(c, x.slice(2), kernel, c.flag('ceil_mode', false));
  const out = [x[0]!, x[1]!, ...axes.map((a) => a.out)];
  c.needSize(out);
  needPositions(c, kernel);
  const planes = x.slice(0, 2);
  const [h, w] = axes.length === 1 ? [singleRow, axes[0]!] : (axes.slice(-2) as [Axis, Axis]);
  const [depth] = axes.length === 3 ? axes : [];
  const images = [...planes, ...(depth ? [depth.size] : [])];
  const steps: Step[] = [{ axes: [h, w], x: [...images, h.size, w.size], y: [...images, h.out, w.out] }];
  if (depth) {
    const area = h.out * w.out;
    const columns = windowAxis({ ...singleRow, size: area, pads: [0, 0], autoPad: 'NOTSET', ceil: false });
    needWindow(c, columns);
    steps.push({ axes: [depth, columns], x: [...planes, depth.size, area], y: [...planes, depth.out, area] });
  }
  return { axes, out, steps };
}

/** Taps per window position along an axis that lie inside the input, or inside the padded input. */
function counts(a: Axis, includePad: boolean): number[] {
  const [from, to] = includePad ? [-a.before, a.size + a.declaredAfter] : [0, a.size];
  return Array.from({ length: a.out }, (_, o) => {
    const first = o * a.stride - a.before;
    const tapAt = (place: number) => Math.min(Math.max(Math.ceil((place - first) / a.dilation), 0), a.kernel);
    return tapAt(to) - tapAt(from);
  });
}

function needNonEmpty(c: OpContext, axes: readonly Axis[]): void {
  if (axes.every((a) => counts(a, false).every((n) => n > 0))) return;
  throw c.unsupported(
    'has windows that lie in the padding alone',
    'Use less padding than the kernel is wide.',
  );
}

function lowerPool(c: LowerContext, op: 'max_pool' | 'sum_pool', { steps, out }: Geometry): Value {
  const y = steps.reduce(
    (x, step) => c.core.pool(op, c.core.reshape(x, step.x), step.y, windowAttributes(step.axes)),
    c.value(0),
  );
  return c.core.reshape(y, out);
}

function pooled(
  x: FloatTensor,
  { steps, out }: Geometry,
  start: number,
  f: (acc: number, v: number) => number,
): FloatTensor {
  const y = steps.reduce(
    (t, step) => pool({ shape: step.x, data: t.data }, step.y, windowAttributes(step.axes), start, f),
    x,
  );
  return { shape: out, data: y.data };
}

defineOp({
  op: 'MaxPool',
  opset: [11, 23],
  restrictions: 'one to three spatial dimensions; no output Indices',
  infer(c) {
    const g = geometry(c);
    needNonEmpty(c, g.axes);
    // Elements of all windows, which are compared tap by tap.
    for (const { axes, y } of g.steps) c.needSize([...y, ...axes.map((a) => a.kernel)]);
    return [{ shape: g.out, dtype: 'fixed' }];
  },
  reference(c, [x]) {
    return [pooled(x!, geometry(c), Number.NEGATIVE_INFINITY, Math.max)];
  },
  lower: (c) => [lowerPool(c, 'max_pool', geometry(c))],
});

/** 1 / (elements counted) per window, in the shape of the windows. */
function reciprocals(c: OpContext, axes: readonly Axis[]): FloatTensor {
  const includePad = c.flag('count_include_pad', false);
  const products = axes
    .map((a) => counts(a, includePad))
    .reduce((all, list) => all.flatMap((n) => list.map((m) => n * m)), [1]);
  return tensorOf(
    axes.map((a) => a.out),
    products.map((n) => 1 / n),
  );
}

defineOp({
  op: 'AveragePool',
  opset: [11, 23],
  restrictions: 'one to three spatial dimensions',
  infer(c) {
    const g = geometry(c);
    needNonEmpty(c, g.axes);
    c.needSize(g.out.slice(2), MOST_LISTED);
    return [{ shape: g.out, dtype: 'fixed' }];
  },
  reference(c, [x]) {
    const g = geometry(c);
    const sum = pooled(x!, g, 0, (a, v) => a + v);
    return [zip(sum, reciprocals(c, g.axes), (a, r) => a * r)];
  },
  lower(c) {
    const g = geometry(c);
    return [scaled(c, lowerPool(c, 'sum_pool', g), reciprocals(c, g.axes))];
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
