// Dealer and parties as processes of the command line, each in a folder of its own, connected by wires that a test can
// tamper with. Party 0 owns the inputs and has a local HTTP endpoint, through which runs are asked for.

import { type ChildProcess, spawn } from 'node:child_process';
import { copyFile, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import type { CompiledModel } from '../../lib';
import { PHASES, type Phase, type Program } from '../../lib/compiler/program';
import { phaseOf } from '../../lib/compiler/schedule/moments';
import { timelineOf } from '../../lib/compiler/schedule/timeline';
import { Authority } from '../../lib/keys/authority';
import { type Role, roleFile } from '../../lib/keys/role';
import type { PartyFile, Timeouts } from '../../lib/runtime/config';
import { Deployment } from '../../lib/runtime/deployment';
import { temporaryFolder } from './cli';
import { expected } from './small-model';
import { type Filter, Wire } from './wire';

/** A line of a role's output with --json. */
export interface RoleEvent {
  readonly event: string;
  readonly state?: string;
  readonly peer?: Role;
  readonly phase?: Phase;
  readonly code?: string;
  readonly message?: string;
  readonly port?: number;
  readonly run?: number;
}

const ROOT = join(__dirname, '..', '..');

export class RoleProcess {
  readonly events: RoleEvent[] = [];
  stderr = '';
  readonly exited: Promise<number | null>;
  private readonly watchers = new Set<() => void>();
  private seen = 0;

  constructor(
    private readonly child: ChildProcess,
    readonly role: Role,
  ) {
    let text = '';
    child.stdout!.setEncoding('utf8').on('data', (part: string) => {
      this.text += part;
      const lines = (text + part).split('\n');
      text = lines.pop()!;
      this.events.push(...lines.map((line) => JSON.parse(line) as RoleEvent));
      this.wake();
    });
    child.stderr!.setEncoding('utf8').on('data', (part: string) => {
      this.text += part;
      this.stderr += part;
    });
    this.exited = new Promise((resolve) => {
      child.on('close', (code) => {
        resolve(code);
        this.wake();
      });
    });
  }

  /** All that it has written. */
  text = '';

  static start(role: Role, config: string, debug = ''): RoleProcess {
    const command = role === 'dealer' ? 'dealer' : 'party';
    const args = [
      '--import',
      'tsx',
      join(ROOT, 'lib', 'cli', 'main.ts'),
      command,
      '--config',
      config,
      '--json',
    ];
    return new RoleProcess(
      spawn(process.execPath, args, { cwd: ROOT, env: { ...process.env, NODE_DEBUG: debug } }),
      role,
    );
  }

  /** The first event like this since the last one that was waited for. */
  async event(like: Partial<RoleEvent>): Promise<RoleEvent> {
    for (;;) {
      const fits = (e: RoleEvent): boolean =>
        Object.entries(like).every(([key, value]) => e[key as keyof RoleEvent] === value);
      const at = this.events.findIndex((e, i) => i >= this.seen && fits(e));
      if (at >= 0) {
        this.seen = at + 1;
        return this.events[at]!;
      }
      if (this.child.exitCode !== null || this.child.signalCode !== null) {
        throw new Error(`${this.role} ended without ${JSON.stringify(like)}: ${this.stderr}`);
      }
      await new Promise<void>((resolve) => this.watchers.add(resolve));
    }
  }

  /** From here on, earlier events do not count. */
  forget(): void {
    this.seen = this.events.length;
  }

  /** Codes of its errors so far. */
  get codes(): string[] {
    return this.events.flatMap((e) =>
      e.event === 'error' && e.code ? [e.code.slice('ERR_CRYPTORCH_'.length)] : [],
    );
  }

  signal(name: NodeJS.Signals): void {
    this.child.kill(name);
  }

  async kill(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.exited;
  }

  async stop(): Promise<number | null> {
    this.child.kill('SIGTERM');
    return this.exited;
  }

  private wake(): void {
    for (const resolve of this.watchers) resolve();
    this.watchers.clear();
  }
}

export interface Answer {
  readonly status: number;
  readonly run?: number;
  readonly outputs?: Record<string, { shape: number[]; data: number[] }>;
  readonly error?: { code: string; message: string };
}

export interface ProcessOptions {
  readonly parties: number;
  readonly tls?: boolean;
  readonly timeouts?: Partial<Timeouts>;
  readonly ahead?: number;
  /** NODE_DEBUG of the processes. */
  readonly debug?: string;
}

const TIMEOUTS: Partial<Timeouts> = { connect: 2, control: 2, setup: 4, offline: 4, online: 4, run: 20 };

export class ProcessGroup {
  readonly wires = new Map<string, Wire>();
  readonly running = new Map<Role, RoleProcess>();
  private readonly started: RoleProcess[] = [];
  private http = 0;

  private constructor(
    readonly folder: string,
    readonly program: Program,
    private readonly options: ProcessOptions,
  ) {}

  static async create(
    t: ExecutionContext,
    models: readonly CompiledModel[],
    options: ProcessOptions,
  ): Promise<ProcessGroup> {
    const folder = await temporaryFolder(t);
    const group = new ProcessGroup(folder, models[0]!.program, options);
    t.teardown(() => group.close());
    const out = join(folder, 'compiled');
    await Deployment.create(out, 'test', models);
    for (const role of group.roles) {
      await mkdir(group.at(role));
      await copyFile(join(out, 'program.json'), group.at(role, 'program.json'));
    }
    const owner = models[0]!.program.ios.find((io) => io.kind === 'weight')!.owner as number;
    await rename(join(out, 'weights.npz'), group.at(owner, 'weights.npz'));
    await rm(out, { recursive: true });
    if (options.tls) await group.certify(await group.authority());
    const links = group.roles.flatMap((from) => group.connectsTo(from).map((to) => `${from} ${to}`));
    for (const link of links) group.wires.set(link, await Wire.open());
    for (const role of group.roles) await group.configure(role);
    return group;
  }

  get roles(): Role[] {
    return ['dealer', ...Array.from({ length: this.options.parties }, (_, p) => p)];
  }

  at(role: Role, ...path: string[]): string {
    return join(this.folder, roleFile(role), ...path);
  }

  /** Exchanges of a phase, by which a wire knows its frames. */
  exchanges(phase: Phase): Set<number> {
    const dealt = this.program.steps.flatMap((s) => (s.kind === 'deal' && s.phase === phase ? [s.id] : []));
    const { frames } = timelineOf(this.program);
    return new Set([...dealt, ...frames.filter((f) => PHASES[phaseOf(f.sent)] === phase).map((f) => f.id)]);
  }

  /** On every wire. */
  tamper(filter: Filter | undefined): void {
    for (const wire of this.wires.values()) wire.tamper(filter);
  }

  wire(a: Role, b: Role): Wire {
    return (this.wires.get(`${a} ${b}`) ?? this.wires.get(`${b} ${a}`))!;
  }

  async authority(): Promise<Authority> {
    const { authority, identity } = await Authority.create('test', { days: 2 });
    for (const role of this.roles) await writeFile(this.at(role, 'ca.pem'), identity.certificate);
    return authority;
  }

  async certify(authority: Authority, roles: readonly Role[] = this.roles): Promise<void> {
    for (const role of roles) await this.identify(role, await authority.issue({ role, days: 1 }));
  }

  async identify(role: Role, { certificate, key }: { certificate: string; key: string }): Promise<void> {
    await writeFile(this.at(role, 'certificate.pem'), certificate);
    await writeFile(this.at(role, 'key.pem'), key, { mode: 0o600 });
  }

  async configure(role: Role, extra: Partial<PartyFile> = {}): Promise<void> {
    const { tls, timeouts, ahead } = this.options;
    const peers = this.connectsTo(role).map((to) => [String(to), `127.0.0.1:${this.wire(role, to).port}`]);
    const listens = role === 'dealer' || role < this.options.parties - 1;
    const config = {
      deployment: '.',
      ...(tls
        ? { certificates: { ca: 'ca.pem', certificate: 'certificate.pem', key: 'key.pem' } }
        : { insecure: true }),
      ...(listens && { listen: '127.0.0.1:0' }),
      ...(role !== 'dealer' && { party: role, peers: Object.fromEntries(peers) }),
      ...(role === 0 && { http: '127.0.0.1:0', ahead: ahead ?? 0 }),
      timeouts: { ...TIMEOUTS, ...timeouts },
      threads: 1,
      ...extra,
    };
    await writeFile(this.at(role, 'config.json'), JSON.stringify(config));
  }

  /** Starts roles (all by default) and waits until they listen. */
  async start(...roles: Role[]): Promise<void> {
    const started = (roles.length > 0 ? roles : this.roles).map(async (role) => {
      const child = RoleProcess.start(role, this.at(role, 'config.json'), this.options.debug);
      this.running.set(role, child);
      this.started.push(child);
      const { port } = await child.event({ event: role === 'dealer' ? 'listening' : 'open' });
      for (const [link, wire] of this.wires) if (link.endsWith(` ${role}`)) wire.target = port;
      if (role === 0) this.http = (await child.event({ event: 'http' })).port!;
    });
    await Promise.all(started);
  }

  get(role: Role): RoleProcess {
    return this.running.get(role)!;
  }

  /** What every process, also those that are gone, has written. */
  everything(): string[] {
    return this.started.map((child) => child.text);
  }

  /** All but this one. */
  others(role: Role): RoleProcess[] {
    return [...this.running.values()].filter((child) => child.role !== role);
  }

  /** Asks party 0 for a run. */
  async run(x: readonly number[], signal?: AbortSignal): Promise<Answer> {
    const body = JSON.stringify({ inputs: { x: { shape: [x.length / 3, 3], data: x } } });
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(`http://127.0.0.1:${this.http}/run`, {
      method: 'POST',
      headers,
      body,
      ...(signal && { signal }),
    });
    return { status: response.status, ...((await response.json()) as Omit<Answer, 'status'>) };
  }

  async close(): Promise<void> {
    for (const child of this.running.values()) {
      child.signal('SIGCONT');
      await child.kill();
    }
    for (const wire of this.wires.values()) wire.close();
  }

  private connectsTo(role: Role): Role[] {
    return role === 'dealer' ? [] : ['dealer', ...Array.from({ length: role }, (_, p) => p)];
  }
}

/** Rows of an input of the small model. */
export const X: readonly number[] = [1, 2, 3, -1, 0.5, 8];

/** A new run succeeds. */
export async function computes(
  t: ExecutionContext,
  group: ProcessGroup,
  what?: string,
  factor = 1,
): Promise<void> {
  const { status, outputs, error } = await group.run(X);
  t.is(status, 200, `${what}: ${error?.message}`);
  const want = expected(X, factor);
  const got = outputs?.y?.data ?? [];
  t.true(want.every((v, i) => Math.abs(v - got[i]!) < 1e-3) && got.length === want.length, `${what}: ${got}`);
}
