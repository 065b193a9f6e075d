// What an operator definition sees of the node it is asked about: types and constants of its inputs, its
// attributes with defaults and kinds checked, and the errors it may raise, which name the node, the operator
// and what to do.

import { CryptorchError, type ErrorName } from '../../errors';
import {
  type Attribute,
  type Constant,
  elementCount,
  LAST_OPSET,
  type Node,
  type Type,
  type Value,
} from '../ir/graph';
import type { FloatTensor } from './array';
import type { CoreEmitter } from './emit';

/** Most elements of a value, and of one that is computed while compiling. */
const MOST_ELEMENTS = 2 ** 31;
export const MOST_KNOWN_ELEMENTS: number = 2 ** 27;
/** Longest list of places along an axis, or of factors, that is made while compiling. */
export const MOST_LISTED: number = 2 ** 24;

export interface KnownInput {
  readonly type: Type;
  readonly constant?: Constant | undefined;
}

export class OpContext {
  constructor(
    readonly node: Node,
    /** One entry per input, undefined where it was left out. */
    readonly inputs: readonly (KnownInput | undefined)[],
    /** Types of the outputs, once they are known. */
    readonly outputs: readonly Type[] = [],
    /** Version of the operator set that the node is written in. */
    readonly opset: number = LAST_OPSET,
  ) {}

  has(i: number): boolean {
    return this.inputs[i] !== undefined;
  }

  type(i: number): Type {
    const known = this.inputs[i];
    if (!known) throw this.error('INVALID_MODEL', `has no input ${i}`, 'Export the model again.');
    return known.type;
  }

  shape(i: number): readonly number[] {
    return this.type(i).shape;
  }

  /** The value of an input where it is known at compile time. */
  constant(i: number): Constant | undefined {
    return this.inputs[i]?.constant;
  }

  isConstant(i: number): boolean {
    return this.constant(i) !== undefined;
  }

  /** A constant input as doubles; integers beyond 2^53 are rounded. */
  floats(i: number): FloatTensor {
    return { shape: this.shape(i), data: toDoubles(this.constant(i)!.data) };
  }

  /**
   * A constant input that steers the operator (a shape, axes, ...): it must be known when the model is
   * compiled.
   */
  known(i: number, what: string): number[] {
    const constant = this.constant(i);
    if (!constant) {
      const why = `computes its ${what} while it runs`;
      throw this.unsupported(why, `Export the model with static shapes so that ${what} is a constant.`);
    }
    if (constant.private && elementCount(this.shape(i)) > 1) {
      throw this.unsupported(`takes its ${what} from private weights`, `Make ${what} an integer constant.`);
    }
    return Array.from(toDoubles(constant.data));
  }

  private attribute<T extends Attribute>(
    name: string,
    kind: string,
    is: (a: Attribute) => boolean,
  ): T | undefined {
    const value = this.node.attrs[name];
    if (value === undefined) return undefined;
    if (!is(value)) {
      throw this.error(
        'INVALID_MODEL',
        `has an attribute ${name} that is not ${kind}`,
        'Export the model again.',
      );
    }
    return value as T;
  }

  number(name: string, otherwise: number): number {
    return this.attribute<number>(name, 'a number', (a) => typeof a === 'number') ?? otherwise;
  }

  flag(name: string, otherwise: boolean): boolean {
    return this.number(name, otherwise ? 1 : 0) !== 0;
  }

  string(name: string, otherwise: string): string {
    return this.attribute<string>(name, 'a string', (a) => typeof a === 'string') ?? otherwise;
  }

  numbers(name: string): number[] | undefined {
    const isList = (a: Attribute) => Array.isArray(a) && a.every((x) => typeof x === 'number');
    return this.attribute<number[]>(name, 'a list of numbers', isList);
  }

  /** An axis counted from the end where negative. */
  axis(axis: number, rank: number, what: string = 'axis'): number {
    const a = axis < 0 ? axis + rank : axis;
    if (!Number.isInteger(a) || a < 0 || a >= Math.max(rank, 1)) {
      throw this.invalidShape(`has ${what} ${axis}, but its input has ${rank} dimensions`);
    }
    return a;
  }

