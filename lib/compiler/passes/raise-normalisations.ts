// Patterns of normalisations (./raise.ts): what a root of a mean of squares, or a sum of exponentials, divides.

import type { Node, Value } from '../ir/graph';
import { sameShape } from '../ops/array';
import { type Expressions, near } from './expressions';
import type { Pattern, Raised } from './raise';

/** The mean of squares of `base`, plus a number. */
interface MeanOfSquares {
  readonly base: Value;
  readonly square: Node;
  readonly axes: readonly number[];
  readonly epsilon: number;
}

function meanOfSquares(e: Expressions, v: Value): MeanOfSquares | undefined {
  const terms = e.terms(v);
  const [epsilon] = terms.filter(({ values }) => values.length === 0);
  const [term, ...others] = terms.filter(({ values }) => values.length > 0);
  if (term?.values.length !== 1 || others.length > 0 || term.factor !== 1) return undefined;
  const mean = e.inner(term.values[0], 'ReduceMean');
  const square = e.inner(mean?.inputs[0], 'Mul', 'Pow');
  const axes = mean && e.axes(mean);
  if (!square || !axes) return undefined;
  const [base, other] = square.inputs as [Value, Value];
  const squares = square.op === 'Mul' ? e.same(base, other) : e.number(other) === 2;
  return squares ? { base, square, axes, epsilon: epsilon?.factor ?? 0 } : undefined;
}

/** What is under the root that v is. */
function root(e: Expressions, v: Value): MeanOfSquares | undefined {
  const node = e.inner(v, 'Sqrt', 'Pow');
  if (!node || (node.op === 'Pow' && e.number(node.inputs[1]) !== 0.5)) return undefined;
  return meanOfSquares(e, node.inputs[0]!);
}

/** What is under the root whose reciprocal v is. */
function reciprocalRoot(e: Expressions, v: Value): MeanOfSquares | undefined {
  const power = e.node(v, 'Pow');
  if (power) return e.number(power.inputs[1]) === -0.5 ? meanOfSquares(e, power.inputs[0]!) : undefined;
  const bottom = reciprocal(e, v);
  return bottom && root(e, bottom);
}

/** What v is the reciprocal of. */
function reciprocal(e: Expressions, v: Value): Value | undefined {
  const node = e.node(v, 'Reciprocal', 'Div');
  if (node?.op === 'Div') return e.number(node.inputs[0]) === 1 ? node.inputs[1] : undefined;
  return node?.inputs[0];
}

/** The operands of a product, in both orders. */
function orders(node: Node): [Value, Value][] {
  const [a, b] = node.inputs as [Value, Value];
  return [
    [a, b],
    [b, a],
  ];
}

