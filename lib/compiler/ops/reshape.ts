// Operators that leave the elements where they are: Flatten, Reshape, Squeeze, Unsqueeze, Identity, Dropout,
// Cast, CastLike.

import { type Dtype, elementCount } from '../ir/graph';
import { type FloatTensor, filled, map } from './array';
import { type OpContext, show } from './context';
import { defineOp, type Shaped } from './registry';

function defineReshape(op: string, restrictions: string, shape: (c: OpContext) => readonly number[]): void {
  defineOp({
    op,
    opset: [11, 23],
    restrictions,
    integers: true,
    infer: (c) => [{ shape: shape(c), dtype: c.type(0).dtype }],
    reference: (c, [x]) => [{ shape: shape(c), data: x!.data }],
    lower: (c) => [c.core.reshape(c.value(0), c.outputShape)],
  });
}

defineReshape('Flatten', '', (c) => {
  const x = c.shape(0);
  const given = c.number('axis', 1);
  const axis = given === x.length ? given : c.axis(given, x.length);
  return [elementCount(x.slice(0, axis)), elementCount(x.slice(axis))];
});

defineReshape('Reshape', 'the new shape is known at compile time', (c) => {
  const x = c.shape(0);
  const target = c.known(1, 'shape');
  const copiesZero = !c.flag('allowzero', false);
  const wrong = () => c.invalidShape(`reshapes a tensor of shape ${show(x)} to ${show(target)}`, x, target);
  if (target.filter((d) => d === -1).length > 1 || target.some((d) => d < -1)) throw wrong();
  const shape = target.map((d, i) => {
    if (d !== 0 || !copiesZero) return d;
    if (i >= x.length) throw wrong();
    return x[i]!;
  });
  const rest = elementCount(shape.filter((d) => d !== -1));
  const inferred = rest === 0 ? 0 : elementCount(x) / rest;
  const out = shape.map((d) => (d === -1 ? inferred : d));
  if (!Number.isInteger(inferred) || elementCount(out) !== elementCount(x)) throw wrong();
  return out;
});

/** Axes of Squeeze and Unsqueeze: an attribute up to opset 12, an input after. */
function axesOf(c: OpContext): number[] | undefined {
  return c.has(1) ? c.known(1, 'axes') : c.numbers('axes');
}

defineReshape('Squeeze', 'axes are known at compile time', (c) => {
  const x = c.shape(0);
  const axes = axesOf(c);
  const gone = axes ? c.axes(axes, x.length) : x.flatMap((d, i) => (d === 1 ? [i] : []));
  if (gone.some((a) => x[a] !== 1))
    throw c.invalidShape(`squeezes axes ${show(gone)} of a shape ${show(x)}`, x);
  return x.filter((_, i) => !gone.includes(i));
});

defineReshape('Unsqueeze', 'axes are known at compile time', (c) => {
  const given = axesOf(c) ?? [];
  const rank = c.shape(0).length + given.length;
  const axes = c.axes(given, rank);
  const rest = [...c.shape(0)];
  return Array.from({ length: rank }, (_, i) => (axes.includes(i) ? 1 : rest.shift()!));
});

defineReshape('Identity', '', (c) => c.shape(0));

defineOp({
  op: 'Dropout',
  opset: [11, 23],
  restrictions: 'inference only',
  infer(c) {
    const training = c.constant(2);
    if (c.has(2) && (!training || Number(training.data[0]) !== 0)) {
      throw c.unsupported('is in training mode', 'Export the model for inference (model.eval()).');
    }
    return [c.type(0), { shape: c.shape(0), dtype: 'bool' }];
  },
  reference: (_, [x]) => [x!, filled(x!.shape, 1)],
  lower: (c) => [c.value(0)],
});

/** Element types of ONNX, as far as they are numbers. */
const castTargets: Readonly<Record<number, Dtype>> = {
  1: 'fixed',
  2: 'int',
  3: 'int',
  4: 'int',
  5: 'int',
  6: 'int',
  7: 'int',
  9: 'bool',
  10: 'fixed',
  11: 'fixed',
  12: 'int',
  13: 'int',
  16: 'fixed',
};

/** The kind of number that an attribute names by an element type of ONNX. */
export function elementDtype(c: OpContext, attribute: string): Dtype {
  const dtype = castTargets[c.number(attribute, 0)];
  if (dtype) return dtype;
  throw c.unsupported(`casts to element type ${c.number(attribute, 0)}`, 'Cast to a numeric type.');
}

const castRestrictions = 'secret values: not from floating-point numbers to integers';

function castResult(c: OpContext, to: Dtype): Shaped[] {
  if (!c.isConstant(0) && c.type(0).dtype === 'fixed' && to === 'int') {
    const what = 'casts a secret floating-point value to integer';
    throw c.unsupported(what, 'Remove the cast, or move it out of the model.');
  }
  return [{ shape: c.shape(0), dtype: to }];
}

function cast(x: FloatTensor, to: Dtype): FloatTensor {
  return to === 'fixed' ? x : map(x, to === 'int' ? Math.trunc : (v) => Number(v !== 0));
}

defineOp({
  op: 'Cast',
  opset: [11, 23],
  restrictions: castRestrictions,
  integers: true,
  infer(c) {
    return castResult(c, elementDtype(c, 'to'));
  },
  reference: (c, [x]) => [cast(x!, elementDtype(c, 'to'))],
  lower: (c) => [c.core.cast(c.value(0), c.outputs[0]!.dtype)],
});

defineOp({
  op: 'CastLike',
  opset: [15, 23],
  restrictions: castRestrictions,
  integers: true,
  typeOnly: [1],
  infer: (c) => castResult(c, c.type(1).dtype),
  reference: (c, [x]) => [cast(x!, c.type(1).dtype)],
  lower: (c) => [c.core.cast(c.value(0), c.outputs[0]!.dtype)],
});
