// The steps of CONTRIBUTING.md, carried out in a copy of the repository: its examples are added, compiled and tested there.

import test from 'ava';
import { readPage } from './pages';
import { runPage } from './run';

test('every block of CONTRIBUTING.md', async (t) => {
  t.timeout(600_000);
  const page = readPage('CONTRIBUTING.md');
  const { outcomes } = await runPage(t, page, { repository: true });
  t.is(outcomes.length, page.blocks.length);
  t.log(page.blocks.map((b, i) => `${b.line} ${b.language} ${outcomes[i]}`).join(', '));
});
