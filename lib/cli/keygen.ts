// `cryptorch keygen`: keys and certificates for the roles of a deployment.
//
//   keygen            an authority and a certificate per role, for one organisation or a trial
//   keygen authority  an authority alone, at an organisation that plays no role and signs what others request
//   keygen request    at an organisation that keeps its key to itself: a key, and a request to send to the authority
//   keygen sign       at the authority: a certificate for such a request
// Files with keys are readable by their owner alone; nothing is ever overwritten.

import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { CryptorchError } from '../errors';
import type { Authority } from '../keys/authority';
import { parseRole, type Role, roleFile } from '../keys/role';
import { fileError, PUBLIC_MODE, readBytes, readIfThere, SECRET_MODE } from '../runtime/files';
import { NAME } from '../runtime/program-file';
import { integerFrom } from './options';

const DAYS = 365;
const AUTHORITY_DAYS = 3650;

type Hosts = Readonly<Record<string, readonly string[]>>;

export function keygenCommand(): Command {
  return new Command('keygen')
    .description('make keys and certificates for the roles of a deployment')
    .addCommand(allCommand(), { isDefault: true })
    .addCommand(authorityCommand())
    .addCommand(requestCommand())
    .addCommand(signCommand());
}

function withDeployment(command: Command): Command {
  return command.requiredOption('--deployment <name>', 'name of the deployment', parseName);
}

function hostsOption(): Option {
  return new Option('--host <role=host>', 'name or address under which a role is reached (repeatable)')
    .default({})
    .argParser(parseHost);
}

function daysOption(): Option {
  return new Option('--days <count>', 'days for which certificates are valid')
    .default(DAYS)
    .argParser(integerFrom(1));
}

function allCommand(): Command {
  return withDeployment(new Command('all'))
    .description('an authority, and a key and certificate for every role')
    .addOption(new Option('-n, --parties <count>', 'computing parties').default(2).argParser(integerFrom(2)))
    .addOption(new Option('--roles <list>', 'only these roles: dealer, party:0, ...').argParser(parseRoles))
    .addOption(hostsOption())
    .addOption(daysOption())
    .requiredOption('-o, --out <folder>', 'folder for keys and certificates')
    .action(all);
}

async function all(options: {
  deployment: string;
  parties: number;
  roles?: Role[];
  host: Hosts;
  days: number;
  out: string;
}): Promise<void> {
  const everyone: Role[] = ['dealer', ...Array.from({ length: options.parties }, (_, p) => p)];
  const roles = options.roles ?? everyone;
  const unknown = roles.find((role) => !everyone.includes(role));
  if (unknown !== undefined) {
    throw new CryptorchError(
      'INVALID_OPTION',
      `There is no party ${unknown}: the parties are 0 to ${options.parties - 1}.`,
    );
  }
  await makeFolder(options.out);
  const authority = await authorityIn(options.out, options.deployment);
  for (const role of roles) {
    const hosts = options.host[roleFile(role)] ?? ['localhost', '127.0.0.1', '::1'];
    const { certificate, key } = await authority.issue({ role, hosts, days: options.days });
    await writeNew(join(options.out, `${roleFile(role)}.key`), key, SECRET_MODE);
    await writeNew(join(options.out, `${roleFile(role)}.pem`), certificate, PUBLIC_MODE);
  }
  say(
    `${join(options.out, 'ca.pem')} goes to every role, NAME.pem and NAME.key to the role of that name alone.`,
    `Keep ${join(options.out, 'ca.key')} away from all of them: who holds it can take any role.`,
  );
}

function authorityCommand(): Command {
  return withDeployment(new Command('authority'))
    .description('an authority alone, without a key for any role')
    .addOption(
      new Option('--days <count>', 'days for which the authority is valid')
        .default(AUTHORITY_DAYS)
        .argParser(integerFrom(1)),
    )
    .requiredOption('-o, --out <folder>', 'folder for its key and certificate')
    .action(async (options: { deployment: string; days: number; out: string }) => {
      await makeFolder(options.out);
      await makeAuthority(options.out, options.deployment, options.days);
      say(
        `${join(options.out, 'ca.pem')} goes to every role. Certificates are made from what the roles request:`,
        '`cryptorch keygen request` at a role, `cryptorch keygen sign` here.',
        `Keep ${join(options.out, 'ca.key')} away from all of them: who holds it can take any role.`,
      );
    });
}

