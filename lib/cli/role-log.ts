// What a running role tells on its terminal: a line per event on standard error, or with --json one JSON object per
// event on standard output, phases with all their counters included.

import { subscribe } from 'node:diagnostics_channel';
import { roleName } from '../keys/role';
import type { ErrorEvent, PeerEvent, PhaseEvent, ProgressEvent, RunEvent } from '../runtime/events';

/** A line of progress at most so often. */
const PROGRESS_MS = 5000;

export interface RoleLog {
  /** Something that is no event of a channel, such as the address that a role listens on. */
  note(kind: string, fields: Readonly<Record<string, unknown>>, text: string): void;
}

export function roleLog(json: boolean): RoleLog {
  const note: RoleLog['note'] = (kind, fields, text) => {
    if (json) process.stdout.write(`${JSON.stringify({ event: kind, ...fields })}\n`);
    else process.stderr.write(`${new Date().toISOString()} ${text}\n`);
  };
  subscribe('cryptorch:peer', (event) => {
    const { peer, state, address, code, message } = event as PeerEvent;
    const who = peer === undefined ? `somebody at ${address}` : roleName(peer);
    const why = message === undefined ? '' : `: ${message} (${code})`;
    note('peer', { peer, state, address, code, message }, `${who} ${state}${why}`);
  });
  subscribe('cryptorch:error', (event) => {
    const { code, message } = (event as ErrorEvent).error;
    note('error', { code, message }, `error: ${message} (${code})`);
  });
  subscribe('cryptorch:run', (event) => {
    const { run, program, state, error } = event as RunEvent;
    const fields = { run, program, state, ...(error && { code: error.code }) };
    note('run', fields, `run ${run} ${state}${error ? ` (${error.code})` : ''}`);
  });
  subscribe('cryptorch:phase', (event) => {
    const { phase, state, epoch, run, program, report } = event as PhaseEvent;
    const how = report ? `${(report.seconds * 1000).toFixed(1)} ms, ${report.clock} rounds` : state;
    note('phase', { phase, state, epoch, run, program, report }, `${named(event as PhaseEvent)}: ${how}`);
  });
  let told = performance.now();
  subscribe('cryptorch:progress', (event) => {
    if (performance.now() - told < PROGRESS_MS) return;
    told = performance.now();
    const { phase, epoch, run, program, steps, of } = event as ProgressEvent;
    note(
      'progress',
      { phase, epoch, run, program, steps, of },
      `${named(event as ProgressEvent)}: ${steps} of ${of} steps`,
    );
  });
  return { note };
}

function named({ phase, epoch, run }: PhaseEvent | ProgressEvent): string {
  return phase === 'setup' ? `setup of epoch ${epoch}` : `${phase} phase of run ${run}`;
}

/** Resolves when the process is asked to end; asked twice, it ends at once. */
export function untilStopped(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.once(signal, () => resolve(signal));
    }
  });
}
