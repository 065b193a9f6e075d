// `npm run bench -- sessions [COUNT]`: COUNT sessions (1000 by default) of the example model are opened and closed, and as many
// local runs made; resident memory after each tenth of them, and what runs and sessions still hold in the end, which must be nothing.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { compile, runLocal } from '../lib';
import { renderTable } from '../lib/cli/table';
import { encodePlan } from '../lib/compiler/schedule/plan';
import { project } from '../lib/compiler/schedule/project';
import { readNpy } from '../lib/model/npy';
import { native } from '../lib/native';
import { Endpoint } from '../lib/native-endpoint';
import { rows } from '../lib/tensor';
import { environment } from './runs';

const EXAMPLE: string = join(__dirname, '..', 'examples', 'digits');

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** Resident memory in MiB after each tenth of `count` times `once`. */
async function repeat(count: number, once: () => Promise<void>): Promise<number[]> {
  const seen: number[] = [];
  for (let i = 1; i <= count; i++) {
    await once();
    if (i % Math.ceil(count / 10) !== 0 && i !== count) continue;
    collect();
    seen.push(process.memoryUsage.rss() / 2 ** 20);
  }
  return seen;
}

export async function main([given]: readonly string[]): Promise<void> {
  const count = Number(given ?? 1000);
  const image = rows(readNpy(readFileSync(join(EXAMPLE, 'images.npy'))), 0, 1);
  const model = await compile(join(EXAMPLE, 'digits.onnx'), { shapes: { image: image.shape } });
  const endpoint = new Endpoint({
    role: 0,
    parties: model.parties,
    deployment: 'bench',
    tls: null,
    maxFrameBytes: 1 << 24,
    maxControlBytes: 1 << 16,
    onEvent: () => {},
  });
  const plans = [encodePlan(project(model.program, 0))];
  let held = 0;
  const opened = await repeat(count, async () => {
    const session = endpoint.session({ plans });
    held = native().info().memory.bytes;
    session.close();
    while (native().info().memory.regions > 0) await new Promise((done) => setImmediate(done));
  });
  await endpoint.close();
  const ran = await repeat(count, async () => {
    await runLocal(model, { image });
  });
  const { regions, bytes } = native().info().memory;
  const columns = ['', ...opened.map((_, i) => `${i + 1}/${opened.length}`)].map((title, i) => ({
    title,
    align: i === 0 ? ('left' as const) : ('right' as const),
  }));
  const line = (name: string, seen: number[]): string[] => [name, ...seen.map((mib) => mib.toFixed(0))];
  console.log(JSON.stringify(environment()));
  console.log(`${count} sessions of ${held} bytes, and ${count} runs; resident MiB\n`);
  console.log(renderTable(columns, [line('sessions', opened), line('runs', ran)]));
  console.log(`\nheld afterwards: ${regions} regions, ${bytes} bytes`);
  if (regions !== 0) process.exitCode = 1;
}
