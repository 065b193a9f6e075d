// Operators that exporters write out as several are one operator again: a GELU of Div, Erf, Add and Mul, a LayerNormalization
// of two means, a Softmax of exponentials. One operator has one approximation, for the domain that is its own; the pieces
// would each have one, and errors that add up.
//
// A pattern says what a node computes, if it is the last one of such a group and nothing else uses what the group computes on
// the way (./expressions.ts). Larger groups go before the smaller ones within them, and what was raised may be part of another
// group: Log(1 + Exp(x)) is a Softplus, and x Tanh(Softplus(x)) is a Mish.

import type { Attributes, Graph, Node, Value } from '../ir/graph';
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

function found(graph: Graph): Map<Node, Raised | Value> {
  const expressions = new Expressions(graph);
  const raised = new Map<Node, Raised | Value>();
  for (const node of graph.nodes) {
    if (node.outputs[0]!.type.dtype !== 'fixed') continue;
    for (const pattern of patterns) {
      const made = pattern(expressions, node);
      if (!made) continue;
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
    const { op, inputs, attrs = {} } = made;
    const operands = inputs.map((v) => write(node, v));
    return rewriter.node({ ...node, origin: op }, { op, inputs: operands, attrs })[0]!;
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
