// Operators that take elements along axes, by lists of indices known at compile time: Gather, Split, Tile, Pad,
// Compress, CenterCropPad.

import { elementCount } from '../ir/graph';
import { type OpContext, show } from './context';
import { defineMove, type Moved, needPieces } from './moves';
import { piecesAlong } from './pieces';

const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

/** x with the given indices along one axis, in a shape of as many elements. */
function along(x: readonly number[], axis: number, indices: readonly number[], shape?: number[]): Moved {
  return {
    shape: shape ?? x.map((d, i) => (i === axis ? indices.length : d)),
    pieces: () =>
      piecesAlong(
        x,
        x.map((d, i) => (i === axis ? indices : range(d))),
      ),
    fill: null,
    lists: x.map((d, i) => (i === axis ? indices.length : d)),
  };
}

/** Index lists of a node, counted from the front. */
export function knownIndices(c: OpContext, i: number, size: number): number[] {
  return c.known(i, 'indices').map((index) => {
    if (index < -size || index >= size)
      throw c.invalidShape(`has the index ${index} in a dimension of ${size}`, c.shape(0));
    return index < 0 ? index + size : index;
  });
}

defineMove({ op: 'Gather', opset: [11, 23], restrictions: 'indices are known at compile time' }, (c) => {
  const x = c.shape(0);
  const axis = c.axis(c.number('axis', 0), x.length);
  const shape = [...x.slice(0, axis), ...c.shape(1), ...x.slice(axis + 1)];
  return [along(x, axis, knownIndices(c, 1, x[axis]!), shape)];
});

/** Sizes of the parts that Split makes: an attribute up to opset 12, then an input; or equal parts. */
function splitSizes(c: OpContext, size: number): number[] {
  const given = c.has(1) ? c.known(1, 'split') : c.numbers('split');
  if (given) return given;
  const count = c.number('num_outputs', c.node.outputs.length);
  if (count < 1 || count > size)
    throw c.invalidShape(`splits a dimension of ${size} into ${count} parts`, c.shape(0));
  const part = Math.ceil(size / count);
  if (size % count !== 0 && c.opset < 18)
    throw c.invalidShape(`splits a dimension of ${size} into ${count} equal parts`, c.shape(0));
  return range(count).map((i) => Math.max(0, Math.min(part, size - i * part)));
}

defineMove({ op: 'Split', opset: [11, 23], restrictions: 'sizes are known at compile time' }, (c) => {
  const x = c.shape(0);
  const axis = c.axis(c.number('axis', 0), x.length);
  c.needPlaces([x[axis]!]);
  const sizes = splitSizes(c, x[axis]!);
  if (sizes.some((s) => s < 0) || sizes.reduce((a, b) => a + b, 0) !== x[axis]) {
    throw c.invalidShape(`splits axis ${axis} of a shape ${show(x)} into ${show(sizes)}`, x);
  }
  if (sizes.length < c.node.outputs.length)
    throw c.invalidShape(`has ${c.node.outputs.length} outputs for ${sizes.length} parts`, x);
  let at = 0;
  return sizes.map((size) => {
    const first = at;
    at += size;
    return along(
      x,
      axis,
      range(size).map((i) => first + i),
    );
  });
});

defineMove({ op: 'Tile', opset: [11, 23], restrictions: 'repeats are known at compile time' }, (c) => {
  const x = c.shape(0);
  const repeats = c.known(1, 'repeats');
  if (repeats.length !== x.length || repeats.some((r) => r < 0))
    throw c.invalidShape(`has repeats ${show(repeats)} for a shape ${show(x)}`, x);
  const shape = x.map((d, i) => d * repeats[i]!);
  const indices = () => shape.map((size, i) => range(size).map((j) => j % x[i]!));
  return [{ shape, pieces: () => piecesAlong(x, indices()), fill: null }];
});

defineMove(
  { op: 'Compress', opset: [11, 23], restrictions: 'the condition is known at compile time' },
  (c) => {
    const given = c.node.attrs.axis === undefined ? undefined : c.number('axis', 0);
    const x = given === undefined ? [c.shape(0).reduce((a, b) => a * b, 1)] : c.shape(0);
    const axis = c.axis(given ?? 0, x.length);
    const condition = c.known(1, 'condition');
    if (condition.length > x[axis]!)
      throw c.invalidShape(`has ${condition.length} conditions for a dimension of ${x[axis]}`, x);
    return [
      along(
        x,
        axis,
        condition.flatMap((v, i) => (v !== 0 ? [i] : [])),
      ),
    ];
  },
);

