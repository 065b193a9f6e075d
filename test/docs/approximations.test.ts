// What the page of approximations says of the choices that the compiler makes by itself: nothing else is as exact and cheaper,
// and they are more exact and cheaper than CrypTen's, whose series of tanh on [-1, 1] alone is set apart. The page has measured figures, which another test compares with the
// sources.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';

interface Row {
  readonly name: string;
  readonly error: number;
  /** Rounds, bits online, bits ahead, for operands of a product and of an input. */
  readonly costs: readonly number[];
}

const page = readFileSync(join(__dirname, '..', '..', 'docs', 'approximations.md'), 'utf8');

const sections = page
  .split(/^### /m)
  .slice(1)
  .map((text) => {
    const rows = text.split('\n').flatMap((line): Row[] => {
      const cells = line
        .split('|')
        .slice(1, -1)
        .map((c) => c.trim());
      const costs = cells.slice(5).map(Number);
      return cells.length === 11 && costs.every(Number.isFinite)
        ? [{ name: cells[0]!, error: Number(cells[2]), costs }]
        : [];
    });
    return { fn: text.split('\n')[0]!, rows };
  });

test('nothing is as exact as a default, and cheaper', (t) => {
  t.true(sections.length >= 18);
  for (const { fn, rows } of sections) {
    const own = rows.find(({ name }) => name.endsWith(' *'));
    t.truthy(own, `${fn} has no default`);
    for (const other of rows) {
      const better = other.costs.filter((c, i) => c < own!.costs[i]!).length;
      const worse = other.costs.filter((c, i) => c > own!.costs[i]!).length;
      t.false(other.error <= own!.error && better > 0 && worse === 0, `${fn}: ${other.name} is better`);
    }
  }
});

test("defaults are more exact than CrypTen's, in fewer rounds and bits", (t) => {
  const compared: string[] = [];
  for (const { fn, rows } of sections) {
    const own = rows.find(({ name }) => name.endsWith(' *'))!;
    for (const theirs of rows.filter(({ name }) => /^crypten( \(|$)/.test(name))) {
      compared.push(fn);
      t.true(own.error < theirs.error, `${fn}: ${own.error} and ${theirs.error}`);
      for (const i of [0, 1, 3, 4])
        t.true(own.costs[i]! < theirs.costs[i]!, `${fn}: ${own.costs} and ${theirs.costs}`);
    }
  }
  for (const fn of [
    'exp',
    'decay',
    'log',
    'reciprocal',
    'rsqrt',
    'sqrt',
    'sigmoid',
    'tanh',
    'erf',
    'gelu',
    'sin',
    'cos',
  ])
    t.true(compared.includes(fn), `${fn} is not compared`);
});
