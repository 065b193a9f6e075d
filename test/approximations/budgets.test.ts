// What functions and normalisations are allowed to be off by and to send, with default options: read off the program, counted
// by the transport, and measured on private runs over the whole domain.

import test from 'ava';
import * as ort from 'onnxruntime-node';
import { compile, runLocal, tensor as tensorOf } from '../../lib';
import { choose, DEFAULT_APPROXIMATION, findFunction } from '../../lib/compiler/approximations';
import { GraphBuilder } from '../../lib/compiler/ir/graph';
import { splineOf } from '../../lib/compiler/ops/spline';
import { fixedPoint } from '../../lib/compiler/passes/fixed-point';
import { toFloat64 } from '../../lib/tensor';
import { model, node, tensor } from '../helpers/onnx';
import { check, oneNode, programOf } from '../helpers/protocols';
import { noise, randoms } from '../ops/oracle';

for (const [name, exponent] of [
  ['reciprocal', -1],
  ['inverse square root', -0.5],
] as const) {
  test(`${name} on [2^-10, 2^14]: relative error within 1e-3`, async (t) => {
    const params = [exponent, 1, 0];
    const domain = findFunction('power').domain(params);
    t.deepEqual(domain, { lo: 2 ** -10, hi: 2 ** 14 });
    const b = new GraphBuilder('test');
    const type = { shape: [1], dtype: 'fixed' as const, owner: 'secret' as const };
    const attrs = { fn: 'power', params, ...domain, known: false };
    const [y] = b.node({ name: 'f', origin: name }, 'approximate', [b.input('x', type)], [type], attrs);
    const graph = b.build([y!]);
    const options = { inputScale: 16, fractionalBits: 16, approximation: DEFAULT_APPROXIMATION };
    t.true(choose(graph.nodes[0]!, options).error! <= 1e-3);

    const spline = fixedPoint(graph, 16).nodes.find((n) => n.op === 'spline')!;
    const { inputScale, outputScale } = splineOf(spline);
    const next = noise(5);
    const x = Array.from({ length: 3000 }, () => BigInt(Math.floor(2 ** (18 + 12 * next())))).concat(
      64n,
      2n ** 30n - 1n,
    );
    const own = oneNode(
      'spline',
      [{ name: 'x', shape: [x.length], owner: 'secret' }],
      [x.length],
      spline.attrs,
    );
    const checked = await check(t, programOf(own, { parties: 2 }), { x });
    for (const [i, v] of x.entries()) {
      const exact = (Number(v) * 2 ** -inputScale) ** exponent;
      const off = Math.abs((Number(checked.y[i]) * 2 ** -outputScale) / exact - 1);
      t.true(off <= 1e-3, `${v}: ${off}`);
    }
  });
}

test('Exp on [-16, 0]: error within 1e-3', async (t) => {
  const n = 2001;
  const bytes = model({ inputs: { x: [n] }, outputs: { y: [n] }, nodes: [node('Exp', ['x'], ['y'])] });
  const x = Float32Array.from({ length: n }, (_, i) => (-16 * i) / (n - 1));
  const run = await runLocal(await compile(bytes), { x: tensorOf(x, [n]) }, { seed: 1 });
  t.deepEqual(run.communication.counted, run.communication.predicted);
  toFloat64(run.outputs.y!).forEach((v, i) => {
    t.true(Math.abs(v - Math.exp(x[i]!)) <= 1e-3, `${x[i]}: ${v}`);
  });
});

test('LayerNormalization of rows of 768: within 32 bytes a party and element', async (t) => {
  const [rows, width] = [8, 768];
  const initializers = {
    s: tensor(
      [width],
      randoms(width, 1).map((v) => 1 + v / 4),
    ),
    b: tensor([width], randoms(width, 2)),
  };
  const bytes = model({
    inputs: { x: [rows, width] },
    outputs: { y: [rows, width] },
    nodes: [node('LayerNormalization', ['x', 's', 'b'], ['y'])],
    initializers,
    opset: 17,
  });
  const x = Float32Array.from(randoms(rows * width, 3, 4), (v, i) => v * 2 ** (Math.floor(i / width) - 4));
  // From shares to shares, and with the result revealed.
  const owners = { x: 'secret' } as const;
  const { predicted } = await compile(bytes, { owners: { ...owners, y: 'secret' } });
  const sent = (['offline', 'online'] as const).map((phase) => Math.max(...predicted[phase].bytesSent));
  t.true(sent.reduce((a, b) => a + b, 0) / (rows * width) <= 32);
  t.true(predicted.online.rounds <= 9, `${predicted.online.rounds} rounds`);
  const run = await runLocal(
    await compile(bytes, { owners }),
    { x: tensorOf(x, [rows, width]) },
    { seed: 1 },
  );
  t.deepEqual(run.communication.counted, run.communication.predicted);
  const session = await ort.InferenceSession.create(bytes, { logSeverityLevel: 4 });
  const { y } = await session.run({ x: new ort.Tensor('float32', x, [rows, width]) });
  await session.release();
  toFloat64(run.outputs.y!).forEach((v, i) => {
    t.true(Math.abs(v - Number(y!.data[i])) <= 5e-3, `${i}: ${v} and ${y!.data[i]}`);
  });
});
