// Local operators: sums, multiples by public constants and moves of elements. They act on every party's share alone,
// without a message, and on the cleartext twin by the very same kernel.
//
// A public term enters a sum at one party only (the lowest that holds a part of the result).

import type { Node } from '../ir/graph';
import { elementCount } from '../ir/graph';
import type { Joint, Use } from '../joint';
import type { KernelName } from '../kernels';
import type { Value } from '../program';
import {
  broadcast,
  broadcastClear,
  broadcastShare,
  numberAttr,
  numbersAttr,
  outputShape,
  type Protocol,
  type Run,
  ringBits,
  type Twin,
} from './protocol';

/** Runs the same kernel on shares, in the ring of the node's result, or on cleartext. */
interface Side {
  readonly of: (t: Twin) => Value;
  readonly use: (t: Twin, out: readonly number[]) => Use;
  readonly run: (
    kernel: KernelName,
    ins: readonly Use[],
    attr: readonly (number | bigint)[],
    elements: number,
  ) => Value;
  readonly constant: (data: readonly bigint[], shape: readonly number[]) => Twin;
}

function side(joint: Joint, node: Node, clear: boolean): Side {
  return {
    of: (t) => (clear ? t.clear : t.share),
    use: (t, out) => (clear ? broadcastClear(joint, t, out) : broadcastShare(joint, t, out)),
    run: (kernel, ins, attr, elements) => {
      const narrowest = Math.min(...ins.map((u) => ('inner' in u ? u.value : u).bits));
      const form = { elements, bits: clear ? narrowest : Math.min(narrowest, ringBits(node)) };
      return clear ? joint.clear(kernel, ins, attr, form) : joint.local(kernel, ins, attr, form);
    },
    constant: (data, shape) => ({ ...joint.constant(data, shape), shape }),
  };
}

function localProtocol(
  name: string,
  of: readonly string[],
  compute: (side: Side, node: Node, ins: readonly Twin[], joint: Joint) => Value,
): Protocol {
  return {
    name,
    of,
    build: (joint, node, ins) => [compute(side(joint, node, false), node, ins, joint)],
    clear: (joint, node, ins) => [compute(side(joint, node, true), node, ins, joint)],
  };
}

function sum(
  coefficients: readonly (number | bigint)[],
): (side: Side, node: Node, ins: readonly Twin[]) => Value {
  return (s, node, ins) => {
    const out = outputShape(node);
    return s.run(
      'lincomb',
      ins.map((t) => s.use(t, out)),
      [0, ...coefficients],
      elementCount(out),
    );
  };
}

export const add: Protocol = localProtocol('add', ['add'], sum([1, 1]));
/** How many times larger than the other operand an opened one is, so that opening the other one too is next to nothing. */
const MUCH_LARGER = 4;

/** x - y, whose opening is that of x less that of y where x is opened anyway and y has few elements. */
export const sub: Protocol = {
  ...localProtocol('sub', ['sub'], sum([1, -1])),
  build: (joint, node, ins) => {
    const [x, y] = ins as [Twin, Twin];
    const out = outputShape(node);
    const share = sum([1, -1])(side(joint, node, false), node, ins);
    const { elements, bits } = share;
    const few = y.share.world === 'share' && y.share.elements * MUCH_LARGER <= x.share.elements;
    if (few && x.share.elements === elements && joint.isOpened(x.share)) {
      joint.opensLater(share, () => {
        const [a, b] = [joint.open(x.share), joint.open(y.share)];
        const difference = (run: Run, p: Value, q: Value): Value => {
          const use = broadcast(q, y.shape, out, (attr, count) =>
            run('copy', [q], attr, { elements: count, bits: q.bits }),
          );
          return run('lincomb', [p, use], [0, 1, -1], { elements, bits });
        };
        return {
          share,
          hat: difference(joint.local.bind(joint), a.hat, b.hat),
          mask: difference(joint.derive.bind(joint), a.mask, b.mask),
        };
      });
    }
    return [share];
  },
};
export const neg: Protocol = localProtocol('neg', ['neg'], sum([-1]));

export const shiftLeft: Protocol = localProtocol('shift-left', ['shift_left'], (s, node, ins) =>
  sum([1n << BigInt(numberAttr(node, 'bits'))])(s, node, ins),
);

