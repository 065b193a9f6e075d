// Arithmetic of an operand that may be a computed value, a public constant or a private one.
//
// Public constants become attributes (add_const, mul_const: no share is touched but by a known factor),
// private ones are operands that belong to the owner of the weights. A shape that is given replaces that of
// the operand: a bias of shape [C] is added as [C, 1, 1].

import type { Value } from '../ir/graph';
import { type FloatTensor, map, sameShape, view } from './array';
import { isUniform, type LowerContext } from './context';

/** Input i as a value of the given shape. */
export function operand(c: LowerContext, i: number, shape: readonly number[]): Value {
  if (sameShape(shape, c.shape(i))) return c.value(i);
  if (!c.isConstant(i)) return c.core.reshape(c.value(i), shape);
  const t = { shape, data: c.floats(i).data };
  return c.core.constant(`${c.node.name}:${c.node.inputs[i]!.name}`, t, c.type(i).owner);
}

/** A strided view of an input, as a tensor of the shape `result`. */
export interface View {
  readonly shape: readonly number[];
  readonly strides: readonly number[];
  readonly base: number;
  readonly result: readonly number[];
}

/** A view of input i: of a constant, while compiling. */
export function operandView(c: LowerContext, i: number, { shape, strides, base, result }: View): Value {
  if (!c.isConstant(i)) return c.core.reshape(c.core.gather(c.value(i), shape, strides, base), result);
  const t = { shape: result, data: view(c.floats(i).data, shape, strides, base).data };
  return c.core.constant(`${c.node.name}:${c.node.inputs[i]!.name}`, t, c.type(i).owner);
}

/** A constant of all the same elements as a scalar, where that broadcasts to the same shape. */
function shrink(t: FloatTensor, other: readonly number[]): FloatTensor {
  const sizeOf = (i: number) => other[i - t.shape.length + other.length] ?? 0;
  const grows = t.shape.length > other.length || t.shape.some((d, i) => d !== 1 && d !== sizeOf(i));
  return !grows && isUniform(t) ? { shape: [], data: t.data.slice(0, 1) } : t;
}

/** The constant input i as a tensor of the given shape, when it is public. */
export function publicConstant(
  c: LowerContext,
  i: number,
  shape: readonly number[],
): FloatTensor | undefined {
  const constant = c.constant(i);
  return constant && !constant.private ? { shape, data: c.floats(i).data } : undefined;
}

/** x plus a public number or tensor; adding nothing is left out. */
export function shifted(c: LowerContext, x: Value, t: FloatTensor | number): Value {
  const term = typeof t === 'number' ? { shape: [], data: Float64Array.of(t) } : shrink(t, x.type.shape);
  return term.shape.length === 0 && term.data[0] === 0 ? x : c.core.addConst(x, term);
}

/** x times a public number or tensor; the factor 1 is left out. */
export function scaled(c: LowerContext, x: Value, t: FloatTensor | number): Value {
  const factor = typeof t === 'number' ? { shape: [], data: Float64Array.of(t) } : shrink(t, x.type.shape);
  if (factor.shape.length === 0 && factor.data[0] === 1) return x;
  if (factor.shape.length === 0 && factor.data[0] === -1) return c.core.neg(x);
  return c.core.mulConst(x, factor);
}

/** x + input i. */
export function plus(c: LowerContext, x: Value, i: number, shape: readonly number[] = c.shape(i)): Value {
  const t = publicConstant(c, i, shape);
  return t ? shifted(c, x, t) : c.core.add(x, operand(c, i, shape));
}

/** x - input i. */
export function minus(c: LowerContext, x: Value, i: number): Value {
  const t = publicConstant(c, i, c.shape(i));
  return t
    ? shifted(
        c,
        x,
        map(t, (v) => -v),
      )
    : c.core.sub(x, c.value(i));
}

/** x times input i. */
export function times(c: LowerContext, x: Value, i: number): Value {
  const t = publicConstant(c, i, c.shape(i));
  return t ? scaled(c, x, t) : c.core.mul(x, c.value(i));
}

/** x times a constant computed here, which is private where its sources were. */
export function timesComputed(c: LowerContext, x: Value, t: FloatTensor, sources: readonly number[]): Value {
  const owner = privateOwner(c, sources);
  return owner === undefined
    ? scaled(c, x, t)
    : c.core.mul(x, c.core.constant(`${c.node.name}:factor`, t, owner));
}

/** x plus a constant computed here, which is private where its sources were. */
export function plusComputed(c: LowerContext, x: Value, t: FloatTensor, sources: readonly number[]): Value {
  const owner = privateOwner(c, sources);
  return owner === undefined
    ? shifted(c, x, t)
    : c.core.add(x, c.core.constant(`${c.node.name}:term`, t, owner));
}

function privateOwner(c: LowerContext, sources: readonly number[]) {
  const source = sources.find((i) => c.constant(i)?.private === true);
  return source === undefined ? undefined : c.type(source).owner;
}
