// How a command ends when something goes wrong: one message with its code on standard error, never a stack trace
// unless NODE_DEBUG=cryptorch asks for it. Exit code 1: the command failed. 2: it was called wrongly.

import { debuglog } from 'node:util';
import { CommanderError } from 'commander';
import { CryptorchError } from '../errors';

const debug = debuglog('cryptorch');

/** Reports an error on `stream` and returns the exit code of the process. */
export function report(error: unknown, stream: NodeJS.WritableStream): number {
  // Commander has written its own message already; help and version end with exit code 0.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  debug('%O', error);
  stream.write(`cryptorch: ${describe(error)}\n`);
  return 1;
}

function describe(error: unknown): string {
  if (CryptorchError.is(error)) return `${error.message} (${error.code})`;
  const message = error instanceof Error ? error.message : String(error);
  return `unexpected failure: ${message} (ERR_CRYPTORCH_INTERNAL). NODE_DEBUG=cryptorch shows where it came from.`;
}
