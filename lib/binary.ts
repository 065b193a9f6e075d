// Which file holds the native core on this machine, and what to say where there is none.
//
// A build from source in build/Release goes before the prebuilt binaries in prebuilds/PLATFORM-ARCH/, which carry the C
// library that they are linked with in their name.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { CryptorchError } from './errors';

export interface Platform {
  readonly platform: string;
  readonly arch: string;
  /** The C library, on Linux. */
  readonly libc: 'glibc' | 'musl' | null;
  /** Known of glibc only. */
  readonly libcVersion: string | null;
  /** Node-API version of this Node. */
  readonly napi: number;
}

export const BUILD_NEEDS: string =
  'it needs a C++20 compiler (GCC 12 or Clang 14, or newer), make and Python 3.8 or newer, and takes minutes';

export function platform(): Platform {
  const { platform, arch, versions } = process;
  const version = platform === 'linux' ? glibcVersion() : undefined;
  return {
    platform,
    arch,
    libc: platform !== 'linux' ? null : version === undefined ? 'musl' : 'glibc',
    libcVersion: version ?? null,
    napi: Number(versions.napi),
  };
}

/** As in "linux x64 (glibc 2.36), Node-API 9". */
export function describePlatform({ platform, arch, libc, libcVersion, napi }: Platform): string {
  const library = libc === null ? '' : ` (${[libc, libcVersion].filter(Boolean).join(' ')})`;
  return `${platform} ${arch}${library}, Node-API ${napi}`;
}

/**
 * The binary of the package at `root`.
 * @throws CryptorchError MISSING_BINARY
 */
export function findBinary(root: string): string {
  const { path } = require('node-gyp-build') as { path(directory: string): string };
  try {
    return path(root);
  } catch (cause) {
    throw missing(root, `There is no native binary for ${describePlatform(platform())}, in ${root}.`, cause);
  }
}

/** What to throw where the binary is there but cannot be loaded. */
export function unusableBinary(root: string, file: string, cause: unknown): CryptorchError {
  const why = (cause instanceof Error ? cause.message : String(cause)).trim();
  const where = describePlatform(platform());
  return missing(root, `The native binary ${file} cannot be loaded on ${where}: ${why}.`, cause);
}

function missing(root: string, what: string, cause: unknown): CryptorchError {
  return new CryptorchError('MISSING_BINARY', `${what} ${remedy(root)}`, { ...platform(), root }, cause);
}

function remedy(root: string): string {
  if (process.platform === 'win32')
    return 'The native part does not run on Windows: use Linux, in WSL 2 for one.';
  const main = join(root, 'dist', 'cli', 'main.js');
  // By its path: `npx cryptorch` outside of a project that has the package would ask a registry for that name.
  const command = existsSync(main)
    ? `node ${quoted(main)} build`
    : `cd ${quoted(root)} && npm run build:native`;
  return `Build it from source with \`${command}\`: ${BUILD_NEEDS}.`;
}

function quoted(path: string): string {
  return /^[\w@%+=:,./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}

function glibcVersion(): string | undefined {
  const report: NodeJS.ProcessReport & { excludeNetwork?: boolean } = process.report;
  const { excludeNetwork = false } = report;
  report.excludeNetwork = true; // which would look up the names of all interfaces
  try {
    return (report.getReport() as { header?: { glibcVersionRuntime?: string } }).header?.glibcVersionRuntime;
  } finally {
    report.excludeNetwork = excludeNetwork;
  }
}
