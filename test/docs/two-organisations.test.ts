// docs/two-organisations.md, done as it is written: its configuration files are written under their names, its commands
// run in order by one shell, with addresses on this machine and ports that are free.

import test from 'ava';
import * as ort from 'onnxruntime-node';
import { readNpz } from '../../lib/model/npz';
import { example } from '../helpers/cli';
import { readPage } from './pages';
import { runPage } from './run';
import { contentOf } from './session';

/** What the model says to the image of the guide's section 5. */
async function plaintext(model: string): Promise<Float32Array> {
  const session = await ort.InferenceSession.create(model, { logSeverityLevel: 4 });
  const image = new ort.Tensor('float32', new Float32Array(64).fill(0.5), [1, 1, 8, 8]);
  return (await session.run({ image })).logits!.data as Float32Array;
}

test('every command of docs/two-organisations.md works', async (t) => {
  t.timeout(600_000);
  const { session, outcomes } = await runPage(t, readPage('docs/two-organisations.md'));
  t.is(outcomes.filter((o) => o === 'written').length, 4);
  t.true(outcomes.filter((o) => o === 'ran').length > 8);
  const { stdout, stderr } = session;
  t.regex(stdout, /"outputs":\{"logits":\{"shape":\[1,10\]/);
  t.regex(stdout, /Private initialisers: /);
  const scores = readNpz(await contentOf(session, 'hospital/scores.npz'), 'scores.npz').get('logits');
  t.deepEqual(scores?.shape, [360, 10]);
  // Stopped and started again with the same weights: nothing was opened a second time. Then with other ones.
  const setups = [...stderr.matchAll(/setup of epoch (\d+): [\d.]+ ms/g)].map(([, epoch]) => epoch!);
  t.deepEqual(setups.sort(), ['1', '1', '1', '2', '2', '2'], 'three roles, two setups');
  const answers = [...stdout.matchAll(/"logits":(\{.*?\})/g)].map(
    ([, text]) => (JSON.parse(text!) as { readonly data: readonly number[] }).data,
  );
  t.is(answers.length, 2);
  for (const [i, model] of ['digits.onnx', 'rounded.onnx'].entries()) {
    const expected = await plaintext(example('digits', model));
    t.true(answers[i]!.every((score, j) => Math.abs(score - expected[j]!) < 0.01));
  }
});
