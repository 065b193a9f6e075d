// The pages of the documentation, and what is in them that can be checked: fenced blocks of code, code spans, links and
// headings.
//
// How a block is written says what it is (CONTRIBUTING.md, Documentation): a paragraph "`path`:" before a block makes it
// a file of that name; "It prints:" makes a block of text the output of what ran before it.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export const ROOT: string = join(__dirname, '..', '..');

export interface Block {
  readonly page: string;
  /** Of its first line, from 1. */
  readonly line: number;
  readonly language: string;
  readonly text: string;
  /** The file that the block is, if the paragraph before it is a file name and a colon. */
  readonly path?: string;
  /** The paragraph before it ends in "prints:". */
  readonly isOutput: boolean;
}

export interface Page {
  /** Relative to the repository. */
  readonly name: string;
  readonly blocks: readonly Block[];
  /** Lines indented by four spaces, which render as code and which nobody would check. */
  readonly indented: readonly number[];
  /** Code spans outside blocks. */
  readonly spans: readonly string[];
  /** Targets of links, as written. */
  readonly links: readonly string[];
  /** Anchors of the headings. */
  readonly anchors: ReadonlySet<string>;
}

const FENCE = /^( *)```(\S*)\s*$/;

export function readPage(name: string): Page {
  return parsePage(name, readFileSync(join(ROOT, name), 'utf8'));
}

export function parsePage(name: string, source: string): Page {
  const lines = source.split('\n');
  const blocks: Block[] = [];
  const indented: number[] = [];
  const prose: string[] = [];
  for (let i = 0; i < lines.length; i++) {
    const fence = FENCE.exec(lines[i]!);
    if (fence === null) {
      const code = /^ {4,}\S/.test(lines[i]!) && lines[i - 1]?.trim() === '' && !inList(lines, i);
      if (code) indented.push(i + 1);
      prose.push(lines[i]!);
      continue;
    }
    const [, indent, language] = fence as unknown as [string, string, string];
    const start = i + 1;
    while (++i < lines.length && lines[i]!.trim() !== '```');
    if (i === lines.length) throw new Error(`${name}:${start}: the block is not closed`);
    const text = lines.slice(start, i).map((l) => (l.startsWith(indent) ? l.slice(indent.length) : l));
    const before = paragraphBefore(lines, start - 1);
    const path = /(?:^|\s)`([^`\s]+\.\w+)`:$/.exec(before)?.[1];
    blocks.push({
      page: name,
      line: start + 1,
      language,
      text: `${text.join('\n')}\n`,
      ...(path !== undefined && { path }),
      isOutput: /\bprints:$/.test(before),
    });
    prose.push('');
  }
  const text = prose.join('\n');
  // Spans may go over the end of a line, links may contain spans.
  const spans = [...text.matchAll(/(?<!`)`([^`]+)`(?!`)/g)].map(([, span]) => span!.replace(/\s+/g, ' '));
  const links = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target!);
  const anchors = new Set([...text.matchAll(/^#+ (.*)$/gm)].map(([, heading]) => anchorOf(heading!)));
  return { name, blocks, indented, spans, links, anchors };
}

/** Whether an indented line belongs to an item of a list above it. */
function inList(lines: readonly string[], at: number): boolean {
  for (let i = at - 1; i >= 0; i--) {
    if (/^\s*(\d+\.|[-*]) /.test(lines[i]!)) return true;
    if (/^\S/.test(lines[i]!)) return false;
  }
  return false;
}

function paragraphBefore(lines: readonly string[], fence: number): string {
  let end = fence - 1;
  while (end >= 0 && lines[end]!.trim() === '') end--;
  let start = end;
  while (start > 0 && lines[start - 1]!.trim() !== '') start--;
  return lines
    .slice(Math.max(start, 0), end + 1)
    .map((l) => l.trim())
    .join(' ');
}

/** The anchor that GitHub gives a heading. */
function anchorOf(heading: string): string {
  return heading
    .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .toLowerCase()
    .replace(/[^\w\- ]/g, '')
    .replaceAll(' ', '-');
}

/** Every page of the repository that is documentation. */
export function pageNames(): string[] {
  const top = readdirSync(ROOT).filter((name) => name.endsWith('.md'));
  const below = ['docs', 'examples'].flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.md') && !name.includes('node_modules'))
      .map((name) => `${folder}/${name}`),
  );
  return [...top, ...below].sort();
}
