// What is done once, before anything runs: the vendor compiles the model, keys and certificates are made, and every
// role gets a folder with what it may have and nothing else.
//
//   dealer/      program.json, and its key, its certificate and that of the authority
//   clinic/      the same
//   vendor/      the same, and weights.npz
//   authority/   the authority's key: whoever holds it can take any role
// One hand does it all here. Organisations keep their keys to themselves with `cryptorch keygen request` and `sign`.

import { execFile } from 'node:child_process';
import { access, copyFile, mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

export const ROOT: string = join(__dirname, '..', '..');
const MODEL = join(ROOT, 'examples', 'digits', 'digits.onnx');

/** Folders, and the names that their files have from keygen. */
const ROLES = { dealer: 'dealer', clinic: 'party-0', vendor: 'party-1' } as const;

export type RoleFolder = keyof typeof ROLES;

/** Fills `folder`, which then is complete; one that is there already stays as it is, with the state that is kept in it. */
export async function prepare(folder: string, signal: AbortSignal): Promise<void> {
  if (await exists(join(folder, 'vendor'))) return;
  const making = `${folder}.making`;
  await rm(making, { recursive: true, force: true });
  const [program, keys] = [join(making, 'compiled'), join(making, 'authority')];
  const owners = 'image=0,weights=1,logits=0';
  await Promise.all([
    cryptorch(
      signal,
      'compile',
      MODEL,
      '--name',
      'digits',
      '--batch',
      '1',
      '--owners',
      owners,
      '-o',
      program,
    ),
    cryptorch(signal, 'keygen', '--deployment', 'digits', '--parties', '2', '-o', keys),
  ]);
  for (const [role, name] of Object.entries(ROLES)) {
    const to = join(making, role);
    await mkdir(to, { mode: 0o700 });
    await copyFile(join(program, 'program.json'), join(to, 'program.json'));
    await copyFile(join(keys, 'ca.pem'), join(to, 'ca.pem'));
    await rename(join(keys, `${name}.pem`), join(to, 'certificate.pem'));
    await rename(join(keys, `${name}.key`), join(to, 'key.pem'));
  }
  await rename(join(program, 'weights.npz'), join(making, 'vendor', 'weights.npz'));
  await rm(program, { recursive: true });
  await rename(making, folder);
}

/** In an application: npx cryptorch ... */
async function cryptorch(signal: AbortSignal, ...args: string[]): Promise<void> {
  const main = join(ROOT, 'lib', 'cli', 'main.ts');
  await promisify(execFile)(process.execPath, ['--import', 'tsx', main, ...args], { cwd: ROOT, signal });
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
