// The dealer: gives out epochs and run numbers, and the randomness that belongs to them. It sees no input, no weight
// and no opened value; the seeds that parties tell it are all that it computes with.

import { CryptorchError } from '../errors';
import { roleName } from '../keys/role';
import { checkDealerConfig, type DealerConfig } from './config';
import type { Deployment } from './deployment';
import type { Greeting } from './hello';
import { type Era, Member } from './member';
import type { Hello } from './messages';
import { byPosition } from './numbers';
import { openRole } from './role';
import { type Stored, seedTag } from './role-state';

/** What a dealer is at. */
export interface DealerStats {
  /** Epoch of the weights that are in use, 0 while there is none. */
  readonly epoch: number;
  /** Highest run number that was given out. */
  readonly highestRun: number;
  /** Parties that are not connected. */
  readonly missing: readonly (number | 'dealer')[];
}

/** More numbers than this are never asked for before material is made. */
const MOST_WAITING = 64;

/**
 * A dealer that serves until it is closed. A failure ends what was going on and nothing else; it is published on the
 * channel `cryptorch:error`.
 */
export class Dealer {
  /** The port it listens on. */
  readonly port: number;

  private constructor(
    private readonly core: DealerCore,
    port: number,
  ) {
    this.port = port;
  }

  /**
   * Resolves once it listens; parties connect, and connect again, by themselves.
   * @throws CryptorchError CONFIG, FILE, INVALID_PROGRAM, LEAKAGE, CERTIFICATE, TLS_UNAVAILABLE, BUSY, LEDGER,
   * OUT_OF_MEMORY, CONNECTION
   */
  static async open(config: DealerConfig): Promise<Dealer> {
    const core = new DealerCore();
    return new Dealer(core, await core.open(checkDealerConfig(config)));
  }

  /** The deployment that it serves. */
  get deployment(): Deployment {
    return this.core.deployment;
  }

  /** How far it is just now. */
  get stats(): DealerStats {
    return this.core.stats;
  }

  /** Ends what goes on and leaves; the state stays on disk. */
  close(): Promise<void> {
    return this.core.close();
  }

  /** As `close`, for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

class DealerCore extends Member<Era> {
  private readonly seeds: string[] = [];
  private closing: Promise<void> | undefined;

  async open(config: DealerConfig): Promise<number> {
    this.role = await openRole(config, undefined, this);
    try {
      return (await this.role.mesh.open()) as number;
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  get deployment(): Deployment {
    return this.role.deployment;
  }

  get stats(): DealerStats {
    const { state, mesh } = this.role;
    return { epoch: this.era?.epoch ?? 0, highestRun: state.ledger.marks.run, missing: mesh.missing };
  }

  close(): Promise<void> {
    this.closing ??= this.shut();
    return this.closing;
  }

  greeting(): Greeting {
    const { state } = this.role;
    const { epoch, run } = state.ledger.marks;
    return { epoch: state.stored?.epoch ?? 0, opens: true, highestEpoch: epoch, highestRun: run };
  }

  seedFor(): undefined {}

  expectsSeed(): boolean {
    return true;
  }

  greeted(peer: number, _hello: Hello, seed: Uint8Array | undefined): void {
    if (seed === undefined) return;
    this.role.session.setKey(peer, seed);
    this.seeds[peer] = seedTag(seed);
    if (!this.role.mesh.complete || this.era) return;
    const era: Era = { epoch: 0, busy: 0 };
    this.era = era;
    void this.during(era, () => this.begin(era));
  }

  protected hear(peer: number, notice: Parameters<Member<Era>['notice']>[1]): void {
    if (notice.type === 'ready') return;
    const { era } = this;
    const sound = notice.type === 'number' && peer === 0 && era && era.epoch > 0 && era.busy < MOST_WAITING;
    if (!sound || this.deployment.programs[notice.program] === undefined) {
      throw new CryptorchError('PROTOCOL', `its message "${notice.type}" is not for the dealer to hear now`);
    }
    void this.during(era, () => this.number(era, notice.program));
  }

  protected gone(): void {}

  protected ended(): void {}

  /** All parties are here: resumes the epoch whose state everybody has, or sets up a new one. */
  private async begin(era: Era): Promise<void> {
    const { mesh, state } = this.role;
    const hellos = mesh.hellos;
    for (const h of hellos) state.ledger.raise({ epoch: h.highestEpoch, run: h.highestRun });
    const { epoch } = state.ledger.marks;
    const seeds = [...this.seeds];
    const mine = state.stored?.seeds.join() === seeds.join() ? (state.stored?.epoch ?? 0) : 0;
    if (epoch > 0 && mine === epoch && hellos.every((h) => h.epoch === epoch)) {
      era.epoch = epoch;
      mesh.broadcast({ type: 'epoch', epoch, setup: false });
      mesh.calm();
      return;
    }
    await this.setup(era, hellos, { epoch: epoch + 1, weights: '', seeds });
  }

  private async setup(era: Era, hellos: readonly Hello[], next: Stored): Promise<void> {
    const { mesh, state, session, timeouts, reporter } = this.role;
    const { epoch } = next;
    const held = [...hellos.map((h) => h.epoch), state.stored?.epoch ?? 0];
    const told = `Stored state is of epochs ${held.join(', ')} (parties, then dealer), so that a new epoch is needed`;
    const unable = hellos.find((h) => !h.opens);
    if (unable) {
      const who = roleName(unable.role);
      throw new CryptorchError('STALE_STATE', `${told}, but ${who} has no weights file to open.`, {
        party: unable.role,
      });
    }
    if (new Set(held).size > 1 && held.some((e) => e > 0)) {
      reporter.error(new CryptorchError('STALE_STATE', `${told}: epoch ${epoch} follows.`, { held, epoch }));
    }
    state.forget();
    await state.ledger.useEpoch(epoch);
    if (this.era !== era) return;
    era.epoch = epoch;
    mesh.broadcast({ type: 'epoch', epoch, setup: true });
    const [program] = this.deployment.programs;
    const inputs = program ? byPosition(program, new Map()) : [];
    await reporter.phase(
      { phase: 'setup', epoch, run: 0, program: 0 },
      session,
      () => session.setup({ epoch, inputs, timeoutMs: timeouts.setup }),
      (report) => report,
    );
    if (this.era !== era) return;
    await state.save(session, next);
    mesh.calm();
  }

  /** The next number is in the ledger before party 0 is told; its material follows at once. */
  private async number(era: Era, program: number): Promise<void> {
    const { mesh, state, session, timeouts, reporter } = this.role;
    const { epoch } = era;
    const run = state.ledger.marks.run + 1;
    await state.ledger.useRun(run);
    if (this.era !== era) return;
    mesh.send(0, { type: 'numbered', program, run });
    const inputs = byPosition(this.deployment.programs[program] as Deployment['programs'][number], new Map());
    await reporter.phase(
      { phase: 'offline', epoch, run, program },
      session,
      () => session.offline({ program, epoch, run, inputs, timeoutMs: timeouts.offline }),
      ({ report }) => report,
    );
  }
}
