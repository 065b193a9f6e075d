import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { Deployment } from '../../lib/runtime/deployment';
import { cryptorch, example, temporaryFolder } from '../helpers/cli';
import { coded } from '../helpers/errors';

const DIGITS = example('digits', 'digits.onnx');

test('a model becomes a public program and a private weights file, and the public initialisers are named', async (t) => {
  const out = join(await temporaryFolder(t), 'out');
  const made = await cryptorch(
    'compile',
    DIGITS,
    '--out',
    out,
    '--batch',
    '1,4',
    '--owners',
    'image=1,weights=0',
  );
  t.is(made.code, 0, made.stderr);
  t.deepEqual((await readdir(out)).sort(), ['program.json', 'weights.npz']);
  t.is((await stat(join(out, 'weights.npz'))).mode & 0o777, 0o600);
  t.regex(made.stdout, /Public initialisers: none\./);
  t.regex(made.stdout, /Private initialisers: .*hidden\.weight/);
  t.regex(made.stdout, /weights\.npz is private: it belongs to party 0 alone/);
  t.regex(made.stdout, /image \[4, 1, 8, 8\] from party 1 -> logits \[4, 10\] to party 0/);
  t.regex(made.stdout, /calibrated ranges and choices made by tuning/);

  const deployment = await Deployment.load(out);
  t.is(deployment.name, 'digits');
  t.deepEqual(
    deployment.programs.map((p) => p.ios.find((io) => io.kind === 'input')!.shape[0]),
    [1, 4],
  );
  t.is((await deployment.weights(0))!.size, deployment.held('weight', 0).length);
  t.is((await deployment.weights(1))!.size, 0);
  t.is(deployment.programFor(1, new Map([['image', [4, 1, 8, 8]]])), 1);
  t.throws(() => deployment.programFor(1, new Map([['image', [2, 1, 8, 8]]])), coded('INVALID_INPUT'));

  // The same model compiled again is the same program.
  const again = join(out, 'again');
  await cryptorch('compile', DIGITS, '--out', again, '--batch', '1,4', '--owners', 'image=1,weights=0');
  t.is(
    await readFile(join(again, 'program.json'), 'utf8'),
    await readFile(join(out, 'program.json'), 'utf8'),
  );
});

test('what cannot be a deployment is refused', async (t) => {
  const out = join(await temporaryFolder(t), 'out');
  const compile = (...args: string[]): ReturnType<typeof cryptorch> =>
    cryptorch('compile', DIGITS, '--out', out, ...args);
  const shared = await compile('--owners', 'image=secret');
  t.is(shared.code, 1);
  t.regex(shared.stderr, /"image" has no owner.*ERR_CRYPTORCH_INVALID_OPTION/);
  t.regex((await compile('--name', 'Digits')).stderr, /name of the deployment/);
  for (const wrong of [
    ['--batch', '0'],
    ['--batch', '1,1'],
    ['--batch', 'x'],
    ['--parties', '1'],
  ]) {
    t.is((await compile(...wrong)).code, 2, wrong.join(' '));
  }
  await t.throwsAsync(readdir(out), { code: 'ENOENT' });
  await t.throwsAsync(Deployment.load(out), coded('FILE'));
});
