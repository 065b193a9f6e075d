import test from 'ava';
import { type Graph, GraphBuilder } from '../../lib/compiler/ir/graph';
import { CryptorchError } from '../../lib/errors';
import { runProgram } from '../../lib/runtime/local';
import { parseNetwork } from '../../lib/runtime/network';
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

/** Online seconds of a truncation of so many elements: one exchange, both ways at once. */
async function online(elements: number, network: string): Promise<number> {
  const graph = oneNode('rescale', [{ name: 'x', shape: [elements], owner: 'secret' }], [elements], {
    bits: 4,
  });
  const program = programOf(graph, { parties: 2, outputOwners: { y: 'secret' } });
  const runs: number[] = [];
  for (let i = 0; i < 3; i++)
    runs.push((await runProgram(program, numbers(elements), { seed: i, network })).seconds.online);
  return Math.min(...runs);
}

test('a long transfer takes what bandwidth and latency say', async (t) => {
  // 80 kB at 4 Mbit/s: 160 ms, and half a round trip.
  const seconds = await online(10_000, '4Mbit,40ms');
  const nominal = (8 * (80_000 + 24)) / 4e6 + 0.02;
  t.true(seconds >= 0.99 * nominal, `${seconds} s, nominal ${nominal} s`);
  t.true(seconds <= 1.5 * nominal, `${seconds} s, nominal ${nominal} s`);
});

/** A chain of ReLUs: four dependent rounds each. */
function chain(length: number): Graph {
  const b = new GraphBuilder('chain');
  let v = b.input('x', type([8], 'secret'));
  for (let i = 0; i < length; i++)
    [v] = b.node({ name: `r${i}`, origin: 'Relu' }, 'relu', [v], [type([8])], { shift: 0 }) as [typeof v];
  return b.build([v]);
}

test('dependent rounds take half a round trip each', async (t) => {
  const graph = chain(5);
  const program = programOf(graph, { parties: 2, outputOwners: { [graph.outputs[0]!.name]: 'secret' } });
  const { seconds, counted } = await runProgram(program, numbers(8), { seed: 1, network: '1Gbit,10ms' });
  t.is(counted.online.rounds, 20);
  t.true(seconds.online >= 20 * 0.005 * 0.99, `${seconds.online}`);
  t.true(seconds.online <= 20 * 0.005 * 2, `${seconds.online}`);
});
