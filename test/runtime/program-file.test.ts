import test from 'ava';
import { type CompiledModel, CryptorchError, compile } from '../../lib';
import { canonicalJson, type Program, programHash } from '../../lib/compiler/program';
import { writeNpz } from '../../lib/model/npz';
import { heldBy } from '../../lib/runtime/numbers';
import { decodeProgramFile, encodeProgramFile, programFileOf } from '../../lib/runtime/program-file';
import { setupHash } from '../../lib/runtime/setup-hash';
import { decodeWeights, encodeWeights, weightsTag } from '../../lib/runtime/weights-file';
import { tensor } from '../../lib/tensor';
import { example } from '../helpers/cli';
import { coded } from '../helpers/errors';
import { randomIntegers } from '../helpers/mutate';
import { mutateJson } from '../helpers/mutate-json';
import { smallModels } from '../helpers/small-model';

const DIGITS = example('digits', 'digits.onnx');

async function models(parties: number, ...batches: number[]): Promise<CompiledModel[]> {
  return Promise.all(batches.map((batch) => compile(DIGITS, { parties, batch })));
}

interface Raw {
  setupHash: string;
  programs: { hash: string; program: Program }[];
}

/** The text of a file whose hashes fit its content, as one who changes it on purpose would write it. */
function rehashed(data: unknown): string {
  const file = data as Raw;
  try {
    for (const p of file.programs) p.hash = programHash(p.program);
    file.setupHash = setupHash(file.programs[0]!.program);
  } catch {
    // Damaged so much that no hash exists.
  }
  return canonicalJson(file);
}

test('a file of several batch sizes comes back as it was', async (t) => {
  for (const parties of [2, 3]) {
    const file = programFileOf('digits', await models(parties, 1, 8));
    const text = encodeProgramFile(file);
    const back = decodeProgramFile(text);
    t.deepEqual(back, file);
    t.is(encodeProgramFile(back), text);
    t.is(back.programs[1]!.program.ios.find((io) => io.kind === 'input')!.shape[0], 8);
  }
});

test('weights are not in the program file', async (t) => {
  const [model] = await models(2, 1);
  const text = encodeProgramFile(programFileOf('digits', [model!]));
  const values = [...model!.weights.values()].flatMap((data) => Array.from(data as Float64Array));
  for (const value of values.filter((x) => Math.abs(x) > 1e-6)) {
    t.false(text.includes(String(value)));
    t.false(
      text.includes(
        String(Math.round(value * 2 ** 16))
          .padStart(5, '0')
          .concat('n'),
      ),
    );
  }
});

test('models that cannot share one state are refused', async (t) => {
  const [two] = await models(2, 1);
  const [three] = await models(3, 8);
  const coarse = await compile(DIGITS, { parties: 2, batch: 8, fractionalBits: 12 });
  const elsewhere = await compile(DIGITS, { parties: 2, batch: 8, owners: { weights: 0 } });
  const shared = await compile(DIGITS, { parties: 2, owners: { image: 'secret' } });
  for (const other of [three!, coarse, elsewhere]) {
    t.throws(() => programFileOf('digits', [two!, other]), coded('INVALID_OPTION', /same stored state/));
  }
  t.throws(() => programFileOf('digits', [two!, two!]), coded('INVALID_OPTION', /listed twice/));
  t.throws(() => programFileOf('digits', [shared]), coded('INVALID_OPTION', /"image" has no owner/));
  t.throws(() => programFileOf('digits', []), coded('INVALID_OPTION'));
  for (const name of ['', 'A', 'a_b', 'a:b', 'x'.repeat(65)]) {
    t.throws(() => programFileOf(name, [two!]), coded('INVALID_OPTION', /name of the deployment/));
  }
});

test('a file that is not what its hashes state is refused', async (t) => {
  const file = programFileOf('digits', await models(2, 1));
  const text = encodeProgramFile(file);
  const refused = (changed: string, message: RegExp): void => {
    t.not(changed, text);
    t.throws(() => decodeProgramFile(changed, 'here.json'), coded('INVALID_PROGRAM', message));
  };
  refused('', /here\.json: it is not JSON/);
  refused('{}', /format is missing/);
  refused(text.replace('"version":1', '"version":2'), /version must be 1/);
  refused(text.replace('"scale":16', '"scale":15'), /not the one that its hash states/);
  refused(text.replace(file.setupHash, '0'.repeat(64)), /setup is not the one/);
  refused(text.replace('"name":"digits"', '"name":"Digits"'), /name must be/);
  refused(text.replace('"parties":2,"privateInit', '"parties":3,"privateInit'), /numbers of parties/);
  refused(text.replace('"slack":{"logits"', '"slack":{"logit"'), /slack does not list/);
});

