// Writes the first inputs of the fuzz targets (native/fuzz), one folder per target: what the compiler and the tests make,
// as small as it gets. Nothing random, so that two runs of a target differ by their own chance only.
//
//   node --import tsx scripts/fuzz-seeds.ts FOLDER

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { encodePlan } from '../lib/compiler/schedule/plan';
import { cleartextRole, project } from '../lib/compiler/schedule/project';
import { type CompiledModel, compile } from '../lib/index';
import { drawSeeds, keysOf } from '../lib/runtime/seeds';
import { model, node, tensor } from '../test/helpers/onnx';
import { smallModels } from '../test/helpers/small-model';
import { triple } from '../test/native/plans';
import { encodeBundle } from './bundle';

const CONTROL = 0xffffffff;
const INTRODUCTION = 0xfffffffe;

function convolution(): Uint8Array {
  return model({
    inputs: { x: [1, 2, 5, 5] },
    outputs: { y: [1, 1, 1] },
    nodes: [
      node('Conv', ['x', 'w'], ['c'], { pads: [1, 1, 1, 1], strides: [2, 2] }),
      node('MaxPool', ['c'], ['m'], { kernel_shape: [2, 2] }),
      node('AveragePool', ['m'], ['s'], { kernel_shape: [2, 2] }),
      node('ReduceMean', ['s'], ['y'], { axes: [1], keepdims: 0 }),
    ],
    initializers: {
      w: tensor(
        [3, 2, 3, 3],
        Array.from({ length: 54 }, (_, i) => (i - 27) / 16),
      ),
    },
  });
}

/** What every role runs, and the computation without shares. */
const plansOf = ({ program, parties }: CompiledModel): BigInt64Array[] =>
  Array.from({ length: cleartextRole(parties) + 1 }, (_, role) => encodePlan(project(program, role)));

const raw = (words: BigInt64Array): Buffer => Buffer.from(words.buffer, words.byteOffset, words.byteLength);

function bundleOf(plans: BigInt64Array[]): Uint8Array {
  const seeds = drawSeeds(plans.length - 1, 'fuzz');
  return encodeBundle({
    plans,
    keys: plans.map((_, role) => keysOf(seeds, plans.length - 1, role)),
    inputs: plans.map((_, role) => [
      Float32Array.of(role, 1),
      null,
      Float64Array.of(-2),
      BigInt64Array.of(3n),
    ]),
    shareSeed: seeds.inputs,
    integers: plans.map(() => [0]),
  });
}

function frame(sequence: number, exchange: number, payload: Uint8Array): Buffer {
  const header = Buffer.alloc(24);
  header.writeBigUInt64LE(BigInt(payload.length));
  header.writeUInt32LE(sequence, 8);
  header.writeUInt32LE(exchange, 12);
  header.writeUInt32LE(sequence + 1, 16);
  return Buffer.concat([header, payload]);
}

function introduction(role: number, verdict: number, deployment: string): Buffer {
  const fixed = Buffer.alloc(24);
  fixed.write('CTTLINK1', 'latin1');
  for (const [i, word] of [role, 2, verdict, deployment.length].entries())
    fixed.writeUInt32LE(word, 8 + 4 * i);
  return Buffer.concat([fixed, Buffer.from(deployment)]);
}

/** A stream of frames of data and messages, read by a few habits of claiming. */
function streams(): Buffer[] {
  const bytes = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => i * 7);
  const frames = (sizes: readonly number[]): Buffer[] =>
    sizes.map((size, i) => frame(i, i % 3 === 2 ? CONTROL : 7 + i, bytes(size)));
  const habits = [[0xff], [0xf9], [0x11, 0x26, 0x58], [0x09, 0x09, 0xf0, 0x0e], [0xf8, 0x01, 0x06]];
  return habits.flatMap((habit) =>
    [0, 1, 3].map((mode) =>
      Buffer.concat([
        Buffer.of(mode),
        Uint8Array.from({ length: 32 }, (_, i) => habit[i % habit.length]!),
        ...frames(mode === 1 ? [0, 0, 0] : [10, 0, 33, 300, 5, 1, 500]),
      ]),
    ),
  );
}

function state(header: number, data: number): Buffer {
  const prefix = Buffer.alloc(32);
  prefix.write('CCTSTAT1', 'latin1');
  prefix.writeBigUInt64LE(BigInt(header), 8);
  prefix.writeBigUInt64LE(BigInt(data), 16);
  return Buffer.concat([Buffer.of(7), prefix, Buffer.alloc(header + data, 0x5a)]);
}

async function main(): Promise<void> {
  const target = process.argv[2];
  if (target === undefined) throw new Error('usage: fuzz-seeds FOLDER');
  const [small] = await smallModels([1]);
  const plans = [...triple(3).plans, ...plansOf(small!), ...plansOf(await compile(convolution()))];
  const uri = (text: string): Buffer => Buffer.from(`\0urn:cryptorch:${text}`);
  const intro = introduction(1, 0, 'test-1');
  const seeds: Readonly<Record<string, readonly Uint8Array[]>> = {
    plan_fuzz: plans.map(raw),
    bundle_fuzz: [bundleOf(triple(1).plans), bundleOf([BigInt64Array.of(1n, 2n), BigInt64Array.of(3n)])],
    handshake_fuzz: [
      uri('a-1:party:0'),
      uri('test:party:255'),
      uri('z:dealer'),
      Buffer.concat([Buffer.of(0), intro]),
      Buffer.concat([Buffer.of(5), frame(0, INTRODUCTION, intro)]),
      Buffer.concat([Buffer.of(63), frame(0, INTRODUCTION, introduction(2, 5, 'x'))]),
    ],
    inbox_fuzz: streams(),
    state_fuzz: [state(0, 0), state(3, 40), state(100, 1000)],
  };
  for (const [name, inputs] of Object.entries(seeds)) {
    const folder = join(target, name);
    mkdirSync(folder, { recursive: true });
    for (const [i, input] of inputs.entries()) writeFileSync(join(folder, `seed-${i}`), input);
  }
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
