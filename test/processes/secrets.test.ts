// What must not be said: inputs, weights, outputs, seeds and keys are planted and searched for in everything that the
// processes write, with debug output on and while things go wrong, and in the public files.

import { readFile } from 'node:fs/promises';
import test from 'ava';
import { computes, ProcessGroup } from '../helpers/processes';
import { smallModels, WEIGHTS } from '../helpers/small-model';

const PLANTED = [314.15926, 271.82818, 161.80339, 141.42135, 173.205, 223.60679];
const FACTOR = 1.0090901;

/** Ways to write a number that somebody may have printed. */
function spellings(value: number): string[] {
  const float = Math.fround(value);
  const fixed = Math.round(value * 2 ** 16);
  return [value.toPrecision(7), float.toPrecision(7), String(fixed)].map((text) => text.replace(/0+$/, ''));
}

/** Ways to write bytes. */
function forms(bytes: Buffer): string[] {
  const encodings = ['hex', 'base64', 'base64url', 'latin1'] as const;
  return [...encodings.map((e) => bytes.toString(e)), [...bytes].join(','), [...bytes].join(', ')];
}

test.serial('nothing private is written, whatever happens', async (t) => {
  t.timeout(120_000);
  const models = await smallModels([2], {}, FACTOR);
  const options = { parties: 2, tls: true, debug: 'cryptorch', timeouts: { online: 1, control: 1 } };
  const group = await ProcessGroup.create(t, models, options);
  await group.start();
  const first = await group.run(PLANTED);
  t.is(first.status, 200);
  // Too large for its format; a connection that breaks; a role that dies and comes back.
  t.is((await group.run([...PLANTED.slice(1), PLANTED[0]! * 2 ** 50])).status, 400);
  const cut = group.run(PLANTED);
  group.wire(0, 1).cut();
  t.regex(String((await cut).status), /200|503/);
  await group.get(1).kill();
  const waiting = group.run(PLANTED);
  await group.start(1);
  t.is((await waiting).status, 200);
  await computes(t, group, 'afterwards', FACTOR);

  const outputs = first.outputs!.y!.data.filter((v) => Math.abs(v) > 1);
  const numbers = [...PLANTED, ...WEIGHTS.map((w) => w * FACTOR), ...outputs].flatMap(spellings);
  const secrets = numbers.filter((text) => text.length > 4);
  for (const party of [0, 1]) {
    secrets.push(...forms(await readFile(group.at(party, 'state', 'seed'))));
    const pem = await readFile(group.at(party, 'key.pem'), 'utf8');
    secrets.push(...pem.split('\n').filter((line) => line.length > 30 && !line.startsWith('-')));
  }
  const programs = await Promise.all(
    group.roles.map((role) => readFile(group.at(role, 'program.json'), 'utf8')),
  );
  const ledgers = await Promise.all(
    group.roles.map((role) => readFile(group.at(role, 'state', 'ledger'), 'latin1')),
  );
  const texts = [...group.everything(), ...programs, ...ledgers];
  t.true(texts.join('').includes('CRYPTORCH '), 'debug output was on');
  for (const secret of secrets) {
    // A number counts as one of its own: its digits may well stand within those of a measured time.
    const plain = secret.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
    const whole = new RegExp(/^-?[\d.]+$/.test(secret) ? `(?<![\\d.])${plain}(?!\\d)` : plain);
    const found = texts.find((text) => whole.test(text));
    const at = found?.search(whole) ?? 0;
    t.is(found?.slice(Math.max(0, at - 100), at + 100), undefined, secret);
  }
});
