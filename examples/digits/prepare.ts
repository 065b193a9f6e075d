// A folder for each role, with what that role may have and nothing else:
//
//   dealer    program.json                 every role: ca.pem, ROLE.pem, ROLE.key, config.json (processes.ts)
//   party-0   program.json, images.npy
//   party-1   program.json, weights.npz
//   others    program.json
//
// The authority's key is never written: nobody can make another certificate afterwards.

import { copyFile, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CompiledModel, Tensor } from '../../lib/index';
import { Authority } from '../../lib/keys/authority';
import { type Role, roleFile } from '../../lib/keys/role';
import { writeNpy } from '../../lib/model/npy';
import { Deployment } from '../../lib/runtime/deployment';
import { fileError } from '../../lib/runtime/files';

const NAME = 'digits';
const SECRET_MODE = 0o600;

export function rolesOf(model: CompiledModel): Role[] {
  return ['dealer', ...Array.from({ length: model.parties }, (_, p) => p)];
}

export async function prepare(folder: string, model: CompiledModel, images: Tensor): Promise<void> {
  const at = (role: Role, file: string): string => join(folder, roleFile(role), file);
  const compiled = join(folder, 'compiled');
  await Deployment.create(compiled, NAME, [model]);
  const { authority, identity } = await Authority.create(NAME, { days: 1 });
  for (const role of rolesOf(model)) {
    await makeFolder(join(folder, roleFile(role)));
    await copyFile(join(compiled, 'program.json'), at(role, 'program.json'));
    const { certificate, key } = await authority.issue({ role, hosts: ['127.0.0.1'], days: 1 });
    await writeFile(at(role, 'ca.pem'), identity.certificate);
    await writeFile(at(role, `${roleFile(role)}.pem`), certificate);
    await writeFile(at(role, `${roleFile(role)}.key`), key, { mode: SECRET_MODE });
  }
  await rename(join(compiled, 'weights.npz'), at(1, 'weights.npz'));
  await writeFile(at(0, 'images.npy'), writeNpy(images), { mode: SECRET_MODE });
  await rm(compiled, { recursive: true });
}

async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { mode: 0o700 });
  } catch (error) {
    throw fileError('make the folder', path, error);
  }
}
