// One function by one approximation, in the fixed-point semantics of the compiled graph.

import { DEFAULT_APPROXIMATION, findFunction, type Selection } from '../../lib/compiler/approximations';
import { GraphBuilder } from '../../lib/compiler/ir/graph';
import { evaluateCore } from '../../lib/compiler/ops/evaluate-core';
import { fixedPoint } from '../../lib/compiler/passes/fixed-point';
import { noise } from '../ops/oracle';

/** Truncations are off by less than one unit. */
export function evaluated(
  fn: string,
  params: readonly number[],
  selection: Selection,
  x: readonly number[],
): Float64Array {
  const b = new GraphBuilder('test');
  const type = { shape: [x.length], dtype: 'fixed' as const, owner: 'secret' as const };
  const input = b.input('x', type);
  const { lo, hi } = findFunction(fn).domain(params);
  const attrs = { fn, params, lo, hi, known: false };
  const y = b.node({ name: 'f', origin: fn }, 'approximate', [input], [type], attrs);
  const functions = { [`f/${fn}`]: selection };
  const core = fixedPoint(b.build(y), 16, { ...DEFAULT_APPROXIMATION, functions });
  const next = noise(1);
  const coin = (v: number, scale: number) => Math.floor(v * 2 ** scale + (next() + 1) / 2) * 2 ** -scale;
  return evaluateCore(core, [x], { rescale: coin })[0]!.data;
}
