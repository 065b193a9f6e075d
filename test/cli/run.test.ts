import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { readNpy, writeNpy } from '../../lib/model/npy';
import { readNpz, writeNpz } from '../../lib/model/npz';
import { rows, type Tensor, tensor } from '../../lib/tensor';
import { cryptorch, example, temporaryFolder } from '../helpers/cli';

const MODEL = example('digits', 'digits.onnx');
const IMAGES = 3;

/** The first images of the example as a file, and a place for results. */
async function prepare(t: ExecutionContext): Promise<{ images: string; out: string; folder: string }> {
  const folder = await temporaryFolder(t);
  const all = readNpy(await readFile(example('digits', 'images.npy')));
  const images = join(folder, 'images.npy');
  await writeFile(images, writeNpy(rows(all, 0, IMAGES)));
  return { images, out: join(folder, 'out.npz'), folder };
}

async function logits(file: string): Promise<Tensor> {
  return readNpz(await readFile(file)).get('logits')!;
}

test('--json prints exactly one object, with predicted and counted figures that agree', async (t) => {
  const { images, out } = await prepare(t);
  const { code, stdout, stderr } = await cryptorch(
    'run',
    MODEL,
    '--input',
    `image=${images}`,
    '--json',
    '--out',
    out,
  );
  t.is(code, 0, stderr);
  const result = JSON.parse(stdout);
  t.deepEqual(Object.keys(result), ['model', 'parties', 'outputs', 'seconds', 'communication', 'layers']);
  t.is(result.model, 'digits.onnx');
  t.is(result.parties, 2);
  t.deepEqual(result.outputs, { logits: { shape: [IMAGES, 10] } });
  t.deepEqual(Object.keys(result.seconds), ['compile', 'setup', 'offline', 'online']);
  t.deepEqual(result.communication.predicted, result.communication.counted);
  for (const phase of ['setup', 'offline', 'online']) {
    const { rounds, bytesSent, dealerBytes } = result.communication.counted[phase];
    t.true(Number.isInteger(rounds));
    t.is(bytesSent.length, 2);
    t.is(dealerBytes.length, 2);
  }
  t.true(result.communication.counted.online.bytesSent[0] > 0);
  for (const layer of result.layers) {
    t.deepEqual(Object.keys(layer), ['name', 'op', 'shape', 'choices', 'rounds', 'bytes', 'seconds']);
  }
  const written = await logits(out);
  t.deepEqual(written.shape, [IMAGES, 10]);
});

test('for one seed, cleartext and private outputs are the same bits, for three parties too', async (t) => {
  const { images, folder } = await prepare(t);
  const outputs = await Promise.all(
    [['--cleartext'], [], ['--parties', '3', '--owners', 'image=2,weights=0,logits=1']].map(
      async (options, i) => {
        const out = join(folder, `${i}.npz`);
        const args = ['run', MODEL, '--input', `image=${images}`, '--seed', 'test', '--out', out, ...options];
        const { code, stderr } = await cryptorch(...args);
        t.is(code, 0, stderr);
        return logits(out);
      },
    ),
  );
  t.deepEqual(outputs[0], outputs[1]);
  t.deepEqual(outputs[2]!.shape, [IMAGES, 10]);
});

test('with --exact-truncation, the seed does not matter', async (t) => {
  const { images, folder } = await prepare(t);
  const outputs = await Promise.all(
    ['one', 'two'].map(async (seed) => {
      const out = join(folder, `${seed}.npz`);
      const args = ['run', MODEL, '--input', `image=${images}`, '--seed', seed, '--out', out];
      const { code, stdout, stderr } = await cryptorch(...args, '--exact-truncation');
      t.is(code, 0, stderr);
      t.regex(stdout, /Relu .* truncation floor\n/);
      return logits(out);
    }),
  );
  t.deepEqual(outputs[0], outputs[1]);
});

test('without --json, tables go to standard output and progress to standard error', async (t) => {
  const { images } = await prepare(t);
  const { code, stdout, stderr } = await cryptorch('run', MODEL, '--input', `image=${images}`);
  t.is(code, 0, stderr);
  for (const word of ['online', 'offline', 'Relu', 'MaxPool', 'party 0', 'logits: '])
    t.true(stdout.includes(word), word);
  t.regex(stderr, /done: setup .* online/);
  t.false(stdout.includes('Prediction and count differ'));
});

test('--print-ir prints the compiled graph, with or without inputs', async (t) => {
  const { code, stdout, stderr } = await cryptorch('run', MODEL, '--print-ir');
  t.is(code, 0, stderr);
  t.regex(stdout, /conv2d/);
  t.regex(stdout, /relu/);
});

