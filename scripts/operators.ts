// Writes the table of supported operators into README.md, read off the registry of the compiler.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { allOps } from '../lib/compiler/ops';

const README: string = join(__dirname, '..', 'README.md');
const TABLE: RegExp = /(<!-- operators -->\n)[\s\S]*?(<!-- \/operators -->)/;

/** A line per operator that computes on secret values, then the names of those that shape arithmetic may use. */
export function operatorTable(): string {
  const [secret, known] = [allOps().filter((op) => op.lower), allOps().filter((op) => !op.lower)];
  const lines = secret.map(({ op, restrictions }) => `| ${op} | ${restrictions || 'everything'} |`);
  const names = known.map(({ op }) => op).join(', ');
  const rest = names === '' ? [] : ['', `On values known when the model is compiled also: ${names}.`];
  return ['| operator | supported |', '|---|---|', ...lines, ...rest, ''].join('\n');
}

/** README.md as it should be. */
export function updated(readme: string): string {
  if (!TABLE.test(readme)) throw new Error('README.md has no place for the table of operators');
  return readme.replace(
    TABLE,
    (_, before: string, after: string) => `${before}\n${operatorTable()}\n${after}`,
  );
}

export function readReadme(): string {
  return readFileSync(README, 'utf8');
}

if (require.main === module) writeFileSync(README, updated(readReadme()));
