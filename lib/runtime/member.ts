// One role among its peers, and the one way in which anything fails.
//
// Links come up one by one; once all stand and the dealer has named an epoch, an era begins, in which phases run. An
// era ends as a whole: whatever fails anywhere, the phase that runs is cancelled, material is dropped, every peer is
// told the code, all links are closed and made again. So nothing of one era can reach the next, and a run number that
// was taken is simply never used. Work that awaits something checks afterwards that its era still goes on.

import { CryptorchError } from '../errors';
import { roleName } from '../keys/role';
import { coded, isLasting, nameOf, reported } from './failure';
import type { Greeting } from './hello';
import type { MeshOwner, Notice } from './mesh';
import type { Hello } from './messages';
import { closeRole, type OpenRole } from './role';

export interface Era {
  epoch: number;
  /** What is computed just now. */
  run?: { readonly run: number; readonly program: number } | undefined;
  /** Pieces of work that have begun and not ended. */
  busy: number;
}

export abstract class Member<E extends Era> implements MeshOwner {
  protected role!: OpenRole;
  protected era: E | undefined;
  protected closed = false;

  abstract greeting(): Greeting;
  abstract seedFor(peer: number): Uint8Array | undefined;
  abstract expectsSeed(peer: number): boolean;
  abstract greeted(peer: number, hello: Hello, seed: Uint8Array | undefined): void;
  /** What a peer says that is not about failing or leaving. */
  protected abstract hear(peer: number, notice: Exclude<Notice, { type: 'fail' | 'bye' }>): void;
  /** A link is gone on which both sides had agreed. */
  protected abstract gone(peer: number): void;
  /** An era is over, or none can begin: `era` is undefined then. */
  protected abstract ended(era: E | undefined, error: CryptorchError): void;

  notice(peer: number, notice: Notice): void {
    if (notice.type === 'fail') this.fail(reported(this.role.mesh.name(peer), notice.code));
    else if (notice.type === 'bye') this.left(peer);
    else this.hear(peer, notice);
  }

  lost(peer: number, error: CryptorchError): void {
    this.gone(peer);
    if (this.era) this.fail(error);
  }

  trouble(_peer: number, error: CryptorchError): void {
    if (!this.era && isLasting(error)) this.ended(undefined, error);
  }

  /** Ends the era; where there is none, what keeps one from beginning is told all the same. */
  protected fail(error: CryptorchError, silent = false): void {
    const { era, role } = this;
    if (this.closed) return;
    this.era = undefined;
    if (!silent) role.reporter.error(error);
    if (era) {
      role.session.cancel();
      if (era.run) role.reporter.run({ ...era.run, state: 'failed', error });
      const { run } = era.run ?? { run: 0 };
      role.mesh.broadcast(silent ? { type: 'bye' } : { type: 'fail', run, code: nameOf(error) });
      role.mesh.reset();
    }
    this.ended(era, error);
  }

  /** Does a part of an era; what it throws ends the era, unless that is over anyway. */
  protected async during(era: E, work: () => Promise<void>): Promise<void> {
    era.busy++;
    try {
      await work();
    } catch (error) {
      if (this.era === era) this.fail(coded(error));
    } finally {
      era.busy--;
    }
  }

  /** A peer has ended its links without a failure: no error for those who had nothing going on with it. */
  private left(peer: number): void {
    const name = this.role.mesh.name(peer);
    const error = new CryptorchError('CONNECTION', `${roleName(name)} was closed`, { peer: name });
    if (this.era) this.fail(error, this.era.busy === 0);
  }

  protected async shut(): Promise<void> {
    const { era } = this;
    this.closed = true;
    this.era = undefined;
    this.role.mesh.broadcast({ type: 'bye' });
    this.ended(era, new CryptorchError('CANCELLED', 'This role was closed.'));
    await closeRole(this.role);
  }
}
