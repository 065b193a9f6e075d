// Conv: y[o] = bias[o] + sum over channels and taps of w[o, c, tap] x[c, s p + d tap - pad].
//
// One spatial dimension is computed as two with a single row. Groups, strides, dilations and any padding are
// part of the core operation; a bias is a sum that follows.

import { filled, zip } from './array';
import { type OpContext, show } from './context';
import { operand, plus } from './operands';
import { defineOp } from './registry';
import { type Axis, conv2d, singleRow, spatialAxes, windowAttributes } from './windows';

interface Geometry {
  readonly axes: readonly [Axis, Axis];
  readonly group: number;
  readonly out: readonly number[];
  /** Shapes of x, w and y with two spatial dimensions. */
  readonly x: readonly number[];
  readonly w: readonly number[];
  readonly y: readonly number[];
}

function geometry(c: OpContext): Geometry {
  c.needRank(0, 3, 4);
  const [x, w] = [c.shape(0), c.shape(1)];
  if (x.length !== w.length) throw c.mismatch(0, 1, 'input and kernel have different numbers of dimensions');
  const group = c.number('group', 1);
  const [channels, outputs, perGroup] = [x[1]!, w[0]!, w[1]!];
  if (channels !== perGroup * group) {
    throw c.mismatch(
      0,
      1,
      `${channels} channels do not fit a kernel of ${perGroup} channels in ${group} groups`,
    );
  }
  if (outputs % group !== 0)
    throw c.mismatch(0, 1, `${outputs} outputs cannot be split into ${group} groups`);
  if (c.has(2) && (c.shape(2).length !== 1 || c.shape(2)[0] !== outputs)) {
    throw c.invalidShape(`has a bias of shape ${show(c.shape(2))} for ${outputs} outputs`, c.shape(2), w);
  }
  const declared = c.numbers('kernel_shape');
  if (declared && show(declared) !== show(w.slice(2))) {
    throw c.invalidShape(
      `says kernel_shape ${show(declared)} but has weights of shape ${show(w)}`,
      declared,
      w,
    );
  }
  const spatial = spatialAxes(c, x.slice(2), w.slice(2), false);
  const out = [x[0]!, outputs, ...spatial.map((a) => a.out)];
  const two = (s: readonly number[]) => (s.length === 3 ? [s[0]!, s[1]!, 1, s[2]!] : s);
  const axes = (spatial.length === 1 ? [singleRow, spatial[0]!] : spatial) as [Axis, Axis];
  return { axes, group, out, x: two(x), w: two(w), y: two(out) };
}

defineOp({
  op: 'Conv',
  opset: [11, 23],
  restrictions: 'one or two spatial dimensions',
  infer: (c) => [{ shape: geometry(c).out, dtype: 'fixed' }],
  reference(c, [x, w, bias]) {
    const g = geometry(c);
    const attrs = windowAttributes(g.axes);
    const y = conv2d({ shape: g.x, data: x!.data }, { shape: g.w, data: w!.data }, g.y, attrs, g.group);
    const term = bias ? { shape: [g.out[1]!, 1, 1], data: bias.data } : filled([], 0);
    return [{ shape: g.out, data: zip(y, term, (a, b) => a + b).data }];
  },
  lower(c) {
    const g = geometry(c);
    const { strides, dilations, pads } = windowAttributes(g.axes);
    const attrs = { strides, dilations, pads, group: g.group };
    const y = c.core.conv2d(operand(c, 0, g.x), operand(c, 1, g.w), g.y, attrs);
    return [c.core.reshape(c.has(2) ? plus(c, y, 2, [g.out[1]!, 1, 1]) : y, g.out)];
  },
});
