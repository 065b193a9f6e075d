// The demo: classifies the held-out digits privately and compares with the same model in plaintext.
//
// Party 0 owns the images and alone learns the scores; party 1 owns the weights; a dealer supplies the randomness. Each
// of them is a process with a folder of its own, and they talk over mutual TLS (processes.ts); with --local all of them
// are threads of this process (local.ts). onnxruntime-node computes the plaintext reference.

import { parseArgs } from 'node:util';
import { report } from '../../lib/cli/fail';
import { progressTo } from '../../lib/cli/progress';
import { compile } from '../../lib/index'; // in an application: from 'cryptorch-native'
import { loadDigits, MODEL, plaintext, wholeNumber } from './digits';
import { runInProcess } from './local';
import { runAsProcesses } from './processes';
import { describe } from './report';

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      local: { type: 'boolean' },
      parties: { type: 'string' },
      images: { type: 'string' },
      folder: { type: 'string' },
    },
  });
  const digits = await loadDigits(values.images);
  const progress = progressTo(process.stderr);
  progress.note(`compiling digits.onnx for ${digits.count} images`);
  const model = await compile(MODEL, {
    parties: wholeNumber(values.parties ?? '2', 2, '--parties'),
    shapes: { image: [...digits.images.shape] },
    owners: { image: 0, weights: 1, logits: 0 },
  });
  const result = values.local
    ? await runInProcess(model, digits.images, progress)
    : await runAsProcesses(model, digits.images, progress, values.folder);
  console.log(describe(result, digits, await plaintext(digits.images)));
}

main().catch((error: unknown) => {
  process.exitCode = report(error, process.stderr);
});
