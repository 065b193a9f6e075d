// Progress of a run on standard error: one line that is rewritten in a terminal, one line per phase elsewhere.

export interface ProgressEvent {
  readonly phase: string;
  readonly done: number;
  readonly total: number;
}

export interface Progress {
  /** Shows how far the run is; cheap enough to be called for every step. */
  update(event: ProgressEvent): void;
  /** A message on a line of its own. */
  note(text: string): void;
  /** Ends the line that is being rewritten, if there is one. */
  end(): void;
}

export function progressTo(stream: NodeJS.WriteStream): Progress {
  const live = stream.isTTY === true;
  let phase = '';
  let percent = -1;
  let open = false;
  const end = (): void => {
    if (open) stream.write('\n');
    open = false;
  };
  return {
    end,
    note(text) {
      end();
      stream.write(`${text}\n`);
    },
    update(event) {
      const now = event.total > 0 ? Math.floor((100 * event.done) / event.total) : 100;
      if (event.phase !== phase) {
        end();
        phase = event.phase;
        percent = -1;
        if (!live) stream.write(`${phase} ...\n`);
      }
      if (!live || now === percent) return;
      percent = now;
      open = true;
      const bar = '#'.repeat(Math.floor(now / 4)).padEnd(25, '.');
      stream.write(`\r${phase.padEnd(8)} ${bar} ${String(now).padStart(3)} %`);
    },
  };
}
