// A role as a process of the command line: `cryptorch dealer` or `cryptorch party`, whose events (--json) are read here.

import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import type { Phase } from '../../lib/compiler/program';
import { type Role, roleName } from '../../lib/keys/role';
import type { PhaseReport } from '../../lib/native-endpoint';
import type { RoleReports } from './count';

interface Line {
  readonly event: string;
  readonly port?: number;
  readonly phase?: Phase;
  readonly report?: PhaseReport;
  readonly message?: string;
}

const ROOT = join(__dirname, '..', '..');

export class RoleProcess {
  /** The last report of each phase. */
  readonly reports: RoleReports = {};
  /** Where it listens; rejects if it ends before that. */
  readonly port: Promise<number | undefined>;
  /** Rejects if it ends with a failure. */
  readonly ended: Promise<void>;

  private constructor(
    private readonly child: ChildProcess,
    role: Role,
    private readonly say: (text: string) => void,
  ) {
    let errors = '';
    child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      errors += text;
    });
    this.ended = new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code, signal) => {
        if (code === 0) resolve();
        else reject(new Error(`${roleName(role)} ended with ${code ?? signal}\n${errors}`));
      });
    });
    this.port = new Promise((resolve, reject) => {
      const open = role === 'dealer' ? 'listening' : 'open';
      this.read((line) => {
        if (line.event === open) resolve(line.port);
        if (line.phase && line.report) this.reports[line.phase] = line.report;
        this.tell(roleName(role), line);
      });
      this.ended.then(() => reject(new Error(`${roleName(role)} ended`)), reject);
    });
    // Whoever starts it awaits one of them; the other must not count as unhandled meanwhile.
    this.ended.catch(() => {});
    this.port.catch(() => {});
  }

  static start(role: Role, config: string, say: (text: string) => void): RoleProcess {
    const main = join(ROOT, 'lib', 'cli', 'main.ts');
    const command = role === 'dealer' ? 'dealer' : 'party';
    const args = [...process.execArgv, main, command, '--config', config, '--json'];
    const child = spawn(process.execPath, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
    return new RoleProcess(child, role, say);
  }

  get pid(): number | undefined {
    return this.child.pid;
  }

  async stop(): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) this.child.kill('SIGTERM');
    await this.ended;
  }

  kill(): void {
    this.child.kill('SIGKILL');
  }

  private read(take: (line: Line) => void): void {
    let text = '';
    this.child.stdout!.setEncoding('utf8').on('data', (part: string) => {
      const lines = (text + part).split('\n');
      text = lines.pop()!;
      for (const line of lines) take(JSON.parse(line) as Line);
    });
  }

  private tell(who: string, { event, port, phase, report, message }: Line): void {
    if (event === 'listening' || (event === 'open' && port !== undefined))
      this.say(`${who} listens on port ${port}`);
    if (phase && report) this.say(`${who}: ${phase} ${report.seconds.toFixed(3)} s, ${report.clock} rounds`);
    if (event === 'error') this.say(`${who}: ${message}`);
  }
}
