// docs/two-organisations.md, done as it is written: its configuration files are written under their names, its commands
// run in order by one shell, with addresses on this machine and ports that are free.

import { spawn } from 'node:child_process';
import { chmod, copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import test from 'ava';
import * as ort from 'onnxruntime-node';
import { readNpz } from '../../lib/model/npz';
import { example, type Finished, temporaryFolder } from '../helpers/cli';

const ROOT = join(__dirname, '..', '..');

interface Steps {
  readonly files: readonly { readonly path: string; readonly content: string }[];
  readonly commands: readonly string[];
}

/** What the model says to the image of the guide's section 5. */
async function plaintext(model: string): Promise<Float32Array> {
  const session = await ort.InferenceSession.create(model, { logSeverityLevel: 4 });
  const image = new ort.Tensor('float32', new Float32Array(64).fill(0.5), [1, 1, 8, 8]);
  return (await session.run({ image })).logits!.data as Float32Array;
}

function stepsOf(page: string): Steps {
  const files = [...page.matchAll(/^`([^`\n]+\.json)`:\n\n```json\n(.*?)^```$/gms)].map(
    ([, path, content]) => ({ path: path!, content: content! }),
  );
  const commands = [...page.matchAll(/^```bash\n(.*?)^```$/gms)].map(([, text]) => text!);
  return { files, commands };
}

/** Ports that nobody uses just now. */
async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  const ports = await Promise.all(
    servers.map(
      (server) =>
        new Promise<number>((resolve) =>
          server.once('listening', () => resolve((server.address() as { port: number }).port)),
        ),
    ),
  );
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

/** `bash -c`, in a process group of its own so that nothing it started outlives the test. */
function shell(
  script: string,
  cwd: string,
  path: string,
  onStart: (end: () => void) => void,
): Promise<Finished> {
  return new Promise((resolve, reject) => {
    const env = { ...process.env, NODE_DEBUG: '', PATH: `${path}:${process.env.PATH}` };
    const child = spawn('bash', ['-c', script], { cwd, env, detached: true });
    onStart(() => {
      try {
        process.kill(-child.pid!, 'SIGKILL');
      } catch {
        // All of it has ended.
      }
    });
    let [stdout, stderr] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, stdout, stderr }));
  });
}

test('every command of docs/two-organisations.md works', async (t) => {
  t.timeout(180_000);
  const folder = await temporaryFolder(t);
  const bin = join(folder, 'bin');
  await mkdir(bin);
  const loader = pathToFileURL(require.resolve('tsx')).href;
  const cli = join(ROOT, 'lib', 'cli', 'main.ts');
  await writeFile(
    join(bin, 'cryptorch'),
    `#!/bin/sh\nexec '${process.execPath}' --import '${loader}' '${cli}' "$@"\n`,
  );
  await chmod(join(bin, 'cryptorch'), 0o755);
  for (const name of ['digits.onnx', 'rounded.onnx', 'images.npy'])
    await copyFile(example('digits', name), join(folder, name));

  const [dealer, hospital, http] = (await freePorts(3)) as [number, number, number];
  const here = (text: string): string =>
    text
      .replaceAll(/(dealer|hospital)\.example:/g, '127.0.0.1:')
      .replaceAll('0.0.0.0:', '127.0.0.1:')
      .replaceAll(':7700', `:${dealer}`)
      .replaceAll(':7701', `:${hospital}`)
      .replaceAll(':8080', `:${http}`);
  const { files, commands } = stepsOf(await readFile(join(ROOT, 'docs', 'two-organisations.md'), 'utf8'));
  t.is(files.length, 4);
  t.true(commands.length > 8);
  for (const { path, content } of files) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), here(content));
  }
  const script = ['set -euo pipefail', ...commands.map(here)].join('\n');
  const { code, stdout, stderr } = await shell(script, folder, bin, (end) => t.teardown(end));
  t.is(code, 0, `${stdout}\n${stderr}`);
  t.regex(stdout, /"outputs":\{"logits":\{"shape":\[1,10\]/);
  t.regex(stdout, /Private initialisers: /);
  const scores = readNpz(await readFile(join(folder, 'hospital', 'scores.npz')), 'scores.npz').get('logits');
  t.deepEqual(scores?.shape, [360, 10]);
  // Stopped and started again with the same weights: nothing was opened a second time. Then with other ones.
  const setups = [...stderr.matchAll(/setup of epoch (\d+): [\d.]+ ms/g)].map(([, epoch]) => epoch!);
  t.deepEqual(setups.sort(), ['1', '1', '1', '2', '2', '2'], 'three roles, two setups');
  const answers = [...stdout.matchAll(/"logits":(\{.*?\})/g)].map(
    ([, text]) => (JSON.parse(text!) as { readonly data: readonly number[] }).data,
  );
  t.is(answers.length, 2);
  for (const [i, model] of ['digits.onnx', 'rounded.onnx'].entries()) {
    const expected = await plaintext(example('digits', model));
    t.true(answers[i]!.every((score, j) => Math.abs(score - expected[j]!) < 0.01));
  }
});
