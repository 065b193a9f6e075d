// The registry of ONNX operators: one definition per operator, in one place.
//
// A definition says which shapes come out, what the operator computes on doubles (the reference, used to fold
// constants and in tests) and how it becomes core operations (./core.ts). Restrictions are refused by
// `infer`, so that shape inference alone finds every problem of a model; `lower` may rely on what `infer` has
// let through. Shape inference, folding, lowering, tests and the table of operators in the documentation all
// read this registry.

import type { Dtype, Value } from '../ir/graph';
import type { FloatTensor } from './array';
import type { LowerContext, OpContext } from './context';

/** What `infer` finds out about an output; the owner follows from the inputs. */
export interface Shaped {
  readonly shape: readonly number[];
  readonly dtype: Dtype;
}

export interface OpDefinition {
  /** Name of the operator in the default ONNX domain. */
  readonly op: string;
  /** First and last operator-set version whose form of the operator is understood. */
  readonly opset: readonly [number, number];
  /** What is not supported, in the words of the documentation; empty where everything is. */
  readonly restrictions: string;
  /** Also works on integers and booleans that are secret: it only moves them. */
  readonly integers?: boolean;
  /** Inputs whose type alone matters: the result does not depend on their values. */
  readonly typeOnly?: readonly number[];
  /** Types of the outputs; throws UNSUPPORTED_ATTRIBUTE, UNSUPPORTED_OPERATOR or INVALID_SHAPE. */
  infer(c: OpContext): readonly Shaped[];
  /** The operator on doubles. An input that was left out is undefined. */
  reference(c: OpContext, inputs: readonly (FloatTensor | undefined)[]): readonly FloatTensor[];
  /** Core operations; absent where the operator exists only on values known at compile time. */
  readonly lower?: (c: LowerContext) => readonly Value[];
}

const definitions = new Map<string, OpDefinition>();

export function defineOp(definition: OpDefinition): OpDefinition {
  if (definitions.has(definition.op)) throw new Error(`operator ${definition.op} is defined twice`);
  definitions.set(definition.op, definition);
  return definition;
}

export function findOp(op: string): OpDefinition | undefined {
  return definitions.get(op);
}

/** Every operator there is, by name. */
export function allOps(): OpDefinition[] {
  return [...definitions.values()].sort((a, b) => (a.op < b.op ? -1 : 1));
}
