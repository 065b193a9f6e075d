// What keeps one node of a model from being computed, and how problems are collected instead of thrown.

import { CryptorchError } from '../errors';

export interface Problem {
  /** Name of the node, or of the initializer. */
  readonly node: string;
  /** Its operator; 'Initializer' for one. */
  readonly operator: string;
  readonly error: CryptorchError;
}

export type OnProblem = (problem: Problem) => void;

/** Does something about a node; returns whether it could be done. Without `onProblem`, what is wrong is thrown. */
export function attempt(
  { node, operator }: Omit<Problem, 'error'>,
  action: () => void,
  onProblem: OnProblem | undefined,
): boolean {
  if (!onProblem) {
    action();
    return true;
  }
  try {
    action();
    return true;
  } catch (error) {
    if (!CryptorchError.is(error)) throw error;
    onProblem({ node, operator, error });
    return false;
  }
}
