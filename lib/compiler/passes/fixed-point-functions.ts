// Functions of an opened value in fixed point: how many bits of the operand they keep, how many their results have, and their
// coefficients and entries as integers.

import { CryptorchError } from '../../errors';
import { fourierScales, turnsOf } from '../approximations/fourier-scales';
import { piecewiseOf } from '../approximations/piecewise';
import { commonScales, polynomialScales } from '../approximations/polynomial-scales';
import type { Attributes, Node, Value } from '../ir/graph';
import { numberAttr } from '../ops/core';
import { exponentialOf } from '../ops/exponential';
import { seriesOf, steepestFourier } from '../ops/fourier';
import { tableOf } from '../ops/lookup';
import { splineOf } from '../ops/spline';
import { INTEGER_BITS } from '../widths';
import { quantise, quantiseOne } from './quantise';
import type { Rewriter } from './rewriter';

/** What the pass (fixed-point.ts) gives: values of the graph before it at the scales that they are wanted at. */
export interface Scaling {
  /** Fractional bits of inputs and weights. */
  readonly f: number;
  readonly rewriter: Rewriter;
  /** The scale that a value has. */
  scale(old: Value): number;
  /** The same, at which constants are written next to it. */
  fine(old: Value): number;
  /** A value at a scale. */
  at(old: Value, scale: number): Value;
  /** The node itself, of these operands, with results at the scale. */
  emit(node: Node, inputs: readonly Value[], scale: number, attrs?: Attributes): void;
}

/** Part of the error of a Fourier series that a rounded period may take. */
const TURNS = 1 / 2;
/** Part of a cell by which a rounded width may move an operand of a lookup. */
const CELL = 1 / 16;

/** Beyond the outer thresholds of a piecewise polynomial, where nothing is known of its operand. */
const REACH = 2 ** 10;

/** Coefficients become integers, and the operand keeps as many bits as is best for all of its powers. */
function polynomial(scaling: Scaling, node: Node): void {
  const x = node.inputs[0]!;
  const domain = { lo: numberAttr(node, 'lo'), hi: numberAttr(node, 'hi') };
  const from = scaling.scale(x);
  const scales = polynomialScales(node.attrs.coefficients as Float64Array, domain, from, scaling.f);
  if (scales === undefined) throw noRoom(node, `polynomial on [${domain.lo}, ${domain.hi}]`);
  const { coefficients, scale, operand } = scales;
  scaling.emit(node, [scaling.at(x, from)], scale, {
    ...node.attrs,
    coefficients,
    scale,
    shift: from - operand,
  });
}

/**
 * The same for all pieces at once. Where nothing is known of the operand, results up to a distance of `REACH` beyond the
 * outer thresholds have room.
 */
function piecewise(scaling: Scaling, node: Node): void {
  const x = node.inputs[0]!;
  const from = scaling.fine(x);
  const thresholds = Array.from(node.attrs.thresholds as Float64Array);
  const beyond = { lo: thresholds[0]! - REACH, hi: thresholds.at(-1)! + REACH };
  const { lo, hi } = x.type.range ?? beyond;
  const scales = commonScales(piecewiseOf(node).within({ lo, hi }), from, scaling.f);
  if (scales === undefined) throw noRoom(node, `piecewise polynomial for operands in [${lo}, ${hi}]`);
  const { coefficients, scale, operand } = scales;
  const reach = 2 ** (INTEGER_BITS - 1 - from);
  const integers = thresholds.map((t) => quantiseOne(Math.min(Math.max(t, -reach), reach), operand, node));
  scaling.emit(node, [scaling.at(x, from)], scale, {
    ...node.attrs,
    thresholds: BigInt64Array.from(integers),
    coefficients,
    scale,
    shift: from - operand,
  });
}

function noRoom(node: Node, what: string): CryptorchError {
  return new CryptorchError(
    'VALUE_RANGE',
    `Node "${node.name}" (${node.origin}) is a ${what}, whose values have no room in ${INTEGER_BITS} bits. Calibrate the ` +
      'model on examples, or take another approximation.',
    { node: node.name },
  );
}

