// Packs the package and installs it in an empty folder, where there is no compiler, no make and no Python, and nothing is
// downloaded: dependencies come from npm's cache, which `npm ci` has filled. There, `require` and `import` compute the
// example model, `cryptorch doctor` finds nothing wrong, and a missing or foreign binary is explained.
//
//   npm run build:ts && npm run build:release && node --import tsx scripts/check-package.ts [--build]
//
// With --build, `cryptorch build` then builds the installed package from source, with all tools, which takes minutes.

import assert from 'node:assert/strict';
import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

const ROOT: string = join(__dirname, '..');
const NAME = 'cryptorch-native';
/** All that an installed package may need: npm and the shell that it starts commands with. */
const TOOLS = ['node', 'npm', 'npx', 'sh', 'env'];

type Finished = SpawnSyncReturns<string>;

interface Packed {
  readonly filename: string;
  readonly size: number;
  readonly unpackedSize: number;
  readonly integrity: string;
  readonly files: readonly { readonly path: string }[];
}

/** Computes the example twice, on shares and as its cleartext twin, with the names that are loaded before it. */
const CONSUMER = `
const { readFileSync } = require('node:fs');
const [folder] = process.argv.slice(2);
async function main() {
  const images = readFileSync(folder + '/images.npy').subarray(-4 * 64 * 4);
  const x = tensor(new Float32Array(images.buffer.slice(images.byteOffset, images.byteOffset + images.length)), [4, 1, 8, 8]);
  const model = await compile(folder + '/digits.onnx', { shapes: { image: [4, 1, 8, 8] } });
  const [private_, clear] = await Promise.all(
    [false, true].map((cleartext) => runLocal(model, { image: x }, { seed: 'package', cleartext })),
  );
  const numbers = ({ outputs }) => [...outputs.logits.data];
  if (numbers(private_).join() !== numbers(clear).join()) throw new Error('the private run and its cleartext differ');
  console.log(JSON.stringify(numbers(private_)));
}
main().catch((error) => {
  console.log(JSON.stringify({ code: error.code, message: error.message }));
  process.exit(CryptorchError.is(error) ? 3 : 1);
});`;