  /** Different axes, in the order in which they are named. */
  distinctAxes(axes: readonly number[], rank: number): number[] {
    const out = [...new Set(axes.map((a) => this.axis(a, rank)))];
    if (out.length !== axes.length) throw this.invalidShape(`names an axis twice: ${show(axes)}`);
    return out;
  }

  /** Different axes, in ascending order. */
  axes(axes: readonly number[], rank: number): number[] {
    return this.distinctAxes(axes, rank).sort((a, b) => a - b);
  }

  error(
    code: ErrorName,
    what: string,
    remedy: string,
    details: Record<string, unknown> = {},
  ): CryptorchError {
    const { name, op } = this.node;
    return new CryptorchError(code, `Node "${name}" (${op}) ${what}. ${remedy}`, {
      node: name,
      operator: op,
      remedy,
      ...details,
    });
  }

  /** An attribute or form of input that cannot be computed. */
  unsupported(what: string, remedy: string): CryptorchError {
    return this.error('UNSUPPORTED_ATTRIBUTE', what, remedy);
  }

  invalidShape(what: string, ...shapes: (readonly number[])[]): CryptorchError {
    const remedy = 'The model contradicts itself, or an input has another shape than it was exported with.';
    return this.error('INVALID_SHAPE', what, remedy, { shapes });
  }

  /** INVALID_SHAPE for two inputs that do not fit each other. */
  mismatch(i: number, j: number, why: string): CryptorchError {
    const [a, b] = [this.shape(i), this.shape(j)];
    return this.invalidShape(`has inputs of shape ${show(a)} and ${show(b)}: ${why}`, a, b);
  }

  /** Refuses an input that is not boolean. */
  needBoolean(i: number): void {
    if (this.type(i).dtype === 'bool') return;
    throw this.error('INVALID_MODEL', `has an input ${i} that is not boolean`, 'Export the model again.');
  }

  /** Refuses results that cannot be held, before anything is made for their elements. */
  needSize(shape: readonly number[], most: number = MOST_ELEMENTS): void {
    const count = elementCount(shape);
    if (count <= most) return;
    const remedy = `The most are ${most}: give smaller inputs, or split the model.`;
    throw this.unsupported(`makes a tensor of shape ${show(shape)}, which is ${count} elements`, remedy);
  }

  /** Refuses axes that are too long for a list of their places. */
  needPlaces(lengths: readonly number[], most: number = MOST_LISTED): void {
    const longest = lengths.reduce((a, b) => Math.max(a, b), 0);
    if (longest <= most) return;
    const remedy = `The most are ${most}: reshape to shorter axes first, or split the model.`;
    throw this.unsupported(`takes elements at ${longest} places along one axis`, remedy);
  }

  needRank(i: number, ...allowed: number[]): void {
    const rank = this.shape(i).length;
    if (allowed.includes(rank)) return;
    const remedy = `Inputs of ${allowed.join(' or ')} dimensions are supported.`;
    throw this.unsupported(`has an input of shape ${show(this.shape(i))}`, remedy);
  }
}

/** The context of a lowering: inputs are values of the graph being built. */
export class LowerContext extends OpContext {
  constructor(
    node: Node,
    inputs: readonly (KnownInput | undefined)[],
    outputs: readonly Type[],
    readonly core: CoreEmitter,
    /** Input i as a value: a computed one, or a constant as an operand. */
    readonly value: (i: number) => Value,
    opset: number,
  ) {
    super(node, inputs, outputs, opset);
  }

  get outputShape(): readonly number[] {
    return this.outputs[0]!.shape;
  }
}

export function show(shape: readonly number[]): string {
  return `[${shape.join(', ')}]`;
}

export function toDoubles(data: Constant['data']): Float64Array {
  if (data instanceof Float64Array) return data;
  return data instanceof BigInt64Array ? Float64Array.from(data, Number) : Float64Array.from(data);
}

/** True for a tensor whose elements are all one value. */
export function isUniform(t: FloatTensor): boolean {
  return elementCount(t.shape) > 0 && t.data.every((x) => x === t.data[0]);
}
