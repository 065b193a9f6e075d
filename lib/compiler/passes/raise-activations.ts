// Patterns of activations (./raise.ts): those of one operand x, and x times a function of x.

import { GELU_TANH } from '../approximations/gelu-tanh';
import type { Node, Value } from '../ir/graph';
import { type Expressions, near } from './expressions';
import type { Pattern, Raised } from './raise';

/** x (offset + factor g), where the operator of g is one of `gates` and its operand is for the pattern to look at. */
interface Gated {
  readonly x: Value;
  readonly gate: Node;
  readonly offset: number;
  readonly factor: number;
}

const GATES: readonly string[] = ['Erf', 'Tanh', 'Sigmoid', 'HardSigmoid', 'Clip'];

function gated(e: Expressions, node: Node): Gated | undefined {
  if (!['Mul', 'Div', 'Add'].includes(node.op)) return undefined;
  const terms = e.sum(node);
  const [product, ...others] = terms.filter(({ values }) => values.length === 2);
  if (!product || others.length > 0) return undefined;
  const [a, b] = product.values as [Value, Value];
  for (const [x, g] of [
    [a, b],
    [b, a],
  ] as const) {
    const gate = e.inner(g, ...GATES);
    if (!gate) continue;
    const rest = terms.filter((term) => term !== product);
    if (rest.some(({ values }) => values.length !== 1 || values[0] !== x)) continue;
    return { x, gate, offset: rest[0]?.factor ?? 0, factor: product.factor };
  }
  return undefined;
}

/** Whether a polynomial has these coefficients, and no others. */
function are(coefficients: readonly number[] | undefined, expected: readonly number[]): boolean {
  if (coefficients === undefined) return false;
  const size = Math.max(coefficients.length, expected.length);
  return Array.from({ length: size }, (_, k) => [coefficients[k] ?? 0, expected[k] ?? 0] as const).every(
    ([c, x]) => (x === 0 ? c === 0 : near(c, x)),
  );
}

const gelu: Pattern = (e, node) => {
  const found = gated(e, node);
  if (!found || !near(found.offset, 0.5) || !near(found.factor, 0.5)) return undefined;
  const { x, gate } = found;
  const operand = e.polynomial(gate.inputs[0]!, x);
  if (gate.op === 'Erf' && are(operand, [0, Math.SQRT1_2]))
    return { op: 'Gelu', inputs: [x], attrs: { approximate: 'none' } };
  if (gate.op === 'Tanh' && are(operand, [0, GELU_TANH[0], 0, GELU_TANH[1]]))
    return { op: 'Gelu', inputs: [x], attrs: { approximate: 'tanh' } };
  return undefined;
};

/** x Sigmoid(alpha x): SiLU, and with alpha = 1.702 what stands for a GELU. */
const swish: Pattern = (e, node) => {
  const found = gated(e, node);
  if (found?.gate.op !== 'Sigmoid' || found.offset !== 0 || found.factor !== 1) return undefined;
  const { x, gate } = found;
  const alpha = e.polynomial(gate.inputs[0]!, x)?.[1] ?? 0;
  if (!(alpha > 0) || !are(e.polynomial(gate.inputs[0]!, x), [0, alpha])) return undefined;
  return { op: 'Swish', inputs: [x], attrs: { alpha: near(alpha, 1) ? 1 : alpha } };
};

const mish: Pattern = (e, node) => {
  const found = gated(e, node);
  if (found?.gate.op !== 'Tanh' || found.offset !== 0 || found.factor !== 1) return undefined;
  const softplus = e.inner(found.gate.inputs[0], 'Softplus');
  return softplus?.inputs[0] === found.x ? { op: 'Mish', inputs: [found.x] } : undefined;
};

/** clip(alpha x + beta, 0, 1), as a number times HardSigmoid or Clip. */
function hardSigmoid(
  e: Expressions,
  gate: Node,
  factor: number,
): { x: Value; alpha: number; beta: number } | undefined {
  const [operand, lo, hi] = gate.inputs as [Value, Value?, Value?];
  if (gate.op === 'HardSigmoid') {
    const [alpha, beta] = [Number(gate.attrs.alpha ?? 0.2), Number(gate.attrs.beta ?? 0.5)];
    return factor === 1 ? { x: operand, alpha, beta } : undefined;
  }
  const end = e.number(hi) ?? 0;
  if (gate.op !== 'Clip' || e.number(lo) !== 0 || !(end > 0) || !near(end * factor, 1)) return undefined;
  const terms = e.terms(operand);
  const [term, ...others] = terms.filter(({ values }) => values.length > 0);
  if (term?.values.length !== 1 || others.length > 0) return undefined;
  const offset = terms.find(({ values }) => values.length === 0)?.factor ?? 0;
  return { x: term.values[0]!, alpha: term.factor * factor, beta: offset * factor };
}

const hardSwish: Pattern = (e, node) => {
  const found = gated(e, node);
  if (found?.offset !== 0) return undefined;
  const gate = hardSigmoid(e, found.gate, found.factor);
  if (gate?.x !== found.x || !near(gate.alpha, 1 / 6) || !near(gate.beta, 0.5)) return undefined;
  return { op: 'HardSwish', inputs: [found.x] };
};

