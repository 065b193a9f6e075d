// Writes the parts of the documentation that are read off the sources: error codes (docs/errors.md), the commands of the
// command line with their options (docs/cli.md), operators (README.md, docs/operators.md), approximations with their charts
// (docs/approximations.md). `npm run docs` calls it; a test compares the pages with it.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command, Option } from 'commander';
import { program } from '../lib/cli/main';
import { errorTable } from '../lib/errors';
import { approximationCharts, approximationSections } from './approximations';
import { operatorList, operatorTable } from './operators';

const ROOT: string = join(__dirname, '..');

/** A page with a part between `<!-- NAME -->` and `<!-- /NAME -->` that is generated. */
interface Generated {
  readonly page: string;
  readonly name: string;
  readonly content: () => string | Promise<string>;
}

export const GENERATED: readonly Generated[] = [
  { page: 'docs/errors.md', name: 'errors', content: errorList },
  { page: 'docs/cli.md', name: 'commands', content: () => commandSections(program()) },
  { page: 'docs/operators.md', name: 'operators', content: operatorTable },
  { page: 'README.md', name: 'operators', content: operatorList },
  { page: 'docs/approximations.md', name: 'approximations', content: approximationSections },
];

/** A table row; what would end a cell is escaped. */
function row(...cells: string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}

function errorList(): string {
  const rows = Object.entries(errorTable)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, { meaning, remedy }]) => row(`\`ERR_CRYPTORCH_${name}\``, meaning, remedy));
  return ['| code | meaning | what to do |', '|---|---|---|', ...rows].join('\n');
}

/** Every command that does something, with its arguments and options. */
function commandSections(command: Command, path = ''): string {
  const name = `${path}${command.name()}`;
  const below = command.commands.map((c) => commandSections(c, `${name} `));
  if (command.commands.length > 0) return below.join('\n\n');
  const args = command.registeredArguments.map((a) => argument(a.name().toUpperCase(), a.required)).join('');
  const heading = `### ${name}`;
  const rows = command.options
    .filter((option) => !option.hidden)
    .map((option) => row(`\`${option.flags}\``, `${option.description}${defaultOf(option)}`));
  const table = ['| option | meaning |', '|---|---|', ...rows];
  const usage = `\`${name}${args}\`: ${command.description()}.`;
  return [heading, '', usage, ...(rows.length > 0 ? ['', ...table] : [])].join('\n');
}

function argument(name: string, required: boolean): string {
  return required ? ` ${name}` : ` [${name}]`;
}

function defaultOf({ defaultValue, defaultValueDescription, mandatory }: Option): string {
  if (mandatory) return ' (required)';
  const value = defaultValueDescription ?? defaultValue;
  const given = value !== undefined && typeof value !== 'object' && value !== false;
  return given ? ` (default: ${String(value)})` : '';
}

/** The page as it should be. */
export async function updated(text: string, { page, name, content }: Generated): Promise<string> {
  const [start, end] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
  const [from, to] = [text.indexOf(start), text.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`${page} has no place for its generated part "${name}"`);
  return `${text.slice(0, from + start.length)}\n\n${await content()}\n\n${text.slice(to)}`;
}

export function readPageText(page: string): string {
  return readFileSync(join(ROOT, page), 'utf8');
}

async function write(): Promise<void> {
  for (const generated of GENERATED)
    writeFileSync(join(ROOT, generated.page), await updated(readPageText(generated.page), generated));
  for (const [file, svg] of await approximationCharts()) writeFileSync(join(ROOT, file), svg);
}

if (require.main === module) void write();
