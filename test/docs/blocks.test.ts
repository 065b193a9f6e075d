// Every block of code in the documentation is run, or checked in the way that its language and commands.ts say.

import test from 'ava';
import { commandsOf, NOT_RUN } from './commands';
import { pageNames, readPage } from './pages';
import { type RunOptions, runPage } from './run';

/** What pages need beyond a folder with the package installed. */
const OPTIONS: Readonly<Record<string, RunOptions>> = {
  'ARCHITECTURE.md': { drawings: 4 },
  'examples/digits/README.md': { repository: true },
  'examples/service/README.md': { repository: true },
};

/** Run by tests of their own, at the same time as the others. */
const ELSEWHERE = ['CONTRIBUTING.md', 'docs/two-organisations.md'];

const pages = pageNames().map(readPage);

for (const page of pages.filter((p) => p.blocks.length > 0 && !ELSEWHERE.includes(p.name))) {
  test.serial(`every block of ${page.name}`, async (t) => {
    t.timeout(600_000);
    const { outcomes } = await runPage(t, page, OPTIONS[page.name]);
    t.is(outcomes.length, page.blocks.length);
    t.log(page.blocks.map((b, i) => `${b.line} ${b.language} ${outcomes[i]}`).join(', '));
  });
}

test('no code is indented instead of fenced: nobody would check it', (t) => {
  t.deepEqual(
    pages.flatMap((p) => p.indented.map((line) => `${p.name}:${line}`)),
    [],
  );
});

test('every command that is not run stands in a page, and every page named here exists', (t) => {
  const commands = pages.flatMap((p) =>
    p.blocks.filter((b) => ['sh', 'bash'].includes(b.language)).flatMap((b) => commandsOf(b.text)),
  );
  for (const { command } of NOT_RUN)
    t.true(
      commands.some((c) => command.test(c)),
      String(command),
    );
  const names = pages.map((p) => p.name);
  t.deepEqual(
    [...Object.keys(OPTIONS), ...ELSEWHERE].filter((name) => !names.includes(name)),
    [],
  );
});
