// Configuration of a role: a JSON file, or the same as an object. Paths are relative to the file; addresses are
// HOST:PORT; durations are seconds. An entry that is not known is an error, so that a misspelt one is not ignored.

import { dirname, resolve } from 'node:path';
import * as v from 'valibot';
import { CryptorchError } from '../errors';
import { readBytes } from './files';
import type { Address } from './mesh';
import { parseJson, type Schema, validate } from './validate';

/** How long things may take, in seconds. */
export interface Timeouts {
  /** One attempt to connect. Default 5. */
  readonly connect: number;
  /** A greeting, an answer of the dealer, and what others may need more than this side. Default 10. */
  readonly control: number;
  /** The setup phase, from its start. Default 600. */
  readonly setup: number;
  /** The offline phase. Default 300. */
  readonly offline: number;
  /** The online phase. Default 300. */
  readonly online: number;
  /** A run from when it is asked for, waiting included. Default 900. */
  readonly run: number;
}

/** What every role has. */
export interface RoleConfig {
  /** Folder of the deployment: program.json, and weights.npz at the owner of the weights. */
  readonly deployment: string;
  /** Folder for what the role keeps; `state` in the deployment's folder by default. */
  readonly state?: string;
  /** Files in PEM form. */
  readonly certificates?: {
    /** Certificate of the authority. */
    readonly ca: string;
    /** Certificate of this role, which names it. */
    readonly certificate: string;
    /** Private key of this role. */
    readonly key: string;
  };
  /** Plain TCP without certificates: on loopback addresses only, for trials. */
  readonly insecure?: boolean;
  /** Where this role waits for those that connect to it. */
  readonly listen?: string;
  /** Threads that compute; as many as there are cores by default. */
  readonly threads?: number;
  /** Bytes of memory; that of the machine by default. */
  readonly memory?: number;
  /** Those that differ from the defaults. */
  readonly timeouts?: Partial<Timeouts>;
}

/** Configuration of the dealer. */
export interface DealerConfig extends RoleConfig {
  /** Where the parties reach it: HOST:PORT; port 0 takes a free one. */
  readonly listen: string;
}

/** Configuration of a party. */
export interface PartyConfig extends RoleConfig {
  /** Its number, from 0. */
  readonly party: number;
  /** Where the dealer is, and every party with a lower number: {"dealer": "HOST:PORT", "0": "HOST:PORT"}. */
  readonly peers: Readonly<Record<string, string>>;
  /** Runs of each program that are prepared ahead; counts at party 0. Default 0. */
  readonly ahead?: number;
  /** Most runs that may wait here. Default 64. */
  readonly queue?: number;
}

/** A configuration of `cryptorch party`. */
export interface PartyFile extends PartyConfig {
  /** Inputs from .npy files: they are computed once, then the process ends. */
  readonly inputs?: Readonly<Record<string, string>>;
  /** Where outputs of the runs go: a .npz file. */
  readonly outputs?: string;
  /** HOST:PORT of the local HTTP endpoint, on a loopback address. */
  readonly http?: string;
}

export const DEFAULT_TIMEOUTS: Timeouts = {
  connect: 5,
  control: 10,
  setup: 600,
  offline: 300,
  online: 300,
  run: 900,
};

const path = v.pipe(v.string(), v.minLength(1));
const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const seconds = v.pipe(v.number(), v.minValue(0.01), v.maxValue(1e6));
const ADDRESS = /^(?:\[([0-9a-fA-F:.]+)\]|([^\s:[\]]+)):(\d{1,5})$/;
const address = v.pipe(
  v.string(),
  v.check((text) => Number(ADDRESS.exec(text)?.[3] ?? 65536) < 65536, 'must be HOST:PORT'),
);

const role = {
  deployment: path,
  state: v.exactOptional(path),
  certificates: v.exactOptional(v.strictObject({ ca: path, certificate: path, key: path })),
  insecure: v.exactOptional(v.boolean()),
  listen: v.exactOptional(address),
  threads: v.exactOptional(v.pipe(count, v.maxValue(1024))),
  memory: v.exactOptional(count),
  timeouts: v.exactOptional(
    v.strictObject({
      connect: v.exactOptional(seconds),
      control: v.exactOptional(seconds),
      setup: v.exactOptional(seconds),
      offline: v.exactOptional(seconds),
      online: v.exactOptional(seconds),
      run: v.exactOptional(seconds),
    }),
  ),
};

