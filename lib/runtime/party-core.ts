// A party among its peers: what it says to whom, and when its phases (party-phases.ts) begin. Party 0 decides the order
// of runs (coordinator.ts), the others follow it.

import { randomBytes } from 'node:crypto';
import type { Program } from '../compiler/program';
import { CryptorchError } from '../errors';
import { roleName } from '../keys/role';
import { native } from '../native';
import type { PartyConfig } from './config';
import { Coordinator } from './coordinator';
import { isLasting } from './failure';
import type { Greeting } from './hello';
import { type Job, Jobs, type PartyResult } from './jobs';
import type { Hello } from './messages';
import { checkNames, checkRange, heldBy, type Tensors, takeInputs } from './numbers';
import type { PartyRunOptions, PartyStats } from './party';
import { type Heard, type PartyEra, PartyPhases } from './party-phases';
import { openRole } from './role';
import { SEED_BYTES } from './seeds';

type Order = Extract<Heard, { type: 'prepare' | 'start' }>;

const QUEUE = 64;

export class PartyCore extends PartyPhases {
  port: number | undefined;
  protected readonly index: number;
  protected readonly jobs: Jobs;
  private coordinator: Coordinator | undefined;
  private announced: { readonly epoch: number; readonly setup: boolean } | undefined;
  private opens = false;
  private readonly waiting = new Set<{ resolve(): void; reject(error: unknown): void }>();
  private lastTrouble: CryptorchError | undefined;
  private closing: Promise<void> | undefined;

  constructor(
    private readonly config: PartyConfig,
    protected readonly onResult: ((result: PartyResult) => void) | undefined,
  ) {
    super();
    this.index = config.party;
    this.jobs = new Jobs(config.queue ?? QUEUE, (job, reason, cause) => this.overdue(job, reason, cause));
  }

