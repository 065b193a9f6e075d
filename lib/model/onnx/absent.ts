// Optional inputs that a node leaves out.
//
// ONNX writes an empty name where an optional input before the last is left out. In the graph its place is taken by
// one public constant of shape [0] whose name is empty; at the end of a node's inputs it is simply not there.

import type { Node, Value } from '../../compiler/ir/graph';

/** Whether a value stands for an input or output that was left out. */
export function isAbsent(value: Value | undefined): boolean {
  return value === undefined || value.name === '';
}

/** Input `i` of a node, undefined where it was left out either way. */
export function optionalInput(node: Node, i: number): Value | undefined {
  const value = node.inputs[i];
  return isAbsent(value) ? undefined : value;
}
