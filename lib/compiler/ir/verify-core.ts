// What must hold for a core operation once scales are fixed: the number of operands, exactly the attributes that
// ../ops/core.ts lists, scales and shapes that follow from the operands. Written apart from the code that builds
// these nodes, so that one checks the other.

import type { CoreOp } from '../ops/core';
import { INTEGER_BITS } from '../widths';
import type { Attribute, Dtype, Node, Value } from './graph';
import { wrongExponential } from './verify-exponential';
import {
  broadcasts,
  convolves,
  keeps,
  moves,
  multiplies,
  num,
  nums,
  pools,
  reduces,
  reshapes,
  shapeOf,
  takesConstant,
} from './verify-shapes';
import { wrongSpline } from './verify-spline';

type Kind = 'bool' | 'int' | 'number' | 'integer' | 'integer?' | 'ints' | 'integers' | 'string' | 'pieces';

interface Rule {
  /** Operands; undefined: one or more. */
  readonly inputs?: number;
  readonly attrs: Readonly<Record<string, Kind>>;
  /** Scale of the result from the operands' (given: those that must be equal are). */
  readonly scale: (scales: readonly number[], node: Node) => number;
  /** Operands must have one scale. */
  readonly aligned?: boolean;
  /** What else is wrong with its attributes. */
  readonly wrong?: (node: Node) => string | undefined;
  /** Element types of the result where they are not that of the first operand, and of the operands where not all do. */
  readonly gives?: readonly Dtype[];
  readonly takes?: readonly Dtype[];
  /** Whether the shape of the result follows from the operands. */
  readonly shape: (out: readonly number[], node: Node) => boolean;
}

const first = ([s]: readonly number[]): number => s!;
const total = (scales: readonly number[]): number => scales.reduce((a, b) => a + b, 0);
const numeric: readonly Dtype[] = ['fixed', 'int'];
const window = { kernel: 'ints', strides: 'ints', pads: 'ints', dilations: 'ints' } as const;

/** A kernel takes degrees from 1 to 8. */
function polynomialProblem({ attrs }: Node): string | undefined {
  const count = (attrs.coefficients as BigInt64Array).length;
  if (count < 2 || count > 9) return `has ${count} coefficients instead of 2 to 9`;
  return Number(attrs.lo) < Number(attrs.hi) ? undefined : `has the domain [${attrs.lo}, ${attrs.hi}]`;
}

/** Degrees up to 8, and up to 8 thresholds, as in the kernel; no bound is beyond what a comparison carries. */
function piecewiseProblem({ attrs }: Node): string | undefined {
  const thresholds = Array.from(attrs.thresholds as BigInt64Array);
  const degree = Number(attrs.degree);
  const wanted = (thresholds.length + 1) * (degree + 1);
  const { length } = attrs.coefficients as BigInt64Array;
  if (thresholds.length < 1 || thresholds.length > 8)
    return `has ${thresholds.length} thresholds instead of 1 to 8`;
  if (degree > 8) return `has degree ${degree} instead of 0 to 8`;
  if (length !== wanted) return `has ${length} coefficients instead of ${wanted}`;
  if (thresholds.some((t, i) => i > 0 && t < thresholds[i - 1]!)) return 'has thresholds that do not rise';
  const reach = 2 ** (INTEGER_BITS - 1 - Number(attrs.shift));
  return thresholds.some((t) => Math.abs(Number(t)) > reach)
    ? 'has a threshold that is out of reach'
    : undefined;
}

/** What the kernel takes (native/cpu/fourier.cpp). */
function fourierProblem(node: Node): string | undefined {
  const [period, wave, scale] = ['period', 'wave', 'scale'].map((name) => num(node, name));
  const { sine, cosine } = node.attrs as { sine: BigInt64Array; cosine: BigInt64Array };
  if (!(period! >= 1 && period! <= 64)) return `has a period of 2^${period}`;
  if (!(wave! >= 1 && wave! <= 30 && wave! <= scale!)) return `has waves of ${wave} bits`;
  const all = [...sine, ...cosine];
  if (sine.length !== cosine.length || sine.length > 32 || all.every((c) => c === 0n))
    return `has ${sine.length} sines and ${cosine.length} cosines`;
  const large = all.find((c) => c < -(2n ** 32n) || c > 2n ** 32n);
  return large === undefined ? undefined : `has the coefficient ${large}`;
}

/** What the kernel takes (native/cpu/spline.hpp). */
function lookupProblem(node: Node): string | undefined {
  const { length } = node.attrs.table as BigInt64Array;
  const [cells, below] = [Math.log2(length), num(node, 'below')];
  if (!(Number.isInteger(cells) && cells >= 1 && cells <= 12)) return `has a table of ${length} entries`;
  return cells + below > 64 ? `has ${below} bits below its cells` : undefined;
}