function firstDefined<T, R>(list: readonly T[], f: (x: T) => R | undefined): R | undefined {
  for (const x of list) {
    const found = f(x);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** What a node divides by the root of a mean of squares. */
function overRoot(e: Expressions, node: Node): (MeanOfSquares & { readonly top: Value }) | undefined {
  if (node.op === 'Div') {
    const [top, bottom] = node.inputs as [Value, Value];
    const found = root(e, bottom);
    return found && { ...found, top };
  }
  if (node.op !== 'Mul') return undefined;
  return firstDefined(orders(node), ([top, factor]) => {
    const found = e.uses(factor) === 1 ? reciprocalRoot(e, factor) : undefined;
    return found && { ...found, top };
  });
}

/** The operand of x - mean(x), where the mean is over these axes. */
function centred(e: Expressions, d: Value, axes: readonly number[]): Value | undefined {
  const sub = e.node(d, 'Sub');
  const mean = e.node(sub?.inputs[1], 'ReduceMean');
  if (!mean || mean.inputs[0] !== sub!.inputs[0]) return undefined;
  return String(e.axes(mean)) === String(axes) ? mean.inputs[0] : undefined;
}

interface Normalisation {
  readonly op: 'LayerNormalization' | 'RMSNormalization';
  readonly x: Value;
  readonly axis: number;
  readonly epsilon: number;
}

/** The axes are all from the first one on. */
function behind(axes: readonly number[], x: Value): boolean {
  return axes.length > 0 && axes.every((a, i) => a === x.type.shape.length - axes.length + i);
}

function normalisation(e: Expressions, node: Node): Normalisation | undefined {
  const found = overRoot(e, node);
  if (!found) return undefined;
  const { top, base, square, axes, epsilon } = found;
  if (!e.same(top, base) || !behind(axes, top)) return undefined;
  const x = centred(e, top, axes);
  const form = { axis: axes[0]!, epsilon };
  if (x && e.onlyFor(top, square, node) && e.onlyFor(base, square, node))
    return { op: 'LayerNormalization', x, ...form };
  return { op: 'RMSNormalization', x: top, ...form };
}

/** A constant for every element that is normalised together. */
function isPerElement(e: Expressions, v: Value, { x, axis }: Normalisation): boolean {
  const { shape } = v.type;
  const expected = x.type.shape.slice(axis);
  const lead = shape.length - expected.length;
  return e.isConstant(v) && sameShape(shape, [...Array.from({ length: lead }, () => 1), ...expected]);
}

function raised({ op, x, axis, epsilon }: Normalisation, ...parameters: readonly Value[]): Raised {
  return { op, inputs: [x, ...parameters], attrs: { axis, epsilon } };
}

/** A normalisation times a constant. */
function scaled(e: Expressions, node: Node): { of: Normalisation; scale: Value } | undefined {
  if (node.op !== 'Mul') return undefined;
  return firstDefined(orders(node), ([y, scale]) => {
    const inner = e.inner(y, 'Div', 'Mul');
    const of = inner && normalisation(e, inner);
    return of && isPerElement(e, scale, of) ? { of, scale } : undefined;
  });
}

/** A LayerNormalization or RMSNormalization, with its scale and its bias where these follow. */
const normalised: Pattern = (e, node) => {
  if (node.op === 'Add') {
    return firstDefined(orders(node), ([y, bias]) => {
      const inner = e.inner(y, 'Mul');
      const found = inner && scaled(e, inner);
      return found?.of.op === 'LayerNormalization' && isPerElement(e, bias, found.of)
        ? raised(found.of, found.scale, bias)
        : undefined;
    });
  }
  const found = scaled(e, node);
  if (found) return raised(found.of, found.scale);
  const plain = normalisation(e, node);
  return plain && raised(plain);
};

/** x f + (bias - mean f) with f = scale / root: a LayerNormalization as TensorFlow writes it. */
const distributed: Pattern = (e, node) => {
  if (node.op !== 'Add') return undefined;
  const terms = e.sum(node);
  const products = terms.filter(({ values }) => values.length === 2);
  const [bias, ...others] = terms.filter(({ values }) => values.length !== 2);
  if (products.length !== 2 || others.length > 0 || (bias && bias.values.length !== 1)) return undefined;
  const [plus, minus] = [1, -1].map((sign) => products.find(({ factor }) => factor === sign)?.values);
  const f = plus?.find((v) => minus?.includes(v));
  if (!f || !plus || !minus || e.uses(f) !== 2) return undefined;
  const [x, mean] = [plus, minus].map((pair) => (pair[0] === f ? pair[1]! : pair[0]!)) as [Value, Value];
  const product = e.node(f, 'Mul');
  const candidates = [[f, undefined] as const, ...(product ? orders(product) : [])];
  return firstDefined(candidates, ([factor, scale]) => {
    if (scale && e.uses(factor) !== 1) return undefined;
    const found = reciprocalRoot(e, factor);
    if (!found || !behind(found.axes, x)) return undefined;
    const { base, square, axes, epsilon } = found;
    const sub = e.node(base, 'Sub');
    if (centred(e, base, axes) !== x || !sub || !e.same(sub.inputs[1], mean) || !e.onlyFor(base, square))
      return undefined;
    const of: Normalisation = { op: 'LayerNormalization', x, axis: axes[0]!, epsilon };
    const parameters = [...(scale ? [scale] : []), ...(bias ? bias.values : [])];
    if (!parameters.every((v) => isPerElement(e, v, of)) || (bias && (!scale || !near(bias.factor, 1))))
      return undefined;
    return raised(of, ...parameters);
  });
};

/** The operand of Exp with the sum that is taken of it along one axis. */
function exponentials(e: Expressions, sum: Node): { power: Node; axis: number } | undefined {
  const power = e.node(sum.inputs[0], 'Exp');
  const [axis, ...others] = e.axes(sum) ?? [];
  if (!power || axis === undefined || others.length > 0) return undefined;
  // Before operator set 13 these are over all axes from the given one.
  const last = axis === power.outputs[0]!.type.shape.length - 1;
  return e.graph.opset >= 13 || last ? { power, axis } : undefined;
}

/** x of x - max(x) along an axis; any other operand is itself, since a difference of all changes nothing. */
function withoutShift(e: Expressions, v: Value, axis: number): Value {
  const sub = e.node(v, 'Sub');
  const largest = e.node(sub?.inputs[1], 'ReduceMax');
  const shift = largest && largest.inputs[0] === sub!.inputs[0] && String(e.axes(largest)) === String(axis);
  return shift ? largest.inputs[0]! : v;
}

/** Exp(x - max) / ReduceSum(Exp(x - max)) */
const softmax: Pattern = (e, node) => {
  if (node.op !== 'Div' && node.op !== 'Mul') return undefined;
  const quotients = node.op === 'Div' ? [node.inputs as [Value, Value]] : orders(node);
  return firstDefined(quotients, ([top, factor]) => {
    const bottom = node.op === 'Div' ? factor : e.uses(factor) === 1 ? reciprocal(e, factor) : undefined;
    const sum = e.inner(bottom, 'ReduceSum');
    const found = sum && exponentials(e, sum);
    if (!found || found.power.outputs[0] !== top || !e.onlyFor(top, sum, node)) return undefined;
    const x = withoutShift(e, found.power.inputs[0]!, found.axis);
    return { op: 'Softmax', inputs: [x], attrs: { axis: found.axis } };
  });
};

/** x - max - Log(ReduceSum(Exp(x - max))) */
const logSoftmax: Pattern = (e, node) => {
  if (node.op !== 'Sub') return undefined;
  const log = e.inner(node.inputs[1], 'Log');
  const sum = e.inner(log?.inputs[0], 'ReduceSum');
  const found = sum && exponentials(e, sum);
  const v = node.inputs[0]!;
  if (!found || found.power.inputs[0] !== v || !e.onlyFor(sum.inputs[0]!, sum)) return undefined;
  return { op: 'LogSoftmax', inputs: [withoutShift(e, v, found.axis)], attrs: { axis: found.axis } };
};

export const normalisations: readonly Pattern[] = [normalised, distributed, softmax, logSoftmax];
