// All secure primitives. A protocol is added here and picked up by the compiler, the cost report and the tests.

import { clip, leakyRelu, relu } from './activations';
import { conv2d, matmul, multiply } from './bilinear';
import { lift, not, xor } from './boolean';
import { equals, step } from './comparison';
import { exponential } from './exponential';
import { fourier } from './fourier';
import {
  add,
  addConstant,
  move,
  multiplyConstant,
  neg,
  reshape,
  shiftLeft,
  sub,
  sumAxes,
  sumPool,
} from './linear';
import { lookup } from './lookup';
import { argMax, maxPool } from './maximum';
import { piecewise } from './piecewise';
import { polynomial } from './polynomial';
import type { Protocol } from './protocol';
import { rank } from './rank';
import { rescale } from './rescale';
import { spline } from './spline';

/** Every protocol there is. */
export const PROTOCOLS: readonly Protocol[] = [
  add,
  sub,
  neg,
  shiftLeft,
  addConstant,
  multiplyConstant,
  sumAxes,
  sumPool,
  reshape,
  move,
  multiply,
  matmul,
  conv2d,
  rescale,
  polynomial,
  piecewise,
  relu,
  leakyRelu,
  clip,
  maxPool,
  argMax,
  spline,
  fourier,
  lookup,
  exponential,
  rank,
  step,
  equals,
  not,
  xor,
  lift,
];

const BY_OPERATOR: ReadonlyMap<string, Protocol> = new Map(
  PROTOCOLS.flatMap((p) => p.of.map((op) => [op, p] as const)),
);

/** The protocol of a core operation; undefined where there is none. */
export function protocolFor(op: string): Protocol | undefined {
  return BY_OPERATOR.get(op);
}
