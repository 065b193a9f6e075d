// What one node of a graph costs by itself: its protocol in a program of its own, whose communication is read off as
// for any program. With it, forms of a protocol (knobs) are compared before one is chosen.

import { type NodeCommunication, profile } from '../cost/communication';
import type { Constant, Node, Value } from './ir/graph';
import { Joint } from './joint';
import type { Phase } from './program';
import { protocolFor } from './protocols';
import { DEFAULT_KNOBS, type Knobs, type Twin } from './protocols/protocol';
import { enterConstant, ioOf } from './secure';

export interface NodeCostOptions {
  readonly parties: number;
  readonly knobs?: Partial<Knobs>;
  /** Inputs that another node has opened to everybody, so that this one need not. */
  readonly opened?: ReadonlySet<Value>;
  /** Weights and public constants among the inputs. */
  readonly constants?: ReadonlyMap<Value, Constant>;
}

export interface NodeCost {
  /** Rounds, and bytes over all senders and receivers; offline bytes are the dealer's material. */
  readonly communication: Readonly<Record<Phase, NodeCommunication>>;
  /** The forms that were taken. */
  readonly choices: Readonly<Record<string, string>>;
}

/** Cost of a core node; its inputs and outputs have their types, and ring widths if any. */
export function nodeCost(node: Node, options: NodeCostOptions): NodeCost {
  const joint = new Joint({ parties: options.parties });
  joint.beginNode({ name: '', op: 'Input', shape: [] });
  const ins = node.inputs.map((value): Twin => {
    const constant = options.constants?.get(value);
    const entered =
      constant === undefined ? joint.input(ioOf(value, 'input')) : enterConstant(joint, value, constant);
    if (options.opened?.has(value)) joint.open(entered.share);
    return { ...entered, shape: value.type.shape };
  });
  joint.beginNode({ name: node.name, op: node.origin, shape: [] });
  protocolFor(node.op)?.build(joint, node, ins, { ...DEFAULT_KNOBS, ...options.knobs });
  const program = joint.build('');
  return {
    communication: profile(program).nodes[1] as NodeCost['communication'],
    choices: program.nodes[1]?.choices ?? {},
  };
}
