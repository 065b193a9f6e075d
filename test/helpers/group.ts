// Dealer and parties of a small deployment, each with a folder of its own, as objects of one process over plain TCP on
// loopback: for tests of what they say to each other. Tests with processes and certificates are in test/processes.

import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { copyFile, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import type { CompiledModel, CompileOptions } from '../../lib';
import type { PartyConfig, Timeouts } from '../../lib/runtime/config';
import { Dealer } from '../../lib/runtime/dealer';
import { Deployment } from '../../lib/runtime/deployment';
import type { ErrorEvent } from '../../lib/runtime/events';
import { Party, type PartyOptions } from '../../lib/runtime/party';
import { temporaryFolder } from './cli';
import { smallModels } from './small-model';

export interface GroupOptions {
  readonly parties?: number;
  readonly batches?: readonly number[];
  readonly compile?: CompileOptions;
  /** The models to deploy, in place of the small one. */
  readonly models?: readonly CompiledModel[];
}

const TIMEOUTS: Partial<Timeouts> = { connect: 2, control: 2, setup: 10, offline: 10, online: 10, run: 20 };

export class Group {
  readonly parties: number;
  /** What every role published on `cryptorch:error`, as "role CODE". */
  readonly errors: string[] = [];
  private dealer: Dealer | undefined;
  private readonly open = new Map<number, Party>();
  private readonly ports = new Map<number | 'dealer', number>();

  private constructor(
    readonly folder: string,
    private readonly name: string,
    private readonly options: GroupOptions,
  ) {
    this.parties = options.parties ?? 2;
  }

  static async create(t: ExecutionContext, options: GroupOptions = {}): Promise<Group> {
    const name = `g${process.pid}-${groups++}`;
    const group = new Group(await temporaryFolder(t), name, options);
    const onError = (event: unknown): void => {
      const { deployment, role, error } = event as ErrorEvent;
      if (deployment === name) group.errors.push(`${role} ${error.code.slice('ERR_CRYPTORCH_'.length)}`);
    };
    subscribe('cryptorch:error', onError);
    t.teardown(async () => {
      await group.close();
      unsubscribe('cryptorch:error', onError);
    });
    await group.compile();
    return group;
  }

  /** Folder of a role. */
  at(role: number | 'dealer', ...path: string[]): string {
    return join(this.folder, String(role), ...path);
  }

  /** Compiles with weights scaled by `factor`, and gives every role what it may have. */
  async compile(factor = 1): Promise<void> {
    const { batches = [1, 2], compile } = this.options;
    const out = join(this.folder, 'compiled');
    const models =
      this.options.models ?? (await smallModels(batches, { parties: this.parties, ...compile }, factor));
    const owner = models[0]!.program.ios.find((io) => io.kind === 'weight')!.owner;
    await Deployment.create(out, this.name, models);
    for (const role of ['dealer', ...Array.from({ length: this.parties }, (_, p) => p)] as const) {
      await mkdir(this.at(role), { recursive: true });
      await copyFile(join(out, 'program.json'), this.at(role, 'program.json'));
      if (role === owner) await copyFile(join(out, 'weights.npz'), this.at(role, 'weights.npz'));
    }
    await rm(out, { recursive: true });
  }

  async startDealer(): Promise<Dealer> {
    const listen = `127.0.0.1:${this.ports.get('dealer') ?? 0}`;
    this.dealer = await Dealer.open({
      deployment: this.at('dealer'),
      insecure: true,
      listen,
      timeouts: TIMEOUTS,
    });
    this.ports.set('dealer', this.dealer.port);
    return this.dealer;
  }

  /** Where parties look for a role that a test plays itself. */
  setPort(role: number | 'dealer', port: number): void {
    this.ports.set(role, port);
  }

  config(index: number, extra: Partial<PartyConfig> = {}): PartyConfig {
    const to = (role: number | 'dealer'): string => `127.0.0.1:${this.ports.get(role) ?? 1}`;
    const lower = Array.from({ length: index }, (_, p) => [String(p), to(p)]);
    return {
      party: index,
      deployment: this.at(index),
      insecure: true,
      ...(index < this.parties - 1 && { listen: `127.0.0.1:${this.ports.get(index) ?? 0}` }),
      peers: { dealer: to('dealer'), ...Object.fromEntries(lower) },
      ...extra,
      timeouts: { ...TIMEOUTS, ...extra.timeouts },
    };
  }

  async startParty(
    index: number,
    extra: Partial<PartyConfig> = {},
    options: PartyOptions = {},
  ): Promise<Party> {
    const party = await Party.open(this.config(index, extra), options);
    this.open.set(index, party);
    if (party.port !== undefined) this.ports.set(index, party.port);
    return party;
  }

  /** All roles; the parties in order. */
  async start(extra: Partial<PartyConfig> = {}): Promise<Party[]> {
    await this.startDealer();
    const parties: Party[] = [];
    for (let index = 0; index < this.parties; index++) parties.push(await this.startParty(index, extra));
    return parties;
  }

  async close(): Promise<void> {
    await Promise.all([...this.open.values()].map((party) => party.close()));
    await this.dealer?.close();
  }
}

let groups = 0;

/** Waits for something that happens elsewhere; a test that waits in vain times out. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 1));
}
