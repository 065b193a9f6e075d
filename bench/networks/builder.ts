// Builds ONNX files of well-known networks with random weights: He initialisation, so that activations stay of order
// one, from a seeded generator, so that a figure belongs to a definite file.

import type { NodeProto, TensorProto } from '../../lib/model/onnx/onnx_pb';
import { model, node, tensor } from '../../test/helpers/onnx';

/** Normal numbers by Box and Muller over a 32-bit generator (mulberry32). */
export function normals(seed: number): () => number {
  let state = seed >>> 0;
  const uniform = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  return () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
}

/** A chain of layers with one current value; residual branches join two values. */
export class NetworkBuilder {
  private readonly nodes: NodeProto[] = [];
  private readonly initializers: Record<string, TensorProto> = {};
  private readonly normal: () => number;
  private count = 0;

  constructor(
    private readonly name: string,
    private readonly input: readonly number[],
    seed = 1,
  ) {
    this.normal = normals(seed);
  }

  private weight(name: string, shape: readonly number[], deviation: number): string {
    const data = new Float32Array(shape.reduce((a, b) => a * b, 1));
    for (let i = 0; i < data.length; i++) data[i] = this.normal() * deviation;
    this.initializers[name] = tensor(shape, data);
    return name;
  }

  private add(op: string, inputs: readonly string[], attrs: Parameters<typeof node>[3] = {}): string {
    const name = `${op}_${this.count++}`;
    this.nodes.push(node(op, inputs, [name], attrs, name));
    return name;
  }

  conv(x: string, from: number, to: number, k: number, stride = 1, pad = (k - 1) >> 1, gain = 1): string {
    const id = this.count;
    const w = this.weight(`w${id}`, [to, from, k, k], gain * Math.sqrt(2 / (from * k * k)));
    const b = this.weight(`b${id}`, [to], 0.05);
    return this.add('Conv', [x, w, b], {
      kernel_shape: [k, k],
      strides: [stride, stride],
      pads: [pad, pad, pad, pad],
    });
  }

  linear(x: string, from: number, to: number): string {
    const id = this.count;
    const w = this.weight(`w${id}`, [to, from], Math.sqrt(2 / from));
    return this.add('Gemm', [x, w, this.weight(`b${id}`, [to], 0.05)], { transB: 1 });
  }

  relu(x: string): string {
    return this.add('Relu', [x]);
  }

  maxPool(x: string, k: number, stride: number, pad = 0): string {
    return this.add('MaxPool', [x], {
      kernel_shape: [k, k],
      strides: [stride, stride],
      pads: [pad, pad, pad, pad],
    });
  }

  sum(x: string, y: string): string {
    return this.add('Add', [x, y]);
  }

  globalAverage(x: string): string {
    return this.add('GlobalAveragePool', [x]);
  }

  flatten(x: string): string {
    return this.add('Flatten', [x]);
  }

  build(y: string, classes: number): Uint8Array {
    this.nodes.push(node('Identity', [y], ['y']));
    return model({
      name: this.name,
      inputs: { x: ['N', ...this.input] },
      outputs: { y: ['N', classes] },
      nodes: this.nodes,
      initializers: this.initializers,
    });
  }
}
