// The order of runs, decided at party 0 for all parties: which run is prepared or started next.
//
// Owners of inputs announce jobs; jobs of a program are paired in the order of their arrival, and the pair that was
// complete first is served first, whatever its program. Two things go on at a time: the dealer prepares one number
// ahead of need, and the parties do one step together, the offline or the online phase of one run. A step is over when
// every party has said so. Material is kept for one waiting job
// of each program, and for `ahead` runs more.

import { CryptorchError } from '../errors';
import type { PartyJob } from './messages';

export interface CoordinatorConfig {
  readonly parties: number;
  /** Owners of inputs, by program. */
  readonly owners: readonly (readonly number[])[];
  readonly ahead: number;
  /** Milliseconds after which somebody is late. */
  readonly deadlines: { readonly number: number; readonly prepare: number; readonly start: number };
}

/** What the coordinator has done by others. */
export interface CoordinatorPort {
  /** Asks the dealer for a run number and its material. */
  number(program: number): void;
  prepare(run: number, program: number): void;
  start(run: number, program: number, jobs: readonly PartyJob[]): void;
  /** Somebody did not answer in time; `parties` is empty where it is the dealer. */
  late(what: string, parties: readonly number[]): void;
}

interface Job extends PartyJob {
  /** When it arrived, counted over all jobs. */
  readonly arrival: number;
}

interface Pair {
  readonly program: number;
  readonly jobs: readonly Job[];
  readonly complete: number;
}

interface Action {
  readonly kind: 'prepare' | 'start';
  readonly run: number;
  readonly program: number;
  readonly missing: Set<number>;
}

export class Coordinator {
  private readonly programs: readonly {
    readonly queues: ReadonlyMap<number, Job[]>;
    /** Runs that every party has prepared. */
    readonly prepared: number[];
  }[];
  /** Runs that the dealer makes material for; it comes in this order, and numbers only go up. */
  private readonly numbers: { readonly program: number; readonly run: number }[] = [];
  private readonly here = new Set<number>();
  private arrivals = 0;
  private asked: number | undefined;
  private action: Action | undefined;
  private readonly timers: { number?: NodeJS.Timeout; action?: NodeJS.Timeout } = {};

  constructor(
    private readonly config: CoordinatorConfig,
    private readonly port: CoordinatorPort,
  ) {
    this.programs = config.owners.map((owners) => ({
      queues: new Map(owners.map((party) => [party, []])),
      prepared: [],
    }));
  }

  /** Everything starts over: numbers and material are burned, jobs are announced again. */
  reset(): void {
    this.here.clear();
    for (const { queues, prepared } of this.programs) {
      for (const queue of queues.values()) queue.length = 0;
      prepared.length = 0;
    }
    this.numbers.length = 0;
    this.asked = undefined;
    this.action = undefined;
    clearTimeout(this.timers.number);
    clearTimeout(this.timers.action);
  }

  /** A party is gone before anything was done together. */
  forget(party: number): void {
    this.here.delete(party);
    for (const { queues } of this.programs) queues.get(party)?.splice(0);
  }

  /** Runs whose material lies ready. */
  get prepared(): number {
    return this.programs.reduce((sum, p) => sum + p.prepared.length, 0);
  }

  // ---- what others say -----------------------------------------------------------------------------------------

  ready(party: number): void {
    this.here.add(party);
    this.next();
  }

  want(party: number, program: number, job: number): void {
    this.queue(party, program).push({ party, job, arrival: this.arrivals++ });
    this.next();
  }

  /** A job that has not started is taken back; of one that has, its owner reports the failure. */
  unwant(party: number, program: number, job: number): void {
    const queue = this.queue(party, program);
    const at = queue.findIndex((j) => j.job === job);
    if (at >= 0) queue.splice(at, 1);
  }

  numbered(program: number, run: number): void {
    if (this.asked !== program) throw unexpected(`the dealer's number for program ${program}`);
    this.asked = undefined;
    clearTimeout(this.timers.number);
    this.numbers.push({ program, run });
    this.next();
  }