const rules: Readonly<Record<CoreOp, Rule>> = {
  add: { inputs: 2, attrs: {}, scale: first, aligned: true, shape: broadcasts },
  sub: { inputs: 2, attrs: {}, scale: first, aligned: true, shape: broadcasts },
  neg: { inputs: 1, attrs: {}, scale: first, shape: keeps },
  shift_left: { inputs: 1, attrs: { bits: 'int' }, scale: ([s], n) => s! + num(n, 'bits'), shape: keeps },
  add_const: { inputs: 1, attrs: { data: 'integers', shape: 'ints' }, scale: first, shape: takesConstant },
  mul_const: {
    inputs: 1,
    attrs: { data: 'integers', scale: 'int', shape: 'ints' },
    scale: ([s], n) => s! + num(n, 'scale'),
    shape: takesConstant,
  },
  mul: { inputs: 2, attrs: {}, scale: total, shape: broadcasts },
  matmul: { inputs: 2, attrs: { transA: 'bool', transB: 'bool' }, scale: total, shape: multiplies },
  conv2d: {
    inputs: 2,
    attrs: { strides: 'ints', dilations: 'ints', pads: 'ints', group: 'int' },
    scale: total,
    shape: convolves,
  },
  rescale: { inputs: 1, attrs: { bits: 'int' }, scale: ([s], n) => s! - num(n, 'bits'), shape: keeps },
  polynomial: {
    inputs: 1,
    attrs: {
      coefficients: 'integers',
      scale: 'int',
      shift: 'int',
      lo: 'number',
      hi: 'number',
    },
    scale: (_, n) => num(n, 'scale'),
    wrong: polynomialProblem,
    shape: keeps,
  },
  piecewise: {
    inputs: 1,
    attrs: { thresholds: 'integers', degree: 'int', coefficients: 'integers', scale: 'int', shift: 'int' },
    scale: (_, n) => num(n, 'scale'),
    wrong: piecewiseProblem,
    shape: keeps,
  },
  relu: { inputs: 1, attrs: { shift: 'int' }, scale: ([s], n) => s! - num(n, 'shift'), shape: keeps },
  clip: {
    inputs: 1,
    attrs: { lo: 'integer?', hi: 'integer?', shift: 'int' },
    scale: ([s], n) => s! - num(n, 'shift'),
    shape: keeps,
  },
  leaky_relu: {
    inputs: 1,
    attrs: { alpha: 'integer', alphaScale: 'int', shift: 'int' },
    scale: ([s], n) => s! - num(n, 'shift') + num(n, 'alphaScale'),
    shape: keeps,
  },
  max_pool: { inputs: 1, attrs: window, scale: first, shape: pools },
  sum_pool: { inputs: 1, attrs: window, scale: first, shape: pools },
  rank: { inputs: 1, attrs: { axis: 'int' }, scale: () => 0, takes: numeric, gives: ['int'], shape: keeps },
  step: {
    inputs: 1,
    attrs: { bound: 'integer', strict: 'bool' },
    scale: () => 0,
    takes: numeric,
    gives: ['bool'],
    shape: keeps,
  },
  equals: {
    inputs: 1,
    attrs: { bound: 'integer' },
    scale: () => 0,
    takes: numeric,
    gives: ['bool'],
    shape: keeps,
  },
  not: { inputs: 1, attrs: {}, scale: first, takes: ['bool'], shape: keeps },
  xor: { inputs: 2, attrs: {}, scale: first, takes: ['bool'], shape: broadcasts },
  lift: { inputs: 1, attrs: {}, scale: () => 0, takes: ['bool'], gives: numeric, shape: keeps },
  arg_max: {
    inputs: 1,
    gives: ['int'],
    attrs: { axis: 'int', keepdims: 'bool' },
    scale: () => 0,
    shape: (out, n) => reduces(out, shapeOf(n), [num(n, 'axis')], n.attrs.keepdims === true),
  },
  sum: {
    inputs: 1,
    attrs: { axes: 'ints', keepdims: 'bool' },
    scale: first,
    shape: (out, n) => reduces(out, shapeOf(n), nums(n, 'axes'), n.attrs.keepdims === true),
  },
  spline: {
    inputs: 1,
    attrs: {
      inputScale: 'int',
      outputScale: 'int',
      borders: 'ints',
      cells: 'int',
      positions: 'ints',
      degree: 'int',
      precision: 'int',
      coefficients: 'integers',
      weights: 'integers',
      offsets: 'integers',
      errors: 'integers',
    },
    scale: (_, n) => num(n, 'outputScale'),
    shape: keeps,
    wrong: wrongSpline,
  },
  fourier: {
    inputs: 1,
    attrs: {
      period: 'int',
      sine: 'integers',
      cosine: 'integers',
      constant: 'integer',
      wave: 'int',
      scale: 'int',
      lo: 'number',
      hi: 'number',
    },
    scale: (_, n) => num(n, 'scale'),
    shape: keeps,
    wrong: fourierProblem,
  },
  lookup: {
    inputs: 1,
    attrs: { table: 'integers', below: 'int', exact: 'bool', scale: 'int' },
    scale: (_, n) => num(n, 'scale'),
    shape: keeps,
    wrong: lookupProblem,
  },
  exponential: {
    inputs: 1,
    attrs: {
      inputScale: 'int',
      outputScale: 'int',
      bits: 'int',
      cells: 'int',
      below: 'int',
      fraction: 'int',
      rate: 'number',
      amplitude: 'number',
      growth: 'integers',
      decay: 'integers',
      mantissas: 'integers',
      shifts: 'ints',
      relative: 'number',
      units: 'number',
    },
    scale: (_, n) => num(n, 'outputScale'),
    shape: keeps,
    wrong: wrongExponential,
  },
  reshape: {
    inputs: 1,
    attrs: { shape: 'ints' },
    scale: first,
    shape: reshapes,
  },
  move: {
    attrs: { pieces: 'pieces', fill: 'integer?', from: 'string' },
    scale: first,
    aligned: true,
    shape: moves,
  },
};

