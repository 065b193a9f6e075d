// What the documentation says about commands: which of them a test cannot run, and whether those that it names exist.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command, Option } from 'commander';
import { program } from '../../lib/cli/main';
import { ROOT } from './pages';

interface NotRun {
  readonly command: RegExp;
  readonly why: string;
}

/** Commands that stand in the pages and are looked up instead of being run. */
export const NOT_RUN: readonly NotRun[] = [
  { command: /^npm (ci|install)\b/, why: 'installs packages' },
  {
    command: /^npm (test|run (lint|format|coverage))\b/,
    why: 'runs everything, this test included',
  },
  { command: /^npm run bench\b/, why: 'measures for minutes' },
  { command: /^npm run (demo|service)\b/, why: 'builds first; test/examples runs both' },
  { command: /^npm run build:(native|release)\b/, why: 'builds the native core' },
  { command: /^npm run docs\b/, why: 'writes pages; a test compares them with what it writes' },
  { command: /^(scripts\/\S+\.sh|\.ci\/run)\b/, why: 'builds the native core several times' },
  { command: /^apt-get\b/, why: 'installs packages' },
  { command: /examples\/digits\/train\.py$/, why: 'trains for a minute, and needs PyTorch' },
  {
    command: /examples\/service\/client\.ts\b|^curl http:\S+\/health$/,
    why: 'asks the service that npm starts',
  },
];

/** The commands of a block of shell lines, without comments; continued lines are one. */
export function commandsOf(text: string): string[] {
  return text
    .replaceAll(/\s*\\\n\s*/g, ' ')
    .split('\n')
    .map((line) => line.replace(/(^|\s)#.*$/, '').trim())
    .filter((line) => line !== '');
}

/** What of a block is run, and which of its commands are not. */
export function split(text: string): { readonly run: string; readonly left: readonly string[] } {
  const left = commandsOf(text).filter((line) => NOT_RUN.some(({ command }) => command.test(line)));
  if (left.length === 0) return { run: text, left };
  const run = commandsOf(text).filter((line) => !left.includes(line));
  return { run: run.join('\n'), left };
}

/**
 * Everything that is wrong with a command that the documentation names; nothing for one that is not known here. `written`
 * are files that the page itself makes.
 */
export function wrongWith(command: string, written: readonly string[] = []): string[] {
  return command
    .split(/&&|\|/)
    .map((part) => part.trim().replace(/^npx (?=cryptorch\b)/, ''))
    .flatMap((part) => {
      if (part.startsWith('npm run ')) return wrongWithScript(part.split(/\s+/).slice(2));
      if (part === 'cryptorch' || part.startsWith('cryptorch '))
        return wrongWithCli(part.split(/\s+/).slice(1));
      const file = /^(?:node --import tsx |npx ava )?((?:scripts|bench|examples|test|\.ci)\/[\w./-]+)/.exec(
        part,
      )?.[1];
      const isThere = file === undefined || written.includes(file) || existsSync(join(ROOT, file));
      return isThere ? [] : [`there is no file ${file}`];
    });
}

function scripts(): Readonly<Record<string, string>> {
  const text = readFileSync(join(ROOT, 'package.json'), 'utf8');
  return (JSON.parse(text) as { scripts: Record<string, string> }).scripts;
}

/** `npm run NAME -- ARGUMENTS`; a benchmark must exist, an option must be one that the script's folder knows. */
function wrongWithScript(words: readonly string[]): string[] {
  const [name, ...rest] = words.filter((word) => !['--silent', '--'].includes(word));
  const script = scripts()[name!];
  if (script === undefined) return [`there is no npm script "${name}"`];
  const folder = /(\w[\w/]*)\/[\w-]+\.ts\b/.exec(script)?.[1];
  if (folder === undefined) return [];
  const files = readdirSync(join(ROOT, folder), { encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
  const bench = rest[0];
  if (name === 'bench' && bench !== undefined && bench !== 'NAME' && !files.includes(`${bench}.ts`))
    return [`there is no bench "${bench}"`];
  const source = files.map((file) => readFileSync(join(ROOT, folder, file), 'utf8')).join('\n');
  return rest
    .filter((word) => word.startsWith('--'))
    .filter((option) => !new RegExp(`\\b${option.slice(2).split('=')[0]}\\b`).test(source))
    .map((option) => `${folder} knows no option ${option}`);
}

/** `cryptorch COMMAND ... --option`: the command and its options exist. */
function wrongWithCli(words: readonly string[]): string[] {
  let command: Command = program();
  const rest = [...words];
  for (let i = 0; i < rest.length && command.commands.length > 0; i++) {
    const below = command.commands.find((c) => c.name() === rest[i]);
    if (below) command = below;
    else if (command.parent === null && /^[a-z-]+$/.test(rest[i]!)) return [`there is no command ${rest[i]}`];
    else break;
  }
  const known = [...optionsOf(command), '--help', '--version', '-h'];
  // `keygen` alone is `keygen all`.
  for (const below of command.commands) known.push(...optionsOf(below));
  return rest
    .filter((word) => /^--?[a-z]/.test(word))
    .map((word) => word.split('=')[0]!)
    .filter((word) => !known.includes(word))
    .map((word) => `${command.name()} has no option ${word}`);
}

function optionsOf(command: Command): string[] {
  return command.options.flatMap((o: Option) => [o.long, o.short].filter((name) => name != null));
}

/** Every option that any command of the command line has. */
export function allOptions(command: Command = program()): Set<string> {
  const below = command.commands.flatMap((c) => [...allOptions(c)]);
  return new Set([...optionsOf(command), ...below, '--help', '--version', '-h']);
}
