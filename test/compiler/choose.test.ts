// Forms of protocols for a network: what is chosen costs less there than what is best within a machine.

import test from 'ava';
import { NETWORKS } from '../../bench/networks';
import { type CompiledModel, type CompileOptions, compile, runLocal, tensor } from '../../lib';
import { slicedBytes } from '../../lib/compiler/choose';
import { parseNetwork } from '../../lib/cost/network';
import { coded } from '../helpers/errors';
import { model, node } from '../helpers/onnx';
import { randoms, weights } from '../ops/oracle';

const lenet = NETWORKS.find((n) => n.name === 'LeNet-5')!;
const file = lenet.build();
const shape = [1, ...lenet.input];

const made = (options: CompileOptions): Promise<CompiledModel> =>
  compile(file, { shapes: { x: shape }, ...options });

/** Seconds that messages take by the prediction: half a round trip each, and bytes at the network's rate. */
function seconds({ predicted }: CompiledModel, network: string, prefer: 'online' | 'total'): number {
  const { bitsPerSecond, roundTrip } = parseNetwork(network);
  const { online, offline } = predicted;
  const wire = (bytes: readonly number[]): number => (8 * Math.max(...bytes)) / bitsPerSecond;
  const ahead = prefer === 'total' ? wire(offline.dealerBytes) : 0;
  return (online.rounds * roundTrip) / 2 + wire(online.bytesSent) + ahead;
}

for (const [network, prefer] of [
  ['wan', 'online'],
  ['wan', 'total'],
  ['10Gbit,20ms', 'total'],
] as const) {
  test(`${network}, ${prefer} time: faster than the default, the same results`, async (t) => {
    const [usual, chosen] = [await made({}), await made({ network, prefer })];
    t.true(seconds(chosen, network, prefer) < 0.9 * seconds(usual, network, prefer));
    t.true(chosen.predicted.online.rounds < usual.predicted.online.rounds);
    const x = tensor(
      randoms(
        shape.reduce((a, b) => a * b, 1),
        3,
      ),
      shape,
    );
    const [a, b] = [await runLocal(usual, { x }, { seed: 1 }), await runLocal(chosen, { x }, { seed: 1 })];
    t.deepEqual(b.communication.counted, chosen.predicted);
    const [name] = Object.keys(a.outputs) as [string];
    const [ours, theirs] = [a, b].map((run) => Array.from(run.outputs[name]!.data as Float32Array));
    const far = ours!.map((v, i) => Math.abs(v - theirs![i]!));
    t.true(Math.max(...far) <= 2 * chosen.outputs[0]!.slack!);
  });
}

test('two parties, weights of one: a slow network gets one message each way per layer', async (t) => {
  const layers = 3;
  const names = Array.from({ length: layers + 1 }, (_, i) => `h${i}`);
  const spec = {
    inputs: { x: [1, 16] },
    outputs: { [`h${layers}`]: [1, 16] },
    nodes: names
      .slice(1)
      .flatMap((name, i) => [
        node('MatMul', [i === 0 ? 'x' : `h${i}`, `w${i}`], [`z${i}`], {}, `product${i}`),
        node('Relu', [`z${i}`], [name], {}, `relu${i}`),
      ]),
    initializers: Object.fromEntries(names.slice(1).map((_, i) => [`w${i}`, weights([16, 16], i)])),
  };
  for (const extra of [{}, { ranges: { x: [-1, 1] } }] as const) {
    const m = await compile(model(spec), { network: 'wan', prefer: 'online', ...extra });
    // x to the holder of the weights, two messages a layer, and the output to the other party.
    t.is(m.predicted.online.rounds, 1 + 2 * layers + 1);
    const x = tensor(randoms(16, 9), [1, 16]);
    const { communication } = await runLocal(m, { x });
    t.deepEqual(communication.counted, m.predicted);
  }
});

test('reports name what was chosen for every layer', async (t) => {
  const { layers } = await made({ network: 'wan', ranges: { x: [-1, 1] } });
  for (const { op, choices } of layers) {
    if (op === 'Relu') t.regex(choices.comparison!, /^\d-bit digits in gates of \d/);
    if (op === 'MaxPool') t.regex(choices.maximum!, /all pairs of 4|tournament/);
  }
  t.regex(layers.find((l) => l.op === 'Conv')!.choices.ring!, /^\d\d bits$/);
});

test('where bandwidth is what counts, large layers keep to little material', async (t) => {
  const [usual, slow] = [await made({}), await made({ network: '1Mbit,1ms' })];
  const dealt = (m: CompiledModel): number => m.predicted.offline.dealerBytes.reduce((a, b) => a + b, 0);
  t.true(dealt(slow) <= 1.05 * dealt(usual));
});

test('slices pay from the size whose bytes take as long as the message they add', (t) => {
  const network = parseNetwork('80Mbit,20ms');
  t.is(slicedBytes(network, 2), Number.POSITIVE_INFINITY);
  // Three parties: 2 copies become 4/3, so 2/3 of 150 kB take the 10 ms of a message at 10 MB/s.
  t.is(Math.round(slicedBytes(network, 3)), 150_000);
});

test('knobs and networks that cannot be meant are refused', async (t) => {
  const refused = coded('INVALID_OPTION');
  await t.throwsAsync(made({ network: 'fast' }), refused);
  await t.throwsAsync(made({ prefer: 'online' }), refused);
  for (const comparison of [
    { leaf: 10, fanin: 4 },
    { leaf: 4, fanin: 1 },
    { leaf: 4, fanin: 4, fused: 7 },
    { leaf: 4.5, fanin: 4 },
  ])
    await t.throwsAsync(made({ knobs: { comparison } }), refused);
  await t.throwsAsync(made({ knobs: { allPairs: 1 } }), refused);
});
