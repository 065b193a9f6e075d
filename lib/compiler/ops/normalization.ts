// BatchNormalization at inference: y = a x + b per channel, a = scale / sqrt(var + epsilon), b = bias - a
// mean.
//
// After a convolution or a product it is folded into the weights (passes/fold-batchnorm); what is left
// becomes one product and one sum with constants.

import { type FloatTensor, zip } from './array';
import { type OpContext, show } from './context';
import { plusComputed, timesComputed } from './operands';
import { defineOp } from './registry';

const parameters = ['scale', 'bias', 'mean', 'variance'] as const;

/** a and b, each of shape [C]. */
export function batchNormFactors(c: OpContext): { a: FloatTensor; b: FloatTensor } {
  const epsilon = c.number('epsilon', 1e-5);
  const [scale, bias, mean, variance] = [1, 2, 3, 4].map((i) => c.floats(i)) as [
    FloatTensor,
    FloatTensor,
    FloatTensor,
    FloatTensor,
  ];
  const a = zip(scale, variance, (s, v) => s / Math.sqrt(v + epsilon));
  const shift = zip(a, mean, (x, m) => x * m);
  return { a, b: zip(bias, shift, (x, s) => x - s) };
}

/** A tensor per channel, shaped to broadcast over the dimensions behind the channels. */
function perChannel(t: FloatTensor, rank: number): FloatTensor {
  return { shape: [t.data.length, ...new Array<number>(rank - 2).fill(1)], data: t.data };
}

defineOp({
  op: 'BatchNormalization',
  opset: [11, 23],
  restrictions: 'inference only; constant parameters',
  infer(c) {
    if (c.flag('training_mode', false)) {
      throw c.unsupported('is in training mode', 'Export the model for inference (model.eval()).');
    }
    const x = c.shape(0);
    if (x.length < 2) throw c.invalidShape(`has an input of shape ${show(x)}; it needs [N, C, ...]`, x);
    parameters.forEach((name, i) => {
      if (!c.isConstant(i + 1)) {
        throw c.unsupported(`computes its ${name} while it runs`, `Make ${name} a constant of the model.`);
      }
      const shape = c.shape(i + 1);
      if (shape.length !== 1 || shape[0] !== x[1])
        throw c.mismatch(0, i + 1, `${name} needs one element per channel`);
    });
    return [c.type(0)];
  },
  reference(c, [x]) {
    const { a, b } = batchNormFactors(c);
    const rank = x!.shape.length;
    return [
      zip(
        zip(x!, perChannel(a, rank), (v, f) => v * f),
        perChannel(b, rank),
        (v, t) => v + t,
      ),
    ];
  },
  lower(c) {
    const { a, b } = batchNormFactors(c);
    const rank = c.shape(0).length;
    const product = timesComputed(c, c.value(0), perChannel(a, rank), [1, 2, 3, 4]);
    return [plusComputed(c, product, perChannel(b, rank), [1, 2, 3, 4])];
  },
});
