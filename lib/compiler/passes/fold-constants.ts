// Evaluates a node whose inputs are all known at compile time, by its reference: it becomes a constant.
//
// That folds the arithmetic of shapes away, and weights that are computed from weights become weights. A
// result is private if anything private went into it.

import type { Constant, Dtype, Node, Type } from '../ir/graph';
import type { FloatTensor } from '../ops/array';
import { OpContext, toDoubles } from '../ops/context';
import type { OpDefinition } from '../ops/index';
import type { Rewriter } from './rewriter';

/**
 * The largest double below 2^63: an end of a slice that means "to the end" survives its way through doubles.
 */
const largest = 2 ** 63 - 1024;

function constantData(t: FloatTensor, dtype: Dtype): Constant['data'] {
  if (dtype === 'fixed') return t.data;
  return BigInt64Array.from(t.data, (x) => BigInt(Math.trunc(Math.min(Math.max(x, -largest), largest))));
}

/** Maps the outputs of a node to constants; `types` are those of the outputs. */
export function foldNode(
  rewriter: Rewriter,
  node: Node,
  definition: OpDefinition,
  c: OpContext,
  types: readonly Type[],
): void {
  const results = definition.reference(
    new OpContext(node, c.inputs, types, c.opset),
    c.inputs.map((k) => k?.constant && { shape: k.type.shape, data: toDoubles(k.constant.data) }),
  );
  const matters = (i: number) => !definition.typeOnly?.includes(i);
  const isPrivate = c.inputs.some((k, i) => k?.constant?.private === true && matters(i));
  node.outputs.forEach((old, i) => {
    if (!results[i]) return;
    const type = { ...types[i]!, owner: isPrivate ? types[i]!.owner : ('public' as const) };
    const constant = { data: constantData(results[i], type.dtype), private: isPrivate };
    rewriter.set(old, rewriter.constant(old.name, type, constant));
  });
}
