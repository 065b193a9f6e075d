// `cryptorch doctor`: what this installation consists of and whether it works. Every line that fails says what to do;
// the exit code is 1 if there is one.

import { fork } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { availableParallelism, freemem, totalmem } from 'node:os';
import { extname, join, relative, resolve } from 'node:path';
import { Command } from 'commander';
import { describePlatform, platform } from '../binary';
import { CryptorchError, type ErrorCode, type ErrorName, errorTable } from '../errors';
import { type Isa, loadNative, type Native } from '../native';
import type { SelfTest, SelfTestAnswer } from './self-test';

const ROOT: string = resolve(__dirname, '..', '..');
const SELF_TEST_MS = 60_000;

/** One line of the report. */
export interface Check {
  readonly name: string;
  /** `none`: cannot be had here, or was not tried because something before it failed. */
  readonly status: 'ok' | 'failed' | 'none';
  readonly text: string;
  /** What to do, where it failed. */
  readonly remedy?: string;
  /** The same as values, for programs. */
  readonly values?: Readonly<Record<string, unknown>>;
}

export function doctorCommand(): Command {
  return new Command('doctor')
    .description('check this installation, with a small private run for every instruction set and over TLS')
    .option('--json', 'print one JSON object instead of lines')
    .action(doctor);
}

async function doctor(options: { json?: boolean }): Promise<void> {
  const checks: Check[] = [];
  const tell = (check: Check): void => {
    checks.push(check);
    if (!options.json) process.stdout.write(lines(check));
  };
  for await (const check of examine()) tell(check);
  const ok = checks.every(({ status }) => status !== 'failed');
  if (options.json) process.stdout.write(`${JSON.stringify({ ok, checks })}\n`);
  if (!ok) process.exitCode = 1;
}

function lines({ name, status, text, remedy }: Check): string {
  const mark = { ok: 'ok', failed: 'FAILED', none: '-' }[status];
  const first = `${mark.padEnd(7)} ${name.padEnd(20)} ${text}\n`;
  return remedy === undefined ? first : `${first}${' '.repeat(29)}${remedy}\n`;
}

async function* examine(): AsyncGenerator<Check> {
  const { name, version, engines } = manifest();
  yield { name: 'package', status: 'ok', text: `${name} ${version}`, values: { version } };
  yield nodeCheck(engines.node);
  const where = platform();
  yield { name: 'platform', status: 'ok', text: describePlatform(where), values: { ...where } };
  yield machine();
  const { check, addon } = addonCheck(version);
  yield check;
  const isas = kernelsCheck(addon);
  yield isas.check;
  const tls = tlsCheck(addon);
  yield tls;
  yield {
    name: 'CUDA',
    status: 'none',
    text: 'not part of this build: all computation is on the processor',
    values: { available: false },
  };
  for (const isa of isas.available) yield selfTest(`run, ${isa}`, 'local', { CRYPTORCH_ISA: isa });
  if (tls.status === 'ok' && isas.available.length > 0) yield selfTest('run, TLS', 'tls', {});
}

function manifest(): { name: string; version: string; engines: { node: string } } {
  return JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
}

/** `needed` as in ">=20.19". */
function nodeCheck(needed: string): Check {
  const parts = (text: string): number[] => (text.match(/\d+/g) ?? []).map(Number);
  const [least, own] = [parts(needed), parts(process.versions.node)];
  const at = least.findIndex((part, i) => part !== own[i]);
  const values = { version: process.versions.node, needed, napi: Number(process.versions.napi) };
  if (at < 0 || own[at]! > least[at]!)
    return { name: 'Node.js', status: 'ok', text: process.version, values };
  const remedy = `Install Node.js ${least.join('.')} or newer.`;
  return { name: 'Node.js', status: 'failed', text: `${process.version} is too old`, remedy, values };
}

function machine(): Check {
  const gib = (bytes: number): string => `${(bytes / 2 ** 30).toFixed(1)} GiB`;
  // What a container may use, where that is less than what the machine has.
  const constrained = process.constrainedMemory();
  const memory = constrained > 0 && constrained < totalmem() ? constrained : totalmem();
  const cores = availableParallelism();
  return {
    name: 'cores and memory',
    status: 'ok',
    text: `${cores} cores, ${gib(memory)} of memory, ${gib(freemem())} of the machine's free`,
    values: { cores, memory, free: freemem() },
  };
}

