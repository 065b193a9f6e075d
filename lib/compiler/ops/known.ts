// Further operators on values known when the model is compiled: NonZero, EyeLike, ReduceProd, and If, which becomes the branch
// that is taken (passes/infer-shapes).

import { elementCount } from '../ir/graph';
import { reduce, stridesOf, tensorOf } from './array';
import { type OpContext, show } from './context';
import { reduction } from './reduce';
import { defineOp } from './registry';
import { elementDtype } from './reshape';

/** Indices of the elements that are not zero, one row per dimension. */
function nonZero(c: OpContext): number[][] {
  const x = c.shape(0);
  const found = c.known(0, 'input').flatMap((v, i) => (v !== 0 ? [i] : []));
  const strides = stridesOf(x);
  return x.map((d, axis) => found.map((i) => Math.floor(i / strides[axis]!) % d));
}

defineOp({
  op: 'NonZero',
  opset: [11, 23],
  restrictions: 'values known at compile time',
  infer(c) {
    const rows = nonZero(c);
    return [{ shape: [rows.length, rows[0]?.length ?? 0], dtype: 'int' }];
  },
  reference(c) {
    const rows = nonZero(c);
    return [tensorOf([rows.length, rows[0]?.length ?? 0], rows.flat())];
  },
});

defineOp({
  op: 'EyeLike',
  opset: [11, 23],
  restrictions: '',
  integers: true,
  typeOnly: [0],
  infer(c) {
    const x = c.shape(0);
    if (x.length !== 2) throw c.invalidShape(`has an input of shape ${show(x)}; it needs a matrix`, x);
    const type = c.node.attrs.dtype === undefined ? c.type(0).dtype : elementDtype(c, 'dtype');
    return [{ shape: x, dtype: type }];
  },
  reference(c) {
    const [rows, columns] = c.shape(0) as [number, number];
    const k = c.number('k', 0);
    const at = (_: unknown, i: number) => Number((i % columns) - Math.floor(i / columns) === k);
    return [tensorOf([rows, columns], Float64Array.from({ length: elementCount([rows, columns]) }, at))];
  },
});

defineOp({
  op: 'ReduceProd',
  opset: [11, 23],
  restrictions: 'values known at compile time',
  infer: (c) => [{ shape: reduction(c).shape, dtype: c.type(0).dtype }],
  reference(c, [x]) {
    const { axes, keepdims } = reduction(c);
    return [reduce(x!, axes, keepdims, 1, (a, v) => a * v)];
  },
});

defineOp({
  op: 'If',
  opset: [11, 23],
  restrictions: 'the condition is known at compile time',
  infer(c) {
    const condition = c.known(0, 'condition');
    if (condition.length !== 1)
      throw c.invalidShape(`has a condition of shape ${show(c.shape(0))}`, c.shape(0));
    return [];
  },
  // Its branch stands in its place by the time that anything is computed.
  reference: () => [],
  lower: () => [],
});
