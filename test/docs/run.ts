// Runs the blocks of a page in order, each as what its language says. A block of which nothing is known fails.

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { ExecutionContext } from 'ava';
import { readDealerConfig, readPartyConfig } from '../../lib/runtime/config';
import { split, wrongWith } from './commands';
import type { Block, Page } from './pages';
import { Session } from './session';

export interface RunOptions {
  /** Works on a copy of the repository instead of in a folder with the package installed. */
  readonly repository?: boolean;
  /** JavaScript that defines what the page's programs take for granted. */
  readonly before?: string;
  /** How many blocks of text are drawings. */
  readonly drawings?: number;
}

/** What became of a block. */
export type Outcome = 'ran' | 'checked' | 'written' | 'compared' | 'drawing';

/** Runs a page; every block has an outcome, or the test fails at it. */
export async function runPage(
  t: ExecutionContext,
  page: Page,
  options: RunOptions = {},
): Promise<{ readonly session: Session; readonly outcomes: readonly Outcome[] }> {
  const session = await Session.open(t, { repository: options.repository === true });
  if (options.before !== undefined) await session.js(options.before);
  const outcomes: Outcome[] = [];
  let printed = '';
  for (const block of page.blocks) {
    try {
      if (block.language === 'text') {
        outcomes.push(block.isOutput ? compare(block.text, printed) : 'drawing');
        continue;
      }
      const done = await runBlock(session, block);
      outcomes.push(done.outcome);
      printed = done.printed;
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      throw new Error(`${page.name}:${block.line}: ${why}\n\n${block.text}`, { cause: error });
    }
  }
  const drawings = outcomes.filter((o) => o === 'drawing').length;
  t.is(
    drawings,
    options.drawings ?? 0,
    `${page.name}: blocks of text that are not what the block before prints`,
  );
  return { session, outcomes };
}

interface Done {
  readonly outcome: Outcome;
  readonly printed: string;
}

async function runBlock(session: Session, block: Block): Promise<Done> {
  const { language, path, text } = block;
  if (path !== undefined) {
    await session.prepare();
    if (language === 'diff') {
      await session.patch(path, text);
      return { outcome: 'written', printed: '' };
    }
    const file = await session.file(path, text);
    if (language === 'json') await checkConfig(file, text);
    else if (path.endsWith('.cpp')) await checkCpp(file);
    return { outcome: 'written', printed: '' };
  }
  switch (language) {
    case 'bash':
    case 'sh': {
      const { run, left } = split(text);
      const wrong = left.flatMap((command) => wrongWith(command));
      if (wrong.length > 0) throw new Error(wrong.join('; '));
      return run === '' ? { outcome: 'checked', printed: '' } : ran(await session.sh(run));
    }
    case 'js':
      return ran(await session.js(text));
    case 'ts':
      return ran(await session.ts(text));
    case 'python': {
      const python = await pythonWithTorch();
      if (python !== undefined) return ran(await session.python(python, text));
      await session.file('block.py', text);
      await session.sh('python3 -c "import ast; ast.parse(open(\'block.py\').read())"');
      return { outcome: 'checked', printed: '' };
    }
    default:
      throw new Error(
        `nothing is known of a block in "${language}"${language === 'json' ? ' without a file name' : ''}`,
      );
  }
}

const ran = (printed: string): Done => ({ outcome: 'ran', printed });

/** A configuration file of a role. */
async function checkConfig(file: string, text: string): Promise<void> {
  const isParty = 'party' in (JSON.parse(text) as object);
  await (isParty ? readPartyConfig(file) : readDealerConfig(file));
}

/** A kernel, as the builds would compile it: without exceptions, for the machine that every other one can do. */
async function checkCpp(file: string): Promise<void> {
  const flags = ['-std=c++20', '-fsyntax-only', '-Wall', '-Wextra', '-Werror', '-fno-exceptions'];
  await promisify(execFile)('g++', [...flags, '-DCT_TARGET=baseline', file]);
}

/** Lines that stand in the page must be printed in that order; "..." stands for anything. */
function compare(expected: string, printed: string): Outcome {
  const pattern = expected
    .trim()
    .split('...')
    .map((part) =>
      part
        .trim()
        .replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')
        .replaceAll(/\s+/g, '\\s+'),
    )
    .join('[^]*?');
  if (!new RegExp(pattern).test(printed)) throw new Error(`this is not what was printed:\n${printed}`);
  return 'compared';
}

let python: Promise<string | undefined> | undefined;

/** A Python with PyTorch, if this machine has one. */
function pythonWithTorch(): Promise<string | undefined> {
  const find = async (): Promise<string | undefined> => {
    for (const name of ['python3', '/usr/bin/python3']) {
      const found = promisify(execFile)(name, ['-c', 'import torch, onnx']);
      if (
        await found.then(
          () => true,
          () => false,
        )
      )
        return name;
    }
    return undefined;
  };
  python ??= find();
  return python;
}
