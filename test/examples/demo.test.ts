// The demo as a user starts it: its processes and the folders they leave, and the form in one process.

import { spawn } from 'node:child_process';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { prepare } from '../../examples/digits/prepare';
import { rounded } from '../../examples/digits/round';
import { compile } from '../../lib';
import { readNpy } from '../../lib/model/npy';
import { rows } from '../../lib/tensor';
import { example, type Finished, temporaryFolder } from '../helpers/cli';

const ROOT = join(__dirname, '..', '..');

/** What a role is given; configurations name no more than these. */
const GIVEN: Readonly<Record<string, readonly string[]>> = {
  dealer: ['ca.pem', 'dealer.key', 'dealer.pem', 'program.json'],
  'party-0': ['ca.pem', 'images.npy', 'party-0.key', 'party-0.pem', 'program.json'],
  'party-1': ['ca.pem', 'party-1.key', 'party-1.pem', 'program.json', 'weights.npz'],
};
/** What is there after a run besides. */
const MADE: Readonly<Record<string, readonly string[]>> = {
  dealer: ['config.json', 'state/ledger', 'state/shares'],
  'party-0': ['config.json', 'scores.npz', 'state/ledger', 'state/seed', 'state/shares'],
  'party-1': ['config.json', 'state/ledger', 'state/seed', 'state/shares'],
};

function demo(...args: string[]): Promise<Finished> {
  const child = spawn(process.execPath, ['--import', 'tsx', 'examples/digits/demo.ts', ...args], {
    cwd: ROOT,
    env: { ...process.env, NODE_DEBUG: '' },
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, stdout, stderr }));
  });
}

/** Files below a folder by role, sorted. */
async function listing(folder: string): Promise<Record<string, string[]>> {
  const entries = (await readdir(folder, { recursive: true, withFileTypes: true })).filter((e) => e.isFile());
  const files = entries.map((e) => join(e.parentPath, e.name).slice(folder.length + 1)).sort();
  const lists: Record<string, string[]> = {};
  for (const file of files) {
    const [role, ...rest] = file.split('/') as [string, ...string[]];
    lists[role] = [...(lists[role] ?? []), rest.join('/')];
  }
  return lists;
}

test('a role is given what it may have, and nothing else', async (t) => {
  const folder = await temporaryFolder(t);
  const all = readNpy(await readFile(example('digits', 'images.npy')));
  const images = rows(all, 0, 2);
  const model = await compile(example('digits', 'digits.onnx'), { shapes: { image: [...images.shape] } });
  await prepare(folder, model, images);
  t.deepEqual(await listing(folder), GIVEN as Record<string, string[]>);
  for (const secret of ['dealer/dealer.key', 'party-0/images.npy', 'party-1/weights.npz']) {
    t.is((await stat(join(folder, secret))).mode & 0o077, 0, secret);
  }
  const programs = await Promise.all(
    Object.keys(GIVEN).map((role) => readFile(join(folder, role, 'program.json'), 'utf8')),
  );
  t.is(new Set(programs).size, 1, 'the program is the same everywhere');
});

test('three processes over mutual TLS read digits as the plaintext model does', async (t) => {
  t.timeout(120_000);
  const folder = await temporaryFolder(t);
  const { code, stdout, stderr } = await demo('--images', '8', '--folder', folder);
  t.is(code, 0, stderr);
  t.regex(stdout, /prediction and count agree in every byte and round/);
  t.regex(stdout, /same digit as plaintext 8 of 8/);
  for (const phase of ['setup', 'offline', 'online']) t.regex(stdout, new RegExp(`^${phase} \\(`, 'm'));
  for (const role of ['dealer', 'party 0']) t.regex(stderr, new RegExp(`${role} listens on port`));
  const expected = Object.keys(GIVEN).map((role) => [role, [...GIVEN[role]!, ...MADE[role]!].sort()]);
  t.deepEqual(await listing(folder), Object.fromEntries(expected) as Record<string, string[]>);
  for (const role of Object.keys(GIVEN)) {
    const config = JSON.parse(await readFile(join(folder, role, 'config.json'), 'utf8')) as object;
    t.true('certificates' in config);
    t.false('insecure' in config);
  }
});

test('--local keeps everything in one process', async (t) => {
  t.timeout(120_000);
  const { code, stdout, stderr } = await demo('--local', '--images', '8');
  t.is(code, 0, stderr);
  t.regex(stdout, /prediction and count agree in every byte and round/);
  t.regex(stdout, /same digit as plaintext 8 of 8/);
  t.notRegex(stderr, /listens/);
});

test('three parties; options that cannot be meant', async (t) => {
  t.timeout(120_000);
  const { code, stdout, stderr } = await demo('--parties', '3', '--images', '2');
  t.is(code, 0, stderr);
  t.regex(stdout, /prediction and count agree in every byte and round/);
  const wrong = await demo('--images', 'many');
  t.is(wrong.code, 1);
  t.regex(wrong.stderr, /--images is "many".*ERR_CRYPTORCH_INVALID_OPTION/);
});

test('rounded.onnx is the digits network, rounded', async (t) => {
  t.deepEqual(
    new Uint8Array(await readFile(example('digits', 'rounded.onnx'))),
    rounded(await readFile(example('digits', 'digits.onnx'))),
  );
});
