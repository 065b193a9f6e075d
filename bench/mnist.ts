// `npm run bench -- mnist DIR [--batch N] [--images N] [--json]`: the network of CrypTorch's MNIST example with its published
// weights, privately, two parties and the dealer as threads of this process: accuracy against onnxruntime's, bytes, rounds,
// time. DIR has model.onnx (input x [n, 1, 28, 28]), images_u8.npy and labels.npy, which are not part of this project.
// Besides the default, with rings calibrated on the first of the images.

import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as ort from 'onnxruntime-node';
import { type CompileOptions, calibrate, compile, readNpy, runLocal, tensor } from '../lib';
import { renderTable } from '../lib/cli/table';
import { MNIST } from './peers';
import { environmentLine, median } from './runs';

const FILES = ['model.onnx', 'images_u8.npy', 'labels.npy'];
const PIXELS = 28 * 28;
/** Images for calibration. */
const EXAMPLES = 20;

interface Images {
  readonly model: Uint8Array;
  readonly x: Float32Array;
  readonly labels: readonly number[];
}

async function load(folder: string): Promise<Images> {
  const [model, images, labels] = await Promise.all(FILES.map((file) => readFile(join(folder, file))));
  const pixels = readNpy(images!).data as Uint8Array;
  return {
    model: model!,
    x: Float32Array.from(pixels, (p) => (p / 255 - 0.1307) / 0.3081),
    labels: Array.from(readNpy(labels!).data as ArrayLike<number | bigint>, Number),
  };
}

/** Classes of logits [n, 10]. */
function classes(logits: ArrayLike<number>): number[] {
  return Array.from({ length: logits.length / 10 }, (_, i) => {
    const row = Array.from({ length: 10 }, (_, j) => logits[10 * i + j]!);
    return row.indexOf(Math.max(...row));
  });
}

async function plaintext({ model, x }: Images): Promise<Float32Array> {
  const session = await ort.InferenceSession.create(model, { logSeverityLevel: 4 });
  const shape = [x.length / PIXELS, 1, 28, 28];
  const results = await session.run({ x: new ort.Tensor('float32', x, shape) });
  await session.release();
  return Object.values(results)[0]!.data as Float32Array;
}

interface Figures {
  readonly name: string;
  /** Parts of 1 of the images that ran. */
  readonly accuracy: number;
  readonly plaintext: number;
  /** Largest difference of a logit from the plaintext's. */
  readonly difference: number;
  readonly rounds: number;
  /** Of a batch: sent and received by a party, and dealt to the one that gets most. */
  readonly megabytes: number;
  readonly dealt: number;
  readonly offline: number;
  readonly online: number;
}

async function measure(
  name: string,
  images: Images,
  batch: number,
  first: number,
  options: CompileOptions,
): Promise<Figures> {
  const shape = [batch, 1, 28, 28];
  const model = await compile(images.model, { shapes: { x: shape }, ...options });
  const exact = await plaintext(images);
  const [wanted, found]: number[][] = [[], []];
  const [offline, online]: number[][] = [[], []];
  let [right, rightInPlain, difference] = [0, 0, 0];
  const end = images.labels.length - ((images.labels.length - first) % batch);
  for (let at = first; at < end; at += batch) {
    const x = tensor(images.x.slice(at * PIXELS, (at + batch) * PIXELS), shape);
    const { outputs, seconds } = await runLocal(model, { x });
    const logits = outputs[model.outputs[0]!.name]!.data as Float32Array;
    logits.forEach((v, i) => {
      difference = Math.max(difference, Math.abs(v - exact[10 * at + i]!));
    });
    found!.push(...classes(logits));
    wanted!.push(...classes(exact.slice(10 * at, 10 * (at + batch))));
    offline!.push(1000 * seconds.offline);
    online!.push(1000 * seconds.online);
  }
  found!.forEach((c, i) => {
    right += Number(c === images.labels[first + i]);
    rightInPlain += Number(wanted![i] === images.labels[first + i]);
  });
  const { predicted } = model;
  const sent = (['offline', 'online'] as const).flatMap((phase) => predicted[phase].bytesSent);
  return {
    name,
    accuracy: right / found!.length,
    plaintext: rightInPlain / found!.length,
    difference,
    rounds: predicted.online.rounds,
    megabytes: sent.reduce((a, b) => a + b, 0) / 1e6,
    dealt: Math.max(...predicted.offline.dealerBytes) / 1e6,
    offline: median(offline!),
    online: median(online!),
  };
}

function show(figures: readonly Figures[], batch: number): string {
  const titles = [
    `batch of ${batch}`,
    'accuracy',
    'plaintext',
    'logits off by',
    'rounds',
    'MB sent and received',
  ];
  const columns = [...titles, 'MB dealt', 'offline ms', 'online ms', 'CrypTorch MB', 'rounds'].map(
    (title, i) => {
      return { title, align: i === 0 ? ('left' as const) : ('right' as const) };
    },
  );
  const peer = batch === MNIST.batch;
  const rows = figures.map((f) => [
    f.name,
    `${(100 * f.accuracy).toFixed(2)} %`,
    `${(100 * f.plaintext).toFixed(2)} %`,
    f.difference.toPrecision(2),
    `${f.rounds}`,
    f.megabytes.toFixed(1),
    f.dealt.toFixed(1),
    f.offline.toFixed(0),
    f.online.toFixed(0),
    peer ? `${(MNIST.megabytes / f.megabytes).toFixed(1)}x` : '',
    peer ? `${MNIST.rounds}` : '',
  ]);
  return renderTable(columns, rows);
}

export async function main(args: readonly string[]): Promise<void> {
  const [folder] = args.filter(
    (a, i) => !a.startsWith('--') && !['--batch', '--images'].includes(args[i - 1] ?? ''),
  );
  const missing = folder === undefined ? FILES : FILES.filter((file) => !existsSync(join(folder, file)));
  if (folder === undefined || missing.length > 0) {
    console.error(`skipped: give a folder that has ${missing.join(', ')}: npm run bench -- mnist DIR`);
    return;
  }
  const option = (name: string, otherwise: number): number => {
    const at = args.indexOf(name);
    return at < 0 ? otherwise : Number(args[at + 1]);
  };
  const all = await load(folder);
  const count = Math.min(option('--images', all.labels.length), all.labels.length);
  const batch = Math.min(option('--batch', MNIST.batch), count);
  const images = { ...all, x: all.x.slice(0, count * PIXELS), labels: all.labels.slice(0, count) };
  const figures = [await measure('default', images, batch, 0, {})];
  const examples = Array.from({ length: EXAMPLES }, (_, i) => ({
    x: tensor(images.x.slice(i * PIXELS, (i + 1) * PIXELS), [1, 1, 28, 28]),
  }));
  const calibration = await calibrate(images.model, examples, { shapes: { x: [1, 1, 28, 28] } });
  figures.push(await measure(`calibrated on ${EXAMPLES}`, images, batch, 0, { calibration }));
  if (args.includes('--json')) console.log(JSON.stringify(figures));
  else console.log(`${environmentLine()}\n\n${show(figures, batch)}`);
}
