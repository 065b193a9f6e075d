// What the three processes have in common: a process is given its folder, reads its configuration there, opens its
// role, tells who started it where it listens, and serves until it is asked to stop. It stops too when who started it
// is gone, so that nothing is left behind.

import { subscribe } from 'node:diagnostics_channel';
import { readFile } from 'node:fs/promises';
import type { ErrorEvent } from '../../lib/index'; // in an application: from 'cryptorch-native'

/** Ports that were free and are known now: for other roles, and of the HTTP service. */
export interface Ports {
  readonly port?: number | undefined;
  readonly http?: number;
}

export interface Listening extends Ports {
  readonly type: 'listening';
}

export interface OpenRole {
  readonly ports: Ports;
  /** Rejects where the role cannot go on unless somebody changes something. */
  readonly broken?: Promise<never>;
  close(): Promise<void>;
}

/** The whole life of a process. `Config` is what its config.json holds; paths in it are relative to the folder. */
export async function serveRole<Config>(
  name: string,
  open: (config: Config) => Promise<OpenRole>,
): Promise<void> {
  const stopped = stopRequest();
  subscribe('cryptorch:error', (event) => {
    const { code, message } = (event as ErrorEvent).error;
    process.stderr.write(`${name}: ${message} (${code})\n`);
  });
  try {
    process.chdir(process.argv[2] as string);
    const role = await open(JSON.parse(await readFile('config.json', 'utf8')) as Config);
    try {
      const message: Listening = { type: 'listening', ...role.ports };
      if (process.connected) process.send?.(message);
      await Promise.race([stopped, ...(role.broken ? [role.broken] : [])]);
    } finally {
      await role.close();
    }
  } catch (error) {
    process.exitCode = 1;
    process.stderr.write(`${name}: ${(error as Error).message}\n`);
  }
  if (process.connected) process.disconnect();
}

function stopRequest(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => resolve());
    process.once('disconnect', resolve);
  });
}