/**
 * A value times a public factor, so that a period of `period` real units is a power of two of its integers, and the
 * logarithm of that, at least `least`. The factor is off by `relative` at most.
 */
function turns(
  scaling: Scaling,
  node: Node,
  period: number,
  relative: number,
  least = 1,
): { value: Value; bits: number; factor: number } {
  const [x, { factor, scale }] = [node.inputs[0]!, turnsOf(period, relative)];
  const from = Math.max(Math.min(scaling.fine(x), INTEGER_BITS - scale), least - scale);
  const value = scaling.at(x, from);
  const bits = from + scale;
  if (factor === 1n) return { value, bits, factor: 1 };
  const { range: _range, ...type } = value.type;
  const attrs = { data: BigInt64Array.of(factor), scale, shape: [] };
  const types = [{ ...type, scale: bits }];
  const scaled = scaling.rewriter.builder.node(node, 'mul_const', [value], types, attrs)[0]!;
  return { value: scaled, bits, factor: Number(factor) * 2 ** -scale };
}

function fourier(scaling: Scaling, node: Node): void {
  const series = seriesOf(node);
  const [lo, hi, error] = [numberAttr(node, 'lo'), numberAttr(node, 'hi'), numberAttr(node, 'error')];
  const reach = Math.max(Math.abs(lo), Math.abs(hi)) * steepestFourier(series, lo, hi);
  const { value, bits, factor } = turns(scaling, node, series.period, (error * TURNS) / reach);
  const made = fourierScales(series, factor === 1 ? error : error * (1 - TURNS), scaling.f);
  if (made === undefined) throw new Error(`${node.name} has a series without any bits`);
  const { error: _error, ...attrs } = made;
  scaling.emit(node, [value], made.scale, { ...attrs, period: bits, lo: lo * factor, hi: hi * factor });
}

function lookup(scaling: Scaling, node: Node): void {
  const { width, lo, entries, exact } = tableOf(node);
  const [cells, period] = [Math.log2(entries.length), width * entries.length];
  const reach = Math.max(Math.abs(lo), Math.abs(lo + period));
  const { value, bits } = turns(scaling, node, period, (width / reach) * CELL, cells);
  const below = bits - cells;
  const coin = !exact && below > 0;
  // Where the first cell begins; a shift that rounds to the nearest cell gets what lies around its middle.
  const start = BigInt(Math.round((lo / width + (coin ? 0.5 : 0)) * 2 ** below));
  const whole = BigInt.asIntN(below, start) === 0n;
  const first = whole ? Number(BigInt.asUintN(cells, start >> BigInt(below))) : 0;
  const turned = entries.map((_, i) => entries.at((i - first) % entries.length)!);
  const attrs = { table: quantise(turned, scaling.f, node), below, exact, scale: scaling.f };
  scaling.emit(
    node,
    [whole ? value : plus(scaling, node, value, BigInt.asIntN(bits, -start))],
    scaling.f,
    attrs,
  );
}

/** A value plus a public integer. */
function plus(scaling: Scaling, node: Node, value: Value, integer: bigint): Value {
  const attrs = { data: BigInt64Array.of(integer), shape: [] };
  const { range: _range, ...type } = value.type;
  return scaling.rewriter.builder.node(node, 'add_const', [value], [type], attrs)[0]!;
}

function spline(scaling: Scaling, node: Node): void {
  const { inputScale, outputScale } = splineOf(node);
  scaling.emit(node, [scaling.at(node.inputs[0]!, inputScale)], outputScale);
}

function exponential(scaling: Scaling, node: Node): void {
  const { inputScale, outputScale } = exponentialOf(node);
  scaling.emit(node, [scaling.at(node.inputs[0]!, inputScale)], outputScale);
}

const FUNCTIONS: Readonly<Record<string, (scaling: Scaling, node: Node) => void>> = {
  polynomial,
  piecewise,
  fourier,
  lookup,
  spline,
  exponential,
};

/** Takes such a node over. */
export function scaleFunction(scaling: Scaling, node: Node): void {
  FUNCTIONS[node.op]!(scaling, node);
}