function addonCheck(version: string): { check: Check; addon?: Native } {
  try {
    const addon = loadNative(ROOT);
    const inside = relative(ROOT, addon.file);
    const from = inside.startsWith('prebuilds') ? 'prebuilt' : 'built from source';
    const built = addon.version;
    const values = { file: addon.file, from, version: built };
    if (built === version)
      return { check: { name: 'addon', status: 'ok', text: `${from}: ${inside}`, values }, addon };
    const text = `${inside} is of version ${built}, the package of ${version}`;
    const remedy = 'Remove the folder `build` of the package, or build it again with `cryptorch build`.';
    return { check: { name: 'addon', status: 'failed', text, remedy, values }, addon };
  } catch (error) {
    return { check: failed('addon', error) };
  }
}

/** The instruction sets whose kernels are worth trying. */
function kernelsCheck(addon: Native | undefined): { check: Check; available: readonly Isa[] } {
  const name = 'instruction sets';
  if (!addon) return { check: untried(name), available: [] };
  try {
    const { isa, available } = addon.info();
    const text = `${available.join(', ')}; ${isa} is used${process.env.CRYPTORCH_ISA ? ', as CRYPTORCH_ISA says' : ''}`;
    return { check: { name, status: 'ok', text, values: { isa, available } }, available };
  } catch (error) {
    const remedy = 'Unset CRYPTORCH_ISA, or set it to an instruction set of this processor.';
    return { check: { ...failed(name, error), remedy }, available: [] };
  }
}

function tlsCheck(addon: Native | undefined): Check {
  const name = 'TLS';
  if (!addon) return untried(name);
  const values = { openssl: process.versions.openssl };
  try {
    addon.requireTls();
    return { name, status: 'ok', text: `OpenSSL ${process.versions.openssl} of this Node.js`, values };
  } catch (error) {
    return { ...failed(name, error), values };
  }
}

/** A small run in a process of its own, with environment variables besides those of this process. */
export async function selfTest(name: string, what: SelfTest, env: NodeJS.ProcessEnv): Promise<Check> {
  const started = performance.now();
  const answer = await inOwnProcess(what, env);
  const seconds = (performance.now() - started) / 1000;
  if (answer.ok)
    return { name, status: 'ok', text: `${answer.text} (${seconds.toFixed(1)} s)`, values: { seconds } };
  const remedy =
    what === 'tls'
      ? 'See that 127.0.0.1 can be connected to and that the folder for temporary files can be written.'
      : 'Set CRYPTORCH_ISA to an instruction set whose run succeeds, and report this with the output of --json.';
  return { name, status: 'failed', text: answer.text, remedy, values: { seconds } };
}

function inOwnProcess(what: SelfTest, env: NodeJS.ProcessEnv): Promise<SelfTestAnswer> {
  return new Promise((resolve) => {
    const child = fork(join(__dirname, `self-test${extname(__filename)}`), [what], {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      timeout: SELF_TEST_MS,
      killSignal: 'SIGKILL',
    });
    const started = performance.now();
    child.once('message', (answer) => resolve(answer as SelfTestAnswer));
    child.once('error', (error) => resolve({ ok: false, text: error.message }));
    child.once('close', (code, signal) => {
      const late = performance.now() - started >= SELF_TEST_MS;
      const how = late
        ? `took more than ${SELF_TEST_MS / 1000} s`
        : `ended with ${signal ?? `exit code ${code}`}`;
      resolve({ ok: false, text: `the process of the run ${how}` });
    });
  });
}

function untried(name: string): Check {
  return { name, status: 'none', text: 'not tried without the addon' };
}

function failed(name: string, error: unknown): Check {
  const text = error instanceof Error ? error.message : String(error);
  const remedy = CryptorchError.is(error) ? remedyOf(error.code) : errorTable.INTERNAL.remedy;
  return { name, status: 'failed', text, remedy };
}

function remedyOf(code: ErrorCode): string {
  return errorTable[code.slice('ERR_CRYPTORCH_'.length) as ErrorName].remedy;
}
