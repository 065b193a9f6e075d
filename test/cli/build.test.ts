import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { withBindings } from '../../lib/cli/build';
import { temporaryFolder } from '../helpers/cli';

test('binding.gyp is there for the time of a build only, unless it was there before', async (t) => {
  const root = await temporaryFolder(t);
  const path = join(root, 'binding.gyp');
  const listeners = (): number => process.listenerCount('SIGINT') + process.listenerCount('SIGTERM');
  const before = listeners();
  t.true(await withBindings(root, async () => existsSync(path)));
  t.false(existsSync(path));
  await t.throwsAsync(
    withBindings(root, async () => {
      throw new Error('no compiler');
    }),
  );
  t.false(existsSync(path));
  t.is(listeners(), before);
  writeFileSync(path, '{}');
  await withBindings(root, async () => undefined);
  t.true(existsSync(path));
});

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  test(`binding.gyp does not stay behind after ${signal}`, async (t) => {
    const root = await temporaryFolder(t);
    const script = `
      const { withBindings } = require('./lib/cli/build');
      void withBindings(${JSON.stringify(root)}, () => {
        console.log('building');
        return new Promise((done) => setTimeout(done, 60_000));
      });`;
    const child = spawn(process.execPath, ['--require', 'tsx/cjs', '--eval', script], {
      cwd: join(__dirname, '..', '..'),
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const exited = once(child, 'exit');
    await once(child.stdout, 'data');
    t.true(existsSync(join(root, 'binding.gyp')));
    child.kill(signal);
    t.deepEqual(await exited, [null, signal]);
    t.false(existsSync(join(root, 'binding.gyp')));
  });
}
