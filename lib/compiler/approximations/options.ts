// How functions are approximated, as `compile` is told.

import { CryptorchError } from '../../errors';
import { approximable, type Selection, select } from './registry';

/** How functions are approximated. */
export interface ApproximationOptions {
  /** Largest error of an approximation, relative to the result or to the largest one. Default 2^-8. */
  readonly tolerance: number;
  /** Largest degree of a polynomial on one opening, 1 to 8: a mask's powers take that many words. Default 4. */
  readonly degree: number;
  /**
   * Which approximation a function takes, by the function (`gelu`), or by the node of the model and the function
   * (`encoder/act/gelu`): a name, or a name with knobs (`{ name: 'bolt', order: 2 }`). Others take the cheapest fitted one
   * within the tolerance.
   */
  readonly functions: Readonly<Record<string, Selection>>;
}

export const DEFAULT_APPROXIMATION: ApproximationOptions = { tolerance: 2 ** -8, degree: 4, functions: {} };

/** @throws CryptorchError INVALID_OPTION */
export function checkApproximation(options: ApproximationOptions): ApproximationOptions {
  const { tolerance, degree, functions } = options;
  if (!(tolerance >= 2 ** -16 && tolerance <= 2 ** -4)) {
    const message = `approximation.tolerance is ${tolerance}; give a number from 2^-16 to 2^-4.`;
    throw new CryptorchError('INVALID_OPTION', message, { knob: 'approximation.tolerance' });
  }
  if (!(Number.isInteger(degree) && degree >= 1 && degree <= 8)) {
    const message = `approximation.degree is ${degree}; give an integer from 1 to 8.`;
    throw new CryptorchError('INVALID_OPTION', message, { knob: 'approximation.degree' });
  }
  for (const [key, selection] of Object.entries(functions)) select(functionOfKey(key), selection);
  return options;
}

/** The function that a key of `functions` is about. @throws CryptorchError INVALID_OPTION */
function functionOfKey(key: string): string {
  const name = key.slice(key.lastIndexOf('/') + 1).replace(/#\d+$/, '');
  if (approximable().includes(name)) return name;
  const message = `approximation.functions has "${key}", which ends in no function; there are: ${approximable().join(', ')}.`;
  throw new CryptorchError('INVALID_OPTION', message, { name: key });
}
