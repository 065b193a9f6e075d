// `cryptorch build`: builds the native part of the package from source, in the folder where the package is installed. From
// then on it goes before a prebuilt binary. node-gyp comes with npm, so an installed package needs nothing but a compiler,
// make and Python.

import { spawn } from 'node:child_process';
import { existsSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { Command } from 'commander';
import { BUILD_NEEDS, describePlatform, platform } from '../binary';
import { CryptorchError } from '../errors';
import { loadNative } from '../native';
import { fileError } from '../runtime/files';

const ROOT: string = resolve(__dirname, '..', '..');
const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

export function buildCommand(): Command {
  return new Command('build')
    .description('build the native part from source, where there is no prebuilt one')
    .action(build);
}

async function build(): Promise<void> {
  const fail = (why: string): CryptorchError =>
    new CryptorchError(
      'MISSING_BINARY',
      `The native part was not built for ${describePlatform(platform())}: ${why}.`,
      { ...platform(), root: ROOT },
    );
  if (process.platform === 'win32') throw fail('it does not run on Windows; use Linux, in WSL 2 for one');
  const nodeGyp = findNodeGyp();
  if (nodeGyp === undefined) {
    throw fail('there is no node-gyp; install npm, which brings it');
  }
  const args = [
    nodeGyp,
    'configure',
    'build',
    '--release',
    '--jobs',
    process.env.JOBS ?? `${availableParallelism()}`,
  ];
  const headers = nodeFolder();
  if (headers !== undefined && process.env.npm_config_nodedir === undefined) args.push('--nodedir', headers);
  const code = await withBindings(ROOT, () => {
    const child = spawn(process.execPath, args, { cwd: ROOT, stdio: 'inherit' });
    return new Promise<number | null>((done, refuse) => child.once('close', done).once('error', refuse));
  });
  if (code !== 0) throw fail(`node-gyp says why above; ${BUILD_NEEDS}`);
  const { file, info } = loadNative(ROOT);
  process.stdout.write(`${file} is built, for ${info().available.join(', ')}\n`);
}

/**
 * With the file that node-gyp looks for. A package that is installed must not have it, because npm would build the package
 * whenever it installs from a lock file: it goes also where the process is told to stop.
 */
export async function withBindings<T>(root: string, task: () => Promise<T>): Promise<T> {
  const path = join(root, 'binding.gyp');
  if (existsSync(path)) return task();
  try {
    writeFileSync(path, "{ 'includes': ['native/addon.gypi'] }\n");
  } catch (error) {
    throw fileError('write', path, error);
  }
  const remove = (): void => rmSync(path, { force: true });
  const stop = (signal: NodeJS.Signals): void => {
    remove();
    // This listener is gone by now, so the signal ends the process as it would have.
    process.kill(process.pid, signal);
  };
  for (const signal of SIGNALS) process.once(signal, stop);
  return task().finally(() => {
    for (const signal of SIGNALS) process.off(signal, stop);
    remove();
  });
}

/** Where Node's headers lie beside its executable, they need not be downloaded. */
function nodeFolder(): string | undefined {
  const prefix = dirname(dirname(realpathSync(process.execPath)));
  return existsSync(join(prefix, 'include', 'node', 'node_api.h')) ? prefix : undefined;
}

/** That of a checkout, or of the npm that runs this or is installed with Node. */
function findNodeGyp(): string | undefined {
  const npm = process.env.npm_execpath;
  const beside = join(
    dirname(dirname(realpathSync(process.execPath))),
    'lib',
    'node_modules',
    'npm',
    'package.json',
  );
  for (const from of [join(ROOT, 'package.json'), ...(npm ? [realpathSync(npm)] : []), beside]) {
    try {
      return createRequire(from).resolve('node-gyp/bin/node-gyp.js');
    } catch {
      // The next one.
    }
  }
  return undefined;
}
