// A small model for tests of everything around a computation: y = relu(x W + b), a batch of rows of three numbers.

import { type CompiledModel, type CompileOptions, compile } from '../../lib';
import { model, node, tensor } from './onnx';

const W = [1, -2, 0.5, 4, -0.25, 3];
const B = [0.125, -1];

/** All weights of the model. */
export const WEIGHTS: readonly number[] = [...W, ...B];

/** Weights are scaled by `factor`, so that another factor is another model of the same form. */
export function smallOnnx(factor = 1): Uint8Array {
  const scaled = (values: readonly number[]): number[] => values.map((v) => v * factor);
  return model({
    inputs: { x: ['N', 3] },
    outputs: { y: ['N', 2] },
    nodes: [node('Gemm', ['x', 'w', 'b'], ['z']), node('Relu', ['z'], ['y'])],
    initializers: { w: tensor([3, 2], scaled(W)), b: tensor([2], scaled(B)) },
  });
}

export function smallModels(
  batches: readonly number[],
  options: CompileOptions = {},
  factor = 1,
): Promise<CompiledModel[]> {
  return Promise.all(batches.map((batch) => compile(smallOnnx(factor), { ...options, batch })));
}

/** What the model gives in exact arithmetic. */
export function expected(x: readonly number[], factor = 1): number[] {
  const y: number[] = [];
  for (let row = 0; row < x.length; row += 3) {
    for (const column of [0, 1]) {
      const terms = [0, 1, 2].map((i) => x[row + i]! * W[2 * i + column]!);
      y.push(Math.max(0, factor * (terms.reduce((a, b) => a + b, 0) + B[column]!)));
    }
  }
  return y;
}
