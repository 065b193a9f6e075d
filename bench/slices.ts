// `npm run bench -- slices`: openings between three and five parties, directly and by slices: a product of two secret vectors, in
// this process and on emulated links. Best of several runs, online.

import { renderTable } from '../lib/cli/table';
import { runProgram } from '../lib/runtime/local';
import { oneNode, programOf } from '../test/helpers/protocols';
import { environmentLine } from './runs';

const CASES: readonly (readonly [number, string | undefined, readonly number[]])[] = [
  [3, undefined, [1 << 10, 1 << 16, 1 << 20]],
  [5, undefined, [1 << 13, 1 << 16, 1 << 19]],
  [3, 'wan', [1 << 14, 1 << 15, 1 << 17]],
];

async function best(parties: number, size: number, slicedBytes: number, network?: string): Promise<number> {
  const operands = ['x', 'y'].map((name) => ({ name, shape: [size], owner: 'secret' as const }));
  const outputOwners = { y: 'secret' as const };
  const program = programOf(oneNode('mul', operands, [size]), { parties, slicedBytes, outputOwners });
  const numbers = new Map(operands.map(({ name }) => [name, new BigInt64Array(size)]));
  let seconds = Number.POSITIVE_INFINITY;
  for (let i = 0; i < (network ? 5 : 11); i++) {
    const run = await runProgram(program, numbers, { seed: 1, ...(network && { network }) });
    seconds = Math.min(seconds, run.seconds.online);
  }
  return 1000 * seconds;
}

export async function main(): Promise<void> {
  const rows: string[][] = [];
  for (const [parties, network, sizes] of CASES) {
    for (const size of sizes) {
      const direct = await best(parties, size, Number.POSITIVE_INFINITY, network);
      const slices = await best(parties, size, 1, network);
      const times = [direct, slices].map((ms) => ms.toPrecision(3));
      rows.push([`${parties}`, network ?? 'in memory', `${8 * size}`, ...times]);
    }
  }
  const titles = ['parties', 'network', 'bytes of each opening', 'direct ms', 'slices ms'];
  console.log(
    renderTable(
      titles.map((title, i) => ({ title, align: i === 1 ? 'left' : 'right' })),
      rows,
    ),
  );
  console.log(environmentLine());
}
