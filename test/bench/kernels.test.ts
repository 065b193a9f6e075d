import { execFile, execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import test from 'ava';
import { BINDING, measure, type Work } from '../../bench/kernels/binding';
import type { Ratio } from '../../bench/kernels/ratio';
import { native } from '../../lib/native';

const ROOT = join(__dirname, '..', '..');

interface Report {
  readonly environment: { readonly kernels: string };
  readonly load: { readonly before: string; readonly after: string };
  readonly ratios: readonly (Ratio & { readonly met: boolean })[];
}

/** How many ratios each suite has at least. */
const SUITES = { products: 20, convolutions: 16, expansion: 1, protocols: 4, rounds: 2, threads: 3 };

test('bench kernels measures every ratio and says what its goal is', async (t) => {
  const args = ['--import', 'tsx', 'bench/main.ts', 'kernels', '--quick', '--json'];
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: ROOT });
  const { environment, load, ratios } = JSON.parse(stdout) as Report;
  t.is(environment.kernels, native().info().isa);
  t.true(load.before !== '' && load.after !== '');
  for (const [suite, least] of Object.entries(SUITES)) {
    const found = ratios.filter((r) => r.suite === suite);
    t.true(found.length >= least, suite);
    t.is(new Set(found.map((r) => r.name)).size, found.length);
  }
  for (const r of ratios) {
    t.true(r.suite in SUITES);
    t.true(Number.isFinite(r.value) && r.value > 0, r.name);
    t.true(r.goal > 0 && r.of !== '', r.name);
    t.is(r.met, r.bound === 'at least' ? r.value >= r.goal : r.value <= r.goal);
  }
});

test('the amount of work of a call follows from its shape', (t) => {
  const kinds = new Map<string, Work>([
    ['matmul', { kind: 'matmul', shape: [3, 5, 7, 11, 1, 0] }],
    ['conv2d', { kind: 'conv2d', shape: [2, 3, 9, 7, 4, 3, 2, 1] }],
    ['stream', { kind: 'stream', shape: [1024] }],
    ['cipher', { kind: 'cipher', shape: [48] }],
    ['expansion', { kind: 'expansion', shape: [48] }],
  ]);
  const of = measure({ repetitions: 3, seconds: 0 }, kinds);
  t.is(of('matmul').work, 3 * 5 * 7 * 11);
  t.is(of('conv2d').work, 2 * 4 * 3 * 9 * 5 * 4);
  t.is(of('stream').work, 1024);
  t.is(of('cipher').work, 48);
  t.is(of('expansion').work, 48);
  for (const name of kinds.keys()) t.is(of(name).seconds.length, 3);
});

// A compiler that sees through such a loop leaves fewer multiplications or none, and the bound would be far too high.
(process.arch === 'x64' && process.platform === 'linux' ? test : test.skip)(
  'the loop that products are compared with multiplies and adds in registers',
  (t) => {
    const loops = { avx512: ['vpmullq', 16, 'vpaddq', 16], avx2: ['vpmuludq', 18, 'vpaddq', 18] } as const;
    for (const [isa, [multiply, multiplications, add, additions]] of Object.entries(loops)) {
      const symbol = `multiply_add_${isa}`;
      const text = execFileSync('objdump', ['-d', '--no-show-raw-insn', `--disassemble=${symbol}`, BINDING], {
        encoding: 'utf8',
      });
      const lines = text.split('\n').filter((line) => /^\s+[0-9a-f]+:/.test(line));
      const back = lines.findIndex((line) => /\tj[a-z]+ /.test(line) && target(line) < address(line));
      t.true(back > 0, `${symbol} has a loop`);
      const body = lines.slice(0, back).filter((line) => address(line) >= target(lines[back] as string));
      const count = (name: string): number => body.filter((line) => line.includes(`\t${name} `)).length;
      t.is(count(multiply), multiplications);
      t.is(count(add), additions);
      t.is(body.filter((line) => /\(%/.test(line)).length, 0, 'nothing is loaded or stored');
    }
  },
);

function address(line: string): number {
  return Number.parseInt(line, 16);
}

function target(line: string): number {
  return Number.parseInt(/\tj[a-z]+ +([0-9a-f]+)/.exec(line)?.[1] ?? '', 16);
}
