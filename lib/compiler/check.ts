// Whether a model can be computed: everything that is wrong with it at once, or what it would cost.

import { type PlannedMemory, plannedMemory } from '../cost/memory';
import { CryptorchError, type ErrorCode, type ErrorName, errorTable } from '../errors';
import type { ImportedModel } from '../model/onnx/import';
import { type CompiledModel, type CompileOptions, compileImported, importModel } from './compile';
import { problemsOf } from './passes/infer-shapes';
import type { Problem } from './problem';

/** One thing that keeps a model from being computed. */
export interface ModelProblem {
  /** Name of the node or initializer; null where it is not about one. */
  readonly node: string | null;
  /** Operator of the node, 'Initializer' for one; null where it is not about one. */
  readonly operator: string | null;
  /** That of the error which compiling would throw. */
  readonly code: ErrorCode;
  /** What is wrong, in words. */
  readonly what: string;
  /** What to do about it. */
  readonly remedy: string;
}

/** Whether a model can be computed, and what that costs or what is in the way. */
export interface CheckedModel {
  /** Whether the model can be computed; then `model` and `memory` are there, otherwise there are problems. */
  readonly ok: boolean;
  /** Everything that is in the way; empty where nothing is. */
  readonly problems: readonly ModelProblem[];
  /** The compiled model, with its inputs, outputs and predicted communication. */
  readonly model?: CompiledModel;
  /** Bytes that every role plans. */
  readonly memory?: PlannedMemory;
}

/**
 * Checks whether a model (a path or the file's bytes) can be computed with these options. Finds every problem of its
 * nodes and initializers at once; what a node with a problem would give is unknown, and nodes that use it are looked at
 * only as far as their operator. Nothing is thrown for a model that cannot be computed.
 */
export async function check(model: string | Uint8Array, options: CompileOptions = {}): Promise<CheckedModel> {
  const started = performance.now();
  const found: Problem[] = [];
  try {
    const imported: ImportedModel = await importModel(model, options, (problem) => found.push(problem));
    problemsOf(imported.graph, (problem) => found.push(problem));
    if (found.length > 0) return refused(found.map(described));
    const compiled = compileImported(imported, options, started);
    return { ok: true, problems: [], model: compiled, memory: plannedMemory(compiled.program) };
  } catch (error) {
    if (!CryptorchError.is(error)) throw error;
    const { node, operator } = error.details;
    const known = (value: unknown): string | null => (typeof value === 'string' ? value : null);
    return refused([
      ...found.map(described),
      { node: known(node), operator: known(operator), ...explained(error) },
    ]);
  }
}

function refused(problems: readonly ModelProblem[]): CheckedModel {
  return { ok: false, problems };
}

function described({ node, operator, error }: Problem): ModelProblem {
  return { node, operator, ...explained(error) };
}

/** The message apart from its remedy, where the error says which part that is; otherwise the remedy of its code. */
function explained(error: CryptorchError): Pick<ModelProblem, 'code' | 'what' | 'remedy'> {
  const { code, message, details } = error;
  const { remedy } = details;
  if (typeof remedy === 'string' && message.endsWith(remedy)) {
    return { code, what: message.slice(0, -remedy.length).trimEnd(), remedy };
  }
  return { code, what: message, remedy: errorTable[code.slice('ERR_CRYPTORCH_'.length) as ErrorName].remedy };
}
