// Appends core operations to a graph under construction and works out their types.
//
// Owners: what only a party's own values went into, the party could compute for itself. That is kept through
// local linear operations, where shares (v, 0, ...) stay of that form; any other result exists as shares
// only.

import { type Domain, findFunction } from '../approximations';
import type { Dtype, GraphBuilder, Node, Owner, Value } from '../ir/graph';
import { elementCount } from '../ir/graph';
import {
  broadcastShapes,
  broadcastStrides,
  type FloatTensor,
  matrixDims,
  sameShape,
  stridesOf,
} from './array';
import { attributes, type CoreOp, type Piece, type WindowAttributes } from './core';
import type { ExponentialTable } from './exponential';
import type { FourierSeries } from './fourier';
import type { SplineTable } from './spline';

/** Owner of something computed from values of two owners. */
export function joinOwners(a: Owner, b: Owner): Owner {
  if (a === 'public') return b;
  return b === 'public' || a === b ? a : 'secret';
}

interface Result {
  readonly shape: readonly number[];
  readonly dtype?: Dtype;
  readonly owner?: Owner;
}

export class CoreEmitter {
  constructor(
    readonly builder: GraphBuilder,
    readonly from: Pick<Node, 'name' | 'origin'>,
  ) {}

  private emit(
    op: CoreOp | 'approximate',
    inputs: readonly Value[],
    result: Result,
    attrs: object = {},
  ): Value {
    const type = {
      shape: result.shape,
      dtype: result.dtype ?? inputs[0]!.type.dtype,
      owner: result.owner ?? 'secret',
    };
    return this.builder.node(this.from, op, inputs, [type], attributes(attrs))[0]!;
  }

  /** A constant of the weights' owner, or a public one, as an operand. */
  constant(name: string, t: FloatTensor, owner: Owner): Value {
    const type = { shape: t.shape, dtype: 'fixed' as const, owner };
    return this.builder.constant(name, type, { data: t.data, private: owner !== 'public' });
  }

  private elementwise(op: CoreOp, a: Value, b: Value, owner?: Owner): Value {
    const shape = broadcastShapes(a.type.shape, b.type.shape)!;
    return this.emit(op, [a, b], owner === undefined ? { shape } : { shape, owner });
  }

  add(a: Value, b: Value): Value {
    return this.elementwise('add', a, b, joinOwners(a.type.owner, b.type.owner));
  }

  sub(a: Value, b: Value): Value {
    return this.elementwise('sub', a, b, joinOwners(a.type.owner, b.type.owner));
  }

  mul(a: Value, b: Value): Value {
    return this.elementwise('mul', a, b);
  }

  neg(a: Value): Value {
    return this.emit('neg', [a], a.type);
  }

  /** a + t for a public t. */
  addConst(a: Value, t: FloatTensor): Value {
    const x = this.expand(a, broadcastShapes(a.type.shape, t.shape)!);
    return this.emit('add_const', [x], { shape: x.type.shape }, t);
  }

  /** a * t for a public t. */
  mulConst(a: Value, t: FloatTensor): Value {
    const x = this.expand(a, broadcastShapes(a.type.shape, t.shape)!);
    return this.emit('mul_const', [x], x.type, t);
  }

  matmul(a: Value, b: Value, transA: boolean = false, transB: boolean = false): Value {
    const batch = broadcastShapes(a.type.shape.slice(0, -2), b.type.shape.slice(0, -2))!;
    const shape = [...batch, matrixDims(a.type.shape, transA)[0], matrixDims(b.type.shape, transB)[1]];
    return this.emit('matmul', [a, b], { shape }, { transA, transB });
  }

  conv2d(
    x: Value,
    w: Value,
    out: readonly number[],
    attrs: Omit<WindowAttributes, 'kernel'> & { group: number },
  ): Value {
    return this.emit('conv2d', [x, w], { shape: out }, attrs);
  }

