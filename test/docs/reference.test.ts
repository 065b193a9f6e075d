import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { errorTable } from '../../lib/errors';
import { approximationCharts } from '../../scripts/approximations';
import { GENERATED, readPageText, updated } from '../../scripts/reference';
import { ROOT } from './pages';

for (const generated of GENERATED) {
  test(`${generated.page} has what the sources say (npm run docs writes it)`, async (t) => {
    t.timeout(300_000);
    const text = readPageText(generated.page);
    t.is(text, await updated(text, generated));
  });
}

test('charts of approximations are those of the sources, and there are no others', async (t) => {
  t.timeout(300_000);
  const charts = await approximationCharts();
  for (const [file, svg] of charts) t.is(readPageText(file), svg, file);
  const there = readdirSync(join(ROOT, 'docs', 'charts')).filter((name) =>
    name.startsWith('approximations-'),
  );
  t.deepEqual(there.map((name) => `docs/charts/${name}`).sort(), [...charts.keys()].sort());
});

test('docs/errors.md has every code once, and no other', (t) => {
  const codes = [...readPageText('docs/errors.md').matchAll(/^\| `ERR_CRYPTORCH_(\w+)`/gm)].map(
    ([, c]) => c!,
  );
  t.deepEqual(codes, Object.keys(errorTable).sort());
});
