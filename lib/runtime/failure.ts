// Failures between roles: which of them waiting helps against, and how one role's failure is told by another.

import { CryptorchError, type ErrorName, errorTable } from '../errors';
import { type Role, roleName } from '../keys/role';

/** Connections come back, material is made again: what is queued may go on after these. */
const PASSING: ReadonlySet<ErrorName> = new Set([
  'CONNECTION',
  'TIMEOUT',
  'PROTOCOL',
  'CANCELLED',
  // Of one input only.
  'VALUE_RANGE',
  'INVALID_INPUT',
]);
/** Refusals of the transport that are over as soon as an old connection is gone. */
const PASSING_REASONS: ReadonlySet<unknown> = new Set(['duplicate', 'closing', 'crowd']);

export function nameOf(error: CryptorchError): ErrorName {
  return error.code.slice('ERR_CRYPTORCH_'.length) as ErrorName;
}

/** Whether the same will happen again until somebody changes something. */
export function isLasting(error: CryptorchError): boolean {
  if (CryptorchError.is(error, 'HANDSHAKE') && PASSING_REASONS.has(error.details.reason)) return false;
  return !PASSING.has(nameOf(error));
}

/** Anything thrown, as an error with a code. */
export function coded(error: unknown): CryptorchError {
  if (CryptorchError.is(error)) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new CryptorchError('INTERNAL', `unexpected failure: ${message}`, {}, error);
}

/** What a peer reports. Its message stays with it, because it may name something private. */
export function reported(peer: Role, name: ErrorName): CryptorchError {
  const message = `${capital(roleName(peer))} reports ERR_CRYPTORCH_${name}: ${errorTable[name].meaning} ${errorTable[name].remedy}`;
  return new CryptorchError(name, message, { peer, reported: true });
}

/** A failure of the transport, with the peer named as people know it. */
export function fromPeer(peer: Role, code: string, message: string, cause?: unknown): CryptorchError {
  const name = code.slice('ERR_CRYPTORCH_'.length);
  const known = Object.hasOwn(errorTable, name) ? (name as ErrorName) : 'CONNECTION';
  const details = CryptorchError.is(cause) ? cause.details : {};
  return new CryptorchError(known, `${capital(roleName(peer))}: ${message}`, { ...details, peer }, cause);
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
