import { spawn } from 'node:child_process';
import { appendFile, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { Ledger } from '../../lib/runtime/ledger';
import { temporaryFolder } from '../helpers/cli';
import { coded } from '../helpers/errors';

test('numbers only go up, across openings', async (t) => {
  const path = join(await temporaryFolder(t), 'ledger');
  const ledger = await Ledger.open(path);
  t.deepEqual(ledger.marks, { epoch: 0, run: 0 });
  await ledger.useEpoch(1);
  await ledger.useRun(1);
  await ledger.useRun(7);
  for (const run of [7, 3, 0, -1, 1.5, Number.NaN, 2 ** 32]) {
    await t.throwsAsync(ledger.useRun(run), coded('LEDGER'), String(run));
  }
  await t.throwsAsync(ledger.useEpoch(1), coded('STALE_STATE'));
  await t.throwsAsync(ledger.useEpoch(2 ** 24), coded('STALE_STATE'));
  await ledger.close();
  const again = await Ledger.open(path);
  t.deepEqual(again.marks, { epoch: 1, run: 7 });
  await t.throwsAsync(again.useRun(7), coded('LEDGER', /records 7 as used/));
  await again.useRun(8);
  await again.close();
  t.is((await stat(path)).mode & 0o777, 0o600);
});

test('numbers taken at the same time are all different', async (t) => {
  const ledger = await Ledger.open(join(await temporaryFolder(t), 'ledger'));
  const taken = await Promise.allSettled([1, 2, 2, 3, 1].map((run) => ledger.useRun(run)));
  t.deepEqual(
    taken.map((r) => r.status),
    ['fulfilled', 'fulfilled', 'rejected', 'fulfilled', 'rejected'],
  );
  await ledger.close();
});

test('what peers have seen raises the floor', async (t) => {
  const path = join(await temporaryFolder(t), 'ledger');
  const ledger = await Ledger.open(path);
  ledger.raise({ epoch: 4, run: 20 });
  ledger.raise({ epoch: 2, run: 30 });
  await t.throwsAsync(ledger.useRun(30), coded('LEDGER'));
  await t.throwsAsync(ledger.useEpoch(4), coded('STALE_STATE'));
  await ledger.useRun(31);
  await ledger.close();
  const again = await Ledger.open(path);
  t.deepEqual(again.marks, { epoch: 4, run: 31 });
  await again.close();
});

test('a long ledger is written anew and loses nothing', async (t) => {
  const path = join(await temporaryFolder(t), 'ledger');
  await writeFile(path, await content(9_999));
  const ledger = await Ledger.open(path);
  for (let run = 10_000; run < 10_050; run++) await ledger.useRun(run);
  await ledger.close();
  const again = await Ledger.open(path);
  t.is(again.marks.run, 10_049);
  await again.close();
  t.true((await stat(path)).size < 100);
});

test('a line cut off by a crash is forgotten, any other damage is refused', async (t) => {
  const path = join(await temporaryFolder(t), 'ledger');
  const whole = await content(5);
  const lines = whole.trimEnd().split('\n');
  for (let cut = 1; cut < lines.at(-1)!.length; cut++) {
    await writeFile(path, whole.slice(0, whole.length - 1 - cut));
    const ledger = await Ledger.open(path);
    t.is(ledger.marks.run, 4);
    await ledger.close();
  }
  const damaged = [
    '',
    'cryptorch-ledger 1\n',
    whole.replace('ledger 1', 'ledger 2'),
    whole.replace('0 2 ', '0 3 '),
    whole.replace('0 3 ', '0 \0 '),
    [lines[0], lines[2], lines[1], lines[3], ''].join('\n'),
  ];
  for (const text of damaged) {
    await writeFile(path, text);
    await t.throwsAsync(Ledger.open(path), coded('LEDGER'), JSON.stringify(text));
  }
  await t.throwsAsync(Ledger.open(join(path, 'below')), coded('FILE'));
});

test('a number that cannot be recorded is not used, nor ever again', async (t) => {
  const ledger = await Ledger.open(join(await temporaryFolder(t), 'ledger'));
  await ledger.useRun(1);
  await ledger.close();
  await t.throwsAsync(ledger.useRun(2), coded('LEDGER', /was not used/));
  await t.throwsAsync(ledger.useRun(2), coded('LEDGER', /records 2 as used/));
});

test('a process killed at any moment has recorded every number that it used', async (t) => {
  const path = join(await temporaryFolder(t), 'ledger');
  let highest = 0;
  for (let round = 0; round < 8; round++) {
    const used = await useUntilKilled(path, 5 + Math.random() * 60);
    t.true(used.length === 0 || used[0]! > highest, `${used[0]} after ${highest}`);
    highest = Math.max(highest, ...used);
    // Now and then the machine itself stops in the middle of a write.
    if (round % 3 === 2) await appendFile(path, '0 99');
  }
  const ledger = await Ledger.open(path);
  t.true(ledger.marks.run >= highest && highest > 0);
  await t.throwsAsync(ledger.useRun(highest), coded('LEDGER'));
  await ledger.close();
  t.regex(await readFile(path, 'latin1'), /^cryptorch-ledger 1\n/);
});

/** Numbers that a process took before it was killed `ms` after its first one. */
function useUntilKilled(path: string, ms: number): Promise<number[]> {
  return new Promise((resolve, reject) => {
    const script = join(__dirname, '..', 'helpers', 'ledger-process.ts');
    const child = spawn(process.execPath, ['--import', 'tsx', script, path], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let text = '';
    child.stdout.setEncoding('utf8').on('data', (part: string) => {
      if (text === '') setTimeout(() => child.kill('SIGKILL'), ms);
      text += part;
    });
    child.on('error', reject);
    child.on('close', () => {
      const whole = text.slice(0, text.lastIndexOf('\n') + 1);
      resolve(whole.split('\n').filter(Boolean).map(Number));
    });
  });
}

/** A ledger that used runs 1 to `runs`. */
async function content(runs: number): Promise<string> {
  const { crc32 } = await import('node:zlib');
  const lines = Array.from({ length: runs }, (_, i) => {
    const text = `0 ${i + 1}`;
    return `${text} ${crc32(text).toString(16).padStart(8, '0')}`;
  });
  return `${['cryptorch-ledger 1', ...lines].join('\n')}\n`;
}
