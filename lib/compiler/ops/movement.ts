// Operators that read their input through strides: Transpose, Slice, Expand, DepthToSpace, SpaceToDepth. Each
// becomes a move of one piece, or a reshape where the elements stay in order.

import { broadcastShapes, broadcastStrides, stridesOf, view } from './array';
import { type OpContext, show } from './context';
import { defineOp } from './registry';

/** A result that reads its input through strides. */
interface View {
  readonly shape: readonly number[];
  readonly strides: readonly number[];
  readonly base: number;
  /** Shape of the result, where dimensions of the view are joined. */
  readonly result?: readonly number[];
}

function defineView(op: string, restrictions: string, viewOf: (c: OpContext) => View): void {
  defineOp({
    op,
    opset: [11, 23],
    restrictions,
    integers: true,
    infer(c) {
      const { shape, result } = viewOf(c);
      return [{ shape: result ?? shape, dtype: c.type(0).dtype }];
    },
    reference(c, [x]) {
      const { shape, strides, base, result } = viewOf(c);
      return [{ shape: result ?? shape, data: view(x!.data, shape, strides, base).data }];
    },
    lower(c) {
      const { shape, strides, base } = viewOf(c);
      return [c.core.reshape(c.core.gather(c.value(0), shape, strides, base), c.outputShape)];
    },
  });
}

defineView('Transpose', '', (c) => {
  const x = c.shape(0);
  const perm = c.numbers('perm') ?? x.map((_, i) => x.length - 1 - i);
  const sorted = [...perm].sort((a, b) => a - b);
  if (perm.length !== x.length || sorted.some((p, i) => p !== i)) {
    throw c.invalidShape(`has perm ${show(perm)} for an input of shape ${show(x)}`, perm, x);
  }
  const strides = stridesOf(x);
  return { shape: perm.map((p) => x[p]!), strides: perm.map((p) => strides[p]!), base: 0 };
});

defineView('Expand', 'the shape is known at compile time', (c) => {
  const shape = broadcastShapes(c.shape(0), c.known(1, 'shape'));
  if (!shape) {
    const target = c.known(1, 'shape');
    throw c.invalidShape(
      `expands a tensor of shape ${show(c.shape(0))} to ${show(target)}`,
      c.shape(0),
      target,
    );
  }
  return { shape, strides: broadcastStrides(c.shape(0), shape), base: 0 };
});

defineView('Slice', 'starts, ends, axes and steps are known at compile time', (c) => {
  const x = c.shape(0);
  const [starts, ends] = [c.known(1, 'starts'), c.known(2, 'ends')];
  const given = c.has(3) ? c.known(3, 'axes') : starts.map((_, i) => i);
  const steps = c.has(4) ? c.known(4, 'steps') : starts.map(() => 1);
  if ([ends, given, steps].some((list) => list.length !== starts.length) || steps.includes(0)) {
    throw c.invalidShape(
      `has starts ${show(starts)}, ends ${show(ends)}, axes ${show(given)}, steps ${show(steps)}`,
    );
  }
  const [shape, strides] = [[...x], stridesOf(x)];
  let base = 0;
  c.distinctAxes(given, x.length).forEach((a, i) => {
    const [size, step] = [x[a]!, steps[i]!];
    const fromEnd = (v: number) => (v < 0 ? v + size : v);
    const clamp = (v: number, lo: number, hi: number) => Math.min(Math.max(v, lo), hi);
    const start = step > 0 ? clamp(fromEnd(starts[i]!), 0, size) : clamp(fromEnd(starts[i]!), 0, size - 1);
    const end = step > 0 ? clamp(fromEnd(ends[i]!), 0, size) : clamp(fromEnd(ends[i]!), -1, size);
    shape[a] = Math.max(0, Math.ceil((end - start) / step));
    base += start * strides[a]!;
    // The step of a single element leads nowhere, and may be too large for a stride.
    if (shape[a]! > 1) strides[a]! *= step;
  });
  return { shape, strides, base: shape.includes(0) ? 0 : base };
});

/** A view of x, split into the dimensions `split`, with these permuted. */
function permuted(split: readonly number[], perm: readonly number[], result: readonly number[]): View {
  const strides = stridesOf(split);
  return { shape: perm.map((p) => split[p]!), strides: perm.map((p) => strides[p]!), base: 0, result };
}

/** Block size and the dimensions of an image. */
function blocks(c: OpContext): { b: number; x: [number, number, number, number] } {
  c.needRank(0, 4);
  const b = c.number('blocksize', 0);
  if (!(b >= 1)) throw c.invalidShape(`has blocksize ${b}`, c.shape(0));
  return { b, x: c.shape(0) as [number, number, number, number] };
}

defineView('DepthToSpace', '', (c) => {
  const { b, x } = blocks(c);
  const [n, depth, h, w] = x;
  const channels = depth / b ** 2;
  if (!Number.isInteger(channels)) throw c.invalidShape(`has ${depth} channels for blocks of ${b} x ${b}`, x);
  const mode = c.string('mode', 'DCR');
  if (mode !== 'DCR' && mode !== 'CRD') throw c.unsupported(`has mode ${mode}`, 'Use DCR or CRD.');
  const result = [n, channels, h * b, w * b];
  return mode === 'DCR'
    ? permuted([n, b, b, channels, h, w], [0, 3, 4, 1, 5, 2], result)
    : permuted([n, channels, b, b, h, w], [0, 1, 4, 2, 5, 3], result);
});

defineView('SpaceToDepth', '', (c) => {
  const { b, x } = blocks(c);
  const [n, channels, h, w] = x;
  if (h % b !== 0 || w % b !== 0)
    throw c.invalidShape(`has an image of ${h} x ${w} for blocks of ${b} x ${b}`, x);
  const split = [n, channels, h / b, b, w / b, b];
  return permuted(split, [0, 3, 5, 1, 2, 4], [n, channels * b * b, h / b, w / b]);
});
