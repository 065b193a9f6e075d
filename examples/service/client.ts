// Sends a test image to the clinic's service and prints the digit that it finds.
//
//   --url URL      http://127.0.0.1:8080 by default
//   --image INDEX  of examples/digits/images.npy, 0 by default

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { readNpy } from '../../lib/model/npy';
import { rows } from '../../lib/tensor';

const DIGITS = join(__dirname, '..', 'digits');

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { url: { type: 'string' }, image: { type: 'string' } } });
  const index = Number(values.image ?? 0);
  const images = readNpy(await readFile(join(DIGITS, 'images.npy')));
  const labels = readNpy(await readFile(join(DIGITS, 'labels.npy')));
  const image = Array.from(rows(images, index, index + 1).data, Number);
  for (let y = 0; y < 8; y++) {
    const row = image.slice(8 * y, 8 * y + 8).map((v) => ' .:-=+*#@'.charAt(Math.round(8 * v)).repeat(2));
    console.log(row.join(''));
  }
  const response = await fetch(new URL('/classify', values.url ?? 'http://127.0.0.1:8080'), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ image }),
    signal: AbortSignal.timeout(60_000),
  });
  const answer = (await response.json()) as { digit?: number; error?: { message: string } };
  if (!response.ok) throw new Error(`The clinic answers ${response.status}: ${answer.error?.message}`);
  console.log(`The clinic says ${answer.digit}; the label is ${labels.data[index]}.`);
}

main().catch((error: Error) => {
  process.exitCode = 1;
  const { cause } = error as { cause?: { code?: string } };
  console.error(cause?.code === undefined ? error.message : `${error.message}: ${cause.code}`);
});