function main(): void {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'cryptorch-package-')));
  try {
    const packed = pack(folder);
    checkFiles(packed);
    const bare = bareEnvironment(folder);
    const home = install(folder, packed, bare);
    checkRuns(home, bare);
    checkRefusals(home, bare);
    if (process.argv.includes('--build')) checkBuild(home);
    console.log(`package: ${packed.filename}, ${packed.size} bytes, works as installed`);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function run(command: string, args: readonly string[], cwd: string, env: NodeJS.ProcessEnv): Finished {
  const done = spawnSync(command, args, { cwd, env, encoding: 'utf8', maxBuffer: 1 << 26 });
  if (done.error) throw done.error;
  return done;
}

function succeed(command: string, args: readonly string[], cwd: string, env: NodeJS.ProcessEnv): string {
  const { status, stdout, stderr } = run(command, args, cwd, env);
  assert.equal(status, 0, `${command} ${args.join(' ')}\n${stdout}${stderr}`);
  return stdout;
}

function pack(folder: string): Packed {
  const args = ['pack', '--json', '--ignore-scripts', '--pack-destination', folder];
  const told = succeed('npm', args, ROOT, process.env);
  // npm 10 builds all the same, and tells that first.
  const json = told.slice(told.search(/^[[{]/m));
  const [packed] = Object.values(JSON.parse(json) as Record<string, Packed>);
  return packed!;
}

function checkFiles({ files }: Packed): void {
  const paths = new Set(files.map(({ path }) => path));
  const sources = JSON.parse(readFileSync(join(ROOT, 'native', 'sources.json'), 'utf8')) as Record<
    string,
    string[]
  >;
  for (const path of [
    ...[
      'dist/index.js',
      'dist/index.d.ts',
      'dist/compiler/index.js',
      'dist/cli/main.js',
      'LICENSE',
      'README.md',
    ],
    ...['CMakeLists.txt', 'native/addon.gypi', 'native/sources.json', 'native/exports.map', prebuilt()],
    ...['kernels', 'dispatch', 'core', 'net', 'addon'].flatMap((part) => sources[part]!),
  ]) {
    assert.ok(paths.has(path), `${path} is not in the package`);
  }
  // npm builds an installed package with a binding.gyp, whatever its package.json says.
  const unwanted = /(^|\/)(test|fuzz|build)\/|^binding\.gyp$|\.[jt]s\.map$|\.o$|tsbuildinfo/;
  const foreign = [...paths].filter((path) => unwanted.test(path));
  assert.deepEqual(foreign, [], 'files that do not belong in the package');
}

/** The binary of this machine; nothing but the entry points of Node-API can be seen in it. */
function prebuilt(): string {
  const folder = `prebuilds/${process.platform}-${process.arch}`;
  const [file, ...more] = readdirSync(join(ROOT, folder));
  assert.ok(file !== undefined && more.length === 0, `${folder} must hold one file`);
  if (process.platform === 'linux') {
    assert.match(file, /\.(glibc|musl)\.node$/);
    const names = succeed(
      'nm',
      ['-D', '--defined-only', '--format=just-symbols', join(folder, file)],
      ROOT,
      process.env,
    );
    assert.deepEqual(names.trim().split('\n').sort(), [
      'napi_register_module_v1',
      'node_api_module_get_api_version_v1',
    ]);
  }
  return `${folder}/${file}`;
}

/** That of this process, but with nothing to find except TOOLS. */
function bareEnvironment(folder: string): NodeJS.ProcessEnv {
  const bin = join(folder, 'bin');
  mkdirSync(bin);
  for (const tool of TOOLS) symlinkSync(located(tool), join(bin, tool));
  const { CC: _, CXX: __, npm_config_nodedir: ___, ...env } = process.env;
  return { ...env, PATH: bin, npm_config_offline: 'true' };
}

function located(tool: string): string {
  if (tool === 'node') return process.execPath;
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    try {
      return realpathSync(join(folder, tool));
    } catch {
      // The next one.
    }
  }
  throw new Error(`there is no ${tool} on the PATH`);
}

/** Installs the tarball into a new folder, with its dependencies in the versions of this checkout's lock. */
function install(folder: string, { filename, integrity }: Packed, env: NodeJS.ProcessEnv): string {
  const home = join(folder, 'home');
  mkdirSync(home);
  const file = `file:../${filename}`;
  const root = { name: 'home', version: '1.0.0', private: true, dependencies: { [NAME]: file } };
  writeFileSync(join(home, 'package.json'), JSON.stringify(root));
  const lock = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8'));
  const { '': own, ...others } = lock.packages as Record<string, { dev?: boolean; devOptional?: boolean }>;
  const needed = Object.entries(others).filter(([, { dev, devOptional }]) => !dev && !devOptional);
  const packages = {
    '': root,
    [`node_modules/${NAME}`]: { ...own, devDependencies: undefined, resolved: file, integrity },
    ...Object.fromEntries(needed),
  };
  writeFileSync(join(home, 'package-lock.json'), JSON.stringify({ ...lock, name: 'home', packages }));
  succeed('npm', ['install', '--no-audit', '--no-fund'], home, env);
  return home;
}

function checkRuns(home: string, env: NodeJS.ProcessEnv): void {
  const names = '{ compile, runLocal, tensor, CryptorchError }';
  writeFileSync(join(home, 'consumer.cjs'), `const ${names} = require('${NAME}');${CONSUMER}`);
  const load = `import { createRequire } from 'node:module';\nconst require = createRequire(import.meta.url);`;
  writeFileSync(join(home, 'consumer.mjs'), `import ${names} from '${NAME}';\n${load}${CONSUMER}`);
  const [required, imported] = ['consumer.cjs', 'consumer.mjs'].map((file) =>
    succeed('node', [file, join(ROOT, 'examples', 'digits')], home, env),
  );
  assert.equal(JSON.parse(required!).length, 40);
  assert.equal(required, imported);
  const { ok, checks } = doctor(home, env);
  assert.equal(ok, true);
  assert.equal(checks.find(({ name }) => name === 'addon')?.values.from, 'prebuilt');
}

interface Report {
  readonly ok: boolean;
  readonly checks: readonly { readonly name: string; readonly values: { readonly from?: string } }[];
}

function doctor(home: string, env: NodeJS.ProcessEnv): Report {
  return JSON.parse(succeed('npx', ['--no-install', 'cryptorch', 'doctor', '--json'], home, env));
}

/** Without a binary for a platform, the error names all of it and the command that builds one. */
function checkRefusals(home: string, env: NodeJS.ProcessEnv): void {
  const command = join(home, 'node_modules', NAME, 'dist', 'cli', 'main.js');
  const refused = (parts: readonly string[], node: readonly string[], more: NodeJS.ProcessEnv): void => {
    const args = [...node, 'consumer.cjs', join(ROOT, 'examples', 'digits')];
    const { status, stdout, stderr } = run('node', args, home, { ...env, ...more });
    assert.equal(status, 3, stderr);
    const { code, message } = JSON.parse(stdout);
    assert.equal(code, 'ERR_CRYPTORCH_MISSING_BINARY');
    for (const part of [...parts, `Node-API ${process.versions.napi}`, `node ${command} build`]) {
      assert.ok(message.includes(part), `"${part}" is not in: ${message}`);
    }
  };
  const fake = `for (const [name, value] of [['platform', 'freebsd'], ['arch', 'riscv64']]) Object.defineProperty(process, name, { value });`;
  writeFileSync(join(home, 'elsewhere.cjs'), fake);
  refused(['freebsd riscv64'], ['--require', './elsewhere.cjs'], {});
  if (process.platform === 'linux') refused([`linux ${process.arch} (`], [], { LIBC: 'another' });

  const prebuilds = join(home, 'node_modules', NAME, 'prebuilds');
  renameSync(prebuilds, `${prebuilds}-away`);
  refused([process.platform, process.arch], [], {});
  const told = run('npx', ['--no-install', 'cryptorch', 'doctor'], home, env);
  assert.equal(told.status, 1);
  assert.match(told.stdout, /^FAILED +addon .*\n +Build it from source/m);
  const built = run('node', [command, 'build'], home, env);
  assert.equal(built.status, 1);
  assert.match(built.stderr, /C\+\+20 compiler.*make.*Python.*ERR_CRYPTORCH_MISSING_BINARY/);
}

/** From the sources in the package, with all tools of this machine; the prebuilt binary is still away. */
function checkBuild(home: string): void {
  const main = join(home, 'node_modules', NAME, 'dist', 'cli', 'main.js');
  const started = performance.now();
  succeed('node', [main, 'build'], home, process.env);
  const seconds = Math.round((performance.now() - started) / 1000);
  const { ok, checks } = doctor(home, process.env);
  assert.equal(ok, true);
  assert.equal(checks.find(({ name }) => name === 'addon')?.values.from, 'built from source');
  console.log(`package: built from source in ${seconds} s`);
}

main();
