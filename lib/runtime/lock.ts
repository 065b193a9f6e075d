// One process at a time per state folder. The lock is a file that names the process holding it; one whose process is
// gone counts for nothing, so that a killed process does not lock its successor out.

import { readFileSync } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import { CryptorchError } from '../errors';
import { fileError, readIfThere } from './files';

export interface Lock {
  release(): Promise<void>;
}

/**
 * @throws CryptorchError BUSY where another process holds it; FILE
 */
export async function takeLock(path: string): Promise<Lock> {
  const mine = `${process.pid} ${startOf(process.pid) ?? ''}`;
  for (;;) {
    try {
      const file = await open(path, 'wx', 0o600);
      await file.writeFile(mine).finally(() => file.close());
      held.add(path);
      return { release: () => release(path) };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw fileError('make the lock', path, error);
    }
    const holder = (await readIfThere(path))?.toString('utf8');
    if (holder === undefined) continue;
    if (held.has(path) || (holder !== mine && isAlive(holder))) {
      const [pid] = holder.split(' ');
      throw new CryptorchError(
        'BUSY',
        `Process ${pid} already uses the folder of ${path}; end it first, or give this role a folder of its own.`,
        { path, pid: Number(pid) },
      );
    }
    await rm(path, { force: true });
  }
}

/** Locks of this process. */
const held = new Set<string>();

async function release(path: string): Promise<void> {
  if (held.delete(path)) await rm(path, { force: true });
}

/** Whether the process that wrote `holder` still runs; a process number that was given out again is not it. */
function isAlive(holder: string): boolean {
  const [pid = '', start = ''] = holder.split(' ');
  if (!/^\d+$/.test(pid)) return false;
  try {
    process.kill(Number(pid), 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
  const now = startOf(Number(pid));
  return now === undefined || start === '' || now === start;
}

/** When a process started, in ticks since the machine did; undefined where the system does not say. */
function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined;
  }
}
