import test from 'ava';
import { float, node } from '../helpers/onnx';
import { agrees, clearAgrees, coreOps, refuses } from './oracle';

interface Attributes {
  readonly size?: number;
  readonly alpha?: number;
  readonly beta?: number;
  readonly bias?: number;
}

const lrn = ({ size, ...others }: Attributes) => {
  const floats = Object.entries(others).map(([name, value]) => [name, float(value)] as const);
  const attrs = { ...(size !== undefined && { size }), ...Object.fromEntries(floats) };
  return node('LRN', ['x'], ['y'], attrs, 'lrn');
};

test('LRN on a known range: one polynomial of the sum of squares, one product', async (t) => {
  for (const [shape, attrs, magnitude] of [
    [[2, 7, 3, 5], { size: 5, alpha: 1e-4, beta: 0.75, bias: 1 }, 100],
    [[1, 5, 4, 3], { size: 5, alpha: 1e-4, beta: 0.75, bias: 2 }, 200],
    [[1, 4, 9, 2], { size: 3, alpha: 0.02, beta: 0.5, bias: 1 }, 4],
    [[1, 3, 2, 2], { size: 9 }, 3],
  ] as const) {
    const ranges = { x: [-magnitude, magnitude] as const };
    const spec = { inputs: { x: shape }, outputs: { y: shape }, nodes: [lrn(attrs)] };
    const r = await (shape.length === 4 && attrs.size === 5 ? agrees : clearAgrees)(t, spec, 3, {
      magnitude,
      ranges,
    });
    const ops = coreOps(r).filter((op) => !['reshape', 'add_const', 'rescale'].includes(op));
    t.deepEqual(ops, ['mul', 'sum_pool', 'polynomial', 'mul'], JSON.stringify(attrs));
  }
});

test('LRN where nothing is known: a spline', async (t) => {
  const shape = [1, 7, 2, 3];
  const spec = { inputs: { x: shape }, outputs: { y: shape }, nodes: [lrn({ size: 5, bias: 2 })] };
  t.true(coreOps(await agrees(t, spec)).includes('spline'));
  await clearAgrees(t, spec, 3, { magnitude: 1000 });
});

test('LRN: what is refused', (t) => {
  const x = [1, 3, 4];
  const spec = (attrs: Attributes) => ({ inputs: { x }, outputs: { y: x }, nodes: [lrn(attrs)] });
  refuses(t, spec({ size: 3, alpha: -1 }), 'UNSUPPORTED_ATTRIBUTE', 'lrn', 'alpha');
  refuses(t, spec({ size: 3, bias: 0 }), 'UNSUPPORTED_ATTRIBUTE', 'lrn', 'bias');
  refuses(t, spec({}), 'INVALID_MODEL', 'lrn', 'size');
});
