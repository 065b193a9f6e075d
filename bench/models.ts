// `npm run bench -- models [--json] [FILTER]`: whole networks, two parties and the dealer as threads of this process, links unshaped,
// batch 1 and 8 (and how they compare per input), and with ring widths calibrated on the input; against onnxruntime with one thread in the same run and against CrypTen's figures (peers.ts).

import * as ort from 'onnxruntime-node';
import { calibrate, compile, runLocal, tensor } from '../lib';
import { NETWORKS } from './networks';
import { normals } from './networks/builder';
import { type Measured, median, perInput, publish, repeat } from './runs';

/** Batch, and whether rings are as wide as calibrated ranges need. */
const CASES = [
  [1, false],
  [1, true],
  [8, false],
] as const;

async function plaintext(model: Uint8Array, shape: readonly number[], data: Float32Array): Promise<number> {
  const session = await ort.InferenceSession.create(model, {
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    logSeverityLevel: 4,
  });
  const feeds = { x: new ort.Tensor('float32', data, [...shape]) };
  const seconds: number[] = [];
  for (let i = 0; i < 6; i++) {
    const started = performance.now();
    await session.run(feeds);
    seconds.push(performance.now() - started);
  }
  await session.release();
  return median(seconds.slice(1));
}

export async function main(args: readonly string[]): Promise<void> {
  const filter = args.find((a) => !a.startsWith('--')) ?? '';
  const measured: Measured[] = [];
  for (const network of NETWORKS) {
    const bytes = network.build();
    let one: Measured | undefined;
    for (const [batch, calibrated] of CASES) {
      const name = [
        network.name,
        ...(batch > 1 ? [`batch ${batch}`] : []),
        ...(calibrated ? ['calibrated'] : []),
      ].join(', ');
      if (!name.includes(filter)) continue;
      const shape = [batch, ...network.input];
      const normal = normals(7);
      const data = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => normal());
      const x = tensor(data, shape);
      const shapes = { x: shape };
      const ranges = calibrated ? { calibration: await calibrate(bytes, [{ x }], { shapes }) } : {};
      const model = await compile(bytes, { shapes, ...ranges });
      const ours = await repeat(name, async () => {
        const { seconds, communication } = await runLocal(model, { x });
        return { seconds, communication: communication.counted };
      });
      const entry = {
        ...ours,
        ...(batch === 1 && { peer: network.name }),
        plaintext: await plaintext(bytes, shape, data),
        ...(one && batch > 1 && { perInput: perInput(ours, batch, one) }),
      };
      one ??= ours;
      measured.push(entry);
      console.error(`${name}: offline ${entry.offline.toFixed(1)} ms, online ${entry.online.toFixed(1)} ms`);
    }
  }
  publish(measured, args.includes('--json'));
}
