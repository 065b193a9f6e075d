// What a party computes: setup under a new epoch, the offline phase of a number, the online phase of a run. Each looks
// after every wait whether its era still goes on, and takes its number from the ledger before anything depends on it.

import type { Program } from '../compiler/program';
import { CryptorchError } from '../errors';
import { type InputArray, native } from '../native';
import type { Deployment } from './deployment';
import type { Jobs, PartyResult } from './jobs';
import { type Era, Member } from './member';
import type { Notice } from './mesh';
import type { PartyJob } from './messages';
import { byPosition, checkRange, integerOutputs, namedInput, takeOutputs } from './numbers';
import { weightsTag } from './weights-file';

export interface PartyEra extends Era {
  ready: boolean;
  /** Prepared runs: their programs, and handles of their material in the native core. */
  readonly materials: Map<number, { readonly program: number; readonly handle: number }>;
}

/** What a party may hear, but for failures and goodbyes. */
export type Heard = Exclude<Notice, { type: 'fail' | 'bye' }>;

const NOTHING: ReadonlyMap<string, InputArray> = new Map();

export abstract class PartyPhases extends Member<PartyEra> {
  protected abstract readonly index: number;
  protected abstract readonly jobs: Jobs;
  protected abstract readonly onResult: ((result: PartyResult) => void) | undefined;
  /** Epoch of the stored state, 0 where it cannot be resumed. */
  protected resumable = 0;
  protected readonly counts = { finished: 0, failed: 0, bytesSent: 0 };

  get deployment(): Deployment {
    return this.role.deployment;
  }

  /** To party 0, which may be this one. */
  protected abstract tell(notice: Heard): void;

  protected async setup(era: PartyEra): Promise<void> {
    const { state, session, timeouts, reporter } = this.role;
    const { epoch } = era;
    await state.ledger.useEpoch(epoch);
    state.forget();
    this.resumable = 0;
    const weights = await this.weights();
    if (weights === undefined) {
      throw new CryptorchError(
        'STALE_STATE',
        `Epoch ${epoch} needs the weights, but ${this.deployment.weightsPath} is not there.`,
      );
    }
    if (this.era !== era) return;
    const program = this.program(0);
    const inputs = byPosition(program, weights);
    const tag = this.tag(weights);
    const report = await reporter.phase(
      { phase: 'setup', epoch, run: 0, program: 0 },
      session,
      () => {
        const done = session.setup({ epoch, inputs, timeoutMs: timeouts.setup });
        native().release(weights.values()); // the session has its own copy
        return done;
      },
      (result) => result,
    );
    native().release([]);
    if (this.era !== era) return;
    this.count(report.bytesSent);
    const seeds = state.seedTags;
    await state.save(session, { epoch, weights: tag, seeds });
    this.resumable = epoch;
  }

  protected async prepare(era: PartyEra, run: number, program: number): Promise<void> {
    const { state, session, timeouts, reporter } = this.role;
    const { epoch } = era;
    const inputs = byPosition(this.program(program), NOTHING);
    await state.ledger.useRun(run);
    if (this.era !== era) return;
    const { material, report } = await reporter.phase(
      { phase: 'offline', epoch, run, program },
      session,
      () => session.offline({ program, epoch, run, inputs, timeoutMs: timeouts.offline }),
      (result) => result.report,
    );
    if (this.era !== era) {
      session.dropMaterial(material);
      return;
    }
    era.materials.set(run, { program, handle: material });
    this.count(report.bytesSent);
    this.tell({ type: 'prepared', run });
  }

  protected async start(
    era: PartyEra,
    run: number,
    program: number,
    jobs: readonly PartyJob[],
  ): Promise<void> {
    const { session, timeouts, reporter } = this.role;
    const { epoch } = era;
    const material = era.materials.get(run);
    if (material?.program !== program)
      throw new CryptorchError('PROTOCOL', `run ${run} was not prepared here`);
    const mine = jobs.find(({ party }) => party === this.index);
    const job = mine && this.jobs.bind(mine.job, program, run);
    if (!job && this.deployment.held('input', this.index, program).length > 0) {
      throw new CryptorchError(
        'CANCELLED',
        `The inputs of run ${run} were taken back at party ${this.index}.`,
      );
    }
    const code = this.program(program);
    era.materials.delete(run);
    era.run = { run, program };
    reporter.run({ run, program, state: 'started' });
    if (this.era !== era) {
      session.dropMaterial(material.handle);
      return;
    }
    const inputs = byPosition(code, job?.numbers ?? NOTHING);
    const call = { program, epoch, run, inputs, integers: integerOutputs(code), material: material.handle };
    const { outputs, report } = await reporter
      .phase(
        { phase: 'online', epoch, run, program },
        session,
        () => session.online({ ...call, timeoutMs: timeouts.online }),
        (result) => result.report,
      )
      .catch((error: unknown) => {
        throw namedInput(error, code);
      });
    if (this.era !== era) return;
    era.run = undefined;
    this.counts.finished++;
    this.count(report.bytesSent);
    reporter.run({ run, program, state: 'finished' });
    const result: PartyResult = {
      run,
      program,
      outputs: takeOutputs(code, this.index, outputs),
      seconds: report.seconds,
    };
    if (job) this.jobs.resolve(job, result);
    const { onResult } = this;
    if (onResult && Object.keys(result.outputs).length > 0) queueMicrotask(() => onResult(result));
    this.tell({ type: 'done', run });
  }

  protected program(index: number): Program {
    const program = this.deployment.programs[index];
    if (program === undefined) throw new CryptorchError('PROTOCOL', `program ${index} does not exist`);
    return program;
  }

  /** Those of this party, undefined where their file is missing. */
  protected async weights(): Promise<Map<string, InputArray> | undefined> {
    const weights = await this.deployment.weights(this.index);
    if (weights) checkRange(this.deployment.held('weight', this.index), weights);
    return weights;
  }

  protected tag(weights: ReadonlyMap<string, InputArray>): string {
    return weights.size === 0 ? '' : weightsTag(this.role.state.seed as Uint8Array, weights);
  }

  private count(bytesSent: readonly number[]): void {
    this.counts.bytesSent += bytesSent.reduce((a, b) => a + b, 0);
  }
}