const party = {
  ...role,
  party: v.pipe(count, v.maxValue(15)),
  peers: v.record(v.pipe(v.string(), v.regex(/^(dealer|\d{1,2})$/)), address),
  ahead: v.exactOptional(v.pipe(count, v.maxValue(1000))),
  queue: v.exactOptional(v.pipe(count, v.minValue(1), v.maxValue(100_000))),
};

const dealerSchema: Schema<DealerConfig> = v.strictObject({ ...role, listen: address });
const partySchema: Schema<PartyConfig> = v.strictObject(party);
const partyFileSchema: Schema<PartyFile> = v.strictObject({
  ...party,
  inputs: v.exactOptional(v.record(v.string(), path)),
  outputs: v.exactOptional(path),
  http: v.exactOptional(address),
});

/** @throws CryptorchError CONFIG */
export function checkDealerConfig(config: unknown, what = 'the configuration'): DealerConfig {
  return checked(dealerSchema, config, what);
}

/** @throws CryptorchError CONFIG */
export function checkPartyConfig(config: unknown, what = 'the configuration'): PartyConfig {
  return checked(partySchema, config, what);
}

/** @throws CryptorchError CONFIG, FILE */
export async function readDealerConfig(file: string): Promise<DealerConfig> {
  return resolvePaths(checkDealerConfig(await readJson(file), file), dirname(file));
}

/** @throws CryptorchError CONFIG, FILE */
export async function readPartyConfig(file: string): Promise<PartyFile> {
  const folder = dirname(file);
  const { inputs, outputs, ...config } = checked(partyFileSchema, await readJson(file), file);
  const files = Object.entries(inputs ?? {}).map(([name, input]) => [name, resolve(folder, input)]);
  return {
    ...resolvePaths(config, folder),
    ...(inputs && { inputs: Object.fromEntries(files) as Record<string, string> }),
    ...(outputs !== undefined && { outputs: resolve(folder, outputs) }),
  };
}

/** "host:7700" or "[::1]:7700", checked before. */
export function parseAddress(text: string): Address {
  const [, v6, host, port] = ADDRESS.exec(text) as RegExpExecArray;
  return { host: (v6 ?? host) as string, port: Number(port) };
}

/** Milliseconds. */
export function timeoutsOf(config: RoleConfig): Timeouts {
  const all = { ...DEFAULT_TIMEOUTS, ...config.timeouts };
  return Object.fromEntries(
    Object.entries(all).map(([name, s]) => [name, Math.round(s * 1000)]),
  ) as unknown as Timeouts;
}

async function readJson(file: string): Promise<unknown> {
  const text = (await readBytes(file)).toString('utf8');
  return parseJson(
    text,
    (why, cause) => new CryptorchError('CONFIG', `Cannot use ${file}: ${why}.`, { file }, cause),
  );
}

function checked<T extends RoleConfig>(schema: Schema<T>, config: unknown, what: string): T {
  const refuse = (entry: string, why: string): CryptorchError =>
    new CryptorchError('CONFIG', `In ${what}, ${entry ? `"${entry}"` : 'the whole'} ${why}.`, { entry });
  const valid = validate(schema, config, refuse);
  if ((valid.certificates !== undefined) === (valid.insecure === true)) {
    throw refuse(
      'certificates',
      'must be given, or instead of it "insecure": true for trials on one machine',
    );
  }
  return valid;
}

function resolvePaths<T extends RoleConfig>(config: T, folder: string): T {
  const at = (path: string): string => resolve(folder, path);
  const { certificates: c, state } = config;
  return {
    ...config,
    deployment: at(config.deployment),
    ...(state !== undefined && { state: at(state) }),
    ...(c && { certificates: { ca: at(c.ca), certificate: at(c.certificate), key: at(c.key) } }),
  };
}
