// The processes of the three roles on one machine: started one after the other, stopped together. Where a role listens
// is not known before it does, so its configuration is written when those it connects to have told their ports.

import { type ChildProcess, spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ROOT, type RoleFolder } from './prepare';
import type { Listening } from './role';

/** A process that has not ended by then is killed. */
const GRACE_MS = 5000;

export class Processes {
  private readonly running = new Map<ChildProcess, Promise<void>>();
  private stopping = false;
  private fail!: (error: Error) => void;
  /** Rejects when a process ends that was not asked to. */
  readonly died = new Promise<never>((_, reject) => {
    this.fail = reject;
  });

  constructor(private readonly folder: string) {
    // Whoever waits for it sees the rejection; nobody does while a role starts.
    this.died.catch(() => {});
  }

  /** Resolves when the role listens. */
  async start(role: RoleFolder, config: object): Promise<Listening & { readonly pid: number }> {
    const folder = join(this.folder, role);
    await writeFile(join(folder, 'config.json'), `${JSON.stringify(config, null, 2)}\n`);
    if (this.stopping) throw new Error('stopped');
    const child = spawn(process.execPath, ['--import', 'tsx', join(__dirname, `${role}.ts`), folder], {
      cwd: ROOT,
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    const ended = new Promise<void>((resolve) => {
      child.once('error', resolve).once('exit', (code, signal) => {
        this.running.delete(child);
        resolve();
        if (!this.stopping) this.fail(new Error(`The ${role} ended with ${signal ?? `code ${code}`}.`));
      });
    });
    this.running.set(child, ended);
    const listening = new Promise<Listening>((resolve) => {
      child.on('message', (message: Listening) => {
        if (message.type === 'listening') resolve(message);
      });
    });
    return { ...(await Promise.race([listening, this.died])), pid: child.pid as number };
  }

  async stop(): Promise<void> {
    this.stopping = true;
    const children = [...this.running];
    for (const [child] of children) child.kill('SIGTERM');
    const timer = setTimeout(() => {
      for (const [child] of children) child.kill('SIGKILL');
    }, GRACE_MS);
    await Promise.all(children.map(([, ended]) => ended));
    clearTimeout(timer);
  }
}
