import test from 'ava';
import { CryptorchError } from '../../lib';
import { decodeMessage, encodeMessage, encodeSeed, type Message } from '../../lib/runtime/messages';
import { coded } from '../helpers/errors';
import { mutate, randomIntegers } from '../helpers/mutate';
import { mutateJson } from '../helpers/mutate-json';

const MESSAGES: Message[] = [
  {
    type: 'hello',
    protocol: 1,
    deployment: 'digits',
    role: 0,
    parties: 2,
    programs: ['a', 'b'],
    epoch: 1,
    opens: true,
    highestEpoch: 2,
    highestRun: 17,
  },
  { type: 'refuse', field: 'programs', mine: 'a', theirs: 'b' },
  { type: 'epoch', epoch: 3, setup: true },
  { type: 'ready', epoch: 3 },
  { type: 'want', program: 0, job: 1 },
  { type: 'unwant', program: 0, job: 1 },
  { type: 'number', program: 1 },
  { type: 'numbered', program: 1, run: 18 },
  { type: 'prepare', program: 1, run: 18 },
  { type: 'prepared', run: 18 },
  { type: 'start', program: 1, run: 18, jobs: [{ party: 0, job: 1 }] },
  { type: 'done', run: 18 },
  { type: 'fail', run: 18, code: 'TIMEOUT' },
  { type: 'bye' },
];

test('messages come back as they were', (t) => {
  for (const message of MESSAGES) t.deepEqual(decodeMessage(encodeMessage(message)), message);
});

test('a seed leaves no copy in the bytes that it came in', (t) => {
  const seed = Uint8Array.from({ length: 16 }, (_, i) => i + 1);
  const bytes = encodeSeed(seed);
  t.deepEqual(decodeMessage(bytes), { type: 'seed', seed });
  t.deepEqual(bytes, new Uint8Array(17));
  t.throws(() => decodeMessage(encodeSeed(seed).subarray(0, 16)), coded('PROTOCOL'));
});

test('damaged messages are refused with a code, and are never quoted', (t) => {
  const random = randomIntegers(11);
  for (let i = 0; i < 3000; i++) {
    const message = MESSAGES[random(MESSAGES.length)]!;
    const bytes =
      i % 2 === 0
        ? mutate(encodeMessage(message), random)
        : Buffer.from(JSON.stringify(mutateJson({ message }, random)).slice(11, -1));
    try {
      t.is(typeof decodeMessage(bytes).type, 'string');
    } catch (error) {
      if (!CryptorchError.is(error, 'PROTOCOL')) throw error;
      t.is(error.cause, undefined);
    }
  }
  const planted = '{"type":"want","program":0,"job":"PLANTED"}';
  for (const text of [planted, planted.slice(0, -1), `PLANTED${planted}`]) {
    const error = t.throws(() => decodeMessage(Buffer.from(text)), coded('PROTOCOL'));
    t.false(`${error!.message}${error!.stack}`.includes('PLANTED'));
  }
});
