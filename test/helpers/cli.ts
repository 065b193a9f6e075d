// Runs the command line from its sources in a process of its own.

import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const ROOT: string = join(__dirname, '..', '..');

export function cryptorch(...args: string[]): Promise<Finished> {
  return cryptorchWith({}, ...args);
}

/** With environment variables besides those of this process. */
export function cryptorchWith(more: NodeJS.ProcessEnv, ...args: string[]): Promise<Finished> {
  return new Promise((resolve, reject) => {
    const env = { ...process.env, NODE_DEBUG: '', ...more };
    const child = spawn(process.execPath, ['--import', 'tsx', 'lib/cli/main.ts', ...args], {
      cwd: ROOT,
      env,
    });
    let [stdout, stderr] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, stdout, stderr }));
  });
}

/** A folder that is removed when the test ends. */
export async function temporaryFolder(t: ExecutionContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'cryptorch-'));
  t.teardown(() => rm(folder, { recursive: true }));
  return folder;
}

/** The file of an example. */
export function example(...path: string[]): string {
  return join(ROOT, 'examples', ...path);
}
