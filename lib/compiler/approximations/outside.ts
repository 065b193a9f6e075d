// Approximations from outside of the library, whose functions are all there by then.

import { CryptorchError } from '../../errors';
import { approximable, defineApproximation as define } from './registry';

/**
 * Registers another way to compute a function, which `compile({ approximation: { functions } })` then takes by its name.
 * @throws CryptorchError INVALID_OPTION where there is no such function, or it has one of that name
 */
export const defineApproximation: typeof define = (definition) => {
  const { name, of } = definition;
  if (typeof of !== 'string' || approximable().includes(of)) return define(definition);
  const message = `There is no function "${of}" that ${name} could be of; there are: ${approximable().join(', ')}.`;
  throw new CryptorchError('INVALID_OPTION', message, { name: of });
};
