import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { takeLock } from '../../lib/runtime/lock';
import { temporaryFolder } from '../helpers/cli';
import { coded } from '../helpers/errors';

test('a folder has one holder at a time, in this process and in others', async (t) => {
  const path = join(await temporaryFolder(t), 'lock');
  const lock = await takeLock(path);
  await t.throwsAsync(takeLock(path), coded('BUSY'));
  await lock.release();
  const again = await takeLock(path);
  await lock.release();
  await again.release();

  const other = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
  t.teardown(() => other.kill('SIGKILL'));
  await once(other, 'spawn');
  await writeFile(path, `${other.pid} `);
  await t.throwsAsync(takeLock(path), coded('BUSY', new RegExp(`Process ${other.pid} `)));
  other.kill('SIGKILL');
  await once(other, 'exit');
  await (await takeLock(path)).release();
});

test('a lock of a process that is gone counts for nothing', async (t) => {
  const path = join(await temporaryFolder(t), 'lock');
  // The number of this process, given out earlier to another one; and a file that a crash left empty.
  for (const holder of [`${process.pid} 1`, '', 'nonsense']) {
    await writeFile(path, holder);
    const lock = await takeLock(path);
    t.regex(await readFile(path, 'utf8'), new RegExp(`^${process.pid} `));
    await lock.release();
  }
});