test('calling it wrongly ends with exit code 2 and says how it is called', async (t) => {
  t.timeout(300_000);
  const wrong = [
    ['run'],
    ['run', MODEL, '--input', 'image'],
    ['run', MODEL, '--parties', '1'],
    ['run', MODEL, '--owners', 'image'],
    ['run', MODEL, '--unknown'],
    ['unknown'],
  ];
  for (const args of wrong) {
    const { code, stdout, stderr } = await cryptorch(...args);
    t.is(code, 2, args.join(' '));
    t.is(stdout, '');
    t.regex(stderr, /error: /);
  }
  t.is((await cryptorch('--version')).stdout.trim(), '0.1.0');
  t.regex((await cryptorch('run', '--help')).stdout, /--print-ir/);
});

test('a failure is one message with its code, exit code 1, and no stack trace', async (t) => {
  t.timeout(300_000);
  const { images, folder } = await prepare(t);
  const file = async (name: string, content: Uint8Array): Promise<string> => {
    const path = join(folder, name);
    await writeFile(path, content);
    return path;
  };
  const model = await readFile(MODEL);
  const narrow = await file('narrow.npy', writeNpy(tensor(new Float32Array(2 * 8 * 7), [2, 1, 8, 7])));
  const broken = await file('broken.npy', (await readFile(images)).subarray(0, 200));
  const half = await file('half.onnx', model.subarray(0, model.length / 2));
  const huge = await file('huge.npy', writeNpy(tensor(new Float32Array(64).fill(1e30), [1, 1, 8, 8])));
  const cases: [string, string[]][] = [
    ['FILE', ['run', join(folder, 'none.onnx')]],
    ['FILE', ['run', MODEL, '--input', `image=${join(folder, 'none.npy')}`]],
    ['FILE', ['run', MODEL, '--input', `image=${images}`, '--out', join(folder, 'none', 'out.npz')]],
    ['MISSING_INPUT', ['run', MODEL]],
    ['UNKNOWN_INPUT', ['run', MODEL, '--input', `image=${images}`, '--input', `picture=${images}`]],
    ['INVALID_SHAPE', ['run', MODEL, '--input', `image=${narrow}`]],
    ['INVALID_NPY', ['run', MODEL, '--input', `image=${broken}`]],
    ['INVALID_MODEL', ['run', half, '--input', `image=${images}`]],
    ['VALUE_RANGE', ['run', MODEL, '--input', `image=${huge}`]],
    ['INVALID_OPTION', ['run', MODEL, '--input', `image=${images}`, '--owners', 'image=7']],
  ];
  for (const [code, args] of cases) {
    const run = await cryptorch(...args, '--json');
    t.is(run.code, 1, `${code}: ${run.stderr}`);
    t.is(run.stdout, '', code);
    const last = run.stderr.trimEnd().split('\n').at(-1)!;
    t.true(last.startsWith('cryptorch: ') && last.endsWith(`(ERR_CRYPTORCH_${code})`), last);
    t.false(run.stderr.includes('    at '), code);
  }
});

test('ranges of inputs, declared or seen in examples, make a run send less and change no result', async (t) => {
  const { images, out, folder } = await prepare(t);
  const examples = join(folder, 'examples.npz');
  const all = readNpy(await readFile(example('digits', 'images.npy')));
  await writeFile(examples, writeNpz({ image: rows(all, 0, 2 * IMAGES) }));
  const sent: number[] = [];
  const results: number[][] = [];
  for (const extra of [[], ['--range', 'image=0:1'], ['--calibrate', examples, '--margin', '2']]) {
    const run = await cryptorch('run', MODEL, '-i', `image=${images}`, '--json', '-o', out, ...extra);
    t.is(run.code, 0, run.stderr);
    const { predicted, counted } = JSON.parse(run.stdout).communication;
    t.deepEqual(predicted, counted);
    sent.push(counted.online.bytesSent[0]);
    results.push(Array.from((await logits(out)).data, Number));
  }
  t.true(sent[1]! < 0.7 * sent[0]! && sent[2]! < sent[1]!, `${sent}`);
  for (const other of results.slice(1))
    t.true(Math.max(...other.map((v, i) => Math.abs(v - results[0]![i]!))) < 1e-3);

  const outside = await cryptorch('run', MODEL, '-i', `image=${images}`, '--range', 'image=0:0.5');
  t.is(outside.code, 1);
  t.regex(outside.stderr, /"image".*out of range.*compiled for values between 0 and 0\.5/);
  t.regex((await cryptorch('run', MODEL, '--range', 'image=1:0')).stderr, /NAME=LO:HI/);
  t.regex((await cryptorch('run', MODEL, '--calibrate', 'none.npz')).stderr, /Cannot read none\.npz/);
});
