import test from 'ava';
import { errorTable } from '../../lib/errors';
import { GENERATED, readPageText, updated } from '../../scripts/reference';

for (const generated of GENERATED) {
  test(`${generated.page} has what the sources say (npm run docs writes it)`, (t) => {
    const text = readPageText(generated.page);
    t.is(text, updated(text, generated));
  });
}

test('docs/errors.md has every code once, and no other', (t) => {
  const codes = [...readPageText('docs/errors.md').matchAll(/^\| `ERR_CRYPTORCH_(\w+)`/gm)].map(
    ([, c]) => c!,
  );
  t.deepEqual(codes, Object.keys(errorTable).sort());
});
