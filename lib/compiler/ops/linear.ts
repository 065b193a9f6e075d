// Gemm and MatMul: products of matrices, with numpy's rules for batches and for vectors.
//
// Y = alpha op(A) op(B) + beta C. Factors are folded into a constant B (or C) when the model is compiled, so
// that a fully connected layer is one product and one sum.

import type { Value } from '../ir/graph';
import { broadcastShapes, map, matmul, matrixDims, sameShape, zip } from './array';
import { type LowerContext, type OpContext, show } from './context';
import { operand, plus, scaled } from './operands';
import { defineOp } from './registry';

/** Input i times a factor: folded into a constant, else multiplied. */
function withFactor(c: LowerContext, i: number, factor: number): Value {
  if (factor === 1) return c.value(i);
  if (!c.isConstant(i)) return scaled(c, c.value(i), factor);
  const t = map(c.floats(i), (x) => x * factor);
  return c.core.constant(`${c.node.name}:scaled`, t, c.type(i).owner);
}

function gemmFlags(c: OpContext): { transA: boolean; transB: boolean; alpha: number; beta: number } {
  return {
    transA: c.flag('transA', false),
    transB: c.flag('transB', false),
    alpha: c.number('alpha', 1),
    beta: c.number('beta', 1),
  };
}

defineOp({
  op: 'Gemm',
  opset: [11, 23],
  restrictions: '',
  infer(c) {
    const { transA, transB } = gemmFlags(c);
    if (c.shape(0).length !== 2 || c.shape(1).length !== 2) throw c.mismatch(0, 1, 'both must be matrices');
    const [m, k] = matrixDims(c.shape(0), transA);
    const [k2, n] = matrixDims(c.shape(1), transB);
    if (k !== k2) throw c.mismatch(0, 1, `the inner dimensions ${k} and ${k2} differ`);
    const shape = [m, n];
    if (c.has(2) && !sameShape(broadcastShapes(shape, c.shape(2)) ?? [], shape)) {
      const [product, bias] = [show(shape), show(c.shape(2))];
      throw c.invalidShape(
        `adds a tensor of shape ${bias} to a product of shape ${product}`,
        shape,
        c.shape(2),
      );
    }
    return [{ shape, dtype: 'fixed' }];
  },
  reference(c, [a, b, bias]) {
    const { transA, transB, alpha, beta } = gemmFlags(c);
    const product = map(matmul(a!, b!, transA, transB), (x) => alpha * x);
    return [bias ? zip(product, bias, (x, y) => x + beta * y) : product];
  },
  lower(c) {
    const { transA, transB, alpha, beta } = gemmFlags(c);
    const factorOn = c.isConstant(0) ? 0 : 1;
    const a = factorOn === 0 ? withFactor(c, 0, alpha) : c.value(0);
    const b = factorOn === 1 ? withFactor(c, 1, alpha) : c.value(1);
    const product = c.core.matmul(a, b, transA, transB);
    if (!c.has(2) || beta === 0) return [product];
    return [beta === 1 ? plus(c, product, 2) : c.core.add(product, withFactor(c, 2, beta))];
  },
});

/**
 * Shapes with vectors made into matrices, and the shape of the result with those dimensions taken out again.
 */
function matmulShapes(c: OpContext): { a: number[]; b: number[]; out: number[] } {
  const [a, b] = [[...c.shape(0)], [...c.shape(1)]];
  if (a.length === 0 || b.length === 0) throw c.mismatch(0, 1, 'a product of matrices takes no scalars');
  const [vectorA, vectorB] = [a.length === 1, b.length === 1];
  if (vectorA) a.unshift(1);
  if (vectorB) b.push(1);
  const batch = broadcastShapes(a.slice(0, -2), b.slice(0, -2));
  if (!batch) throw c.mismatch(0, 1, 'their batches do not broadcast');
  if (a.at(-1) !== b.at(-2))
    throw c.mismatch(0, 1, `the inner dimensions ${a.at(-1)} and ${b.at(-2)} differ`);
  const out = [...batch, ...(vectorA ? [] : [a.at(-2)!]), ...(vectorB ? [] : [b.at(-1)!])];
  return { a, b, out };
}

defineOp({
  op: 'MatMul',
  opset: [11, 23],
  restrictions: '',
  infer: (c) => [{ shape: matmulShapes(c).out, dtype: 'fixed' }],
  reference(c, [x, y]) {
    const { a, b, out } = matmulShapes(c);
    return [{ shape: out, data: matmul({ shape: a, data: x!.data }, { shape: b, data: y!.data }).data }];
  },
  lower(c) {
    const { a, b, out } = matmulShapes(c);
    return [c.core.reshape(c.core.matmul(operand(c, 0, a), operand(c, 1, b)), out)];
  },
});
