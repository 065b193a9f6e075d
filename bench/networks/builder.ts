// Builds ONNX files of well-known networks with random weights: He initialisation and statistics of normalisations, so
// that activations stay of order one, from a seeded generator, so that a figure belongs to a definite file.

import type { NodeProto, TensorProto } from '../../lib/model/onnx/onnx_pb';
import { float, int64, model, node, tensor } from '../../test/helpers/onnx';

/** 32-bit numbers (mulberry32). */
function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (t ^ (t >>> 14)) >>> 0;
  };
}

/** Numbers in [0, 1). */
export function uniforms(seed: number): () => number {
  const next = random(seed);
  return () => next() / 2 ** 32;
}

/** Normal numbers by Box and Muller. */
export function normals(seed: number): () => number {
  const uniform = uniforms(seed);
  return () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
}

/** Normal numbers for tens of millions of weights: picked from 2^16 of them. */
function weightNormals(seed: number): () => number {
  const table = Float32Array.from({ length: 2 ** 16 }, normals(seed));
  const next = random(seed + 1);
  return () => table[next() >>> 16]!;
}

export interface ConvOptions {
  readonly stride?: number;
  readonly groups?: number;
  readonly gain?: number;
  /** About what the results of the normalisation are, in size. */
  readonly scale?: number;
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
    this.normal = weightNormals(seed);
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

  /**
   * A convolution without a term, then a normalisation whose statistics are about those of its result: x has a mean
   * square of about half its variance after a ReLU, and `gain` 0.7 makes up for an x that comes from none.
   */
  convNorm(x: string, from: number, to: number, k: number, options: ConvOptions = {}): string {
    return this.norm(this.plainConv(x, from, to, k, options), to, options.scale);
  }

  /** A convolution without a term. */
  plainConv(
    x: string,
    from: number,
    to: number,
    k: number,
    { stride = 1, groups = 1, gain = 1 }: ConvOptions = {},
  ): string {
    const shape = [to, from / groups, k, k];
    const w = this.weight(`w${this.count}`, shape, gain * Math.sqrt((2 * groups) / (from * k * k)));
    const pad = (k - 1) >> 1;
    return this.add('Conv', [x, w], {
      kernel_shape: [k, k],
      strides: [stride, stride],
      pads: [pad, pad, pad, pad],
      group: groups,
    });
  }

  /** BatchNormalization for an x of mean about 0 and variance about 1. */
  norm(x: string, channels: number, scale = 1): string {
    const id = this.count;
    const per = (name: string, mean: number, deviation: number): string => {
      const data = Float32Array.from({ length: channels }, () =>
        Math.max(mean + this.normal() * deviation, mean / 2 - (mean === 0 ? 1 : 0)),
      );
      this.initializers[`${name}${id}`] = tensor([channels], data);
      return `${name}${id}`;
    };
    const parameters = [
      per('gamma', scale, 0.1 * scale),
      per('beta', 0, 0.1),
      per('mean', 0, 0.1),
      per('variance', 1, 0.1),
    ];
    return this.add('BatchNormalization', [x, ...parameters], { epsilon: float(1e-5) });
  }

  /** Local response normalisation with the constants of the networks that have it. */
  localNorm(x: string): string {
    return this.add('LRN', [x], { size: 5, alpha: 1e-4, beta: 0.75, bias: float(1) });
  }

  linear(x: string, from: number, to: number): string {
    const id = this.count;
    const w = this.weight(`w${id}`, [to, from], Math.sqrt(2 / from));
    return this.add('Gemm', [x, w, this.weight(`b${id}`, [to], 0.05)], { transB: 1 });
  }

  relu(x: string): string {
    return this.add('Relu', [x]);
  }

  /** Clip to 0 and 6. */
  relu6(x: string): string {
    this.initializers.zero ??= tensor([], [0]);
    this.initializers.six ??= tensor([], [6]);
    return this.add('Clip', [x, 'zero', 'six']);
  }

  maxPool(x: string, k: number, stride: number, pad = 0, ceil = false): string {
    return this.add('MaxPool', [x], {
      kernel_shape: [k, k],
      strides: [stride, stride],
      pads: [pad, pad, pad, pad],
      ...(ceil && { ceil_mode: 1 }),
    });
  }

  averagePool(x: string, k: number, stride: number): string {
    return this.add('AveragePool', [x], { kernel_shape: [k, k], strides: [stride, stride] });
  }

  concat(parts: readonly string[]): string {
    return this.add('Concat', parts, { axis: 1 });
  }

  /** The halves of the channels. */
  halves(x: string, channels: number): [string, string] {
    const id = this.count++;
    this.initializers[`sizes${id}`] = int64([channels / 2, channels / 2]);
    const names: [string, string] = [`Split_${id}.0`, `Split_${id}.1`];
    this.nodes.push(node('Split', [x, `sizes${id}`], names, { axis: 1 }, `Split_${id}`));
    return names;
  }

  /** Channels of the groups one from each in turn. */
  shuffle(x: string, channels: number, size: number, groups: number): string {
    const shape = (dims: readonly number[]): string => {
      const name = `shape${this.count}`;
      this.initializers[name] = int64(dims);
      return name;
    };
    const apart = this.add('Reshape', [x, shape([0, groups, channels / groups, size, size])]);
    const turned = this.add('Transpose', [apart], { perm: [0, 2, 1, 3, 4] });
    return this.add('Reshape', [turned, shape([0, channels, size, size])]);
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
