// What roles say to each other besides the frames of a computation: short JSON messages, and seeds as bytes of their
// own so that they never become text. Every message is checked when it arrives; one that does not belong closes the
// link it came over.
//
//   hello     both ways on every link, then nothing else until both have agreed
//   refuse    instead of an agreement, with what differs
//   epoch     dealer to parties, once all are there: resume the stored state, or set up a new epoch
//   ready     party to party 0: the state of this epoch is in place
//   want      owner of inputs to party 0: inputs for a run of this program are here (unwant: not any more)
//   number    party 0 to the dealer: a run number for this program; answered by `numbered` once it is in the ledger
//   prepare   party 0 to parties: run the offline phase under this number; answered by `prepared`
//   start     party 0 to parties: run the online phase, with these jobs as inputs; answered by `done`
//   fail      to everybody: what was going on is over, with the code alone, because a message may say something private
//   bye       to everybody: this role ends its links, and nothing has failed

import * as v from 'valibot';
import { CryptorchError, type ErrorName, errorTable } from '../errors';
import { SEED_BYTES } from './seeds';
import { parseJson, type Schema, validate } from './validate';

export const PROTOCOL = 1;
/** No control message is longer. */
export const MOST_CONTROL_BYTES: number = 64 * 1024;

export interface Hello {
  readonly type: 'hello';
  readonly protocol: number;
  readonly deployment: string;
  readonly role: number;
  readonly parties: number;
  /** Hash of every program, in order. */
  readonly programs: readonly string[];
  /** Of the stored state, 0 where there is none that could be resumed. */
  readonly epoch: number;
  /** Whether this role has all that a new epoch needs. */
  readonly opens: boolean;
  readonly highestEpoch: number;
  readonly highestRun: number;
}

/** Whose job is an input of a run. */
export interface PartyJob {
  readonly party: number;
  readonly job: number;
}

export type Message =
  | Hello
  | { readonly type: 'refuse'; readonly field: string; readonly mine: string; readonly theirs: string }
  | { readonly type: 'epoch'; readonly epoch: number; readonly setup: boolean }
  | { readonly type: 'ready'; readonly epoch: number }
  | { readonly type: 'want'; readonly program: number; readonly job: number }
  | { readonly type: 'unwant'; readonly program: number; readonly job: number }
  | { readonly type: 'number'; readonly program: number }
  | { readonly type: 'numbered'; readonly program: number; readonly run: number }
  | { readonly type: 'prepare'; readonly program: number; readonly run: number }
  | { readonly type: 'prepared'; readonly run: number }
  | { readonly type: 'done'; readonly run: number }
  | {
      readonly type: 'start';
      readonly program: number;
      readonly run: number;
      readonly jobs: readonly PartyJob[];
    }
  | { readonly type: 'fail'; readonly run: number; readonly code: ErrorName }
  | { readonly type: 'bye' };

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const text = v.pipe(v.string(), v.maxLength(1000));
const run = v.pipe(count, v.maxValue(2 ** 32 - 1));
const epoch = v.pipe(count, v.maxValue(2 ** 24 - 1));

const schema: Schema<Message> = v.variant('type', [
  v.strictObject({
    type: v.literal('hello'),
    protocol: count,
    deployment: text,
    role: count,
    parties: count,
    programs: v.pipe(v.array(text), v.maxLength(256)),
    epoch,
    opens: v.boolean(),
    highestEpoch: epoch,
    highestRun: run,
  }),
  v.strictObject({ type: v.literal('refuse'), field: text, mine: text, theirs: text }),
  v.strictObject({ type: v.literal('epoch'), epoch, setup: v.boolean() }),
  v.strictObject({ type: v.literal('ready'), epoch }),
  v.strictObject({ type: v.literal('want'), program: count, job: count }),
  v.strictObject({ type: v.literal('unwant'), program: count, job: count }),
  v.strictObject({ type: v.literal('number'), program: count }),
  v.strictObject({ type: v.literal('numbered'), program: count, run }),
  v.strictObject({ type: v.literal('prepare'), program: count, run }),
  v.strictObject({ type: v.literal('prepared'), run }),
  v.strictObject({ type: v.literal('done'), run }),
  v.strictObject({
    type: v.literal('start'),
    program: count,
    run,
    jobs: v.array(v.strictObject({ party: count, job: count })),
  }),
  v.strictObject({ type: v.literal('fail'), run, code: v.picklist(Object.keys(errorTable) as ErrorName[]) }),
  v.strictObject({ type: v.literal('bye') }),
]);

export type Received = Message | { readonly type: 'seed'; readonly seed: Uint8Array };

const SEED_MARK = 1;

export function encodeMessage(data: Message): Uint8Array {
  return Buffer.from(JSON.stringify(data), 'utf8');
}

export function encodeSeed(seed: Uint8Array): Uint8Array {
  return Uint8Array.of(SEED_MARK, ...seed);
}

/**
 * What a peer said. A seed is moved out of `data`, which is wiped.
 * @throws CryptorchError PROTOCOL
 */
export function decodeMessage(data: Uint8Array): Received {
  if (data[0] === SEED_MARK && data.length === 1 + SEED_BYTES) {
    const seed = Uint8Array.from(data.subarray(1));
    data.fill(0);
    return { type: 'seed', seed };
  }
  // Without the cause of a syntax error: it quotes the text.
  const refuse = (why: string): CryptorchError =>
    new CryptorchError('PROTOCOL', `A control message was refused: ${why}.`);
  const parsed = parseJson(Buffer.from(data).toString('utf8'), refuse);
  return validate(schema, parsed, (where, why) => refuse(`${where || 'it'} ${why}`));
}
