// Expectations about coded errors.

import { CryptorchError, type ErrorName } from '../../lib/errors';

/** What ava's `throws` wants to see of a CryptorchError: its code and words of its message. */
export function coded(
  name: ErrorName,
  message?: RegExp,
): { instanceOf: typeof CryptorchError; code: string; message?: RegExp } {
  const code = `ERR_CRYPTORCH_${name}`;
  return { instanceOf: CryptorchError, code, ...(message && { message }) };
}