/** Index of position p in n elements that are continued on both sides; -1: the fill value. */
const continuations: Readonly<Record<string, (p: number, n: number) => number>> = {
  constant: (p, n) => (p < 0 || p >= n ? -1 : p),
  edge: (p, n) => Math.min(Math.max(p, 0), n - 1),
  wrap: (p, n) => ((p % n) + n) % n,
  reflect(p, n) {
    const period = Math.max(2 * (n - 1), 1);
    const q = ((p % period) + period) % period;
    return q < n ? q : period - q;
  },
};

/** Pads before and behind of every axis; negative ones cut off. */
function padsOf(c: OpContext): (readonly [number, number])[] {
  const x = c.shape(0);
  const given = c.has(1) ? c.known(1, 'pads') : (c.numbers('pads') ?? []);
  const axes = c.distinctAxes(c.has(3) ? c.known(3, 'axes') : range(x.length), x.length);
  if (given.length !== 2 * axes.length)
    throw c.invalidShape(`has pads ${show(given)} for axes ${show(axes)} of a shape ${show(x)}`, x);
  return x.map((_, axis) => {
    const i = axes.indexOf(axis);
    return i < 0 ? [0, 0] : [given[i]!, given[i + axes.length]!];
  });
}

defineMove({ op: 'Pad', opset: [11, 23], restrictions: 'pads and value are known at compile time' }, (c) => {
  const x = c.shape(0);
  const mode = c.string('mode', 'constant');
  const pads = padsOf(c);
  if (!Object.hasOwn(continuations, mode))
    throw c.unsupported(`has mode ${mode}`, 'Use constant, reflect, edge or wrap.');
  const continued = continuations[mode]!;
  if (c.has(2) && elementCount(c.shape(2)) > 1)
    throw c.invalidShape(`has a constant_value of shape ${show(c.shape(2))}, not one number`, c.shape(2));
  // What is cut off is cut off first.
  const kept = x.map((d, axis) => {
    const [before, after] = pads[axis]!;
    const left = d - Math.max(-before, 0) - Math.max(-after, 0);
    if (left < 0 || (left === 0 && mode !== 'constant' && before + after > 0))
      throw c.invalidShape(`pads axis ${axis} of a shape ${show(x)} by ${before} and ${after}`, x);
    return left;
  });
  // A reflection goes to and fro: every turn is a run of its own.
  if (mode === 'reflect') {
    kept.forEach((d, axis) => {
      needPieces(c, Math.floor(Math.max(...pads[axis]!) / Math.max(d - 1, 1)));
    });
  }
  const shape = x.map((d, axis) => d + pads[axis]![0] + pads[axis]![1]);
  const indices = () =>
    shape.map((size, axis) => {
      const [before] = pads[axis]!;
      return range(size).map((i) => {
        const at = continued(i - Math.max(before, 0), kept[axis]!);
        return at < 0 ? at : at + Math.max(-before, 0);
      });
    });
  const value = c.has(2) ? (c.known(2, 'constant_value')[0] ?? 0) : c.number('value', 0);
  const isFilled = mode === 'constant' && pads.flat().some((p) => p > 0);
  return [{ shape, pieces: () => piecesAlong(x, indices()), fill: isFilled ? value : null }];
});

defineMove(
  { op: 'CenterCropPad', opset: [18, 23], restrictions: 'the shape is known at compile time' },
  (c) => {
    const x = c.shape(0);
    const axes = c.distinctAxes(c.numbers('axes') ?? range(x.length), x.length);
    const target = c.known(1, 'shape');
    if (target.length !== axes.length || target.some((d) => d < 0))
      throw c.invalidShape(`has shape ${show(target)} for axes ${show(axes)}`, x);
    const shape = x.map((d, axis) => target[axes.indexOf(axis)] ?? d);
    const indices = () =>
      shape.map((size, axis) => {
        const d = x[axis]!;
        const first = size > d ? -Math.floor((size - d) / 2) : Math.floor((d - size) / 2);
        return range(size).map((i) => continuations.constant!(i + first, d));
      });
    return [{ shape, pieces: () => piecesAlong(x, indices()), fill: 0 }];
  },
);