  async open(): Promise<void> {
    this.role = await openRole(this.config, this.index, this);
    try {
      const { session, state } = this.role;
      session.setKey(0, state.seed as Uint8Array);
      const weights = await this.weights();
      const { stored } = state;
      this.opens = weights !== undefined;
      this.resumable =
        weights === undefined || this.tag(weights) === stored?.weights ? (stored?.epoch ?? 0) : 0;
      native().release(weights?.values() ?? []);
      if (this.index === 0) this.coordinator = this.makeCoordinator();
      this.port = await this.role.mesh.open();
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  get stats(): PartyStats {
    const { era, role } = this;
    return {
      epoch: era?.ready ? era.epoch : 0,
      ready: era?.ready ?? false,
      queued: this.jobs.size,
      prepared: era?.materials.size ?? 0,
      ...this.counts,
      highestRun: role.state.ledger.marks.run,
      missing: role.mesh.missing,
    };
  }

  ready(): Promise<void> {
    if (this.era?.ready) return Promise.resolve();
    if (this.closed) return Promise.reject(new CryptorchError('CANCELLED', 'The party was closed.'));
    return new Promise((resolve, reject) => this.waiting.add({ resolve, reject }));
  }

  async run(inputs: Tensors, options: PartyRunOptions): Promise<PartyResult> {
    if (this.closed) throw new CryptorchError('CANCELLED', 'The party was closed.');
    const { deployment, index } = { deployment: this.deployment, index: this.index };
    checkNames(deployment.held('input', index), inputs);
    const shapes = new Map(Object.entries(inputs).map(([name, tensor]) => [name, tensor.shape]));
    const program = options.program ?? deployment.programFor(index, shapes);
    const ios = deployment.held('input', index, program);
    if (ios.length === 0) {
      throw new CryptorchError(
        'INVALID_OPTION',
        `Party ${index} supplies no input to program ${program}: others start its runs.`,
      );
    }
    const numbers = takeInputs(ios, inputs);
    checkRange(ios, numbers);
    const { timeouts } = this.role;
    const timeout = options.timeout === undefined ? timeouts.run : options.timeout * 1000;
    const { job, result } = this.jobs.add(program, numbers, { timeout, signal: options.signal });
    if (this.era?.ready) this.tell({ type: 'want', program, job: job.id });
    return result;
  }

  close(): Promise<void> {
    this.closing ??= this.shut();
    return this.closing;
  }

  // ---- greeting ------------------------------------------------------------------------------------------------

  greeting(): Greeting {
    const { epoch, run } = this.role.state.ledger.marks;
    return { epoch: this.resumable, opens: this.opens, highestEpoch: epoch, highestRun: run };
  }

  /** The dealer is told this party's seed; a party with a higher number, a fresh one for the two of them. */
  seedFor(peer: number): Uint8Array | undefined {
    if (peer === this.dealer) return Uint8Array.from(this.role.state.seed as Uint8Array);
    if (peer < this.index) return undefined;
    const seed = randomBytes(SEED_BYTES);
    this.role.session.setKey(1 + peer, seed);
    return seed;
  }

  expectsSeed(peer: number): boolean {
    return peer < this.index;
  }

  greeted(peer: number, hello: Hello, seed: Uint8Array | undefined): void {
    const { state, session } = this.role;
    state.ledger.raise({ epoch: hello.highestEpoch, run: hello.highestRun });
    if (seed !== undefined) session.setKey(1 + peer, seed);
    this.begin();
  }

  protected gone(peer: number): void {
    if (peer === this.dealer) this.announced = undefined;
    this.coordinator?.forget(peer);
  }

  override trouble(peer: number, error: CryptorchError): void {
    this.lastTrouble = error;
    super.trouble(peer, error);
  }

  protected ended(era: PartyEra | undefined, error: CryptorchError): void {
    if (era) {
      this.announced = undefined;
      this.coordinator?.reset();
      for (const { handle } of era.materials.values()) this.role.session.dropMaterial(handle);
      if (era.run) this.counts.failed++;
    }
    const all = isLasting(error) || this.closed;
    this.jobs.fail(error, all);
    if (!all) return;
    for (const { reject } of this.waiting) reject(error);
    this.waiting.clear();
  }

  // ---- what others say -----------------------------------------------------------------------------------------

  protected hear(peer: number, notice: Heard): void {
    if (notice.type === 'epoch' && peer === this.dealer && !this.announced) {
      this.announced = notice;
      this.begin();
    } else if (this.coordinator && this.coordinate(peer, notice)) {
      return;
    } else if ((notice.type === 'prepare' || notice.type === 'start') && peer === 0) {
      this.follow(notice);
    } else {
      throw new CryptorchError('PROTOCOL', `its message "${notice.type}" is not for it to send now`);
    }
  }

  private coordinate(peer: number, notice: Heard): boolean {
    const coordinator = this.coordinator as Coordinator;
    if (peer === this.dealer) {
      if (notice.type !== 'numbered') return false;
      coordinator.numbered(notice.program, notice.run);
      return true;
    }
    if (notice.type === 'ready') coordinator.ready(peer);
    else if (notice.type === 'want') coordinator.want(peer, notice.program, notice.job);
    else if (notice.type === 'unwant') coordinator.unwant(peer, notice.program, notice.job);
    else if (notice.type === 'prepared') coordinator.did(peer, 'prepare', notice.run);
    else if (notice.type === 'done') coordinator.did(peer, 'start', notice.run);
    else return false;
    return true;
  }

  protected tell(notice: Heard): void {
    if (this.coordinator) this.coordinate(this.index, notice);
    else this.role.mesh.send(0, notice);
  }

  private toParties(notice: Order): void {
    for (let peer = 1; peer < this.dealer; peer++) this.role.mesh.send(peer, notice);
    this.follow(notice);
  }

  private makeCoordinator(): Coordinator {
    const { deployment, mesh, timeouts } = this.role;
    const owns = (program: Program, party: number): boolean => heldBy(program, 'input', party).length > 0;
    const parties = Array.from({ length: deployment.parties }, (_, p) => p);
    const { control, offline, online } = timeouts;
    return new Coordinator(
      {
        parties: deployment.parties,
        owners: deployment.programs.map((program) => parties.filter((p) => owns(program, p))),
        ahead: this.config.ahead ?? 0,
        deadlines: { number: control, prepare: offline + control, start: online + control },
      },
      {
        number: (program) => mesh.send(this.dealer, { type: 'number', program }),
        prepare: (run, program) => this.toParties({ type: 'prepare', run, program }),
        start: (run, program, jobs) => this.toParties({ type: 'start', run, program, jobs }),
        late: (what, who) => {
          const names = who.length === 0 ? 'the dealer' : who.map(roleName).join(', ');
          this.fail(new CryptorchError('TIMEOUT', `${names} did not ${what} in time`, { parties: who }));
        },
      },
    );
  }

  private get dealer(): number {
    return this.deployment.parties;
  }

  // ---- phases --------------------------------------------------------------------------------------------------

  /** Begins an era once every link stands and the dealer has named the epoch. */
  private begin(): void {
    const { announced } = this;
    if (!announced || this.era || !this.role.mesh.complete) return;
    const { epoch } = announced;
    const era: PartyEra = { epoch, busy: 0, ready: false, materials: new Map() };
    this.era = era;
    void this.during(era, async () => {
      if (announced.setup) await this.setup(era);
      else if (this.resumable !== epoch) {
        throw new CryptorchError(
          'STALE_STATE',
          `The dealer resumes epoch ${epoch}, but the state here is of epoch ${this.resumable}.`,
        );
      }
      if (this.era !== era) return;
      era.ready = true;
      this.role.mesh.calm();
      for (const { resolve } of this.waiting) resolve();
      this.waiting.clear();
      this.tell({ type: 'ready', epoch });
      for (const job of this.jobs.queued) this.tell({ type: 'want', program: job.program, job: job.id });
    });
  }

  private follow(notice: Order): void {
    const { era } = this;
    if (!era?.ready)
      throw new CryptorchError('PROTOCOL', `"${notice.type}" came before this party was ready`);
    const { run, program } = notice;
    void this.during(era, () =>
      notice.type === 'prepare'
        ? this.prepare(era, run, program)
        : this.start(era, run, program, notice.jobs),
    );
  }

  /** A job's time is up, or its caller has lost interest. */
  private overdue(job: Job, reason: 'aborted' | 'late', cause: unknown): void {
    const error =
      reason === 'aborted'
        ? new CryptorchError('CANCELLED', 'The run was cancelled.', {}, cause)
        : this.late(job);
    this.jobs.reject(job, error);
    if (job.run !== undefined) this.fail(error);
    else if (this.era?.ready) this.tell({ type: 'unwant', program: job.program, job: job.id });
  }

  private late(job: Job): CryptorchError {
    const { missing } = this.role.mesh;
    if (job.run !== undefined || missing.length === 0) {
      return new CryptorchError('TIMEOUT', 'The run had no result in time.', { run: job.run });
    }
    const names = missing.map(roleName).join(', ');
    const message = `The run could not start in time, because there is no connection to ${names}.`;
    return new CryptorchError('CONNECTION', message, { missing }, this.lastTrouble);
  }
}
