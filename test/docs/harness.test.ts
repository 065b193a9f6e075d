// The checks of the documentation fail where they should: pages that are wrong on purpose.

import test from 'ava';
import { allOptions, commandsOf, split, wrongWith } from './commands';
import { parsePage } from './pages';
import { runPage } from './run';
import { patched } from './session';

const fenced = (language: string, text: string, before = ''): string =>
  `${before}\n\n\`\`\`${language}\n${text}\n\`\`\`\n`;

const MISSPELT = '{"deployment": ".", "insecure": true, "listen": "127.0.0.1:7700", "thread": 2}';

const WRONG: readonly (readonly [string, string, RegExp])[] = [
  ['a program that throws', fenced('js', "throw new Error('wrong')"), /^page:4: [\s\S]*Error: wrong/],
  ['a program that rejects', fenced('js', "await Promise.reject(new Error('late'))"), /Error: late/],
  [
    'a program with a wrong name',
    fenced('js', "require('cryptorch-native').compil('x')"),
    /compil is not a function/,
  ],
  [
    'a module with a wrong import',
    fenced('js', "import { compil } from 'cryptorch-native';"),
    /does not provide an export|Named export 'compil' not found/,
  ],
  ['types that do not fit', fenced('ts', 'const n: number = "x";\nexport { n };'), /not assignable/],
  ['a command that fails', fenced('sh', 'true\nls no-such-file\ntrue'), /cannot access 'no-such-file'/],
  ['an option that is not there', fenced('sh', 'cryptorch run digits.onnx --fast'), /unknown option/],
  [
    'a script that is not there',
    fenced('sh', 'npm run demos && npm run demo'),
    /no npm script "demos"|demos/,
  ],
  [
    'another output',
    fenced('js', 'console.log(1)') + fenced('text', '2', 'It prints:'),
    /not what was printed/,
  ],
  ['a misspelt entry', fenced('json', MISSPELT, '`dealer/config.json`:'), /In \S+, "thread" /],
  [
    'JSON that is none',
    fenced('json', '{"deployment": ".",}', '`dealer/config.json`:'),
    /Cannot use|JSON at position/,
  ],
  ['JSON without a name', fenced('json', '{}'), /nothing is known of a block in "json"/],
  ['an unknown language', fenced('rust', 'fn main() {}'), /nothing is known of a block in "rust"/],
  ['no language', fenced('', 'cryptorch'), /nothing is known of a block in ""/],
  ['Python that does not parse', fenced('python', 'def f(:'), /SyntaxError/],
  ['C++ that does not compile', fenced('cpp', 'int f() { return x; }', '`a.cpp`:'), /not declared/],
  ['a diff without a place', fenced('diff', ' no such line\n+x', '`images.npy`:'), /no place/],
];

for (const [what, text, message] of WRONG) {
  test.serial(`refused: ${what}`, async (t) => {
    const error = await t.throwsAsync(runPage(t, parsePage('page', text)));
    t.regex(error!.message, message);
  });
}

test('what a page contains', (t) => {
  const page = parsePage(
    'page',
    [
      '# A `b` [c](d.md)',
      '    indented',
      '',
      '    code',
      '1. item',
      '',
      '    more of it',
      '   `a.json`:',
      '',
      '   ```json',
      '   {}',
      '     1',
      '   ```',
      'It prints:',
      '```text',
      'x',
      '```',
    ].join('\n'),
  );
  t.deepEqual([...page.anchors], ['a-b-c']);
  t.deepEqual(page.indented, [4]);
  t.deepEqual(page.spans, ['b', 'a.json']);
  t.deepEqual(page.links, ['d.md']);
  t.deepEqual(page.blocks, [
    { page: 'page', line: 11, language: 'json', text: '{}\n  1\n', path: 'a.json', isOutput: false },
    { page: 'page', line: 16, language: 'text', text: 'x\n', isOutput: true },
  ]);
  t.throws(() => parsePage('page', '```sh\nls'), { message: /not closed/ });
});

test('commands that do not exist are told', (t) => {
  const wrong: Record<string, number> = {
    'npm run demo': 0,
    'npm run demo -- --local --images 3': 0,
    'npm run demo -- --remote': 1,
    'npm run nothing': 1,
    'npm run bench -- models "ResNet-18 32"': 0,
    'npm run bench -- nothing': 1,
    'npx cryptorch run MODEL --input x=a.npy': 0,
    'cryptorch keygen --deployment d --out keys': 0,
    'cryptorch keygen sign a.csr --nothing': 1,
    'cryptorch nothing': 1,
    'scripts/fuzz.sh 30': 0,
    'scripts/nothing.sh': 1,
    'ls --nothing': 0,
  };
  for (const [command, count] of Object.entries(wrong)) t.is(wrongWith(command).length, count, command);
  t.true(allOptions().has('--exact-truncation'));
  t.deepEqual(commandsOf('a \\\n  b # c\n# d\n\ne'), ['a b', 'e']);
  t.deepEqual(split('npm ci\nls').run, 'ls');
});

test('a diff goes where its lines are', (t) => {
  t.is(patched('a\n  b\nc\nb\n', ' a\n b\n+x'), 'a\n  b\nx\nc\nb\n');
  t.is(patched('a\nb\nc\n', '-b\n+x\n@@\n c\n+y'), 'a\nx\nc\ny\n');
  t.throws(() => patched('a\n', ' b\n+c'), { message: /no place/ });
  t.throws(() => patched('a\n', '+c'), { message: /no place/ });
});
