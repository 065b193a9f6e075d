// Whether the shape of a core operation's result follows from its operands and attributes.

import type { Attribute, Node } from './graph';
import { elementCount } from './graph';

export const num = (node: Node, name: string): number => Number(node.attrs[name]);
export const nums = (node: Node, name: string): readonly number[] => node.attrs[name] as readonly number[];
export const shapeOf = (node: Node, i: number = 0): readonly number[] => node.inputs[i]!.type.shape;

function same(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((d, i) => d === b[i]);
}

export function keeps(out: readonly number[], node: Node): boolean {
  return same(out, shapeOf(node));
}

/** Whether `out` is numpy's broadcast of a and b. */
function isBroadcast(out: readonly number[], a: readonly number[], b: readonly number[]): boolean {
  if (out.length !== Math.max(a.length, b.length)) return false;
  return out.every((d, i) => {
    const x = a[i - out.length + a.length] ?? 1;
    const y = b[i - out.length + b.length] ?? 1;
    return x === 1 ? y === d : x === d && (y === d || y === 1);
  });
}

export function broadcasts(out: readonly number[], node: Node): boolean {
  return isBroadcast(out, shapeOf(node), shapeOf(node, 1));
}

/** The constant has as many elements as it says, and broadcasts to the operand. */
export function takesConstant(out: readonly number[], node: Node): boolean {
  const shape = nums(node, 'shape');
  const data = node.attrs.data as BigInt64Array;
  return data.length === elementCount(shape) && same(out, shapeOf(node)) && isBroadcast(out, out, shape);
}

export function multiplies(out: readonly number[], node: Node): boolean {
  const [a, b] = [shapeOf(node), shapeOf(node, 1)];
  if (a.length < 2 || b.length < 2 || out.length < 2) return false;
  const tail = (s: readonly number[], trans: Attribute | undefined): readonly number[] =>
    trans === true ? s.slice(-2).reverse() : s.slice(-2);
  const [m, k] = tail(a, node.attrs.transA);
  const [k2, n] = tail(b, node.attrs.transB);
  const batch = isBroadcast(out.slice(0, -2), a.slice(0, -2), b.slice(0, -2));
  return batch && k === k2 && same(out.slice(-2), [m!, n!]);
}

/** Places of a window over two dimensions padded by [top, left, bottom, right]. */
function places(size: readonly number[], kernel: readonly number[], node: Node): number[] {
  const [strides, dilations, pads] = [nums(node, 'strides'), nums(node, 'dilations'), nums(node, 'pads')];
  return size.map((d, i) => {
    const span = (kernel[i]! - 1) * dilations[i]! + 1;
    return Math.floor((d + pads[i]! + pads[i + 2]! - span) / strides[i]!) + 1;
  });
}

function hasWindow(node: Node): boolean {
  const pair = (name: string): boolean =>
    nums(node, name).length === 2 && nums(node, name).every((x) => x > 0);
  return pair('strides') && pair('dilations') && nums(node, 'pads').length === 4;
}

export function convolves(out: readonly number[], node: Node): boolean {
  const [x, w, group] = [shapeOf(node), shapeOf(node, 1), num(node, 'group')];
  if (x.length !== 4 || w.length !== 4 || !hasWindow(node) || group < 1) return false;
  const channels = x[1] === w[1]! * group && w[0]! % group === 0;
  return channels && same(out, [x[0]!, w[0]!, ...places(x.slice(2), w.slice(2), node)]);
}

/** Windows may overhang the padded input by less than a stride (ceil_mode). */
export function pools(out: readonly number[], node: Node): boolean {
  const x = shapeOf(node);
  const kernel = nums(node, 'kernel');
  if (x.length < 2 || kernel.length !== 2 || kernel.includes(0) || !hasWindow(node)) return false;
  const most = places(x.slice(-2), kernel, node);
  return (
    same(out.slice(0, -2), x.slice(0, -2)) &&
    out.slice(-2).every((d, i) => d === most[i] || d === most[i]! + 1)
  );
}

export function reduces(
  out: readonly number[],
  x: readonly number[],
  axes: readonly number[],
  keepdims: boolean,
): boolean {
  if (!axes.every((a, i) => a < x.length && axes.indexOf(a) === i)) return false;
  const kept = x.map((d, i) => (axes.includes(i) ? 1 : d));
  return same(out, keepdims ? kept : kept.filter((_, i) => !axes.includes(i)));
}

interface Piece {
  readonly outBase: number;
  readonly inBase: number;
  readonly dims: readonly (readonly [number, number, number])[];
}

/** Every piece stays inside its input and the output; without a fill the pieces have as many elements as the output. */
export function moves(out: readonly number[], node: Node): boolean {
  const pieces = node.attrs.pieces as unknown as readonly Piece[];
  if (pieces.length !== node.inputs.length) return false;
  /** Places that are reached with the strides at index k of the dimensions. */
  const inside = (base: number, dims: Piece['dims'], k: 1 | 2, count: number): boolean => {
    let [low, high] = [base, base];
    for (const dim of dims) {
      const reach = dim[k] * (dim[0] - 1);
      if (reach < 0) low += reach;
      else high += reach;
    }
    return low >= 0 && high < count;
  };
  const total = elementCount(out);
  const written = pieces.reduce((n, p) => n + p.dims.reduce((a, [d]) => a * d, 1), 0);
  if (node.attrs.fill === null ? written !== total : written > total) return false;
  return pieces.every(
    (p, i) =>
      inside(p.outBase, p.dims, 1, total) && inside(p.inBase, p.dims, 2, elementCount(shapeOf(node, i))),
  );
}

export function reshapes(out: readonly number[], node: Node): boolean {
  return same(out, nums(node, 'shape')) && elementCount(out) === elementCount(shapeOf(node));
}