function integers(node: Node): bigint[] {
  return Array.from(node.attrs.data as ArrayLike<number | bigint>, (v) => BigInt(v));
}

/** Shape of a node's public constant. */
function constantShape(node: Node, length: number): readonly number[] {
  return Array.isArray(node.attrs.shape) ? numbersAttr(node, 'shape') : length === 1 ? [] : [length];
}

export const addConstant: Protocol = localProtocol('add-constant', ['add_const'], (s, node, [x]) => {
  const [data, out] = [integers(node), outputShape(node)];
  const elements = elementCount(out);
  if (data.length === 1) return s.run('lincomb', [s.use(x!, out)], [data[0] as bigint, 1], elements);
  const c = s.constant(data, constantShape(node, data.length));
  return s.run('lincomb', [s.use(x!, out), s.use(c, out)], [0, 1, 1], elements);
});

export const multiplyConstant: Protocol = localProtocol(
  'multiply-constant',
  ['mul_const'],
  (s, node, [x]) => {
    const [data, out] = [integers(node), outputShape(node)];
    const elements = elementCount(out);
    if (data.length === 1) return s.run('lincomb', [s.use(x!, out)], [0, data[0] as bigint], elements);
    const c = s.constant(data, constantShape(node, data.length));
    return s.run('mulsum', [s.use(x!, out), s.use(c, out)], [1, 1, 0], elements);
  },
);

/** Sum over axes: they are moved to the middle where they are not adjacent. */
export const sumAxes: Protocol = localProtocol('sum', ['sum'], (s, node, [x]) => {
  const shape = x!.shape;
  const axes = [...numbersAttr(node, 'axes')]
    .map((a) => (a < 0 ? a + shape.length : a))
    .sort((a, b) => a - b);
  let value = s.of(x!);
  let current = [...shape];
  // Adjacent axes are one reduction; further groups follow, from the last to the first.
  while (axes.length > 0) {
    const last = axes.pop() as number;
    let first = last;
    while (axes.at(-1) === first - 1) first = axes.pop() as number;
    const [outer, k, inner] = [
      current.slice(0, first),
      current.slice(first, last + 1),
      current.slice(last + 1),
    ].map(elementCount) as [number, number, number];
    value = s.run('reduce_sum', [value], [outer, k, inner], outer * inner);
    current = [...current.slice(0, first), ...current.slice(last + 1)];
  }
  return value;
});

/** Attributes that windows of a [.., H, W] value take in the pooling kernels. */
export function windowAttr(
  node: Node,
  shape: readonly number[],
): { attr: number[]; planes: number; taps: number; outputs: number } {
  const [h, w] = shape.slice(-2) as [number, number];
  const planes = elementCount(shape.slice(0, -2));
  const [oh, ow] = outputShape(node).slice(-2) as [number, number];
  const [kernel, pads] = [numbersAttr(node, 'kernel'), numbersAttr(node, 'pads')];
  const attr = [
    planes,
    h,
    w,
    ...kernel,
    ...numbersAttr(node, 'strides'),
    ...numbersAttr(node, 'dilations'),
    pads[0] as number,
    pads[1] as number,
    oh,
    ow,
  ];
  return { attr, planes, taps: elementCount(kernel), outputs: planes * oh * ow };
}

export const sumPool: Protocol = localProtocol('sum-pool', ['sum_pool'], (s, node, [x]) => {
  const w = windowAttr(node, x!.shape);
  return s.run('pool_sum', [s.of(x!)], w.attr, w.outputs);
});

export const reshape: Protocol = localProtocol('reshape', ['reshape'], (s, _node, [x]) => s.of(x!));

interface Piece {
  readonly outBase: number;
  readonly inBase: number;
  readonly dims: readonly (readonly [number, number, number])[];
}

export const move: Protocol = localProtocol('move', ['move'], (s, node, ins) => {
  const pieces = node.attrs.pieces as unknown as readonly Piece[];
  const fill = node.attrs.fill as number | bigint | null;
  const attr: (number | bigint)[] = [fill === null ? 0 : 1, fill ?? 0, pieces.length];
  for (const { dims, outBase, inBase } of pieces) {
    attr.push(dims.length, outBase, inBase);
    for (const [size, out, own] of dims) attr.push(size, out, own);
  }
  return s.run('copy', ins.map(s.of), attr, elementCount(outputShape(node)));
});
