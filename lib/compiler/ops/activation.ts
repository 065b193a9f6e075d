// Relu, LeakyRelu, Clip: piecewise linear functions of one value, each from one comparison (Clip from two).

import { map } from './array';
import type { OpContext } from './context';
import { scaled, shifted } from './operands';
import { defineOp } from './registry';

defineOp({
  op: 'Relu',
  opset: [11, 23],
  restrictions: '',
  infer: (c) => [c.type(0)],
  reference: (_, [x]) => [map(x!, (v) => Math.max(v, 0))],
  lower: (c) => [c.core.relu(c.value(0))],
});

defineOp({
  op: 'LeakyRelu',
  opset: [11, 23],
  restrictions: '',
  infer: (c) => [c.type(0)],
  reference(c, [x]) {
    const alpha = c.number('alpha', 0.01);
    return [map(x!, (v) => (v < 0 ? alpha * v : v))];
  },
  lower(c) {
    const alpha = c.number('alpha', 0.01);
    if (alpha === 0) return [c.core.relu(c.value(0))];
    return [alpha === 1 ? c.value(0) : c.core.leakyRelu(c.value(0), alpha)];
  },
});

/** A bound of Clip: an input since opset 11, null where it is missing or infinite. */
function bound(c: OpContext, i: 1 | 2): number | null {
  const name = i === 1 ? 'min' : 'max';
  if (!c.has(i)) {
    const attribute = c.number(name, Number.NaN);
    return Number.isFinite(attribute) && Math.abs(attribute) < 3.4e38 ? attribute : null;
  }
  const constant = c.constant(i);
  if (!constant || constant.private || constant.data.length !== 1) {
    throw c.unsupported(`has a bound ${name} that is not a public number`, `Make ${name} a constant scalar.`);
  }
  const value = Number(constant.data[0]);
  return Math.abs(value) < 3.4e38 ? value : null;
}

defineOp({
  op: 'Clip',
  opset: [11, 23],
  restrictions: 'min and max are public numbers known at compile time',
  infer(c) {
    bound(c, 1);
    bound(c, 2);
    return [c.type(0)];
  },
  reference(c, [x]) {
    const [lo, hi] = [bound(c, 1) ?? Number.NEGATIVE_INFINITY, bound(c, 2) ?? Number.POSITIVE_INFINITY];
    return [map(x!, (v) => Math.min(Math.max(v, lo), hi))];
  },
  lower(c) {
    const [lo, hi] = [bound(c, 1), bound(c, 2)];
    const x = c.value(0);
    if (lo === null && hi === null) return [x];
    if (lo === 0 && hi === null) return [c.core.relu(x)];
    if (lo !== null && hi !== null && lo >= hi) return [shifted(c, scaled(c, x, 0), hi)];
    return [c.core.clip(x, lo, hi)];
  },
});
