// The demo as it would run between organisations: a process per role, each in a folder of its own, over mutual TLS. Here
// all of them are on this machine, so that addresses are on loopback.

import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Progress } from '../../lib/cli/progress';
import { times } from '../../lib/cli/report';
import type { CompiledModel, Tensor } from '../../lib/index';
import { type Role, roleFile } from '../../lib/keys/role';
import { readNpz } from '../../lib/model/npz';
import type { DealerConfig, PartyFile } from '../../lib/runtime/config';
import { together } from './count';
import { prepare, rolesOf } from './prepare';
import type { DemoRun } from './report';
import { RoleProcess } from './role-process';

const SCORES = 'scores.npz';

/** @param keep folder for the folders of the roles, which stay; without, they are removed afterwards */
export async function runAsProcesses(
  model: CompiledModel,
  images: Tensor,
  progress: Progress,
  keep?: string,
): Promise<DemoRun> {
  if (keep !== undefined) await mkdir(keep, { recursive: true });
  const folder = keep === undefined ? await mkdtemp(join(tmpdir(), 'cryptorch-digits-')) : resolve(keep);
  try {
    progress.note(`preparing a folder for each role in ${folder}`);
    await prepare(folder, model, images);
    return await runRoles(model, folder, progress);
  } finally {
    if (keep === undefined) await rm(folder, { recursive: true });
  }
}

async function runRoles(model: CompiledModel, folder: string, progress: Progress): Promise<DemoRun> {
  const running = new Map<Role, RoleProcess>();
  const killAll = (): void => {
    for (const role of running.values()) role.kill();
  };
  process.once('exit', killAll);
  try {
    // Each role is told where those before it listen.
    const ports = new Map<Role, number>();
    for (const role of rolesOf(model)) {
      const config = join(folder, roleFile(role), 'config.json');
      await writeFile(config, `${JSON.stringify(configOf(role, model, ports), null, 2)}\n`);
      const started = RoleProcess.start(role, config, (text) => progress.note(text));
      running.set(role, started);
      const port = await started.port;
      if (port !== undefined) ports.set(role, port);
    }
    // Party 0 ends when it has the scores; the others serve until they are stopped, unless one fails before.
    const [first, ...others] = [...running].filter(([role]) => role !== 'dealer').map(([, role]) => role);
    const dealer = running.get('dealer')!;
    await Promise.race([first!.ended, ...[dealer, ...others].map((role) => role.ended)]);
    await first!.stop();
    await Promise.all([dealer, ...others].map((role) => role.stop()));
    const run = together(
      model,
      [first!, ...others, dealer].map((role) => role.reports),
    );
    progress.note(times(run));
    const scores = join(folder, roleFile(0), SCORES);
    return { ...run, outputs: Object.fromEntries(readNpz(await readFile(scores), scores)) };
  } finally {
    killAll();
    process.off('exit', killAll);
  }
}

function configOf(
  role: Role,
  model: CompiledModel,
  ports: ReadonlyMap<Role, number>,
): DealerConfig | PartyFile {
  const name = roleFile(role);
  const common = {
    deployment: '.',
    certificates: { ca: 'ca.pem', certificate: `${name}.pem`, key: `${name}.key` },
  };
  const listen = '127.0.0.1:0';
  if (role === 'dealer') return { ...common, listen };
  const peers = [...ports].map(([peer, port]) => [String(peer), `127.0.0.1:${port}`]);
  return {
    ...common,
    party: role,
    peers: Object.fromEntries(peers) as Record<string, string>,
    ...(role < model.parties - 1 && { listen }),
    ...(role === 0 && { inputs: { image: 'images.npy' }, outputs: SCORES }),
  };
}
