// The highest epoch and run number that a role has used, on disk before either is used.
//
// Masks are functions of (seed, epoch, run, position): a number that is used twice opens two values under one mask. So
// a number is taken only above every number taken before, and only after the record of it has been flushed. The file
// is a line per write; a line cut off by a crash was never acted upon. A file restored from a backup is behind its
// peers, who say in their greeting how far they are (`raise`).

import { type FileHandle, open } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import { CryptorchError } from '../errors';
import { fileError, readIfThere, SECRET_MODE, writeWhole } from './files';

/** Highest numbers used: 0 means none. */
export interface Marks {
  readonly epoch: number;
  readonly run: number;
}

export const MOST_EPOCH: number = 2 ** 24 - 1;
export const MOST_RUN: number = 2 ** 32 - 1;
const HEAD = 'cryptorch-ledger 1';
/** Lines after which the file is written anew. */
const MOST_LINES = 10_000;

export class Ledger {
  private lines = 0;
  private writing: Promise<void> = Promise.resolve();

  private constructor(
    readonly path: string,
    private highest: Marks,
    private file: FileHandle,
  ) {}

  /**
   * @throws CryptorchError LEDGER where the file is damaged; FILE
   */
  static async open(path: string): Promise<Ledger> {
    const content = await readIfThere(path);
    const marks = content === undefined ? { epoch: 0, run: 0 } : parse(content.toString('latin1'), path);
    return new Ledger(path, marks, await start(path, marks));
  }

  get marks(): Marks {
    return this.highest;
  }

  /** Peers have seen numbers up to these: whatever is taken from now on lies above. */
  raise(seen: Marks): void {
    this.highest = {
      epoch: Math.max(this.highest.epoch, seen.epoch),
      run: Math.max(this.highest.run, seen.run),
    };
  }

  /**
   * Takes a run number; it is on disk when this resolves.
   * @throws CryptorchError LEDGER where it is not above every number used before, or cannot be recorded
   */
  async useRun(run: number): Promise<void> {
    if (!(Number.isInteger(run) && run > this.highest.run && run <= MOST_RUN)) {
      throw new CryptorchError(
        'LEDGER',
        `Run ${run} was refused: ${this.path} records ${this.highest.run} as used. A state folder was restored or copied.`,
        { run, highest: this.highest.run },
      );
    }
    await this.record({ ...this.highest, run });
  }

  /**
   * Takes an epoch, under whose masks the weights are opened once.
   * @throws CryptorchError STALE_STATE where it is not above every epoch used before; LEDGER
   */
  async useEpoch(epoch: number): Promise<void> {
    if (!(Number.isInteger(epoch) && epoch > this.highest.epoch && epoch <= MOST_EPOCH)) {
      throw new CryptorchError(
        'STALE_STATE',
        `Setting up epoch ${epoch} was refused: ${this.path} records ${this.highest.epoch} as used, and its masks must not open other weights.`,
        { epoch, highest: this.highest.epoch },
      );
    }
    await this.record({ ...this.highest, epoch });
  }

  async close(): Promise<void> {
    await this.writing.catch(() => undefined);
    await this.file.close();
  }

  private record(marks: Marks): Promise<void> {
    // Burned from here on in memory, whatever happens to the write.
    this.raise(marks);
    const write = this.writing.then(() => this.write(this.highest));
    this.writing = write.catch(() => undefined);
    return write;
  }

  private async write(marks: Marks): Promise<void> {
    try {
      if (++this.lines > MOST_LINES) {
        await this.file.close();
        this.file = await start(this.path, marks);
        this.lines = 0;
      } else {
        await this.file.appendFile(line(marks));
        await this.file.datasync();
      }
    } catch (error) {
      throw new CryptorchError(
        'LEDGER',
        `Cannot record a number as used in ${this.path}: ${(error as Error).message}. It was not used.`,
        { path: this.path },
        error,
      );
    }
  }
}

function line({ epoch, run }: Marks): string {
  const text = `${epoch} ${run}`;
  return `${text} ${crc32(text).toString(16).padStart(8, '0')}\n`;
}

/** Writes the file anew with one line, and opens it for more. */
async function start(path: string, marks: Marks): Promise<FileHandle> {
  await writeWhole(path, `${HEAD}\n${line(marks)}`, SECRET_MODE);
  try {
    return await open(path, 'a');
  } catch (error) {
    throw fileError('open', path, error);
  }
}

function parse(content: string, path: string): Marks {
  const lines = content.split('\n');
  const unfinished = lines.pop();
  const damaged = (number: number): never => {
    throw new CryptorchError(
      'LEDGER',
      `Line ${number} of ${path} is damaged, so that it is not known which numbers were used. Remove the whole folder: a new seed and a new epoch follow.`,
      { path, line: number },
    );
  };
  if (lines[0] !== HEAD || lines.length < 2) return damaged(1);
  let marks: Marks = { epoch: 0, run: 0 };
  for (const [i, text] of lines.slice(1).entries()) {
    const match = /^(\d{1,8}) (\d{1,10}) [0-9a-f]{8}$/.exec(text);
    const next = match && { epoch: Number(match[1]), run: Number(match[2]) };
    const sound = next && line(next) === `${text}\n` && next.epoch >= marks.epoch && next.run >= marks.run;
    // The last line may be one that a power cut left half written; what it would have recorded was not used.
    if (!sound && i === lines.length - 2 && i > 0 && unfinished === '') continue;
    if (!sound) return damaged(i + 2);
    marks = next;
  }
  return marks;
}
