import test from 'ava';
import { readReadme, updated } from '../../scripts/operators';

test('README lists the operators of the registry (npm run docs writes them)', (t) => {
  const readme = readReadme();
  t.is(readme, updated(readme));
});
