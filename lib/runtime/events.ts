// What a role tells about itself, on channels of node:diagnostics_channel: `cryptorch:run`, `cryptorch:phase`,
// `cryptorch:progress`, `cryptorch:peer` and `cryptorch:error`. Nothing private is in an event: no inputs, no outputs, no
// seeds.
//
// Progress is read off a counter of the native core, four times a second, and only in phases at whose beginning somebody
// listens to that channel: otherwise there is no timer.

import { type Channel, channel } from 'node:diagnostics_channel';
import { debuglog } from 'node:util';
import type { Phase } from '../compiler/program';
import type { CryptorchError } from '../errors';
import { type Role, roleName } from '../keys/role';
import type { NativeSession, PhaseReport } from '../native-endpoint';

interface Source {
  /** Name of the deployment. */
  readonly deployment: string;
  /** The role that tells it. */
  readonly role: Role;
}

/** A run under its number: taken up, finished or failed. */
export interface RunEvent extends Source {
  /** Its number. */
  readonly run: number;
  /** Index of the program. */
  readonly program: number;
  /** What became of it. */
  readonly state: 'started' | 'finished' | 'failed';
  /** Why it failed. */
  readonly error?: CryptorchError;
}

/** A phase that this role begins or has computed. `run` is 0 for setup. */
export interface PhaseEvent extends Source {
  /** Which one. */
  readonly phase: Phase;
  /** It begins, or is done. */
  readonly state: 'started' | 'finished';
  /** Epoch of the weights. */
  readonly epoch: number;
  /** Number of the run. */
  readonly run: number;
  /** Index of the program. */
  readonly program: number;
  /** Of a phase that is finished. */
  readonly report?: PhaseReport;
}

/** How far a phase is; told a few times a second while it changes. `run` is 0 for setup. */
export interface ProgressEvent extends Source {
  /** Which one. */
  readonly phase: Phase;
  /** Epoch of the weights. */
  readonly epoch: number;
  /** Number of the run. */
  readonly run: number;
  /** Index of the program. */
  readonly program: number;
  /** Steps of the phase that this role has done, of `of` in total. */
  readonly steps: number;
  /** Steps of the phase. */
  readonly of: number;
}

/** A link: up and agreed, down, not to be reached, or somebody who is no peer was turned away. */
export interface PeerEvent extends Source {
  /** The role at the other end, where it is known. */
  readonly peer?: Role;
  /** What became of the link. */
  readonly state: 'up' | 'down' | 'unreachable' | 'refused';
  /** HOST:PORT of the other end. */
  readonly address?: string;
  /** Error code where the link is not up. */
  readonly code?: string;
  /** What was wrong, in words. */
  readonly message?: string;
}

/** A failure that ended what was going on between the roles; connecting goes on. */
export interface ErrorEvent extends Source {
  /** What failed; an error that another role reports has its code alone. */
  readonly error: CryptorchError;
}

type Event<E extends Source> = Omit<E, keyof Source>;

/** Which phase it is. */
type PhaseOf = Omit<Event<PhaseEvent>, 'state' | 'report'>;

const channels: Readonly<Record<'run' | 'phase' | 'progress' | 'peer' | 'error', Channel>> = {
  run: channel('cryptorch:run'),
  phase: channel('cryptorch:phase'),
  progress: channel('cryptorch:progress'),
  peer: channel('cryptorch:peer'),
  error: channel('cryptorch:error'),
};
const PROGRESS_MS = 250;
const debug = debuglog('cryptorch');

export class Reporter {
  constructor(private readonly source: Source) {}

  run(event: Event<RunEvent>): void {
    this.publish('run', event);
  }

  /** Tells that a phase begins, and how it went when `work` is done. */
  async phase<T>(
    of: PhaseOf,
    session: Pick<NativeSession, 'progress'>,
    work: () => Promise<T>,
    reportOf: (result: T) => PhaseReport,
  ): Promise<T> {
    this.publish('phase', { ...of, state: 'started' });
    const follow = channels.progress.hasSubscribers ? this.progress(of, session) : undefined;
    const result = await work().finally(() => clearInterval(follow));
    this.publish('phase', { ...of, state: 'finished', report: reportOf(result) });
    return result;
  }

  peer(event: Event<PeerEvent>): void {
    this.publish('peer', event);
  }

  error(error: CryptorchError): void {
    this.publish('error', { error });
  }

  private progress(of: PhaseOf, session: Pick<NativeSession, 'progress'>): NodeJS.Timeout {
    let reported = -1;
    const look = (): void => {
      // The session may still be busy with what it was asked before.
      const now = session.progress();
      if (now?.phase !== of.phase || now.run !== of.run || now.steps === reported) return;
      reported = now.steps;
      this.publish('progress', { ...of, steps: now.steps, of: now.of });
    };
    return setInterval(look, PROGRESS_MS);
  }

  private publish(name: keyof typeof channels, event: object): void {
    debug('%s %s %O', roleName(this.source.role), name, event);
    channels[name].publish({ ...this.source, ...event });
  }
}
