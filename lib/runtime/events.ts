// What a role tells about itself, on channels of node:diagnostics_channel: `cryptorch:run`, `cryptorch:phase`,
// `cryptorch:peer` and `cryptorch:error`. Nothing private is in an event: no inputs, no outputs, no seeds.

import { type Channel, channel } from 'node:diagnostics_channel';
import { debuglog } from 'node:util';
import type { Phase } from '../compiler/program';
import type { CryptorchError } from '../errors';
import { type Role, roleName } from '../keys/role';
import type { PhaseReport } from '../native';

interface Source {
  readonly deployment: string;
  readonly role: Role;
}

/** A run under its number: taken up, finished or failed. */
export interface RunEvent extends Source {
  readonly run: number;
  readonly program: number;
  readonly state: 'started' | 'finished' | 'failed';
  readonly error?: CryptorchError;
}

/** A phase that this role begins or has computed. `run` is 0 for setup. */
export interface PhaseEvent extends Source {
  readonly phase: Phase;
  readonly state: 'started' | 'finished';
  readonly epoch: number;
  readonly run: number;
  readonly program: number;
  /** Of a phase that is finished. */
  readonly report?: PhaseReport;
}

/** A link: up and agreed, down, not to be reached, or somebody who is no peer was turned away. */
export interface PeerEvent extends Source {
  readonly peer?: Role;
  readonly state: 'up' | 'down' | 'unreachable' | 'refused';
  readonly address?: string;
  readonly code?: string;
  readonly message?: string;
}

export interface ErrorEvent extends Source {
  readonly error: CryptorchError;
}

type Event<E extends Source> = Omit<E, keyof Source>;

const channels: Readonly<Record<'run' | 'phase' | 'peer' | 'error', Channel>> = {
  run: channel('cryptorch:run'),
  phase: channel('cryptorch:phase'),
  peer: channel('cryptorch:peer'),
  error: channel('cryptorch:error'),
};
const debug = debuglog('cryptorch');

export class Reporter {
  constructor(private readonly source: Source) {}

  run(event: Event<RunEvent>): void {
    this.publish('run', event);
  }

  /** Tells that a phase begins, and how it went when `work` is done. */
  async phase<T>(
    of: Omit<Event<PhaseEvent>, 'state' | 'report'>,
    work: () => Promise<T>,
    reportOf: (result: T) => PhaseReport,
  ): Promise<T> {
    this.publish('phase', { ...of, state: 'started' });
    const result = await work();
    this.publish('phase', { ...of, state: 'finished', report: reportOf(result) });
    return result;
  }

  peer(event: Event<PeerEvent>): void {
    this.publish('peer', event);
  }

  error(error: CryptorchError): void {
    this.publish('error', { error });
  }

  private publish(name: keyof typeof channels, event: object): void {
    debug('%s %s %O', roleName(this.source.role), name, event);
    channels[name].publish({ ...this.source, ...event });
  }
}