  /** A party has ended its part of the step that goes on. */
  did(party: number, kind: Action['kind'], run: number): void {
    const { action } = this;
    if (action?.kind !== kind || action.run !== run || !action.missing.delete(party)) {
      throw unexpected(`an answer to "${kind}" for run ${run}`);
    }
    if (action.missing.size > 0) return;
    this.action = undefined;
    clearTimeout(this.timers.action);
    if (kind === 'prepare') this.program(action.program).prepared.push(run);
    this.next();
  }

  // ---- what follows --------------------------------------------------------------------------------------------

  /** A caller that hears of a run may end everything at once, so `reset` can come in the middle of an order. */
  private get complete(): boolean {
    return this.here.size === this.config.parties;
  }

  private next(): void {
    this.askNumber();
    this.act();
    // What was started just now may have made room for another number.
    this.askNumber();
  }

  private askNumber(): void {
    if (this.asked !== undefined || !this.complete) return;
    const waiting = this.pairs().map((pair) => pair.program);
    const short = (program: number, wanted: number): boolean => {
      const { prepared } = this.program(program);
      const numbered = this.numbers.filter((n) => n.program === program).length;
      const coming = this.action?.kind === 'prepare' && this.action.program === program ? 1 : 0;
      return prepared.length + numbered + coming < wanted;
    };
    const needed = waiting.find((program) => short(program, 1));
    const { ahead } = this.config;
    const wanted =
      needed ?? this.programs.findIndex((_, p) => short(p, ahead + (waiting.includes(p) ? 1 : 0)));
    if (wanted < 0) return;
    this.asked = wanted;
    const late = (): void => this.port.late('give a run number', []);
    this.timers.number = setTimeout(late, this.config.deadlines.number).unref();
    this.port.number(wanted);
  }

  private act(): void {
    if (this.action !== undefined || !this.complete) return;
    const [first] = this.pairs();
    const run = first && this.program(first.program).prepared.shift();
    if (first !== undefined && run !== undefined) {
      for (const { party } of first.jobs) this.queue(party, first.program).shift();
      this.begin('start', run, first.program);
      this.port.start(
        run,
        first.program,
        first.jobs.map(({ party, job }) => ({ party, job })),
      );
      return;
    }
    const number = this.numbers.shift();
    if (number === undefined) return;
    this.begin('prepare', number.run, number.program);
    this.port.prepare(number.run, number.program);
  }

  private begin(kind: Action['kind'], run: number, program: number): void {
    const missing = new Set(Array.from({ length: this.config.parties }, (_, p) => p));
    this.action = { kind, run, program, missing };
    const doing = kind === 'prepare' ? 'prepare' : 'compute';
    const late = (): void => this.port.late(`${doing} run ${run}`, [...missing]);
    this.timers.action = setTimeout(late, this.config.deadlines[kind]).unref();
  }

  /** Complete pairs, the one that was complete first at the front. */
  private pairs(): Pair[] {
    const pairs = this.programs.flatMap(({ queues }, program): Pair[] => {
      const lists = [...queues.values()];
      const length = Math.min(...lists.map((queue) => queue.length));
      return Array.from({ length }, (_, i) => {
        const jobs = lists.map((queue) => queue[i] as Job);
        return { program, jobs, complete: Math.max(...jobs.map((job) => job.arrival)) };
      });
    });
    return pairs.sort((a, b) => a.complete - b.complete);
  }

  private program(index: number): Coordinator['programs'][number] {
    const program = this.programs[index];
    if (program === undefined) throw unexpected(`program ${index}`);
    return program;
  }

  private queue(party: number, program: number): Job[] {
    const queue = this.program(program).queues.get(party);
    if (queue === undefined) throw unexpected(`a job of party ${party} for program ${program}`);
    return queue;
  }
}

function unexpected(what: string): CryptorchError {
  return new CryptorchError('PROTOCOL', `${what} was not expected now`);
}
