// Small random models: convolutions, products, activations, pools, sums with what came before,
// normalisations.

import { type ModelSpec, node, tensor } from '../helpers/onnx';
import { noise, randoms, weights } from '../ops/oracle';

type Spec = { -readonly [K in keyof ModelSpec]: ModelSpec[K] };

/** A model of `steps` random operators on x, the same for the same seed. */
export function randomModel(seed: number, steps: number = 8): Spec {
  const next = noise(seed * 7919 + 1);
  const pick = (n: number) => Math.min(n - 1, Math.floor(((next() + 1) / 2) * n));
  const nodes: ReturnType<typeof node>[] = [];
  const initializers: Record<string, ReturnType<typeof tensor>> = {};
  let shape = [2, 1 + pick(3), 5 + pick(3), 6 + pick(3)];
  const spec: Spec = { inputs: { x: [...shape] }, outputs: {}, nodes, initializers };
  const made: { name: string; shape: number[] }[] = [{ name: 'x', shape }];
  let now = 'x';
  const weight = (dims: number[]): string => {
    const name = `w${Object.keys(initializers).length}`;
    initializers[name] = weights(dims, seed + Object.keys(initializers).length);
    return name;
  };
  const apply = (
    op: string,
    inputs: string[],
    attrs: Parameters<typeof node>[3] = {},
    out: number[] = shape,
  ): void => {
    const name = `v${made.length}`;
    nodes.push(node(op, inputs, [name], attrs, `n${made.length}`));
    made.push({ name, shape: out });
    [now, shape] = [name, out];
  };
  const steppers: (() => void)[] = [
    () => {
      const o = 1 + pick(4);
      const out = [shape[0]!, o, shape[2]!, shape[3]!];
      apply('Conv', [now, weight([o, shape[1]!, 3, 3]), weight([o])], { pads: [1, 1, 1, 1] }, out);
    },
    () => apply('Relu', [now]),
    () => apply('LeakyRelu', [now], { alpha: 0.1 }),
    () => apply(pick(2) ? 'MaxPool' : 'AveragePool', [now], { kernel_shape: [3, 3], pads: [1, 1, 1, 1] }),
    () => {
      const friends = made.filter((m) => m.shape.join() === shape.join());
      apply(pick(2) ? 'Add' : 'Sub', [now, friends[pick(friends.length)]!.name]);
    },
    () => apply('Mul', [now, weight([shape[1]!, 1, 1])]),
    () => {
      const c = shape[1]!;
      const variance = `w${Object.keys(initializers).length}`;
      initializers[variance] = tensor(
        [c],
        randoms(c, seed).map((v) => 0.3 + v * v),
      );
      apply('BatchNormalization', [now, weight([c]), weight([c]), weight([c]), variance]);
    },
    () => apply('Concat', [now, now], { axis: 1 }, [shape[0]!, shape[1]! * 2, shape[2]!, shape[3]!]),
    () => apply('Neg', [now]),
    () => apply('Transpose', [now], { perm: [0, 1, 3, 2] }, [shape[0]!, shape[1]!, shape[3]!, shape[2]!]),
  ];
  for (let i = 0; i < steps; i++) steppers[pick(steppers.length)]!();
  if (pick(2)) apply('ReduceMean', [now], { axes: [2, 3], keepdims: 0 }, shape.slice(0, 2));
  spec.outputs = { [now]: shape };
  return spec;
}
