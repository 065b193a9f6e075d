import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { readNpy } from '../../lib/model/npy';
import { writeNpz } from '../../lib/model/npz';
import { rows, tensor } from '../../lib/tensor';
import { cryptorch, example, temporaryFolder } from '../helpers/cli';
import { model, node } from '../helpers/onnx';

const MODEL = example('digits', 'digits.onnx');

async function prepare(t: ExecutionContext): Promise<{ data: string; folder: string }> {
  const folder = await temporaryFolder(t);
  const all = readNpy(await readFile(example('digits', 'images.npy')));
  const data = join(folder, 'examples.npz');
  await writeFile(data, writeNpz({ image: rows(all, 0, 6) }));
  return { data, folder };
}

test('text and JSON say the same; exit code 1 where a bound is exceeded', async (t) => {
  const { data } = await prepare(t);
  const args = ['precision', MODEL, '--data', data];
  const [json, text, batched, outside] = await Promise.all([
    cryptorch(...args, '--json'),
    cryptorch(...args),
    cryptorch(...args, '--json', '--batch', '3', '--seed', 'other', '--calibrate', data),
    cryptorch(...args, '--range', 'image=0:0.5'),
  ]);
  t.is(json.code, 0, json.stderr);
  t.is(json.stderr, '');
  const result = JSON.parse(json.stdout);
  t.deepEqual(Object.keys(result), ['model', 'layers', 'exceeded']);
  t.is(result.model, 'digits.onnx');
  for (const layer of result.layers) {
    t.deepEqual(Object.keys(layer), [
      'name',
      'op',
      'result',
      'shape',
      'merged',
      'scale',
      'ring',
      'range',
      'largest',
      'error',
      'relative',
      'ownError',
    ]);
    t.deepEqual(
      [Object.keys(layer.error), Object.keys(layer.ownError)],
      [
        ['max', 'mean'],
        ['max', 'mean'],
      ],
    );
    t.is(layer.shape[0], 6);
  }

  t.is(text.code, 0, text.stderr);
  for (const { name, op, scale } of result.layers.filter((l: { name: string }) => l.name.length < 30))
    t.true(
      text.stdout.includes(name) && text.stdout.includes(`${op} `) && text.stdout.includes(` ${scale} `),
    );
  t.regex(text.stdout, /stays within everything that it was compiled for\.\n$/);

  const calibrated = JSON.parse(batched.stdout);
  t.deepEqual(calibrated.exceeded, []);
  t.is(calibrated.layers[0].shape[0], 3);
  t.true(calibrated.layers[3].ring < 64);

  t.is(outside.code, 1, outside.stderr);
  t.is(outside.stderr, '');
  t.regex(
    outside.stdout,
    /exceeds \d bounds\.\n\n1\. image \(Input\): the input was 1, outside of its declared/,
  );
  t.regex(outside.stdout, /What to do: .*wider range/);
});

test('an approximation that is asked for is the one that errors are of', async (t) => {
  const folder = await temporaryFolder(t);
  const [path, data] = [join(folder, 'tanh.onnx'), join(folder, 'x.npz')];
  const nodes = [node('Tanh', ['x'], ['y'], {}, 'act')];
  await writeFile(path, model({ inputs: { x: [64] }, outputs: { y: [64] }, nodes }));
  await writeFile(
    data,
    writeNpz({
      x: tensor(
        Float32Array.from({ length: 64 }, (_, i) => i / 64),
        [64],
      ),
    }),
  );
  const args = ['precision', path, '--data', data, '--json'];
  const [fitted, chebyshev, unknown] = await Promise.all([
    cryptorch(...args),
    cryptorch(...args, '--approximation', 'act/tanh=crypten chebyshev'),
    cryptorch(...args, '--approximation', 'tanh=guess'),
  ]);
  const error = ({ stdout }: typeof fitted): number => JSON.parse(stdout).layers[0].error.max;
  t.true(error(chebyshev) < 1e-4 && error(chebyshev) < error(fitted) / 2);
  t.is(unknown.code, 1);
  t.regex(unknown.stderr, /"guess" of tanh; there are: .*crypten chebyshev/);
});

test('files that are no examples of the model give an error with a code', async (t) => {
  const { data, folder } = await prepare(t);
  const write = async (name: string, arrays: Parameters<typeof writeNpz>[0]): Promise<string> => {
    await writeFile(join(folder, name), writeNpz(arrays));
    return join(folder, name);
  };
  const image = tensor(new Float32Array(64), [1, 1, 8, 8]);
  const broken = join(folder, 'broken.npz');
  await writeFile(broken, (await readFile(data)).subarray(0, 100));
  const cases: [string, string[]][] = [
    ['INVALID_NPY', ['--data', broken]],
    ['UNKNOWN_INPUT', ['--data', await write('names.npz', { picture: image })]],
    [
      'INVALID_SHAPE',
      ['--data', await write('shape.npz', { image: tensor(new Float32Array(56), [1, 1, 8, 7]) })],
    ],
  ];
  const runs = await Promise.all(cases.map(([, args]) => cryptorch('precision', MODEL, ...args)));
  cases.forEach(([code], i) => {
    const { code: exit, stdout, stderr } = runs[i]!;
    t.is(exit, 1, code);
    t.is(stdout, '', code);
    t.true(stderr.trimEnd().endsWith(`(ERR_CRYPTORCH_${code})`), `${code}: ${stderr}`);
  });
});
