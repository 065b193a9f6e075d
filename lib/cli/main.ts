#!/usr/bin/env node
// The command line: `cryptorch COMMAND`. One file per command; this one only puts them together.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { approximationsCommand } from './approximations';
import { buildCommand } from './build';
import { checkCommand } from './check';
import { compileCommand } from './compile';
import { dealerCommand } from './dealer';
import { doctorCommand } from './doctor';
import { report } from './fail';
import { keygenCommand } from './keygen';
import { partyCommand } from './party';
import { precisionCommand } from './precision';
import { runCommand } from './run';

function version(): string {
  const text = readFileSync(join(__dirname, '..', '..', 'package.json'), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

/** The whole command line; parsing it throws instead of ending the process. */
export function program(): Command {
  const root = new Command('cryptorch')
    .description('Private machine learning on secret shares')
    .version(version())
    .exitOverride()
    .showHelpAfterError('(cryptorch --help shows what is possible)');
  const commands = [
    checkCommand(),
    runCommand(),
    compileCommand(),
    precisionCommand(),
    approximationsCommand(),
    keygenCommand(),
    dealerCommand(),
    partyCommand(),
    doctorCommand(),
    buildCommand(),
  ];
  for (const command of commands) {
    root.addCommand(inherit(command, root));
  }
  return root;
}

/** Commands and their own commands report as the root does. */
function inherit(command: Command, root: Command): Command {
  command.copyInheritedSettings(root);
  for (const below of command.commands) inherit(below, root);
  return command;
}

if (require.main === module) {
  // A reader that has seen enough (`cryptorch run ... | head`) is no failure.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit(0);
  });
  program()
    .parseAsync()
    .catch((error: unknown) => {
      process.exitCode = report(error, process.stderr);
    });
}
