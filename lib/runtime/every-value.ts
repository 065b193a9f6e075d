// The cleartext run of a compiled model with the result of every operation as an output: the same arithmetic, rounding
// included, in whole words. Rings say what others need of a value, which may be less than it is.

import type { Graph, Node, Value } from '../compiler/ir/graph';
import type { Io } from '../compiler/program';
import { type SecureOptions, secure } from '../compiler/secure';
import { type Numbers, runProgram } from './local';

/** A program that tells all of its values. */
export interface EveryValue {
  /** Inputs of the model. */
  readonly ios: readonly Io[];
  /** What every node of the graph gives for these inputs, in real units, in the order of the nodes. */
  run(inputs: Numbers, seed: string): Promise<readonly Float64Array[]>;
}

/** `graph` is the compiled one, and `weights` its private constants; `options` are those that it was secured with. */
export function everyValue(graph: Graph, options: SecureOptions, weights: Numbers): EveryValue {
  const { parties, knobs = {}, choose } = options;
  const exposed = withAllOutputs(graph);
  const original = new Map(exposed.nodes.map((node, i) => [node, graph.nodes[i]!]));
  const program = secure(exposed, {
    parties,
    knobs,
    ...(choose && { choose: (node: Node) => choose(original.get(node)!) }),
  });
  return {
    ios: program.ios.filter((io) => io.kind === 'input'),
    async run(inputs, seed) {
      const numbers: Numbers = new Map([...inputs, ...weights]);
      const { outputs } = await runProgram(program, numbers, { seed, cleartext: true });
      return graph.nodes.map((_, i) => {
        const data = outputs.get(`${i}`)!;
        return data instanceof Float64Array ? data : Float64Array.from(data, Number);
      });
    },
  };
}

/** The graph with the result of every node as an output that is named by its position, in whole words. */
function withAllOutputs(graph: Graph): Graph {
  const results = new Map(graph.nodes.map((n, i) => [n.outputs[0]!, `${i}`]));
  const made = new Map<Value, Value>();
  const whole = (v: Value): Value => {
    const known = made.get(v);
    if (known) return known;
    const { ring: _ring, ...type } = v.type;
    const own = { ...v, type, name: results.get(v) ?? v.name };
    made.set(v, own);
    return own;
  };
  const nodes = graph.nodes.map((n) => ({
    ...n,
    inputs: n.inputs.map(whole),
    outputs: n.outputs.map(whole),
  }));
  return {
    ...graph,
    nodes,
    inputs: graph.inputs.map(whole),
    constants: new Map([...graph.constants].map(([v, c]) => [whole(v), c])),
    outputs: nodes.map((n) => n.outputs[0]!),
  };
}