/** What is wrong with a node as a core operation, undefined where nothing is. */
export function checkCoreNode(node: Node): string | undefined {
  if (!Object.hasOwn(rules, node.op)) return 'is not a core operation';
  const rule = rules[node.op as CoreOp];
  const { inputs, outputs, attrs } = node;
  if (outputs.length !== 1) return `has ${outputs.length} outputs`;
  if (rule.inputs === undefined ? inputs.length === 0 : inputs.length !== rule.inputs)
    return `has ${inputs.length} inputs`;
  for (const [name, kind] of Object.entries(rule.attrs)) {
    const a = attrs[name];
    if (a === undefined || !isKind(a, kind)) return `has no attribute ${name} of kind ${kind}`;
  }
  const extra = Object.keys(attrs).find((name) => !Object.hasOwn(rule.attrs, name));
  if (extra) return `has the attribute ${extra}, which a ${node.op} has not`;

  const wrong = rule.wrong?.(node);
  if (wrong !== undefined) return wrong;

  const out = outputs[0]!;
  const scales = inputs.map((v) => v.type.scale!);
  if (rule.aligned && scales.some((s) => s !== scales[0]))
    return `has operands of scales ${scales.join(', ')}`;
  const scale = rule.scale(scales, node);
  if (out.type.scale !== scale) return `has scale ${out.type.scale}, but ${scale} follows from its operands`;
  const odd = inputs.find((v) => rule.takes && !rule.takes.includes(v.type.dtype));
  if (odd) return `has an operand that is ${odd.type.dtype}`;
  const dtype = inputs[0]!.type.dtype;
  const named = node.op === 'reshape' && dtype === 'int' ? numeric : rule.gives;
  if (!(named ?? [dtype]).includes(out.type.dtype))
    return `is ${out.type.dtype}, which does not follow from operands that are ${dtype}`;
  if (!rule.shape(out.type.shape, node))
    return `has shape ${list(out)}, which does not follow from ${inputs.map(list).join(', ')}`;
  return undefined;
}

function isKind(a: Attribute, kind: Kind): boolean {
  const isInt = (x: unknown): boolean => Number.isSafeInteger(x);
  switch (kind) {
    case 'bool':
      return typeof a === 'boolean';
    case 'string':
      return typeof a === 'string';
    case 'number':
      return typeof a === 'number' && Number.isFinite(a);
    case 'int':
      return isInt(a) && (a as number) >= 0;
    case 'integer':
      return typeof a === 'bigint';
    case 'integer?':
      return a === null || typeof a === 'bigint';
    case 'ints':
      return Array.isArray(a) && a.every((x) => isInt(x) && x >= 0);
    case 'integers':
      return a instanceof BigInt64Array;
    case 'pieces':
      return Array.isArray(a) && a.every(isPiece);
  }
}

function isPiece(a: Attribute): boolean {
  const { outBase, inBase, dims } = a as Record<string, unknown>;
  const isDim = (d: unknown): boolean =>
    Array.isArray(d) && d.length === 3 && d.every(Number.isSafeInteger) && d[0] > 0;
  return (
    Number.isSafeInteger(outBase) && Number.isSafeInteger(inBase) && Array.isArray(dims) && dims.every(isDim)
  );
}

function list(v: Value): string {
  return `[${v.type.shape.join(', ')}]`;
}