function requestCommand(): Command {
  return withDeployment(new Command('request'))
    .description('a key that stays here, and a request for its certificate')
    .requiredOption('--role <role>', 'dealer, party:0, ...', parseRoleOption)
    .requiredOption('-o, --out <folder>', 'folder for the key and the request')
    .action(async (options: { deployment: string; role: Role; out: string }) => {
      const { createRequest } = await x509Module();
      const { request, key } = await createRequest(options.deployment, options.role);
      await makeFolder(options.out);
      const path = join(options.out, roleFile(options.role));
      await writeNew(`${path}.key`, key, SECRET_MODE);
      await writeNew(`${path}.csr`, request, PUBLIC_MODE);
      say(`Send ${path}.csr to the authority; ${path}.key stays here.`);
    });
}

function signCommand(): Command {
  return withDeployment(new Command('sign'))
    .description('sign the request of a role')
    .argument('<request>', 'file that `keygen request` made')
    .requiredOption('--role <role>', 'the role that it is for, as agreed with its sender', parseRoleOption)
    .requiredOption('--authority <folder>', 'folder with ca.pem and ca.key')
    .addOption(hostsOption())
    .addOption(daysOption())
    .requiredOption('-o, --out <file>', 'file for the certificate')
    .action(sign);
}

async function sign(
  request: string,
  options: { deployment: string; role: Role; authority: string; host: Hosts; days: number; out: string },
): Promise<void> {
  const authority = await loadAuthority(options.authority, options.deployment);
  const text = (await readBytes(request)).toString('latin1');
  const hosts = options.host[roleFile(options.role)] ?? [];
  const certificate = await authority.sign(text, { role: options.role, hosts, days: options.days }, request);
  await makeFolder(dirname(options.out));
  await writeNew(options.out, certificate, PUBLIC_MODE);
  say(`Send ${options.out} and ${join(options.authority, 'ca.pem')} back to ${request}'s sender.`);
}

/** Loaded when it is needed: the X.509 library takes longer to load than most commands take. */
function x509Module(): Promise<typeof import('../keys/authority.js')> {
  return import('../keys/authority.js');
}

/** The authority in a folder; a new one where there is none. */
async function authorityIn(folder: string, deployment: string): Promise<Authority> {
  if ((await readIfThere(join(folder, 'ca.key'))) !== undefined) return loadAuthority(folder, deployment);
  return makeAuthority(folder, deployment, AUTHORITY_DAYS);
}

async function makeAuthority(folder: string, deployment: string, days: number): Promise<Authority> {
  const { Authority } = await x509Module();
  const { authority, identity } = await Authority.create(deployment, { days });
  await writeNew(join(folder, 'ca.key'), identity.key, SECRET_MODE);
  await writeNew(join(folder, 'ca.pem'), identity.certificate, PUBLIC_MODE);
  return authority;
}

async function loadAuthority(folder: string, deployment: string): Promise<Authority> {
  const { Authority } = await x509Module();
  const path = join(folder, 'ca.pem');
  const certificate = (await readBytes(path)).toString('latin1');
  const key = (await readBytes(join(folder, 'ca.key'))).toString('latin1');
  return Authority.load(deployment, { certificate, key }, path);
}

async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true });
  } catch (error) {
    throw fileError('make the folder', path, error);
  }
}

async function writeNew(path: string, content: string, mode: number): Promise<void> {
  try {
    await writeFile(path, content, { mode, flag: 'wx' });
  } catch (error) {
    throw fileError('write', path, error);
  }
}

function say(...lines: string[]): void {
  process.stdout.write(`${lines.join('\n')}\n`);
}

function parseName(text: string): string {
  if (NAME.test(text)) return text;
  throw new InvalidArgumentError('Write 1 to 64 of a-z, 0-9 and "-".');
}

function parseRoleOption(text: string): Role {
  try {
    return parseRole(text);
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message);
  }
}

function parseRoles(text: string): Role[] {
  return text.split(',').map(parseRoleOption);
}

function parseHost(text: string, before: Hosts = {}): Hosts {
  const at = text.indexOf('=');
  if (at <= 0 || at === text.length - 1)
    throw new InvalidArgumentError('Write ROLE=HOST, as in dealer=dealer.example.');
  const role = roleFile(parseRoleOption(text.slice(0, at)));
  return { ...before, [role]: [...(before[role] ?? []), text.slice(at + 1)] };
}
