// InstanceNormalization, GroupNormalization, LayerNormalization, MeanVarianceNormalization: y = a (x - mean) / deviation + b.
//
// The factor a joins the reciprocal of the deviation, which has one element for all that are normalised together, where
// a has no more elements than that; elsewhere it joins the centred values.

import { POWER_DOMAIN, unlessKnown } from '../approximations/power';
import type { Value } from '../ir/graph';
import { elementCount } from '../ir/graph';
import { type FloatTensor, zip } from './array';
import { type LowerContext, type OpContext, show } from './context';
import { normalised, normaliser } from './normalise';
import { operand, plus } from './operands';
import { defineOp } from './registry';

const domain = `variance + epsilon is ${unlessKnown(POWER_DOMAIN)}`;

/** The operator as a normalisation of a reshaped input. */
interface Form {
  readonly shape: readonly number[];
  readonly axes: readonly number[];
  readonly epsilon: number;
  /** Shapes that scale and bias broadcast from, over the reshaped input; undefined where there are none. */
  readonly affine?: readonly number[] | undefined;
}

function broadcastTo(t: FloatTensor, shape: readonly number[]): FloatTensor {
  return { shape, data: t.data };
}

function compute(form: Form, [x, scale, bias]: readonly (FloatTensor | undefined)[]): FloatTensor {
  const y = normalised({ shape: form.shape, data: x!.data }, form.axes, form.epsilon);
  const scaled = scale ? zip(y, broadcastTo(scale, form.affine!), (v, s) => v * s) : y;
  const shifted = bias ? zip(scaled, broadcastTo(bias, form.affine!), (v, b) => v + b) : scaled;
  return { shape: x!.shape, data: shifted.data };
}

function lower(c: LowerContext, form: Form): Value[] {
  const { shape, axes, epsilon, affine } = form;
  const { centred, factor } = normaliser(c, c.core.reshape(c.value(0), shape), axes, epsilon);
  const times = (x: Value): Value => c.core.mul(x, operand(c, 1, affine!));
  let y: Value;
  if (!affine || !c.has(1)) y = c.core.mul(centred, factor);
  else if (elementCount(affine) <= elementCount(factor.type.shape)) y = c.core.mul(centred, times(factor));
  else y = c.core.mul(times(centred), factor);
  if (affine && c.has(2)) y = plus(c, y, 2, affine);
  return [c.core.reshape(y, c.shape(0))];
}

/** Ones behind the first dimensions. */
function padded(first: readonly number[], rank: number): number[] {
  return [...first, ...new Array<number>(rank - first.length).fill(1)];
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, i) => from + i);
}

function needParameters(c: OpContext, count: number, what: string): void {
  for (const [i, name] of [
    [1, 'scale'],
    [2, 'bias'],
  ] as const) {
    if (!c.has(i)) continue;
    if (elementCount(c.shape(i)) !== count) throw c.mismatch(0, i, `${name} needs one element per ${what}`);
  }
}

function instanceForm(c: OpContext): Form {
  const shape = c.shape(0);
  const affine = padded([1, shape[1]!], shape.length);
  return { shape, axes: range(2, shape.length), epsilon: c.number('epsilon', 1e-5), affine };
}

defineOp({
  op: 'InstanceNormalization',
  opset: [11, 23],
  restrictions: domain,
  infer(c) {
    const x = c.shape(0);
    if (x.length < 3) throw c.invalidShape(`has an input of shape ${show(x)}; it needs [N, C, ...]`, x);
    needParameters(c, x[1]!, 'channel');
    return [c.type(0)];
  },
  reference: (c, inputs) => [compute(instanceForm(c), inputs)],
  lower: (c) => lower(c, instanceForm(c)),
});

function groupForm(c: OpContext): Form {
  const [n, channels, ...rest] = c.shape(0) as [number, number, ...number[]];
  const groups = c.number('num_groups', 1);
  const shape = [n, groups, channels / groups, ...rest];
  const perGroup = c.has(1) && elementCount(c.shape(1)) === groups;
  const affine = padded(perGroup ? [1, groups] : [1, groups, channels / groups], shape.length);
  return { shape, axes: range(2, shape.length), epsilon: c.number('epsilon', 1e-5), affine };
}

defineOp({
  op: 'GroupNormalization',
  opset: [18, 23],
  restrictions: domain,
  infer(c) {
    const x = c.shape(0);
    const groups = c.number('num_groups', 0);
    if (x.length < 2 || !(groups >= 1) || x[1]! % groups !== 0)
      throw c.invalidShape(`cannot divide an input of shape ${show(x)} into ${groups} groups of channels`, x);
    // One element per group before operator set 21, one per channel since.
    const perGroup = elementCount(c.shape(1)) === groups;
    needParameters(c, perGroup ? groups : x[1]!, perGroup ? 'group' : 'channel');
    return [c.type(0)];
  },
  reference: (c, inputs) => [compute(groupForm(c), inputs)],
  lower: (c) => lower(c, groupForm(c)),
});

function layerForm(c: OpContext): Form {
  const shape = c.shape(0);
  const first = c.axis(c.number('axis', -1), shape.length);
  const behind = shape.slice(first);
  const affine = c.has(1) ? [...padded([], shape.length - c.shape(1).length), ...c.shape(1)] : behind;
  return { shape, axes: range(first, shape.length), epsilon: c.number('epsilon', 1e-5), affine };
}

defineOp({
  op: 'LayerNormalization',
  opset: [17, 23],
  restrictions: `${domain}; the first output alone`,
  infer(c) {
    const shape = c.shape(0);
    const behind = shape.slice(c.axis(c.number('axis', -1), shape.length));
    needParameters(c, elementCount(behind), 'element behind the axis');
    return [c.type(0)];
  },
  reference: (c, inputs) => [compute(layerForm(c), inputs)],
  lower: (c) => lower(c, layerForm(c)),
});

/** The operator is defined with this beside the deviation; here it is beside the variance, where it is as little. */
const TINY = 1e-9;

function meanVarianceForm(c: OpContext): Form {
  const shape = c.shape(0);
  return { shape, axes: c.axes(c.numbers('axes') ?? [0, 2, 3], shape.length), epsilon: TINY };
}

defineOp({
  op: 'MeanVarianceNormalization',
  opset: [11, 23],
  restrictions: domain,
  infer(c) {
    meanVarianceForm(c);
    return [c.type(0)];
  },
  reference: (c, inputs) => [compute(meanVarianceForm(c), inputs)],
  lower: (c) => lower(c, meanVarianceForm(c)),
});
