// A folder in which the blocks of a page are run as a reader would run them: the package installed, `cryptorch` on the
// path, the files of examples/digits at hand; one shell for all commands and one JavaScript console for all programs
// of the page, so that later blocks build on earlier ones.

import { type ChildProcess, execFile, fork, spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { chmod, copyFile, cp, mkdir, mkdtemp, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import type { ExecutionContext } from 'ava';
import { example, temporaryFolder } from '../helpers/cli';
import { ROOT } from './pages';

const FIXTURES = ['digits.onnx', 'rounded.onnx', 'images.npy', 'labels.npy'];
const END = '-- end of block --';

/** Ports that nobody uses just now. */
async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  const ports = await Promise.all(
    servers.map(
      (server) =>
        new Promise<number>((resolve) =>
          server.once('listening', () => resolve((server.address() as { port: number }).port)),
        ),
    ),
  );
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

let built: Promise<string> | undefined;

/** The package as it would be installed, compiled from the sources as they are now; once for all pages of a process. */
function packageFolder(): Promise<string> {
  const build = async (): Promise<string> => {
    const home = await mkdtemp(join(tmpdir(), 'cryptorch-package-'));
    process.once('exit', () => rmSync(home, { recursive: true }));
    const tsc = join(ROOT, 'node_modules', '.bin', 'tsc');
    const options = ['--outDir', join(home, 'dist'), '--incremental', 'false', '--tsBuildInfoFile', 'null'];
    await promisify(execFile)(tsc, ['-p', join(ROOT, 'tsconfig.json'), ...options]);
    await copyFile(join(ROOT, 'package.json'), join(home, 'package.json'));
    // Its dependencies, and the addon: what `npm ci` has built, or a prebuilt one.
    for (const name of ['node_modules', 'build', 'prebuilds'])
      await symlink(join(ROOT, name), join(home, name));
    return home;
  };
  built ??= build();
  return built;
}

/** A project that has the package installed, and the files of an example. */
async function makeProject(folder: string): Promise<void> {
  const home = await packageFolder();
  await mkdir(join(folder, 'node_modules'));
  await symlink(home, join(folder, 'node_modules', 'cryptorch-native'));
  await writeScript(join(folder, '.bin', 'cryptorch'), join(home, 'dist', 'cli', 'main.js'));
  for (const name of FIXTURES) await copyFile(example('digits', name), join(folder, name));
}

async function writeScript(path: string, program: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, `#!/bin/sh\nexec '${process.execPath}' '${program}' "$@"\n`);
  await chmod(path, 0o755);
}

/** A copy of the repository, for pages about working on it. */
async function copyRepository(folder: string): Promise<void> {
  const left = new Set(['node_modules', 'build', 'dist', 'prebuilds', 'coverage', '.git']);
  for (const name of await readdir(ROOT)) {
    if (left.has(name) || name.startsWith('build-')) continue;
    const filter = (path: string): boolean => !path.endsWith('node_modules');
    await cp(join(ROOT, name), join(folder, name), { recursive: true, filter });
  }
  for (const name of ['node_modules', 'build']) await symlink(join(ROOT, name), join(folder, name));
  await writeScript(join(folder, '.bin', 'cryptorch'), join(folder, 'lib', 'cli', 'main.ts'));
}

export class Session {
  /** All that was written by commands and programs so far. */
  stdout = '';
  stderr = '';
  private count = 0;
  private prepared: Promise<void> | undefined;
  private shell: ChildProcess | undefined;
  private console: ChildProcess | undefined;

  private constructor(
    readonly folder: string,
    private readonly repository: boolean,
    private readonly addresses: readonly (readonly [RegExp, string])[],
  ) {}

  /** `repository`: works in a copy of it; otherwise in the folder of somebody who has installed the package. */
  static async open(t: ExecutionContext, options: { readonly repository: boolean }): Promise<Session> {
    const folder = await temporaryFolder(t);
    const [dealer, party, http] = (await freePorts(3)) as [number, number, number];
    const session = new Session(folder, options.repository, [
      [/\b[a-z]+\.example:/g, '127.0.0.1:'],
      [/0\.0\.0\.0:/g, '127.0.0.1:'],
      [/:7700\b/g, `:${dealer}`],
      [/:7701\b/g, `:${party}`],
      [/:8080\b/g, `:${http}`],
    ]);
    t.teardown(() => session.close());
    return session;
  }

  /** With hosts and ports that are this machine's and free. */
  here(text: string): string {
    return this.addresses.reduce((s, [from, to]) => s.replaceAll(from, to), text);
  }

  async file(path: string, content: string): Promise<string> {
    const full = join(this.folder, path);
    await mkdir(dirname(full), { recursive: true });
    await writeFile(full, this.here(content));
    return full;
  }

  /** Puts lines of a block in `diff` into a file that is there. */
  async patch(path: string, diff: string): Promise<void> {
    const full = join(this.folder, path);
    await writeFile(full, patched(await readFile(full, 'utf8'), diff));
  }

  /** Nothing is built or copied for a page that runs nothing. */
  prepare(): Promise<void> {
    this.prepared ??= this.repository ? copyRepository(this.folder) : makeProject(this.folder);
    return this.prepared;
  }

  /** Runs commands in the page's shell and returns what they print; throws if one of them fails. */
  async sh(commands: string): Promise<string> {
    await this.prepare();
    const shell = this.shell ?? this.startShell();
    const file = await this.file(`.blocks/${++this.count}.sh`, commands);
    return this.until(shell, () =>
      shell.stdin!.write(`. '${file}' </dev/null\nprintf '\\n%s\\n' '${END}'\n`),
    );
  }

  /** Evaluates JavaScript as if typed into the page's console; a module with imports runs by itself. */
  async js(code: string): Promise<string> {
    if (/^import .* from /m.test(code)) {
      await this.file(`block-${++this.count}.mjs`, code);
      return this.sh(`node block-${this.count}.mjs`);
    }
    await this.prepare();
    const child = this.console ?? this.startConsole();
    const answer = new Promise<{ error?: string }>((resolve) => child.once('message', resolve));
    const output = await this.until(child, () => child.send({ code: this.here(code), end: END }));
    const { error } = await answer;
    if (error !== undefined) throw new Error(`${output}\n${error}`);
    return output;
  }

  /** TypeScript as a module of its own, types checked. */
  async ts(code: string): Promise<string> {
    const name = `block-${++this.count}.mts`;
    await this.file(name, code);
    const bin = join(ROOT, 'node_modules', '.bin', 'tsc');
    const strict = '--strict --noEmit --module node20 --target es2022 --skipLibCheck';
    const types = `--types node --typeRoots '${join(ROOT, 'node_modules', '@types')}'`;
    const loader = pathToFileURL(require.resolve('tsx')).href;
    return this.sh(`'${bin}' ${strict} ${types} ${name}\nnode --import '${loader}' ${name}`);
  }

  async python(python: string, code: string): Promise<string> {
    const name = `block-${++this.count}.py`;
    await this.file(name, code);
    return this.sh(`'${python}' ${name}`);
  }

  private startShell(): ChildProcess {
    const env = {
      ...process.env,
      NODE_DEBUG: '',
      // In a copy of the repository the command line is TypeScript.
      ...(this.repository && { NODE_OPTIONS: `--import=${pathToFileURL(require.resolve('tsx')).href}` }),
      PATH: `${join(this.folder, '.bin')}:${process.env.PATH}`,
    };
    this.shell = this.watched(spawn('bash', { cwd: this.folder, env, detached: true }));
    this.shell.stdin!.write('set -euo pipefail\n');
    // `npx cryptorch` without asking a registry.
    this.shell.stdin!.write('npx() { if [ "$1" = cryptorch ]; then "$@"; else command npx "$@"; fi; }\n');
    return this.shell;
  }

  private startConsole(): ChildProcess {
    const options = { cwd: this.folder, silent: true, detached: true, execArgv: [] };
    this.console = this.watched(fork(join(__dirname, 'console.cjs'), options));
    return this.console;
  }

  private watched(child: ChildProcess): ChildProcess {
    child.stdout!.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text;
    });
    child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
    });
    return child;
  }

  /** What is printed until the end of the block is. */
  private async until(child: ChildProcess, start: () => void): Promise<string> {
    const from = this.stdout.length;
    const errors = this.stderr.length;
    await new Promise<void>((resolve, reject) => {
      const done = (error?: Error): void => {
        child.stdout!.off('data', look);
        child.off('close', ended);
        if (error) reject(error);
        else resolve();
      };
      const look = (): void => {
        if (this.stdout.includes(END, from)) done();
      };
      const ended = (code: number | null): void =>
        done(new Error(`ended with ${code}\n${this.stdout.slice(from)}${this.stderr.slice(errors)}`));
      child.stdout!.on('data', look);
      child.once('close', ended);
      start();
    });
    const output = this.stdout.slice(from, this.stdout.indexOf(END, from));
    this.stdout = this.stdout.slice(0, from) + output;
    return output;
  }

  /** Nothing that a page started outlives it. */
  private close(): void {
    for (const child of [this.shell, this.console]) {
      try {
        if (child?.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
      } catch {
        // All of it has ended.
      }
    }
  }
}

/**
 * A file after a diff without line numbers: each hunk (hunks are separated by `@@`) is put where its lines that stay or go
 * are found, one after the other, whatever their spaces. Throws where they are not.
 */
export function patched(text: string, diff: string): string {
  const lines = text.split('\n');
  const plain = (line: string): string => line.trim().replaceAll(/\s+/g, ' ');
  for (const hunk of diff.trimEnd().split(/^@@$/m)) {
    const rows = hunk.split('\n').filter((row) => row !== '');
    const old = rows.filter((row) => !row.startsWith('+')).map((row) => plain(row.slice(1)));
    const at = lines.findIndex((_, i) => old.every((line, j) => plain(lines[i + j] ?? '') === line));
    if (old.length === 0 || at < 0) throw new Error(`there is no place for\n${hunk}`);
    let from = at;
    const now = rows.flatMap((row) => {
      if (row.startsWith('+')) return [row.slice(1)];
      const kept = lines[from++]!;
      return row.startsWith('-') ? [] : [kept];
    });
    lines.splice(at, old.length, ...now);
  }
  return lines.join('\n');
}

/** The content of a file of the session. */
export function contentOf(session: Session, path: string): Promise<Buffer> {
  return readFile(join(session.folder, path));
}
