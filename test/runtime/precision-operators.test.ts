// Precision of one example of every operator: what is computed as it should be is not told to exceed anything.

import test from 'ava';
import { precision, type Tensor, tensor } from '../../lib';
import { LAST_OPSET, type Type } from '../../lib/compiler/ir/graph';
import { allOps } from '../../lib/compiler/ops';
import { importOnnx } from '../../lib/model/onnx/import';
import { model } from '../helpers/onnx';
import { examplesOf } from '../ops/examples';
import { randoms } from '../ops/oracle';

/** Examples of these are no models of their own: a branch, and an operand that must be known. */
const LEFT = ['If', 'Trilu'];

/** Positive numbers, which all functions exist for; zeros and ones. */
function given({ dtype, shape }: Type): Tensor {
  const count = shape.reduce((a, b) => a * b, 1);
  if (dtype === 'fixed')
    return tensor(
      randoms(count, 3).map((x) => Math.abs(x) + 0.125),
      shape,
    );
  const bits = Array.from({ length: count }, (_, i) => i % 2);
  return tensor(bits, shape, dtype === 'bool' ? 'bool' : 'int64');
}

test('no layer of an example is far off, and no bound is exceeded', async (t) => {
  const seen = new Set<string>();
  for (const { op } of allOps().filter((o) => o.lower && o.opset[0] <= LAST_OPSET && !LEFT.includes(o.op))) {
    const [spec] = examplesOf(op);
    if (!spec) continue;
    const bytes = model(spec);
    const inputs = importOnnx(bytes).graph.inputs.map((v) => [v.name, given(v.type)] as const);
    const { layers, exceeded } = await precision(bytes, [Object.fromEntries(inputs)]);
    t.deepEqual(exceeded, [], op);
    for (const { name, relative, ownError, error } of layers) {
      t.true(relative < 2 ** -6 && ownError.mean <= ownError.max, `${op}, ${name}: ${relative}`);
      t.true(Number.isFinite(error.max), op);
    }
    if (layers.length > 0) seen.add(op);
  }
  t.true(
    ['Conv', 'Softmax', 'TopK', 'Where', 'ArgMax', 'Sqrt'].every((op) => seen.has(op)),
    [...seen].join(),
  );
});
