// Formats every C++ source of native/ in place, or with --check only reports what would change (exit code 1).
// CLANG_FORMAT names another executable than clang-format.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';

const check = process.argv.includes('--check');
const sources = readdirSync('native', { recursive: true, encoding: 'utf8' })
  .filter((path) => /\.(cpp|hpp|cu|cuh|c|h|inc)$/.test(path))
  .map((path) => join('native', path))
  .sort();

if (sources.length > 0) {
  const mode = check ? ['--dry-run', '--Werror'] : ['-i'];
  const command = process.env.CLANG_FORMAT ?? 'clang-format';
  const run = spawnSync(command, [...mode, ...sources], { stdio: 'inherit' });
  if (run.error) {
    console.error(`cannot run ${command}: ${run.error.message}. Install clang-format or set CLANG_FORMAT.`);
  }
  process.exitCode = run.status === 0 ? 0 : 1;
}
