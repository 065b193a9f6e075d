import test from 'ava';
import { node } from '../helpers/onnx';
import { agrees, refuses } from './oracle';

test('ReduceL1 and ReduceL2 along some axes and all', async (t) => {
  const x = [2, 3, 4];
  for (const op of ['ReduceL1', 'ReduceL2']) {
    for (const [attrs, y] of [
      [{ axes: [1], keepdims: 1 }, [2, 1, 4]],
      [{ axes: [0, -1], keepdims: 0 }, [3]],
      [{ keepdims: 0 }, []],
    ] as const)
      await agrees(t, { inputs: { x }, outputs: { y: [...y] }, nodes: [node(op, ['x'], ['y'], attrs)] });
  }
});

test('LpNormalization', async (t) => {
  const x = [2, 5, 3];
  for (const attrs of [{ p: 1, axis: 1 }, { p: 2, axis: 1 }, {}])
    await agrees(t, {
      inputs: { x },
      outputs: { y: x },
      nodes: [node('LpNormalization', ['x'], ['y'], attrs)],
    });
});

test('LpNormalization: what is refused', (t) => {
  const nodes = [node('LpNormalization', ['x'], ['y'], { p: 3 }, 'norm')];
  refuses(t, { inputs: { x: [3] }, outputs: { y: [3] }, nodes }, 'INVALID_MODEL', 'norm', '3');
});
