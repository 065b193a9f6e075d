import test from 'ava';
import { CryptorchError, errorTable } from '../lib/errors';

test('an error has a stable code, details and a cause', (t) => {
  const cause = new Error('inner');
  const error = new CryptorchError('TIMEOUT', 'No answer.', { peer: 1 }, cause);
  t.is(error.code, 'ERR_CRYPTORCH_TIMEOUT');
  t.is(error.name, 'CryptorchError');
  t.deepEqual(error.details, { peer: 1 });
  t.is(error.cause, cause);
  t.false('cause' in new CryptorchError('TIMEOUT', 'No answer.'));
  t.true(CryptorchError.is(error));
  t.true(CryptorchError.is(error, 'TIMEOUT'));
  t.false(CryptorchError.is(error, 'CANCELLED'));
  t.false(CryptorchError.is(cause));
});

test('every code says what it means and what to do, in one sentence each', (t) => {
  for (const [name, { meaning, remedy }] of Object.entries(errorTable)) {
    t.regex(name, /^[A-Z]+(_[A-Z]+)*$/);
    t.regex(meaning, /^[A-Z].*\.$/, name);
    t.regex(remedy, /^[A-Z].*\.$/, name);
  }
});
