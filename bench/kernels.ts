// `npm run bench -- kernels [--json] [--quick] [--isa NAME] [SUITE]`: how fast the kernels are, as ratios of two things measured in turn in
// this process, each with its goal. Single-thread figures are processor time of one thread, so that other processes on the
// machine disturb them less. --quick measures everything once, to see that it works.

import { readFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import type { Isa } from '../lib/native';
import type { Effort } from './kernels/binding';
import { expansion, protocols } from './kernels/material';
import { convolutions, products } from './kernels/products';
import { met, type Ratio, ratioTable } from './kernels/ratio';
import { rounds } from './kernels/rounds';
import { threads } from './kernels/threads';
import { environment } from './runs';

/** Load averages, and how many processes run or want to, this one included. */
function load(): string {
  const averages = loadavg().map((l) => l.toFixed(1));
  try {
    const running = readFileSync('/proc/loadavg', 'utf8').split(' ')[3]?.split('/')[0];
    return `${averages.join(' ')}, ${running} running`;
  } catch {
    return averages.join(' ');
  }
}

function option(args: readonly string[], name: string): string | undefined {
  const at = args.indexOf(name);
  return at < 0 ? undefined : args[at + 1];
}

export async function main(args: readonly string[]): Promise<void> {
  const quick = args.includes('--quick');
  const isa = option(args, '--isa') as Isa | undefined;
  const filter = args.find((a) => !a.startsWith('--') && a !== isa) ?? '';
  const effort: Effort = {
    repetitions: quick ? 1 : 11,
    seconds: quick ? 0 : 0.02,
    ...(isa !== undefined && { isa }),
  };
  const suites: Readonly<Record<string, () => Ratio[]>> = {
    products: () => products(effort),
    convolutions: () => convolutions(effort),
    expansion: () => expansion(effort),
    protocols: () => protocols(effort),
    rounds: () => rounds(quick ? 50 : 1000, quick ? 1 : 7),
    threads: () => threads(effort, quick),
  };
  const before = load();
  const chosen = Object.keys(suites).filter((name) => name.includes(filter));
  const json = args.includes('--json');
  const where = { ...environment(), ...(isa !== undefined && { kernels: isa }) };
  if (!json) {
    const listed = Object.entries(where).map(([k, v]) => `${k} ${v}`);
    console.log(`${listed.join(', ')}\nload ${before}`);
  }
  const ratios: Ratio[] = [];
  for (const name of chosen) {
    const found = suites[name]?.() ?? [];
    ratios.push(...found);
    if (!json) console.log(`\n${name}\n${ratioTable(found)}`);
  }
  const after = load();
  if (json) {
    const all = ratios.map((r) => ({ ...r, met: met(r) }));
    console.log(JSON.stringify({ environment: where, load: { before, after }, ratios: all }));
  } else {
    console.log(`\nload ${after}; ${ratios.filter(met).length} of ${ratios.length} goals met`);
  }
}
