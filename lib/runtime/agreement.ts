// What a role hears on a new link until both sides have agreed: a hello that fits its own, and a seed from those who
// tell one.

import { CryptorchError } from '../errors';
import { compareHello, type Difference, difference, type Membership } from './hello';
import type { Hello, Received } from './messages';

export class Agreement {
  hello: Hello | undefined;
  seed: Uint8Array | undefined;

  constructor(
    private readonly own: Membership,
    private readonly peer: number,
    private readonly expectsSeed: boolean,
  ) {}

  /**
   * Whether this message completes the agreement.
   * @param refuse tells the peer what differs
   * @throws CryptorchError HANDSHAKE, PROTOCOL
   */
  hear(message: Received, refuse: (differs: Difference) => void): boolean {
    if (message.type === 'hello' && !this.hello) {
      const differs = compareHello(this.own, this.peer, message);
      if (differs) {
        refuse(differs);
        throw difference(differs, 'It was refused');
      }
      this.hello = message;
    } else if (message.type === 'seed' && this.expectsSeed && !this.seed) {
      this.seed = message.seed;
    } else {
      throw untimely(message);
    }
    return this.hello !== undefined && (!this.expectsSeed || this.seed !== undefined);
  }
}

export function untimely(message: Received): CryptorchError {
  return new CryptorchError('PROTOCOL', `its message "${message.type}" came at the wrong time`);
}
