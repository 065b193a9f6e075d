import test from 'ava';
import { DataType, int64, node } from '../helpers/onnx';
import { agrees, refuses } from './oracle';

const shapeAfter = (x: number[], axes: number[], keep: number) => {
  const at = axes.map((a) => (a < 0 ? a + x.length : a));
  return x.flatMap((d, i) => (at.includes(i) ? (keep ? [1] : []) : [d]));
};

for (const keepdims of [0, 1]) {
  for (const axes of [[1], [-1], [0, 2], [-2, -1, 0]]) {
    test(`ReduceMean and ReduceSum over [${axes}], keepdims ${keepdims}`, async (t) => {
      const x = [3, 5, 7];
      const y = shapeAfter(x, axes, keepdims);
      const outputs = { y };
      await agrees(t, {
        inputs: { x },
        outputs,
        nodes: [node('ReduceMean', ['x'], ['y'], { axes, keepdims })],
      });
      await agrees(t, {
        inputs: { x },
        outputs,
        opset: 11,
        nodes: [node('ReduceSum', ['x'], ['y'], { axes, keepdims })],
      });
      const nodes = [node('ReduceSum', ['x', 'axes'], ['y'], { keepdims })];
      await agrees(t, { inputs: { x }, outputs, nodes, initializers: { axes: int64(axes) } });
    });
  }
  test(`ReduceMean and ReduceSum over everything, keepdims ${keepdims}`, async (t) => {
    const x = [2, 3, 4];
    const y = keepdims ? [1, 1, 1] : [];
    for (const op of ['ReduceMean', 'ReduceSum']) {
      await agrees(t, { inputs: { x }, outputs: { y }, nodes: [node(op, ['x'], ['y'], { keepdims })] });
    }
  });
}

test('ReduceSum without axes may do nothing', async (t) => {
  const nodes = [node('ReduceSum', ['x', 'axes'], ['y'], { noop_with_empty_axes: 1 })];
  await agrees(t, {
    inputs: { x: [2, 3] },
    outputs: { y: [2, 3] },
    nodes,
    initializers: { axes: int64([]) },
  });
});

test('reductions: what is refused', (t) => {
  const outputs = { y: [2] };
  const twice = [node('ReduceSum', ['x'], ['y'], { axes: [1, -1] }, 'total')];
  refuses(t, { inputs: { x: [2, 3] }, outputs, nodes: twice, opset: 11 }, 'INVALID_SHAPE', 'total', 'twice');
  const beyond = [node('ReduceMean', ['x'], ['y'], { axes: [2] }, 'total')];
  refuses(t, { inputs: { x: [2, 3] }, outputs, nodes: beyond }, 'INVALID_SHAPE', 'total', '2 dimensions');
  const secret = [node('ReduceSum', ['x', 'axes'], ['y'], {}, 'total')];
  const axes = { shape: [1], type: DataType.INT64 };
  refuses(
    t,
    { inputs: { x: [2, 3], axes }, outputs, nodes: secret },
    'UNSUPPORTED_ATTRIBUTE',
    'total',
    'axes',
  );
});
