import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { type Check, selfTest } from '../../lib/cli/doctor';
import { native } from '../../lib/native';
import { cryptorchWith } from '../helpers/cli';

interface Report {
  readonly ok: boolean;
  readonly checks: readonly Check[];
}

const NOWHERE = join(__dirname, 'nowhere');

async function doctor(t: ExecutionContext, code: number, env: NodeJS.ProcessEnv = {}): Promise<Report> {
  t.timeout(300_000);
  const done = await cryptorchWith(env, 'doctor', '--json');
  t.is(done.code, code, done.stdout + done.stderr);
  return JSON.parse(done.stdout);
}

function named({ checks }: Report, name: string): Check {
  const found = checks.find((check) => check.name === name);
  if (!found) throw new Error(`there is no line "${name}"`);
  return found;
}

const withStatus = ({ checks }: Report, wanted: Check['status']): string[] =>
  checks.filter(({ status }) => status === wanted).map(({ name }) => name);

test('a sound installation: everything is told, and every instruction set and TLS have run', async (t) => {
  const report = await doctor(t, 0);
  t.true(report.ok);
  t.deepEqual(withStatus(report, 'none'), ['CUDA']);
  const { available, isa } = native().info();
  t.deepEqual(
    report.checks.map(({ name }) => name),
    [
      ...['package', 'Node.js', 'platform', 'cores and memory', 'addon', 'instruction sets', 'TLS', 'CUDA'],
      ...[...available, 'TLS'].map((what) => `run, ${what}`),
    ],
  );
  const { node, napi, openssl } = process.versions;
  t.like(named(report, 'Node.js').values, { version: node, napi: Number(napi) });
  t.like(named(report, 'platform').values, { platform: process.platform, arch: process.arch });
  t.like(named(report, 'addon').values, { file: native().file, version: native().version });
  t.like(named(report, 'instruction sets').values, { isa, available });
  t.is(named(report, 'TLS').values?.openssl, openssl);
  for (const set of available) t.regex(named(report, `run, ${set}`).text, new RegExp(`kernels for ${set} `));
});

test('without a binary, it is said how to get one, and nothing else is tried', async (t) => {
  const env = { CRYPTORCH_NATIVE_PREBUILD: NOWHERE };
  const report = await doctor(t, 1, env);
  t.false(report.ok);
  t.deepEqual(withStatus(report, 'failed'), ['addon']);
  t.deepEqual(withStatus(report, 'none'), ['instruction sets', 'TLS', 'CUDA']);
  t.regex(named(report, 'addon').text, /Build it from source with `.*`/);
  const { code, stdout } = await cryptorchWith(env, 'doctor');
  t.is(code, 1);
  t.regex(stdout, /^ok +package +cryptorch-native \d/m);
  t.regex(stdout, /^FAILED +addon +There is no native binary for .*\n +Build it from source/m);
});

test('an instruction set that is not there is refused', async (t) => {
  const report = await doctor(t, 1, { CRYPTORCH_ISA: 'abacus' });
  t.deepEqual(withStatus(report, 'failed'), ['instruction sets']);
  t.regex(named(report, 'instruction sets').text, /abacus/);
  t.regex(named(report, 'instruction sets').remedy!, /Unset CRYPTORCH_ISA/);
});

test('a run that fails or crashes is a failed line with a remedy', async (t) => {
  t.timeout(120_000);
  const env = { NODE_OPTIONS: '--require tsx/cjs' };
  const fails = await selfTest('run', 'local', { ...env, CRYPTORCH_ISA: 'abacus' });
  t.is(fails.status, 'failed');
  t.regex(fails.text, /abacus/);
  t.regex(fails.remedy!, /CRYPTORCH_ISA/);
  const crashes = await selfTest('run', 'tls', { NODE_OPTIONS: '--require ./nowhere' });
  t.is(crashes.status, 'failed');
  t.regex(crashes.text, /ended with exit code 1/);
  t.regex(crashes.remedy!, /127\.0\.0\.1/);
});
