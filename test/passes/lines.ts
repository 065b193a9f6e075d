// Models of a few nodes, a line each: `m = Mul x half`.

import { type Attributes, float, int64, type ModelSpec, node, tensor } from '../helpers/onnx';
import { randoms } from '../ops/oracle';

const X = [2, 3, 4];

export const NUMBERS: Readonly<Record<string, number>> = {
  zero: 0,
  half: 0.5,
  one: 1,
  two: 2,
  three: 3,
  six: 6,
  minus: -0.5,
  root2: Math.SQRT2,
  root1_2: Math.SQRT1_2,
  tanh: Math.sqrt(2 / Math.PI),
  // In half precision.
  tanh16: 0.7978515625,
  cube: 0.044715,
  quick: 1.702,
  sixth: 1 / 6,
  eps: 1e-3,
  seven: 0.7,
  pi: Math.PI,
  twenty: 20,
};

export interface Options {
  readonly opset?: number;
  readonly outputs?: readonly string[];
  readonly shape?: readonly number[];
}

/** A model from lines such as `m = Mul x half`; attributes behind a bar, as JSON. Constants have no dimension or one. */
export function written(lines: string, { opset = 15, outputs = ['y'], shape = X }: Options = {}): ModelSpec {
  const initializers: Record<string, ReturnType<typeof tensor>> = {
    weight: tensor([4], randoms(4, 31, 2)),
    bias: tensor([4], randoms(4, 32)),
    wide: tensor([3, 1], randoms(3, 33)),
    axes: int64([-1]),
    // Numbers that add dimensions.
    one4: tensor([1, 1, 1, 1], [1]),
    half4: tensor([1, 1, 1, 1], [0.5]),
    eps4: tensor([1, 1, 1, 1], [1e-3]),
    weight4: tensor([1, 1, 1, 4], randoms(4, 31, 2)),
  };
  Object.entries(NUMBERS).forEach(([name, v], i) => {
    initializers[name] = tensor(i % 2 === 0 ? [] : [1], [v]);
  });
  const nodes = lines
    .trim()
    .split(/\s*[;\n]\s*/)
    .map((line) => {
      const [text, attrs = '{}'] = line.split('|');
      const [out, , op, ...inputs] = text!.trim().split(/\s+/);
      const attributes = Object.entries(JSON.parse(attrs)).map(([name, v]) => [
        name,
        name === 'alpha' ? float(Number(v)) : v,
      ]);
      return node(op!, inputs, [out!], Object.fromEntries(attributes) as Attributes, out!);
    });
  const used = new Set(nodes.flatMap((n) => n.input));
  return {
    inputs: { x: shape },
    outputs: Object.fromEntries(outputs.map((name) => [name, shape.map(() => null)])),
    nodes,
    initializers: Object.fromEntries(Object.entries(initializers).filter(([name]) => used.has(name))),
    opset,
  };
}
