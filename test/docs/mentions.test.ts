// What the documentation mentions exists: commands and options in code spans, files, error codes, targets of links.

import { execFile } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { promisify } from 'node:util';
import test from 'ava';
import { errorTable } from '../../lib/errors';
import { version } from '../../package.json';
import { allOptions, commandsOf, wrongWith } from './commands';
import { type Page, pageNames, ROOT, readPage } from './pages';

const pages: Page[] = pageNames().map(readPage);
const options: Set<string> = allOptions();

/** Folders of the repository that paths in the pages may begin with. */
const FOLDERS = ['lib', 'native', 'test', 'bench', 'scripts', 'docs', 'examples', '.ci'];
const files: string[] = FOLDERS.flatMap((folder) =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => !name.includes('node_modules'))
    .map((name) => `${folder}/${name}`),
);

/** Everything that is wrong on a page, as `page: what`. */
function wrongOn(t: { deepEqual(a: unknown, b: unknown): boolean }, check: (page: Page) => string[]): void {
  t.deepEqual(
    pages.flatMap((page) => check(page).map((what) => `${page.name}: ${what}`)),
    [],
  );
}

test('commands in code spans and blocks exist, with their options', (t) => {
  wrongOn(t, ({ spans, blocks }) => {
    const written = blocks.flatMap((b) => b.path ?? []);
    const shell = blocks.filter((b) => b.language === 'sh' || b.language === 'bash');
    return [...spans, ...shell.flatMap((b) => commandsOf(b.text))].flatMap((command) =>
      wrongWith(command, written),
    );
  });
});

test('an option in a code span is one of the command line, or follows its command', (t) => {
  wrongOn(t, ({ name, spans }) => {
    const own = ['README.md', 'docs/cli.md', 'docs/guide.md', 'SECURITY.md', 'docs/two-organisations.md'];
    if (!own.includes(name)) return [];
    const named = spans
      .filter((s) => /^--?[a-z]/.test(s))
      .flatMap((s) => s.match(/(?<=^|, )--?[a-z-]+/g) ?? []);
    return named
      .filter((option) => !options.has(option))
      .map((option) => `no command has an option ${option}`);
  });
});

test('files in code spans exist', (t) => {
  const inTree = (path: string): boolean =>
    files.some((file) => file === path || file.endsWith(`/${path}`) || file.startsWith(`${path}/`));
  wrongOn(t, ({ spans, blocks }) => {
    const written = blocks.flatMap((b) => b.path ?? []);
    return spans
      .filter((s) => FOLDERS.includes(s.split('/')[0]!) && /^[\w.-]+(\/[\w.-]+)+\/?$/.test(s))
      .map((s) => s.replace(/\/$/, ''))
      .filter((path) => !inTree(path) && !written.includes(path))
      .map((path) => `there is no ${path}`);
  });
});

test('links inside the repository lead somewhere', (t) => {
  const byName = new Map(pages.map((p) => [p.name, p]));
  wrongOn(t, ({ name, links, anchors }) =>
    links
      .filter((link) => !/^[a-z]+:/.test(link))
      .flatMap((link) => {
        const [path, anchor] = link.split('#') as [string, string?];
        const target = path === '' ? name : normalize(join(dirname(name), path)).replace(/\/$/, '');
        if (!existsSync(join(ROOT, target))) return [`${link} leads to nothing`];
        if (anchor === undefined) return [];
        const there = path === '' ? anchors : byName.get(target)?.anchors;
        return there?.has(anchor) ? [] : [`${link}: there is no such heading`];
      }),
  );
});

test('what pages of the package link to is in the package', async (t) => {
  const args = ['pack', '--dry-run', '--json', '--ignore-scripts'];
  const { stdout } = await promisify(execFile)('npm', args, { cwd: ROOT });
  // An array, or since npm 12 an object by name.
  const [packed] = Object.values(JSON.parse(stdout) as Record<string, { files: { path: string }[] }>);
  const inPackage = new Set(packed!.files.flatMap(({ path }) => [path, dirname(path)]));
  wrongOn(t, ({ name, links }) =>
    links
      .filter((link) => inPackage.has(name) && !/^([a-z]+:|#)/.test(link))
      .map((link) => normalize(join(dirname(name), link.split('#')[0]!)).replace(/\/$/, ''))
      .filter((target) => !inPackage.has(target))
      .map((target) => `${target} is not in the package`),
  );
  t.true(inPackage.has('README.md') && inPackage.has('docs/guide.md'));
});

test('a tarball is named after the version that there is', (t) => {
  wrongOn(t, ({ blocks }) =>
    blocks
      .flatMap((b) => [...b.text.matchAll(/cryptorch-native-(\S+)\.tgz/g)])
      .filter(([, v]) => v !== version)
      .map(([name]) => `${name}: the version is ${version}`),
  );
});

test('error codes on the pages are codes', (t) => {
  wrongOn(t, ({ spans }) =>
    spans
      .flatMap((s) => [...s.matchAll(/ERR_CRYPTORCH_([A-Z_]+)/g)])
      .filter(([, code]) => !Object.hasOwn(errorTable, code!))
      .map(([code]) => `${code} is no code`),
  );
});

test('every page can be reached from README.md', (t) => {
  const seen = new Set<string>();
  const visit = (name: string): void => {
    const page = pages.find((p) => p.name === name);
    if (page === undefined || seen.has(name)) return;
    seen.add(name);
    for (const link of page.links) {
      const target = normalize(join(dirname(name), link.split('#')[0]!)).replace(/\/$/, '');
      const folder = existsSync(join(ROOT, target)) && statSync(join(ROOT, target)).isDirectory();
      visit(folder ? join(target, 'README.md') : target);
    }
  };
  visit('README.md');
  t.deepEqual(
    pages.map((p) => p.name).filter((name) => !seen.has(name)),
    [],
  );
});
