// Runs that the caller of a party has asked for: queued until party 0 starts them, then bound to a run number. A queued
// job survives failures between the roles; a bound one fails with them, because its masks are used up.

import { CryptorchError } from '../errors';
import type { InputArray } from '../native';
import type { Tensors } from './numbers';

/** What a party has of a run. */
export interface PartyResult {
  /** Number of the run. */
  readonly run: number;
  /** Index of the program. */
  readonly program: number;
  /** The outputs that this party learns. */
  readonly outputs: Tensors;
  /** Of the online phase. */
  readonly seconds: number;
}

export interface JobOptions {
  /** Milliseconds until a result must be there, waiting included. */
  readonly timeout: number;
  readonly signal?: AbortSignal | undefined;
}

export interface Job {
  readonly id: number;
  readonly program: number;
  /** Numbers for the inputs, by name. */
  readonly numbers: ReadonlyMap<string, InputArray>;
  /** The run that it is bound to, once it has started. */
  run?: number;
}

interface Entry extends Job {
  readonly settle: { resolve(result: PartyResult): void; reject(error: unknown): void };
  readonly release: () => void;
}

/** Told when a job is to end early: its signal was aborted, or its time is up. */
export type Overdue = (job: Job, reason: 'aborted' | 'late', cause: unknown) => void;

export class Jobs {
  private readonly entries = new Map<number, Entry>();
  private ids = 0;

  constructor(
    private readonly limit: number,
    private readonly overdue: Overdue,
  ) {}

  get size(): number {
    return this.entries.size;
  }

  /** Jobs that have not started, the oldest first. */
  get queued(): readonly Job[] {
    return [...this.entries.values()].filter((job) => job.run === undefined);
  }

  /**
   * @throws CryptorchError BUSY, CANCELLED
   */
  add(
    program: number,
    numbers: ReadonlyMap<string, InputArray>,
    options: JobOptions,
  ): { readonly job: Job; readonly result: Promise<PartyResult> } {
    const { signal, timeout } = options;
    if (signal?.aborted) throw new CryptorchError('CANCELLED', 'The run was cancelled.', {}, signal.reason);
    if (this.entries.size >= this.limit) {
      throw new CryptorchError(
        'BUSY',
        `${this.limit} runs are queued already; wait for one of them, or raise \`queue\` in the configuration.`,
        { queue: this.limit },
      );
    }
    const id = this.ids++;
    const aborted = (): void => this.overdue(entry, 'aborted', signal?.reason);
    const timer = setTimeout(() => this.overdue(entry, 'late', undefined), timeout);
    signal?.addEventListener('abort', aborted, { once: true });
    const release = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', aborted);
    };
    let settle!: Entry['settle'];
    const result = new Promise<PartyResult>((resolve, reject) => {
      settle = { resolve, reject };
    });
    const entry: Entry = { id, program, numbers, settle, release };
    this.entries.set(id, entry);
    return { job: entry, result };
  }

  /** Binds a queued job to a run; undefined where it is gone. */
  bind(id: number, program: number, run: number): Job | undefined {
    const job = this.entries.get(id);
    if (job === undefined || job.program !== program || job.run !== undefined) return undefined;
    job.run = run;
    return job;
  }

  resolve(job: Job, result: PartyResult): void {
    this.take(job)?.settle.resolve(result);
  }

  reject(job: Job, error: unknown): void {
    this.take(job)?.settle.reject(error);
  }

  /** Fails what has started, and with `all` what waits too. */
  fail(error: unknown, all: boolean): void {
    for (const job of [...this.entries.values()]) {
      if (all || job.run !== undefined) this.reject(job, error);
    }
  }

  private take(job: Job): Entry | undefined {
    const entry = this.entries.get(job.id);
    this.entries.delete(job.id);
    entry?.release();
    return entry;
  }
}
