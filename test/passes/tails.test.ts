import test from 'ava';
import { type CompiledModel, type CompileOptions, compile } from '../../lib';
import { type ModelSpec, model, node, tensor } from '../helpers/onnx';
import { agrees, coreOps, weights } from '../ops/oracle';

/** A product, so that a truncation comes before the comparisons, and the sum of some of its clipped parts. */
function clips(...bounds: readonly (readonly [string, string])[]): ModelSpec {
  const parts = bounds.map((_, i) => `part${i}`);
  return {
    inputs: { x: [3, 5] },
    outputs: { y: [3, 7] },
    nodes: [
      node('MatMul', ['x', 'w'], ['z']),
      ...bounds.map((b, i) => node('Clip', ['z', ...b], [parts[i]!])),
      node('Sum', parts, ['y']),
    ],
    initializers: { w: weights([5, 7]), lo: tensor([], [-1.5]), hi: tensor([], [0.75]) },
  };
}

const middle = ['lo', 'hi'] as const;
const above = ['hi', ''] as const;
const below = ['', 'lo'] as const;

test('a function with linear tails takes the two comparisons of the clip in its middle', async (t) => {
  const compiled = async (spec: ModelSpec, options: CompileOptions): Promise<CompiledModel> =>
    compile(model(spec), { ...options, ranges: { x: [-3, 3] } });
  const cost = ({ predicted: { online } }: CompiledModel) => ({
    rounds: online.rounds,
    bytes: online.bytesSent,
  });
  const material = ({ predicted: { offline } }: CompiledModel) => offline.dealerBytes.reduce((a, b) => a + b);
  for (const options of [
    { parties: 2 },
    { parties: 3 },
    { exactTruncation: true },
    { network: 'wan', prefer: 'online' },
    { network: '100Mbit,10ms' },
  ] as const) {
    const one = await compiled(clips(middle), options);
    for (const tails of [[above], [below], [above, below]]) {
      const all = await compiled(clips(middle, ...tails), options);
      const name = `${JSON.stringify(options)}, ${tails.join(' and ')}`;
      t.deepEqual(cost(all), cost(one), name);
      // Shares of a sum take a bit or two more than those of the clip.
      t.true(material(all) <= 1.05 * material(one), name);
    }
  }
  const spec = clips(middle, above, below);
  const all = await agrees(t, spec, 3, { ranges: { x: [-3, 3] } });
  t.deepEqual(coreOps(all), ['matmul', 'clip', 'clip', 'clip', 'add', 'add']);
  await agrees(t, spec, 4);
});