  /** sum of coefficients[k] a^k, for a in [lo, hi]. */
  polynomial(a: Value, coefficients: Float64Array, [lo, hi]: readonly [number, number]): Value {
    const attrs = { coefficients, scale: 0, shift: 0, lo, hi };
    return this.emit('polynomial', [a], { shape: a.type.shape }, attrs);
  }

  /** pieces[i] of a, coefficients from the lowest, where thresholds[i - 1] <= a < thresholds[i]. */
  piecewise(a: Value, thresholds: readonly number[], pieces: readonly (readonly number[])[]): Value {
    const degree = Math.max(...pieces.map((p) => p.length)) - 1;
    const coefficients = new Float64Array(pieces.length * (degree + 1));
    pieces.forEach((p, i) => {
      coefficients.set(p, i * (degree + 1));
    });
    const attrs = { thresholds: Float64Array.from(thresholds), degree, coefficients, scale: 0, shift: 0 };
    return this.emit('piecewise', [a], { shape: a.type.shape }, attrs);
  }

  /**
   * A function of the library (../approximations), by its name and parameters; `domain`: of operands of which nothing is
   * known.
   */
  approximate(
    a: Value,
    fn: string,
    params: readonly number[],
    domain: Domain = findFunction(fn).domain(params),
  ): Value {
    const { lo, hi } = domain;
    return this.emit('approximate', [a], { shape: a.type.shape }, { fn, params, lo, hi, known: false });
  }

  relu(a: Value): Value {
    return this.emit('relu', [a], { shape: a.type.shape }, { shift: 0 });
  }

  clip(a: Value, lo: number | null, hi: number | null): Value {
    return this.emit('clip', [a], { shape: a.type.shape }, { lo, hi, shift: 0 });
  }

  leakyRelu(a: Value, alpha: number): Value {
    return this.emit('leaky_relu', [a], { shape: a.type.shape }, { alpha, alphaScale: 0, shift: 0 });
  }

  pool(op: 'max_pool' | 'sum_pool', a: Value, out: readonly number[], window: WindowAttributes): Value {
    const owner = op === 'sum_pool' ? a.type.owner : 'secret';
    const { kernel, strides, pads, dilations } = window;
    return this.emit(op, [a], { shape: out, owner }, { kernel, strides, pads, dilations });
  }

  argMax(a: Value, axis: number, keepdims: boolean): Value {
    const shape = keepdims
      ? a.type.shape.map((d, i) => (i === axis ? 1 : d))
      : a.type.shape.toSpliced(axis, 1);
    return this.emit('arg_max', [a], { shape, dtype: 'int' }, { axis, keepdims });
  }

  /** A Fourier series, off by `error` at most for a in [lo, hi]; beyond, the more the larger |a| is. */
  fourier(a: Value, series: FourierSeries, { lo, hi }: Domain, error: number): Value {
    const { period, constant } = series;
    const [sine, cosine] = [Float64Array.from(series.sine), Float64Array.from(series.cosine)];
    if (!(period > 0 && Number.isFinite(period))) throw new RangeError(`${period} is no period`);
    if (sine.length !== cosine.length || sine.length > 32 || ![...sine, ...cosine].some((c) => c !== 0))
      throw new RangeError('a series has as many cosines as sines, from 1 to 32, and one that is not 0');
    const attrs = { period, constant, sine, cosine, lo, hi, error };
    return this.emit('fourier', [a], { shape: a.type.shape }, attrs);
  }

  /**
   * The entry of a table for the cell that a lies in, of as many as it has entries, a power of two from 2 to 4096: they cut
   * [lo, hi), and repeat beyond it. Unless it is `exact`, which takes two more rounds, the entry may be that of the
   * neighbour that is nearer to a, the first cell being next to the last.
   */
  lookup(a: Value, table: Float64Array, { lo, hi }: Domain, exact: boolean): Value {
    if (!Number.isInteger(Math.log2(table.length)) || table.length < 2 || table.length > 4096)
      throw new RangeError(`a table has ${table.length} entries, which is no power of two from 2 to 4096`);
    if (!(lo < hi)) throw new RangeError(`[${lo}, ${hi}) is no interval`);
    return this.emit('lookup', [a], { shape: a.type.shape }, { table, lo, hi, exact });
  }

