import test from 'ava';
import { DataType, int64, node } from '../helpers/onnx';
import { agrees, clearAgrees, coreOps, refuses } from './oracle';

const ints = (shape: readonly number[]) => ({ shape: [...shape], type: DataType.INT64 });

function topK(x: number[], k: number, attrs: Record<string, number> = {}) {
  const y = x.with(attrs.axis ?? -1, k);
  return {
    inputs: { x },
    outputs: { v: y, i: ints(y) },
    nodes: [node('TopK', ['x', 'k'], ['v', 'i'], attrs)],
    initializers: { k: int64([k]) },
  };
}

test('TopK: axes, largest and smallest, ties as in onnxruntime', async (t) => {
  for (const [x, k, axis] of [
    [[3, 7], 3, 1],
    [[5, 2, 3], 5, 0],
    [[2, 8, 3], 4, -2],
    [[2, 2], 2, 1],
    [[9], 2, 0],
  ] as const) {
    for (const largest of [0, 1]) {
      const spec = topK([...x], k, { axis, largest });
      const r = await agrees(t, spec, 3, { whole: true });
      t.is(r.optimized.slack.get('v'), 0);
      t.is(r.optimized.slack.get('i'), 0);
      if (largest === 1) await agrees(t, spec, 3, { owners: { x: 'secret', i: 1 } });
    }
  }
});

test('TopK of one element is a maximum; of values alone and of indices alone', async (t) => {
  for (const largest of [0, 1]) {
    const one = await agrees(t, topK([3, 7], 1, { largest, sorted: 0 }), 3, { whole: true });
    t.false(coreOps(one).includes('rank'));
  }
  const spec = topK([3, 6], 2);
  await agrees(t, { ...spec, outputs: { v: spec.outputs.v } });
  const indices = await agrees(t, { ...spec, outputs: { i: spec.outputs.i } });
  t.false(coreOps(indices).includes('mul'));
});

test('TopK of integers and of what was computed', async (t) => {
  const spec = topK([3, 6], 3);
  const outputs = { v: ints([3, 3]), i: ints([3, 3]) };
  await agrees(t, { ...spec, inputs: { x: ints([3, 6]) }, outputs });
  const nodes = [node('Mul', ['a', 'b'], ['x']), ...spec.nodes];
  await agrees(t, { ...spec, inputs: { a: [3, 6], b: [6] }, nodes });
});

test('TopK of many elements: first those of every block, ties as before', async (t) => {
  for (const [x, k, axis, levels] of [
    [[403], 2, 0, 2],
    [[20, 300, 2], 3, 1, 3],
  ] as const) {
    for (const largest of [0, 1]) {
      const r = await clearAgrees(t, topK([...x], k, { axis, largest }), 3, { whole: true });
      t.is(coreOps(r).filter((op) => op === 'rank').length, levels);
    }
  }
  await agrees(t, topK([403], 2), 3, { whole: true });
});

test('Hardmax along an axis, before opset 13 along all from it on', async (t) => {
  for (const [x, attrs] of [
    [[3, 5], {}],
    [[2, 3, 4], { axis: 2 }],
    [[2, 3, 4], { axis: 1 }],
    [[2, 3, 4], {}],
  ] as const) {
    const spec = {
      inputs: { x: [...x] },
      outputs: { y: [...x] },
      nodes: [node('Hardmax', ['x'], ['y'], attrs)],
    };
    await agrees(t, spec, 3, { whole: true });
    await clearAgrees(t, { ...spec, opset: 11 }, 3, { whole: true });
  }
});

test('TopK: what is refused', (t) => {
  refuses(t, topK([3, 4], 5), 'INVALID_SHAPE', 'TopK', '5 of 4');
});
