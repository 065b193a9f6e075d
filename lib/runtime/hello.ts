// The first message on a link: what a role takes part in, and how far it has come. Both sides must take part in the same
// thing; the first difference is named to the other side, so that whoever has to change something can read it there.

import { CryptorchError } from '../errors';
import { type Hello, PROTOCOL } from './messages';

/** What a role takes part in. */
export interface Membership {
  readonly deployment: string;
  /** 0 to parties - 1 a party, `parties` the dealer. */
  readonly role: number;
  readonly parties: number;
  /** Hash of every program, in order. */
  readonly programs: readonly string[];
}

/** How far it has come. */
export type Greeting = Pick<Hello, 'epoch' | 'opens' | 'highestEpoch' | 'highestRun'>;

export interface Difference {
  readonly field: string;
  readonly mine: string;
  readonly theirs: string;
}

export function makeHello({ deployment, role, parties, programs }: Membership, greeting: Greeting): Hello {
  return { type: 'hello', protocol: PROTOCOL, deployment, role, parties, programs, ...greeting };
}

/** The first field in which the hello of `peer` differs from what it should be. */
export function compareHello(own: Membership, peer: number, hello: Hello): Difference | undefined {
  const fields = {
    protocol: [PROTOCOL, hello.protocol],
    deployment: [own.deployment, hello.deployment],
    role: [peer, hello.role],
    parties: [own.parties, hello.parties],
    programs: [own.programs.join(' '), hello.programs.join(' ')],
  } as const;
  for (const [field, [mine, theirs]] of Object.entries(fields)) {
    if (mine !== theirs) return { field, mine: short(mine), theirs: short(theirs) };
  }
  return undefined;
}

export function difference({ field, mine, theirs }: Difference, who: string): CryptorchError {
  const message = `${who}, because "${field}" differs: ${mine} here, ${theirs} there`;
  return new CryptorchError('HANDSHAKE', message, { field, mine, theirs });
}

function short(value: string | number): string {
  return String(value).slice(0, 500);
}
