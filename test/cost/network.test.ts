import test from 'ava';
import { type Graph, GraphBuilder } from '../../lib/compiler/ir/graph';
import { parseNetwork } from '../../lib/cost/network';
import { CryptorchError } from '../../lib/errors';
import { runProgram } from '../../lib/runtime/local';
import { oneNode, programOf, type } from '../helpers/protocols';

test('networks by name and by figures', (t) => {
  t.deepEqual(parseNetwork('lan'), { bitsPerSecond: 1e9, roundTrip: 0.0002 });
  t.deepEqual(parseNetwork('400Mbit,4ms'), { bitsPerSecond: 400e6, roundTrip: 0.004 });
  t.deepEqual(parseNetwork('1.5gbit,250us'), { bitsPerSecond: 1.5e9, roundTrip: 0.00025 });
  for (const text of ['', 'adsl', '0Mbit,1ms', '10Mbit', '10Mbit,-1ms', 'toString']) {
    const error = t.throws(() => parseNetwork(text), { instanceOf: CryptorchError });
    t.is(error?.code, 'ERR_CRYPTORCH_INVALID_OPTION');
  }
});

const numbers = (elements: number) => new Map([['x', new BigInt64Array(elements).fill(5n)]]);

/** Seconds of the online phase, over the nominal ones: the best of several runs, because a busy machine only ever adds time. */
async function ratio(graph: Graph, elements: number, network: string, nominal: number, most: number) {
  const outputOwners = { [graph.outputs[0]!.name]: 'secret' as const };
  const program = programOf(graph, { parties: 2, outputOwners });
  const ratios: number[] = [];
  while (ratios.length < 20 && !(Math.min(...ratios) <= most)) {
    const { seconds } = await runProgram(program, numbers(elements), { seed: ratios.length, network });
    ratios.push(seconds.online / nominal);
  }
  return Math.min(...ratios);
}

test.serial('a long transfer takes what bandwidth and latency say, within 5 %', async (t) => {
  // A truncation is one exchange, both ways at once: 80 kB at 4 Mbit/s take 160 ms, and half a round trip.
  const graph = oneNode('rescale', [{ name: 'x', shape: [10_000], owner: 'secret' }], [10_000], { bits: 4 });
  const nominal = (8 * (80_000 + 24)) / 4e6 + 0.02;
  const seen = await ratio(graph, 10_000, '4Mbit,40ms', nominal, 1.05);
  t.true(seen >= 1 && seen <= 1.05, `${seen} of the nominal time`);
});

/** A chain of ReLUs: four dependent rounds each. */
function chain(length: number): Graph {
  const b = new GraphBuilder('chain');
  let v = b.input('x', type([8], 'secret'));
  for (let i = 0; i < length; i++)
    [v] = b.node({ name: `r${i}`, origin: 'Relu' }, 'relu', [v], [type([8])], { shift: 0 }) as [typeof v];
  return b.build([v]);
}

test.serial('dependent rounds take half a round trip each, within 20 %', async (t) => {
  const graph = chain(5);
  const outputOwners = { [graph.outputs[0]!.name]: 'secret' as const };
  const { counted } = await runProgram(programOf(graph, { parties: 2, outputOwners }), numbers(8), {
    seed: 1,
  });
  t.is(counted.online.rounds, 20);
  const seen = await ratio(graph, 8, '1Gbit,10ms', 20 * 0.005, 1.2);
  t.true(seen >= 1 && seen <= 1.2, `${seen} of the nominal time`);
});