/** Clip(x + 3, 0, 6) / 6 */
const scaledClip: Pattern = (e, node) => {
  if (node.op !== 'Div' && node.op !== 'Mul') return undefined;
  const [term, ...others] = e.sum(node);
  if (term?.values.length !== 1 || others.length > 0) return undefined;
  const clip = e.inner(term.values[0], 'Clip');
  const found = clip && hardSigmoid(e, clip, term.factor);
  return found && { op: 'HardSigmoid', inputs: [found.x], attrs: { alpha: found.alpha, beta: found.beta } };
};

/** Log(1 + Exp(x)), Log(Sigmoid(x)), Log(Softmax(x)), Log(ReduceSum(Exp(x))) */
const logarithms: Pattern = (e, node) => {
  if (node.op !== 'Log') return undefined;
  const [operand] = node.inputs as [Value];
  const sigmoid = e.inner(operand, 'Sigmoid');
  if (sigmoid) {
    const softplus: Raised = { op: 'Softplus', inputs: [{ op: 'Neg', inputs: sigmoid.inputs }] };
    return { op: 'Neg', inputs: [softplus] };
  }
  const softmax = e.inner(operand, 'Softmax');
  if (softmax) return { op: 'LogSoftmax', inputs: softmax.inputs, attrs: softmax.attrs };
  const sum = e.inner(operand, 'ReduceSum');
  const exponential = e.inner(sum?.inputs[0], 'Exp');
  if (sum && exponential) {
    const { axes, keepdims } = e.reduction(sum);
    if (axes.length === 0) return undefined;
    return { op: 'ReduceLogSumExp', inputs: exponential.inputs, attrs: { axes, keepdims: Number(keepdims) } };
  }
  const x = onePlus(e, operand, 'Exp');
  return x && { op: 'Softplus', inputs: [x] };
};

/** x of 1 + Exp(x), or of 1 and another operator. */
function onePlus(e: Expressions, v: Value, op: 'Exp' | 'Abs'): Value | undefined {
  const terms = e.terms(v);
  if (terms.length !== 2 || terms.some(({ factor }) => !near(factor, 1))) return undefined;
  const other = terms.find(({ values }) => values.length === 1)?.values[0];
  if (!other || !terms.some(({ values }) => values.length === 0)) return undefined;
  return e.inner(other, op)?.inputs[0];
}

/** 1 / (1 + Exp(-x)), or x in the numerator. */
const logistic: Pattern = (e, node) => {
  if (node.op !== 'Div' && node.op !== 'Reciprocal') return undefined;
  const [top, bottom] = node.op === 'Div' ? node.inputs : [undefined, node.inputs[0]];
  const exponent = onePlus(e, bottom!, 'Exp');
  if (!exponent) return undefined;
  const negated = e.inner(exponent, 'Neg');
  const sigmoid: Raised = {
    op: 'Sigmoid',
    inputs: [negated ? negated.inputs[0]! : { op: 'Neg', inputs: [exponent] }],
  };
  if (top === undefined || e.number(top) === 1) return sigmoid;
  return e.isConstant(top) ? undefined : { op: 'Mul', inputs: [top, sigmoid] };
};

/** x / (1 + Abs(x)) */
const softsign: Pattern = (e, node) => {
  if (node.op !== 'Div') return undefined;
  const [x, bottom] = node.inputs as [Value, Value];
  return onePlus(e, bottom, 'Abs') === x ? { op: 'Softsign', inputs: [x] } : undefined;
};

/** From here on Softplus(x) is x to 1e-6. */
const SOFTPLUS_END = 14;

/** Where(beta x > threshold, x, Softplus(beta x) / beta), as torch.onnx writes Softplus: the second one is always meant. */
const thresholded: Pattern = (e, node) => {
  if (node.op !== 'Where') return undefined;
  const [condition, x, y] = node.inputs as [Value, Value, Value];
  const greater = e.inner(condition, 'Greater');
  const [term, ...others] = e.terms(y);
  const softplus = term?.values.length === 1 ? e.inner(term.values[0], 'Softplus') : undefined;
  if (!greater || !softplus || others.length > 0) return undefined;
  const [operand, threshold] = greater.inputs as [Value, Value];
  if (operand !== softplus.inputs[0] || !((e.number(threshold) ?? 0) >= SOFTPLUS_END)) return undefined;
  const scaling = e.node(operand, 'Mul');
  const factor = operand === x ? 1 : ((scaling && coefficient(e, scaling, x)) ?? 0);
  return near(factor * term!.factor, 1) ? y : undefined;
};

/** a, where a node is a x. */
function coefficient(e: Expressions, node: Node, x: Value): number | undefined {
  const [term, ...others] = e.sum(node);
  return others.length === 0 && term?.values.length === 1 && term.values[0] === x ? term.factor : undefined;
}

export const activations: readonly Pattern[] = [
  gelu,
  mish,
  swish,
  hardSwish,
  scaledClip,
  logarithms,
  logistic,
  softsign,
  thresholded,
];
