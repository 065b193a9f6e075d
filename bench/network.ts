// `npm run bench -- network [NETWORK...]`: how true emulated links are. Two parties, as threads of this process, send each other
// frames of a size at once and compute nothing; nominal is what bandwidth and half a round trip say. Medians and best of the
// exchanges, each repeated for about a second.

import { renderTable } from '../lib/cli/table';
import { parseNetwork } from '../lib/cost/network';
import { native } from '../lib/native';
import { frame, plan, WORK, type Word } from '../test/native/plans';
import { environmentLine, median } from './runs';

const HEADER_BYTES = 24;
const SIZES = [64, 10_000, 1_000_000, 8_000_000];

/** Seconds of an exchange, over so many that depend on each other. */
async function exchange(network: string, bytes: number, rounds: number): Promise<number> {
  const room = Math.ceil(bytes / 64) * 64;
  const plans = [0, 1].map((role) => {
    const online = Array.from({ length: rounds }, (_, i): Word[][] => [
      frame('send', i + 1, 1 - role, WORK, 0, bytes, 0),
      frame('receive', i + 1, 1 - role, WORK, room, bytes, 0),
    ]).flat();
    return plan({ role, bytes: [0, 0, 2 * room], keys: 0, online });
  });
  const config = { plans, keys: [[], []], inputs: [[], []], network: parseNetwork(network) };
  return (await native().runLocal(config)).seconds.online / rounds;
}

export async function main(names: readonly string[]): Promise<void> {
  const rows: string[][] = [];
  for (const network of names.length > 0 ? names : ['lan', 'wan', '400Mbit,4ms']) {
    const { bitsPerSecond, roundTrip } = parseNetwork(network);
    for (const bytes of SIZES) {
      const nominal = (8 * (bytes + HEADER_BYTES)) / bitsPerSecond + roundTrip / 2;
      const rounds = Math.max(1, Math.min(100, Math.round(0.02 / nominal)));
      const seen: number[] = [];
      const until = performance.now() + 1000;
      while (seen.length < 3 || performance.now() < until) seen.push(await exchange(network, bytes, rounds));
      const times = [nominal, median(seen), Math.min(...seen)];
      rows.push([
        network,
        String(bytes),
        ...times.map((s) => (1000 * s).toFixed(3)),
        ...times.slice(1).map((s) => (s / nominal).toFixed(3)),
      ]);
    }
  }
  const titles = ['bytes', 'nominal ms', 'median ms', 'best ms', 'median ratio', 'best ratio'];
  const columns = [
    { title: 'network', align: 'left' },
    ...titles.map((title) => ({ title, align: 'right' }) as const),
  ] as const;
  console.log(`${environmentLine()}\n\n${renderTable(columns, rows)}`);
}
