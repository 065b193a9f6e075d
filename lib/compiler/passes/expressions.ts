// What patterns are looked for with (./raise.ts): a graph of ONNX operators read as expressions, from results to operands.
//
// Sums and products of values and public numbers are multiplied out, so that the order in which a model writes them does not
// matter: 0.5 x (1 + e), (0.5 x) (1 + e) and x e 0.5 + 0.5 x are all 0.5 x + 0.5 x e. A value that something else uses too,
// or that is an output of the model, stays as it is: it is computed anyhow.

import type { Attributes, Graph, Node, Value } from '../ir/graph';
import { OpContext, toDoubles } from '../ops/context';
import { type Reduction, reduction } from '../ops/reduce';
import { consumersOf, producersOf } from './rewriter';

/** A number times values, in ascending order of their ids. */
export interface Term {
  readonly factor: number;
  readonly values: readonly Value[];
}

/** Longer sums, products of more values, and what lies deeper are values of their own. */
const MOST_TERMS = 8;
const MOST_FACTORS = 4;
const MOST_DEPTH = 8;

/** Numbers of models in half precision are rounded by up to 2^-11. */
const CLOSE = 2 ** -11;

export function near(a: number, b: number): boolean {
  return Math.abs(a - b) <= CLOSE * Math.abs(b);
}

function product(a: readonly Term[], b: readonly Term[]): Term[] {
  return a.flatMap((x) =>
    b.map((y) => ({
      factor: x.factor * y.factor,
      values: [...x.values, ...y.values].sort((v, w) => v.id - w.id),
    })),
  );
}

function times(a: readonly Term[], factor: number): Term[] {
  return a.map((x) => ({ ...x, factor: factor * x.factor }));
}

/** Terms of the same values together. */
function collected(terms: readonly Term[]): Term[] {
  const byValues = new Map<string, Term>();
  for (const { factor, values } of terms) {
    const key = values.map((v) => v.id).join();
    byValues.set(key, { values, factor: factor + (byValues.get(key)?.factor ?? 0) });
  }
  return [...byValues.values()].filter(({ factor }) => factor !== 0);
}

export class Expressions {
  private readonly producers: Map<Value, Node>;
  private readonly consumers: Map<Value, Node[]>;
  private readonly outputs: ReadonlySet<Value>;
  /** Asked for by several patterns. */
  private readonly sums = new Map<Node, readonly Term[]>();

  constructor(readonly graph: Graph) {
    this.producers = producersOf(graph);
    this.consumers = consumersOf(graph);
    this.outputs = new Set(graph.outputs);
  }

  /** A public constant of one element. */
  number(v: Value | undefined): number | undefined {
    const constant = v && v.type.dtype === 'fixed' ? this.graph.constants.get(v) : undefined;
    return constant && !constant.private && constant.data.length === 1
      ? toDoubles(constant.data)[0]
      : undefined;
  }

  isConstant(v: Value): boolean {
    return this.graph.constants.has(v);
  }

  /** The node that computes a value, if it is one of these operators. */
  node(v: Value | undefined, ...ops: readonly string[]): Node | undefined {
    const node = v && this.producers.get(v);
    return node && ops.includes(node.op) ? node : undefined;
  }

  /** Nothing but these nodes uses the value. */
  onlyFor(v: Value, ...users: readonly Node[]): boolean {
    return !this.outputs.has(v) && this.consumers.get(v)!.every((node) => users.includes(node));
  }

  /** How many operands the value is; no number where it is an output. */
  uses(v: Value): number | undefined {
    return this.outputs.has(v) ? undefined : this.consumers.get(v)?.length;
  }

  /** One operand of one node is all that the value is used for. */
  private isInner(v: Value): boolean {
    return this.uses(v) === 1;
  }

  /** As `node`, where nothing else uses the value. */
  inner(v: Value | undefined, ...ops: readonly string[]): Node | undefined {
    return v && this.isInner(v) ? this.node(v, ...ops) : undefined;
  }

  /** Whether two values are one, or means or differences of the same values. */
  same(a: Value | undefined, b: Value | undefined, depth: number = 2): boolean {
    if (a === b) return true;
    const [x, y] = [this.node(a, 'ReduceMean', 'Sub'), this.node(b, 'ReduceMean', 'Sub')];
    if (depth === 0 || !x || x.op !== y?.op || x.inputs.length !== y.inputs.length) return false;
    return sameAttributes(x.attrs, y.attrs) && x.inputs.every((v, i) => this.same(v, y.inputs[i], depth - 1));
  }

  /** Axes of a reduction that keeps them with size 1. */
  axes(node: Node): readonly number[] | undefined {
    const { axes, keepdims } = this.reduction(node);
    return keepdims ? axes : undefined;
  }

  reduction(node: Node): Reduction {
    const inputs = node.inputs.map((v) =>
      v.name === '' ? undefined : { type: v.type, constant: this.graph.constants.get(v) },
    );
    return reduction(new OpContext(node, inputs, [], this.graph.opset));
  }

  /** The sum that a node computes. */
  sum(node: Node): readonly Term[] {
    const known = this.sums.get(node);
    if (known) return known;
    const made = this.expanded(node.outputs[0]!, node, MOST_DEPTH);
    this.sums.set(node, made);
    return made;
  }

  /** The sum that an operand is. */
  terms(v: Value, depth: number = MOST_DEPTH): readonly Term[] {
    return this.expanded(v, this.isInner(v) ? this.producers.get(v) : undefined, depth);
  }

  private expanded(v: Value, node: Node | undefined, depth: number): readonly Term[] {
    const known = this.number(v);
    if (known !== undefined) return known === 0 ? [] : [{ factor: known, values: [] }];
    const terms = node && depth > 0 && v.type.dtype === 'fixed' ? this.compute(node, depth - 1) : undefined;
    const made = terms && collected(terms);
    const fits = made && made.length <= MOST_TERMS && made.every((x) => x.values.length <= MOST_FACTORS);
    return fits ? made : [{ factor: 1, values: [v] }];
  }

  private compute(node: Node, depth: number): Term[] | undefined {
    const [x, y] = node.inputs;
    const of = (v: Value | undefined) => this.terms(v!, depth);
    switch (node.op) {
      case 'Neg':
        return times(of(x), -1);
      case 'Add':
        return [...of(x), ...of(y)];
      case 'Sub':
        return [...of(x), ...times(of(y), -1)];
      case 'Mul':
        return product(of(x), of(y));
      case 'Div': {
        const divisor = this.number(y);
        return divisor ? times(of(x), 1 / divisor) : undefined;
      }
      case 'Pow': {
        const exponent = this.number(y) ?? 0;
        if (!Number.isInteger(exponent) || exponent < 1 || exponent > MOST_FACTORS) return undefined;
        const base = of(x);
        return base.length > 1
          ? undefined
          : Array.from({ length: exponent - 1 }, () => base).reduce<Term[]>(product, [...base]);
      }
      default:
        return undefined;
    }
  }

  /** An operand as a polynomial in x, the constant first; undefined where it is none. */
  polynomial(v: Value, x: Value): number[] | undefined {
    const coefficients: number[] = [0, 0];
    for (const { factor, values } of this.terms(v)) {
      if (values.some((u) => u !== x)) return undefined;
      while (coefficients.length <= values.length) coefficients.push(0);
      coefficients[values.length]! += factor;
    }
    return coefficients;
  }
}

function sameAttributes(a: Attributes, b: Attributes): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
