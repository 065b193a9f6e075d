// Approximations from outside of the library, whose functions are all there by then.

import { CryptorchError } from '../../errors';
import {
  type ApproximationDefinition,
  approximable,
  defineApproximation as define,
  type KnobValue,
} from './registry';

/**
 * Registers another way to compute a function, which `compile({ approximation: { functions } })` then takes by its name.
 * @throws CryptorchError INVALID_OPTION where there is no such function, or it has one of that name
 */
export function defineApproximation<
  const K extends Readonly<Record<string, readonly KnobValue[]>> = Record<never, never>,
>(definition: ApproximationDefinition<K>): void {
  const { name, of } = definition;
  if (typeof of === 'string' && !approximable().includes(of)) {
    const message = `There is no function "${of}" that ${name} could be of; there are: ${approximable().join(', ')}.`;
    throw new CryptorchError('INVALID_OPTION', message, { name: of });
  }
  define(definition);
}