  /** A function of a positive number by its tables (approximations/segments.ts). */
  spline(a: Value, table: SplineTable): Value {
    return this.emit('spline', [a], { shape: a.type.shape }, table);
  }

  /** amplitude e^(rate a) by its factors (approximations/exponential.ts). */
  exponential(a: Value, table: ExponentialTable): Value {
    return this.emit('exponential', [a], { shape: a.type.shape }, table);
  }

  /** How many elements along the axis come before each, in falling order. */
  rank(a: Value, axis: number): Value {
    return this.emit('rank', [a], { shape: a.type.shape, dtype: 'int' }, { axis });
  }

  /** a >= bound, or a > bound where `strict`. */
  step(a: Value, bound: number, strict: boolean): Value {
    return this.emit('step', [a], { shape: a.type.shape, dtype: 'bool' }, { bound, strict });
  }

  equals(a: Value, bound: number): Value {
    return this.emit('equals', [a], { shape: a.type.shape, dtype: 'bool' }, { bound });
  }

  not(a: Value): Value {
    return this.emit('not', [a], { shape: a.type.shape });
  }

  xor(a: Value, b: Value): Value {
    return this.elementwise('xor', a, b, joinOwners(a.type.owner, b.type.owner));
  }

  sum(a: Value, axes: readonly number[], keepdims: boolean): Value {
    const kept = a.type.shape.map((d, i) => (axes.includes(i) ? 1 : d));
    const shape = keepdims ? kept : kept.filter((_, i) => !axes.includes(i));
    return this.emit('sum', [a], { ...a.type, shape }, { axes, keepdims });
  }

  reshape(a: Value, shape: readonly number[]): Value {
    return sameShape(a.type.shape, shape) ? a : this.emit('reshape', [a], { ...a.type, shape }, { shape });
  }

  /** The same as another kind of element: a boolean as 0 or 1, a number as whether it is not 0, an integer as a real number. */
  cast(a: Value, dtype: Dtype): Value {
    const { shape, dtype: from, owner } = a.type;
    if (from === dtype) return a;
    if (dtype === 'bool') return this.not(this.equals(a, 0));
    return from === 'bool'
      ? this.emit('lift', [a], { shape, dtype })
      : this.emit('reshape', [a], { shape, dtype, owner }, { shape });
  }

  /** Copies pieces of the inputs into a new tensor; `fill` is null where they cover it. */
  move(
    inputs: readonly Value[],
    pieces: readonly Piece[],
    shape: readonly number[],
    fill: number | null,
  ): Value {
    const local = fill === null || fill === 0;
    const owner = local ? inputs.map((v) => v.type.owner).reduce(joinOwners) : 'secret';
    return this.emit('move', inputs, { shape, owner }, { pieces, fill, from: this.from.origin });
  }

  /** A strided view of a, as a tensor of its own. */
  gather(a: Value, shape: readonly number[], strides: readonly number[], base: number = 0): Value {
    const own = stridesOf(shape);
    const inOrder = base === 0 && shape.every((d, i) => d === 1 || strides[i] === own[i]);
    if (inOrder && elementCount(shape) === elementCount(a.type.shape)) return this.reshape(a, shape);
    const dims = shape.map((d, i) => [d, own[i]!, strides[i]!] as const);
    return this.move([a], [{ outBase: 0, inBase: base, dims }], shape, null);
  }

  expand(a: Value, shape: readonly number[]): Value {
    return sameShape(a.type.shape, shape) ? a : this.gather(a, shape, broadcastStrides(a.type.shape, shape));
  }
}
