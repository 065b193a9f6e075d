// What a role keeps between its lives, in a folder of its own:
//
//   lock     one process at a time
//   seed     of a party: its share of every mask follows from it; told to the dealer, and to nobody else
//   ledger   the highest epoch and run number used (ledger.ts)
//   shares   what setup left behind: shares of the weights and their openings, with a header that says of what
//
// Seed and ledger belong together: where either is missing, a new seed is drawn, so that numbers that were forgotten
// can never meet the same masks again. Stored shares count only under the seed they were made with.

import { createHash, randomBytes } from 'node:crypto';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import { CryptorchError } from '../errors';
import type { NativeSession } from '../native-endpoint';
import { makeSecretFolder, readIfThere, SECRET_MODE, writeWhole } from './files';
import { Ledger } from './ledger';
import { type Lock, takeLock } from './lock';
import { SEED_BYTES } from './seeds';
import { parseJson, type Schema, validate } from './validate';

/** Whose state it is. */
export interface StateOwner {
  readonly deployment: string;
  readonly role: number;
  readonly parties: number;
  /** Of the programs: what the stored shares are shares of. */
  readonly setupHash: string;
}

/** What the stored shares were made from. */
export interface Stored {
  readonly epoch: number;
  /** Tag of the weights that this role brought, empty where it brought none. */
  readonly weights: string;
  /** Tags of the seeds: a party's own, or at the dealer those of all parties. */
  readonly seeds: readonly string[];
}

interface Header extends StateOwner, Stored {
  readonly format: 'cryptorch-state';
  readonly version: 1;
}

const header: Schema<Header> = v.strictObject({
  format: v.literal('cryptorch-state'),
  version: v.literal(1),
  deployment: v.string(),
  role: v.number(),
  parties: v.number(),
  setupHash: v.string(),
  epoch: v.number(),
  weights: v.string(),
  seeds: v.array(v.string()),
});

export class RoleState {
  private known: Stored | undefined;

  private constructor(
    readonly folder: string,
    private readonly owner: StateOwner,
    private readonly lock: Lock,
    readonly ledger: Ledger,
    /** A party's own; the dealer has none. */
    readonly seed: Uint8Array | undefined,
  ) {}

  /**
   * @throws CryptorchError BUSY where another process uses the folder; LEDGER; FILE
   */
  static async open(folder: string, owner: StateOwner): Promise<RoleState> {
    await makeSecretFolder(folder);
    const lock = await takeLock(join(folder, 'lock'));
    try {
      await removeUnfinished(folder);
      const ledgerPath = join(folder, 'ledger');
      const seed = owner.role < owner.parties ? await ownSeed(join(folder, 'seed'), ledgerPath) : undefined;
      return new RoleState(folder, owner, lock, await Ledger.open(ledgerPath), seed);
    } catch (error) {
      await lock.release();
      throw error;
    }
  }

  /** What is stored, once load() or save() has put it into the session. */
  get stored(): Stored | undefined {
    return this.known;
  }

  private get path(): string {
    return join(this.folder, 'shares');
  }

  /**
   * Loads the stored shares, unless they belong to other programs or to another seed.
   * @throws CryptorchError BAD_STATE where the file is damaged; FILE
   */
  async load(session: NativeSession): Promise<void> {
    this.known = undefined;
    if ((await readIfThere(this.path)) === undefined) return;
    const refuse = (why: string): CryptorchError =>
      new CryptorchError('BAD_STATE', `Stored state in ${this.path} cannot be used: ${why}.`, {
        path: this.path,
      });
    const text = Buffer.from(await session.loadState(this.path)).toString('utf8');
    const {
      format: _format,
      version: _version,
      setupHash,
      ...found
    } = validate(header, parseJson(text, refuse), (where, why) => refuse(`${where} ${why}`));
    const { deployment, role, parties } = this.owner;
    if (found.deployment !== deployment || found.role !== role || found.parties !== parties) {
      throw refuse(`it belongs to role ${found.role} of ${found.parties} parties of "${found.deployment}"`);
    }
    if (setupHash !== this.owner.setupHash) return;
    if (this.seed !== undefined && found.seeds.join() !== this.seedTags.join()) return;
    this.known = { epoch: found.epoch, weights: found.weights, seeds: found.seeds };
  }

  /** By which a party's own seed is recognised. */
  get seedTags(): readonly string[] {
    return this.seed === undefined ? [] : [seedTag(this.seed)];
  }

  /** From here on the session's shares are in the making, and are no known state. */
  forget(): void {
    this.known = undefined;
  }

  /**
   * Stores the session's shares; on return they are on disk.
   * @throws CryptorchError FILE
   */
  async save(session: NativeSession, stored: Stored): Promise<void> {
    const data: Header = { format: 'cryptorch-state', version: 1, ...this.owner, ...stored };
    await session.saveState(this.path, Buffer.from(JSON.stringify(data), 'utf8'));
    this.known = stored;
  }

  async close(): Promise<void> {
    this.seed?.fill(0);
    await this.ledger.close();
    await this.lock.release();
  }
}

/** What a process that was killed while it wrote has left behind. */
async function removeUnfinished(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (/^(seed|ledger|shares)\..*tmp/.test(name)) await rm(join(folder, name), { force: true });
  }
}

/** By which a seed is recognised; says nothing about it. */
export function seedTag(seed: Uint8Array): string {
  return createHash('sha256').update('cryptorch seed tag\n').update(seed).digest('hex');
}

async function ownSeed(path: string, ledgerPath: string): Promise<Uint8Array> {
  const [seed, ledger] = [await readIfThere(path), await readIfThere(ledgerPath)];
  if (seed !== undefined && ledger !== undefined) {
    if (seed.length === SEED_BYTES) return seed;
    throw new CryptorchError(
      'BAD_STATE',
      `${path} is damaged; remove it, and a new seed and a new epoch follow.`,
      { path },
    );
  }
  const drawn = randomBytes(SEED_BYTES);
  if (ledger !== undefined) await rm(path, { force: true });
  await writeWhole(path, drawn, SECRET_MODE);
  return drawn;
}
