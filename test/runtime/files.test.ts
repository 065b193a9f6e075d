import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { readBytes, readIfThere, readWhole } from '../../lib/runtime/files';
import { temporaryFolder } from '../helpers/cli';
import { coded } from '../helpers/errors';

test('a file is read as a whole, at once or in parts', async (t) => {
  const path = join(await temporaryFolder(t), 'file');
  for (const size of [0, 1, 99, 100, 101, 2 ** 26 + 5]) {
    const bytes = Buffer.alloc(size);
    for (let i = 0; i < size; i += 4099) bytes[i] = i % 251;
    await writeFile(path, bytes);
    t.is(Buffer.compare(await readWhole(path, 100), bytes), 0, `${size} bytes`);
  }
});

test('a file that is not there is named, or undefined where it may be missing', async (t) => {
  const path = join(await temporaryFolder(t), 'nothing');
  await t.throwsAsync(readBytes(path), coded('FILE', /nothing/));
  t.is(await readIfThere(path), undefined);
});
