import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { appendFile, mkdir, rename, rm, stat, symlink, truncate, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { create } from '@bufbuild/protobuf';
import test, { type ExecutionContext } from 'ava';
import { compile, runLocal, tensor as tensorOf } from '../../lib';
import type { ErrorName } from '../../lib/errors';
import { StringStringEntryProtoSchema } from '../../lib/model/onnx/onnx_pb';
import { temporaryFolder } from '../helpers/cli';
import { coded } from '../helpers/errors';
import { DataType, model, node, tensor } from '../helpers/onnx';

type Fields = Readonly<Record<string, string | number>>;

interface Case {
  readonly shape?: readonly number[];
  readonly type?: DataType;
  readonly fields: Fields;
}

/** y = x + w, where the data of w [shape] is external. */
function adding({ shape = [2, 3], type = DataType.FLOAT, fields }: Case): Uint8Array {
  return model({
    inputs: { x: [...shape] },
    outputs: { y: [...shape] },
    nodes: [node('Add', ['x', 'w'], ['y'])],
    initializers: { w: tensor(shape, [], type) },
    edit(m) {
      const [w] = m.graph!.initializer;
      w!.rawData = new Uint8Array(0);
      w!.dataLocation = 1;
      w!.externalData = Object.entries(fields).map(([key, value]) =>
        create(StringStringEntryProtoSchema, { key, value: String(value) }),
      );
    },
  });
}

async function placed(t: ExecutionContext, made: Case, files: Record<string, Uint8Array>): Promise<string> {
  const folder = join(await temporaryFolder(t), 'model');
  await mkdir(join(folder, 'data'), { recursive: true });
  for (const [name, bytes] of Object.entries(files)) await writeFile(join(folder, name), bytes);
  await writeFile(join(folder, 'm.onnx'), adding(made));
  return join(folder, 'm.onnx');
}

const VALUES = [0.5, -1, 2, 3.25, -4, 5];
const bytesOf = (a: ArrayBufferView): Uint8Array => new Uint8Array(a.buffer, a.byteOffset, a.byteLength);
const floats = bytesOf(Float32Array.from(VALUES));
/** Seven bytes before, so that nothing is aligned, and three after. */
const within = Uint8Array.from([...new Uint8Array(7).fill(255), ...floats, 1, 2, 3]);

async function sums(t: ExecutionContext, path: string): Promise<void> {
  const compiled = await compile(path);
  const x = tensorOf([1, 2, 3, 4, 5, 6], [2, 3]);
  const { outputs } = await runLocal(compiled, { x }, { seed: 1, cleartext: true });
  t.deepEqual(
    Array.from(outputs.y!.data as Float32Array),
    VALUES.map((v, i) => v + i + 1),
  );
}

test('weights are read from a file beside the model: a part of it, all of it, in a folder below', async (t) => {
  const sha1 = createHash('sha1').update(within).digest('hex');
  const part = { location: 'w.bin', offset: 7, length: 24, checksum: sha1 };
  await sums(t, await placed(t, { fields: part }, { 'w.bin': within }));
  await sums(t, await placed(t, { fields: { location: 'w.bin' } }, { 'w.bin': floats }));
  await sums(t, await placed(t, { fields: { location: 'data/w.bin' } }, { 'data/w.bin': floats }));
  const rest = { location: './w.bin', offset: 7 };
  await sums(t, await placed(t, { fields: rest }, { 'w.bin': within.subarray(0, 31) }));
  const linked = await placed(t, { fields: { location: 'link.bin' } }, { 'data/w.bin': floats });
  await symlink(join('data', 'w.bin'), join(linked, '..', 'link.bin'));
  await sums(t, linked);
});

test('every element type is read from files', async (t) => {
  const half = Uint16Array.from([0x3800, 0xbc00, 0x4000, 0x4280, 0xc400, 0x4500]);
  const bfloat = Uint16Array.from(VALUES, (v) => new Uint32Array(Float32Array.of(v).buffer)[0]! >>> 16);
  for (const [type, data] of [
    [DataType.DOUBLE, Float64Array.from(VALUES)],
    [DataType.FLOAT16, half],
    [DataType.BFLOAT16, bfloat],
  ] as const) {
    await sums(t, await placed(t, { type, fields: { location: 'w' } }, { w: bytesOf(data) }));
  }
});

test('many elements are read when they are asked for', async (t) => {
  const shape = [200, 100];
  const data = Float32Array.from({ length: 20_000 }, (_, i) => i % 7);
  const path = await placed(t, { shape, fields: { location: 'w' } }, { w: bytesOf(data) });
  const compiled = await compile(path);
  t.deepEqual(compiled.weights.get('w'), data);
  t.not(compiled.weights.get('w'), compiled.weights.get('w'));
  t.deepEqual([...compiled.weights.keys()], ['w']);
  data[123] = Number.NaN;
  await writeFile(join(path, '..', 'w'), bytesOf(data));
  await t.throwsAsync(compile(path), coded('INVALID_WEIGHTS', /Initializer "w" is NaN at index 123/));
});

test('data that has changed since the model was read is refused', async (t) => {
  const shape = [200, 100];
  const [data, other] = [3, 5].map((k) => bytesOf(Float32Array.from({ length: 20_000 }, (_, i) => i % k)));
  const path = await placed(t, { shape, fields: { location: 'w' } }, { w: data!, other: other! });
  const folder = join(path, '..');
  const w = join(folder, 'w');
  const secret = join(folder, '..', 'secret');
  await writeFile(secret, other!);
  const ways: readonly (readonly [string, () => Promise<unknown>, RegExp])[] = [
    ['written over', () => writeFile(w, other!), /w, which.*"w", has changed.*; compile again/],
    ['cut', () => truncate(w, 100), /has changed/],
    ['longer', () => appendFile(w, 'a'), /has changed/],
    ['replaced', () => rename(join(folder, 'other'), w), /has changed/],
    ['replaced with its times', () => swapped(w, other!), /has changed/],
    ['a link to outside', () => rm(w).then(() => symlink(secret, w)), /has changed/],
    ['gone', () => rm(w), /Cannot read .*w, which holds/],
    ['a folder', () => rm(w).then(() => mkdir(w)), /no regular file/],
  ];
  for (const [how, change, says] of ways) {
    await rm(w, { recursive: true, force: true });
    await writeFile(w, data!);
    const compiled = await compile(path);
    t.deepEqual(bytesOf(compiled.weights.get('w') as Float32Array), data, how);
    await change();
    t.throws(() => compiled.weights.get('w'), coded('FILE', says), how);
  }
});

/** Another file in the place of one, with its size and its time of modification. */
async function swapped(path: string, content: Uint8Array): Promise<void> {
  const { atime, mtime } = await stat(path);
  await writeFile(`${path}.new`, content);
  await utimes(`${path}.new`, atime, mtime);
  await rename(`${path}.new`, path);
}

test('files outside the folder of the model are not read', async (t) => {
  const path = await placed(t, { fields: { location: 'w.bin' } }, {});
  const outside = join(path, '..', '..', 'secret');
  await writeFile(outside, floats);
  const folder = join(path, '..');
  await symlink(outside, join(folder, 'link'));
  await symlink('..', join(folder, 'up'));
  for (const location of [
    '../secret',
    outside,
    'link',
    'up/secret',
    'data/../../secret',
    '',
    'C:\\w',
    '..\\secret',
    'a\0b',
  ]) {
    await writeFile(path, adding({ fields: { location } }));
    await t.throwsAsync(
      compile(path),
      coded('INVALID_MODEL', /only files inside the model's folder/),
      location,
    );
  }
});

test('what is missing, short or of another size is refused with what to do', async (t) => {
  const refused = async (
    fields: Fields,
    files: Record<string, Uint8Array>,
    code: ErrorName,
    says: RegExp,
  ): Promise<void> => {
    await t.throwsAsync(compile(await placed(t, { fields }, files)), coded(code, says));
  };
  const w = { 'w.bin': floats };
  const location = 'w.bin';
  await refused({ location: 'no.bin' }, {}, 'FILE', /"no\.bin", which is not in the model's folder.*beside/);
  await refused({ location: 'data' }, {}, 'FILE', /no regular file/);
  await refused({ location, length: 20 }, w, 'INVALID_MODEL', /needs 24 bytes.*\[2, 3\].*20.*Export/);
  await refused({ location, offset: 4 }, w, 'INVALID_MODEL', /needs 24 bytes.*but 20/);
  await refused({ location, offset: 4, length: 24 }, w, 'INVALID_MODEL', /up to byte 28.*ends at 24/);
  await refused({ location, offset: 25 }, w, 'INVALID_MODEL', /up to byte 49.*ends at 24/);
  await refused(
    { location, offset: 2 ** 53 - 1 },
    w,
    'INVALID_MODEL',
    /up to byte \d+, but the file ends at 24/,
  );
  await refused({ location, offset: -4 }, w, 'INVALID_MODEL', /offset "-4"/);
  await refused({ location, length: '1e9' }, w, 'INVALID_MODEL', /length "1e9"/);
  await refused({ location, checksum: 'ab' }, w, 'INVALID_MODEL', /SHA-1.*"ab"/);
  const huge = [2 ** 31, 2 ** 20];
  const path = await placed(t, { shape: huge, fields: { location } }, w);
  await t.throwsAsync(compile(path), coded('INVALID_MODEL', /needs 9007199254740992 bytes/));
  const bytes = adding({ fields: { location } });
  await t.throwsAsync(compile(bytes), coded('UNSUPPORTED_DATA', /given as bytes.*give the path/));
});

test('a pipe in the place of data does not block, also where it comes later', async (t) => {
  if (process.platform === 'win32') return t.pass();
  const path = await placed(t, { fields: { location: 'pipe' } }, {});
  const pipe = join(path, '..', 'pipe');
  execFileSync('mkfifo', [pipe]);
  await t.throwsAsync(compile(path), coded('FILE', /no regular file/));
  const shape = [200, 100];
  await rm(pipe);
  await writeFile(pipe, new Uint8Array(80_000));
  await writeFile(path, adding({ shape, fields: { location: 'pipe' } }));
  const compiled = await compile(path);
  await rm(pipe);
  execFileSync('mkfifo', [pipe]);
  t.throws(() => compiled.weights.get('w'), coded('FILE', /no regular file/));
  return undefined;
});
