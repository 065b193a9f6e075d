// Operators that exporters write out as several are one operator again: a GELU of Div, Erf, Add and Mul, a LayerNormalization
// of two means, a Softmax of exponentials. One operator has one approximation, for the domain that is its own; the pieces
// would each have one, and errors that add up.
//
// A pattern says what a node computes, if it is the last one of such a group and nothing else uses what the group computes on
// the way (./expressions.ts). Larger groups go before the smaller ones within them, and what was raised may be part of another
// group: Log(1 + Exp(x)) is a Softplus, and x Tanh(Softplus(x)) is a Mish.

import { CryptorchError } from '../../errors';
import type { Attributes, Graph, Node, Type, Value } from '../ir/graph';
import { sameShape } from '../ops/array';
import { OpContext } from '../ops/context';
import { findOp } from '../ops/index';
import { deadCode } from './dead-code';
import { Expressions } from './expressions';
import { activations } from './raise-activations';
import { normalisations } from './raise-normalisations';
import { Rewriter } from './rewriter';

/** An operator on values of the graph, or on what another one gives. */
export interface Raised {
  readonly op: string;
  readonly inputs: readonly (Value | Raised)[];
  readonly attrs?: Attributes;
}

/** What the node computes, or a value that it is; undefined where it does not fit. */
export type Pattern = (expressions: Expressions, node: Node) => Raised | Value | undefined;

/** What was raised may be part of another group, but not of one in one in one... */
const MOST_ROUNDS = 8;

const patterns: readonly Pattern[] = [...normalisations, ...activations];

function isRaised(v: Value | Raised): v is Raised {
  return 'op' in v;
}

/** What an operator gives in the place of a node; undefined where it refuses its operands. */
function typeOf(graph: Graph, node: Node, made: Raised | Value): Type | undefined {
  if (!isRaised(made)) return made.type;
  const { op, attrs = {} } = made;
  const types = made.inputs.map((v) => typeOf(graph, node, v));
  if (!types.every((type) => type !== undefined)) return undefined;
  const inputs = made.inputs.map((v, i) => ({
    type: types[i]!,
    constant: isRaised(v) ? undefined : graph.constants.get(v),
  }));
  try {
    const [shaped] = findOp(op)!.infer(new OpContext({ ...node, op, attrs }, inputs, [], graph.opset));
    return { ...node.outputs[0]!.type, ...shaped };
  } catch (error) {
    if (CryptorchError.is(error)) return undefined;
    throw error;
  }
}

/** What nodes are: a value of the same shape, which a number of several dimensions on the way may have changed. */
function found(graph: Graph): Map<Node, Raised | Value> {
  const expressions = new Expressions(graph);
  const raised = new Map<Node, Raised | Value>();
  for (const node of graph.nodes) {
    const { dtype, shape } = node.outputs[0]!.type;
    if (dtype !== 'fixed') continue;
    for (const pattern of patterns) {
      const made = pattern(expressions, node);
      const type = made && typeOf(graph, node, made);
      if (!type || !sameShape(type.shape, shape)) continue;
      raised.set(node, made);
      break;
    }
  }
  return raised;
}

function rewritten(graph: Graph, raised: ReadonlyMap<Node, Raised | Value>): Graph {
  const rewriter = new Rewriter(graph);
  const write = (node: Node, made: Raised | Value): Value => {
    if (!isRaised(made)) return rewriter.get(made);
    const { op, attrs = {} } = made;
    const inputs = made.inputs.map((v) => write(node, v));
    const types = [typeOf(graph, node, made)!];
    return rewriter.node({ ...node, origin: op }, { op, inputs, types, attrs })[0]!;
  };
  for (const node of graph.nodes) {
    const made = raised.get(node);
    if (made) rewriter.set(node.outputs[0]!, write(node, made));
    else rewriter.copy(node);
  }
  return deadCode(rewriter.build('Identity'), 'Identity');
}

export function raise(graph: Graph): Graph {
  let now = graph;
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const raised = found(now);
    if (raised.size === 0) break;
    now = rewritten(now, raised);
  }
  return now;
}