test('a program that opens two values under one mask is refused, with right hashes too', async (t) => {
  const data = JSON.parse(encodeProgramFile(programFileOf('digits', await models(2, 1)))) as Raw;
  const program = data.programs[0]!.program as unknown as {
    steps: { kind: string; segments: { mask?: number }[] }[];
  };
  const opens = program.steps
    .flatMap((s) => (s.kind === 'exchange' ? s.segments : []))
    .filter((s) => 'mask' in s);
  opens[1]!.mask = opens[0]!.mask!;
  t.throws(() => decodeProgramFile(rehashed(data)), coded('LEAKAGE'));
});

test('slices of an opening between two parties, or for a part of them, are refused', async (t) => {
  for (const parties of [2, 3]) {
    const models = await smallModels([2], { parties });
    const data = JSON.parse(encodeProgramFile(programFileOf('small', models))) as Raw;
    const program = data.programs[0]!.program as unknown as {
      steps: { kind: string; phase: string; segments: { sliced?: boolean }[] }[];
    };
    const input = program.steps.find((s) => s.kind === 'exchange' && s.phase === 'online')!;
    input.segments[0]!.sliced = true;
    t.throws(() => decodeProgramFile(rehashed(data)), coded('INVALID_PROGRAM', /cut for parties/));
  }
});

test('files damaged anywhere, hashes corrected, are refused with a code or still run', async (t) => {
  const data = JSON.parse(encodeProgramFile(programFileOf('small', await smallModels([2])))) as Raw;
  const random = randomIntegers(3);
  let refused = 0;
  for (let i = 0; i < 400; i++) {
    const text = rehashed(mutateJson(data, random));
    try {
      decodeProgramFile(text);
    } catch (error) {
      refused++;
      t.true(CryptorchError.is(error), `${i}: ${(error as Error).stack}`);
      t.regex((error as CryptorchError).code, /INVALID_PROGRAM|LEAKAGE/);
    }
  }
  t.true(refused > 150, `only ${refused} of 400 were refused`);
});

test('a weights file comes back, and belongs to its program', async (t) => {
  const [model] = await models(2, 1);
  const ios = heldBy(model!.program, 'weight', 1);
  t.deepEqual(heldBy(model!.program, 'weight', 0), []);
  const bytes = encodeWeights(ios, model!.weights);
  const back = decodeWeights(bytes, ios, 'weights.npz');
  t.deepEqual(new Map([...back].sort()), new Map([...model!.weights].sort()) as typeof back);
  const refused = (name: 'INVALID_PROGRAM' | 'INVALID_WEIGHTS', message: RegExp, change: Tensors): void => {
    const all = Object.fromEntries([...back].map(([key, data]) => [key, tensor(data, shapes.get(key)!)]));
    const file = writeNpz(
      Object.fromEntries(Object.entries({ ...all, ...change }).filter(([, x]) => x)) as never,
    );
    t.throws(() => decodeWeights(file, ios, 'weights.npz'), coded(name, message));
  };
  const shapes = new Map(ios.map((io) => [io.name, io.shape]));
  type Tensors = Record<string, ReturnType<typeof tensor> | undefined>;
  refused('INVALID_PROGRAM', /"logits.bias" is missing/, { 'logits.bias': undefined });
  refused('INVALID_PROGRAM', /"more" that is no weight/, { more: tensor([1]) });
  refused('INVALID_PROGRAM', /"logits.bias" has shape \[2, 5\]/, {
    'logits.bias': tensor(new Float32Array(10), [2, 5]),
  });
  refused('INVALID_WEIGHTS', /"logits.bias" in weights.npz is not finite at element 3/, {
    'logits.bias': tensor([1, 2, 3, Number.NaN, 5, 6, 7, 8, 9, 10]),
  });
  refused('INVALID_WEIGHTS', /must be float32/, { 'logits.bias': tensor(new Uint8Array(10)) });
  t.throws(() => decodeWeights(bytes.subarray(0, 100), ios, 'weights.npz'), coded('INVALID_NPY'));
});

test('the tag of weights tells other weights and other seeds', (t) => {
  const seed = new Uint8Array(16).fill(1);
  const weights = new Map([
    ['a', Float64Array.of(1, 2)],
    ['b', Float64Array.of(3)],
  ]);
  const tag = weightsTag(seed, weights);
  t.is(weightsTag(seed, new Map([...weights].reverse())), tag);
  const others = [
    new Map([...weights]).set('b', Float64Array.of(4)),
    new Map<string, Float32Array | Float64Array>([...weights]).set('b', Float32Array.of(3)),
    new Map([...weights]).set('c', Float64Array.of()),
  ];
  const tags = [...others.map((w) => weightsTag(seed, w)), weightsTag(new Uint8Array(16), weights), tag];
  t.is(new Set(tags).size, tags.length);
});
