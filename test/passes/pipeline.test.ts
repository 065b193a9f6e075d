import test from 'ava';
import type { Graph } from '../../lib/compiler/ir/graph';
import { verifyGraph } from '../../lib/compiler/ir/verify';
import { evaluate } from '../../lib/compiler/ops/evaluate';
import { evaluateCore } from '../../lib/compiler/ops/evaluate-core';
import { optimize } from '../../lib/compiler/passes/pipeline';
import { CryptorchError } from '../../lib/errors';
import { importOnnx } from '../../lib/model/onnx/import';
import { model } from '../helpers/onnx';
import { noise, randoms } from '../ops/oracle';
import { randomModel } from './graphs';

const largest = (data: Float64Array): number => data.reduce((m, v) => Math.max(m, Math.abs(v)), 0);
const difference = (a: Float64Array, b: Float64Array): number =>
  a.reduce((m, v, i) => Math.max(m, Math.abs(v - b[i]!)), 0);

const seeds = Array.from({ length: 40 }, (_, i) => i);

for (const seed of seeds) {
  test(`random model ${seed}: every pass keeps what is computed, rounding stays within the slack`, (t) => {
    const { graph } = importOnnx(model(randomModel(seed)));
    const x = randoms(
      graph.inputs[0]!.type.shape.reduce((a, b) => a * b, 1),
      seed + 500,
    );
    let expected: Float64Array | undefined;
    let scaled = false;
    const onPass = (name: string, g: Graph): void => {
      scaled ||= name === 'fixed-point';
      const isCore = expected !== undefined && g.nodes.every((n) => n.op === n.op.toLowerCase());
      const now = (isCore ? evaluateCore(g, [x]) : evaluate(g, [x]))[0]!.data;
      expected ??= now;
      t.true(difference(now, expected) <= (scaled ? 1e-2 : 1e-9) * Math.max(1, largest(expected)), name);
      t.is(g.outputs[0]!.name, graph.outputs[0]!.name, name);
    };
    const { graph: core, slack } = optimize(graph, { fractionalBits: 16, onPass });
    t.notThrows(() => verifyGraph(core, 'test', { core: true }));
    for (const node of core.nodes) t.true(node.outputs[0]!.type.scale! <= 40, `${node.op} has too many bits`);

    const exact = evaluateCore(core, [x])[0]!.data;
    const bound = slack.get(core.outputs[0]!.name)!;
    for (const round of [Math.floor, Math.ceil, coin(seed)]) {
      const rescale = (v: number, scale: number) => round(v * 2 ** scale) * 2 ** -scale;
      const actual = evaluateCore(core, [x], { rescale })[0]!.data;
      t.true(difference(actual, exact) <= bound + 1e-12, `${difference(actual, exact)} <= ${bound}`);
    }
  });
}

/** Rounds up with a probability of the fraction, as a truncation with a public coin does. */
function coin(seed: number): (x: number) => number {
  const next = noise(seed + 17);
  return (x) => Math.floor(x + (next() + 1) / 2);
}

test('fewer and more fractional bits', (t) => {
  const { graph } = importOnnx(model(randomModel(3)));
  const x = randoms(
    graph.inputs[0]!.type.shape.reduce((a, b) => a * b, 1),
    5,
  );
  const [coarse, fine] = [8, 20].map((fractionalBits) => {
    const r = optimize(graph, { fractionalBits });
    return { out: evaluateCore(r.graph, [x])[0]!.data, slack: [...r.slack.values()][0]! };
  });
  t.true(coarse!.slack > fine!.slack);
  t.true(difference(coarse!.out, fine!.out) < 0.1 * Math.max(1, largest(fine!.out)));
  for (const fractionalBits of [0, 2.5, 25, Number.NaN]) {
    const error = t.throws(() => optimize(graph, { fractionalBits }), { instanceOf: CryptorchError });
    t.is(error?.code, 'ERR_CRYPTORCH_INVALID_OPTION');
  }
});
