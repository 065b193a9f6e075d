// What parties and the dealer have in common: a deployment, a place in the network, a session of the native core, and
// stored state. Opened in an order in which mistakes are found before anything is said to others.

import { encodePlan } from '../compiler/schedule/plan';
import { project } from '../compiler/schedule/project';
import { CryptorchError } from '../errors';
import { checkCertificate, type TlsFiles } from '../keys/check';
import type { Role } from '../keys/role';
import { native } from '../native';
import type { NativeSession } from '../native-endpoint';
import { parseAddress, type RoleConfig, type Timeouts, timeoutsOf } from './config';
import { Deployment } from './deployment';
import { Reporter } from './events';
import { coded } from './failure';
import { readBytes } from './files';
import { type Address, Mesh, type MeshOwner } from './mesh';
import { RoleState } from './role-state';

export interface OpenRole {
  readonly deployment: Deployment;
  readonly reporter: Reporter;
  readonly timeouts: Timeouts;
  readonly state: RoleState;
  readonly mesh: Mesh;
  readonly session: NativeSession;
}

/**
 * @param index 0 to parties - 1 a party; undefined the dealer
 * @throws CryptorchError CONFIG, FILE, INVALID_PROGRAM, LEAKAGE, CERTIFICATE, TLS_UNAVAILABLE, BUSY, LEDGER,
 * OUT_OF_MEMORY, BAD_PLAN
 */
export async function openRole(
  config: RoleConfig & { readonly peers?: Readonly<Record<string, string>> },
  index: number | undefined,
  owner: MeshOwner,
): Promise<OpenRole> {
  const deployment = await Deployment.load(config.deployment);
  const { name, parties } = deployment;
  const number = index ?? parties;
  const role: Role = index ?? 'dealer';
  if (index !== undefined && index >= parties) {
    throw new CryptorchError(
      'CONFIG',
      `"party" is ${index}, but the program is for ${parties} parties, 0 to ${parties - 1}.`,
    );
  }
  const { listen, peers } = addresses(config, index, parties);
  const tls = await readTls(config, name, role);
  const projected = deployment.programs.map((program) => project(program, number));
  const frames = projected.flatMap((plan) =>
    plan.phases.flat().map((s) => (s.type === 'send' || s.type === 'receive' ? s.bytes : 0)),
  );
  const reporter = new Reporter({ deployment: name, role });
  const timeouts = timeoutsOf(config);
  const { setupHash } = deployment.file;
  const state = await RoleState.open(config.state ?? deployment.statePath, {
    deployment: name,
    role: number,
    parties,
    setupHash,
  });
  let mesh: Mesh | undefined;
  try {
    mesh = new Mesh(
      {
        deployment: name,
        role: number,
        parties,
        tls,
        programs: deployment.hashes,
        listen,
        peers,
        maxFrameBytes: frames.reduce((most, bytes) => Math.max(most, bytes), 0),
        connectMs: timeouts.connect,
        controlMs: timeouts.control,
      },
      owner,
      reporter,
    );
    const session = mesh.endpoint.session({
      plans: projected.map(encodePlan),
      ...(config.threads !== undefined && { threads: config.threads }),
      ...(config.memory !== undefined && { memoryLimit: config.memory }),
    });
    await state.load(session).catch((error: unknown) => {
      // A damaged file is no reason to stay away: a new epoch replaces it.
      if (!CryptorchError.is(error, 'BAD_STATE')) throw error;
      reporter.error(coded(error));
    });
    return { deployment, reporter, timeouts, state, mesh, session };
  } catch (error) {
    await mesh?.close();
    await state.close();
    throw error;
  }
}

export async function closeRole({ session, mesh, state }: OpenRole): Promise<void> {
  session.close();
  await mesh.close();
  await state.close();
}

/** Whom a role waits for and whom it connects to: the dealer waits for all, a party for those with higher numbers. */
function addresses(
  config: RoleConfig & { readonly peers?: Readonly<Record<string, string>> },
  index: number | undefined,
  parties: number,
): { listen: Address | undefined; peers: Map<number, Address> } {
  const waits = index === undefined || index < parties - 1;
  if (waits && config.listen === undefined) {
    throw new CryptorchError(
      'CONFIG',
      '"listen" is missing: others connect to this role, so give the HOST:PORT where it waits.',
    );
  }
  const wanted = index === undefined ? [] : ['dealer', ...Array.from({ length: index }, (_, p) => String(p))];
  const given = config.peers ?? {};
  const missing = wanted.find((name) => !Object.hasOwn(given, name));
  if (missing !== undefined) {
    throw new CryptorchError(
      'CONFIG',
      `"peers.${missing}" is missing: party ${index} connects to ${wanted.join(', ')}.`,
    );
  }
  const extra = Object.keys(given).find((name) => !wanted.includes(name));
  if (extra !== undefined) {
    throw new CryptorchError(
      'CONFIG',
      `"peers.${extra}" is not needed: party ${index} connects to ${wanted.join(', ')}, and others connect to it.`,
    );
  }
  const peers = new Map(
    Object.entries(given).map(([name, text]) => [
      name === 'dealer' ? parties : Number(name),
      parseAddress(text),
    ]),
  );
  return { listen: waits && config.listen !== undefined ? parseAddress(config.listen) : undefined, peers };
}

async function readTls(config: RoleConfig, deployment: string, role: Role): Promise<TlsFiles | null> {
  if (config.certificates === undefined) return null;
  // First of all: before files are read that only TLS needs, and before anything is kept or said.
  native().requireTls();
  const { ca, certificate, key } = config.certificates;
  const [caPem, cert, keyPem] = await Promise.all(
    [ca, certificate, key].map(async (p) => (await readBytes(p)).toString('latin1')),
  );
  const files = { ca: caPem as string, cert: cert as string, key: keyPem as string };
  checkCertificate(files, deployment, role, certificate);
  return files;
}
