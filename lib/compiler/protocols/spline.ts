// A function of a positive value over a wide range (../ops/spline.ts; after spec/refinements.py F).
//
//   1. x is opened, and compared with every border 2^b of its segments on that opening, all at once: the digits of its
//      mask are shared one-hot once, and the border of a segment is compared from four bits below it upwards.
//   2. keep = [x >= 2^b] times x and by itself, from the last gates: y = x 2^(a_0) - sum of keep (2^(a_(j-1)) - 2^(a_j)) x,
//      the operand shifted up to the highest segment, and the weights w and offsets of its segment.
//   3. y^ = y + r and w^ = w + v are opened. Their leading bits name a row of a table that the dealer has rotated by r:
//      shares of the coefficients of a polynomial in the next bits of y^ (native/cpu/spline.hpp). The parties choose a row
//      and evaluate it, [g]; the same of a table times v, [v g]; and [w g] = w^ [g] - [v g].
//
// Rounds: one more than comparisons and products take, which are two where one gate takes all digits, and one where that
// gate is fused with the products (knob `comparison.fused`). A domain of one segment takes one opening and no comparison.
//
// The dealer rotates and shifts tables obliviously; the parties address them by opened values. Outside of its domain an
// operand gives the value of some cell.

import type { Node } from '../ir/graph';
import type { Joint, Opened } from '../joint';
import { BORDER_BITS, type SplineTable, segmentsOf, shiftOfSegment, splineOf, tablesOf } from '../ops/spline';
import type { Value } from '../program';
import { comparedBits } from '../widths';
import { selectTruncated } from './activations';
import { keepOne, openSignFrom } from './compare';
import { type Digit, signedDigitsOf } from './prefix-tree';
import { type ComparisonKnobs, type Protocol, type Run, ringBits, words } from './protocol';

/** Bits of a digit, at most: its table of 2^bits entries is shared once for all borders. */
const MOST_DIGIT = 9;
/** Comparisons of one operand for which its digits are expanded once instead of every time. */
const MANY = 3;
/** Terms of a linear combination in one step, less one for what there is already. */
const TERMS = 15;

/** Whether x lies above a border, and x where it does. */
interface Passed {
  readonly one: Value;
  readonly x: Value;
}

/** Shares, or cleartext: `bits` gives the width of a value that parties need so many bits of. */
interface Side {
  readonly run: Run;
  readonly bits: (needed: number) => number;
  readonly x: Value;
  readonly passed: readonly Passed[];
}

/** constant + sum of coefficients times values. */
function combine(
  run: Run,
  constant: bigint,
  terms: readonly (readonly [Value, bigint])[],
  bits: number,
): Value {
  const used = terms.filter(([, c], i) => i === 0 || c !== 0n);
  const form = { elements: used[0]![0].elements, bits };
  let sum: Value | null = null;
  for (let at = 0; at < used.length; at += TERMS) {
    const part = used.slice(at, at + TERMS);
    const attr = part.map(([, c]) => c);
    const values = part.map(([v]) => v);
    sum = run('lincomb', sum ? [sum, ...values] : values, sum ? [0, 1, ...attr] : [constant, ...attr], form);
  }
  return sum as Value;
}

/** The operand shifted up to the highest segment. */
function normalised(side: Side, table: SplineTable): Value {
  const scale = (segment: number): bigint => 1n << BigInt(shiftOfSegment(table, segment));
  const steps = side.passed.map(({ x }, j) => [x, scale(j + 1) - scale(j)] as const);
  return combine(side.run, 0n, [[side.x, scale(0)], ...steps], side.bits(table.borders.at(-1) as number));
}

/** What a list has for the segment of x, given that it differs between segments. */
function ofSegment(side: Side, list: readonly bigint[], bits: number): Value {
  const steps = side.passed.map(({ one }, j) => [one, list[j + 1]! - list[j]!] as const);
  return combine(side.run, list[0]!, steps, side.bits(bits));
}

/** The weights of a table by segment. */
function weightsOf(table: SplineTable, q: number): bigint[] {
  const tables = tablesOf(table);
  return Array.from({ length: segmentsOf(table) }, (_, j) => table.weights[j * tables + q]!);
}

function isConstant(list: readonly bigint[]): boolean {
  return list.every((v) => v === list[0]);
}

/** Attributes of the kernels: how positions are split, and the coefficients of a table. */
function placeOf({ borders, cells, degree, positions }: SplineTable): number[] {
  return [borders.at(-1)!, cells, degree, ...positions];
}

function rowsOf({ cells, degree, precision, coefficients }: SplineTable, q: number): bigint[] {
  const size = 2 ** cells * (degree + 1);
  return [BigInt(precision), ...coefficients.slice(q * size, (q + 1) * size)];
}

function entriesOf({ cells, degree }: SplineTable): number {
  return 2 ** cells * (degree + 1);
}

/** sum of weights times tables, plus the offset of the segment. */
function weighted(
  side: Side,
  table: SplineTable,
  values: readonly Value[],
  weights: readonly (Value | null)[],
  masked: Value | null,
  bits: number,
): Value {
  const { run } = side;
  const offsets = Array.from(table.offsets);
  const addends: [Value, bigint][] = values.flatMap((v, q) =>
    weights[q] === null ? [[v, weightsOf(table, q)[0]!] as [Value, bigint]] : [],
  );
  if (masked) addends.push([masked, -1n]);
  let constant = 0n;
  if (isConstant(offsets)) constant = offsets[0]!;
  else addends.push([ofSegment(side, offsets, bits), 1n]);
  const pairs = values.flatMap((v, q) => (weights[q] ? [weights[q] as Value, v] : []));
  if (pairs.length === 0) return combine(run, constant, addends, side.bits(bits));
  const count = pairs.length / 2;
  const attr = [count, ...Array<number>(count).fill(1), addends.length, ...addends.map(([, c]) => c)];
  const form = { elements: side.x.elements, bits: side.bits(bits) };
  const sum = run('mulsum', [...pairs, ...addends.map(([v]) => v)], attr, form);
  return constant === 0n ? sum : combine(run, constant, [[sum, 1n]], form.bits);
}

/** Digits of the mask that the borders are compared by, and from which of them on each border is. */
interface Borders {
  readonly digits: readonly Digit[];
  readonly from: readonly number[];
  readonly bits: number;
}

function bordersOf(node: Node, opened: number, knobs: ComparisonKnobs): Borders {
  const inner = splineOf(node).borders.slice(1, -1);
  const bits = Math.min(comparedBits(node), opened);
  const low = Math.max(0, (inner[0] as number) - BORDER_BITS);
  const { leaf, fanin, fused = 1 } = knobs;
  // Digits so wide that one gate takes all of them.
  const wide = Math.ceil((bits - low) / (fused > 1 ? fused : fanin));
  const digits = signedDigitsOf(low, bits, Math.max(leaf, Math.min(wide, MOST_DIGIT)));
  const from = inner.map((b) => digits.findLastIndex((d) => d.low <= Math.max(low, b - BORDER_BITS)));
  return { digits, from, bits };
}

function passedShares(joint: Joint, node: Node, z: Opened, ring: number, knobs: ComparisonKnobs): Passed[] {
  const table = splineOf(node);
  const inner = table.borders.slice(1, -1);
  if (inner.length === 0) return [];
  const { digits, from } = bordersOf(node, z.hat.bits, knobs);
  const leaf = Math.max(...digits.map((d) => d.width));
  const expanded = inner.length >= MANY;
  const signs = inner.map((b, j) =>
    openSignFrom(joint, z, digits, from[j] as number, {
      ...knobs,
      leaf,
      expanded,
      offset: -(1n << BigInt(b)),
    }),
  );
  return signs.map((sign, j) => {
    // y needs x of a segment shifted up, so only its low bits.
    const bits = table.borders[j + 2] as number;
    const plain = Math.max(bits, ring);
    return { one: keepOne(joint, sign, plain), x: selectTruncated(joint, sign, z, 0, bits, 0n, plain) };
  });
}

function passedClear(joint: Joint, node: Node, z: Opened, x: Value, knobs: ComparisonKnobs): Passed[] {
  const inner = splineOf(node).borders.slice(1, -1);
  if (inner.length === 0) return [];
  const { digits, from, bits } = bordersOf(node, z.hat.bits, knobs);
  const form = words(x.elements);
  const mask = joint.clearMask(z.mask);
  const zero = joint.clear('lincomb', [x], [0, 0], form);
  return inner.map((b, j) => {
    const { low } = digits[from[j] as number] as Digit;
    const opened = joint.clear('lincomb', [x, mask], [-(1n << BigInt(b)), 1, 1], form);
    const high = [opened, mask].map((v) => joint.clear('shift_right', [v], [low], form));
    const above = joint.clear('lincomb', high, [0, 1, -1], form);
    return {
      one: joint.clear('clear_select', [above, zero], [0, 1, bits - low], form),
      x: joint.clear('clear_select', [above, x], [0, 0, bits - low], form),
    };
  });
}

/** The openings of normalised operands, whose masks decide how the cleartext twin rounds. */
const normalisedOpenings = new WeakMap<Joint, Map<Node, Opened>>();

function build(joint: Joint, node: Node, share: Value, knobs: ComparisonKnobs): Value {
  const table = splineOf(node);
  const [ring, { elements }] = [ringBits(node), share];
  const tables = Array.from({ length: tablesOf(table) }, (_, q) => q);
  joint.note('spline', `${tables.length} of ${2 ** table.cells} cells of degree ${table.degree}`);
  const z = joint.open(share);
  const passed = passedShares(joint, node, z, ring, knobs);
  const side: Side = { run: joint.local.bind(joint), bits: (b) => b, x: share, passed };
  const y = passed.length === 0 ? z : joint.open(normalised(side, table));
  const known = normalisedOpenings.get(joint) ?? new Map<Node, Opened>();
  normalisedOpenings.set(joint, known.set(node, y));
  const weights = tables.map((q) => {
    const list = weightsOf(table, q);
    return isConstant(list) ? null : joint.open(ofSegment(side, list, ring));
  });

  const place = placeOf(table);
  const entries = { elements: elements * entriesOf(table), bits: ring };
  const dealt = tables.map((q) =>
    joint.derive('spline_table', [y.mask], [...place, ...rowsOf(table, q)], entries),
  );
  const select = (rows: Value): Value =>
    joint.local('spline_select', [y.hat, joint.deal(rows)], place, { elements, bits: ring });
  const factors = weights.flatMap((w, q) =>
    w ? [{ value: w.mask, inner: entriesOf(table), mid: elements }, dealt[q] as Value] : [],
  );
  const count = factors.length / 2;
  const masked =
    count === 0
      ? null
      : select(joint.derive('mulsum', factors, [count, ...Array<number>(count).fill(1), 0], entries));
  const hats = weights.map((w) => w?.hat ?? null);
  return weighted(side, table, dealt.map(select), hats, masked, ring);
}

function clear(
  joint: Joint,
  node: Node,
  { share, clear: x }: { share: Value; clear: Value },
  knobs: ComparisonKnobs,
): Value {
  const table = splineOf(node);
  const tables = Array.from({ length: tablesOf(table) }, (_, q) => q);
  const form = words(x.elements);
  const passed = passedClear(joint, node, joint.open(share), x, knobs);
  const side: Side = { run: joint.clear.bind(joint), bits: () => form.bits, x, passed };
  const y = passed.length === 0 ? x : normalised(side, table);
  const opened = normalisedOpenings.get(joint)?.get(node);
  if (opened === undefined) throw new Error(`${node.name} has no cleartext twin before its shares`);
  const mask = joint.clearMask(opened.mask);
  const hat = joint.clear('lincomb', [y, mask], [0, 1, 1], form);
  const place = placeOf(table);
  const values = tables.map((q) => {
    const entries = words(x.elements * entriesOf(table));
    const rows = joint.clear('spline_table', [mask], [...place, ...rowsOf(table, q)], entries);
    return joint.clear('spline_select', [hat, rows], place, form);
  });
  const weights = tables.map((q) => {
    const list = weightsOf(table, q);
    return isConstant(list) ? null : ofSegment(side, list, form.bits);
  });
  return weighted(side, table, values, weights, null, form.bits);
}

export const spline: Protocol = {
  name: 'spline',
  of: ['spline'],
  build: (joint, node, [x], knobs) => [build(joint, node, x!.share, knobs.comparison)],
  clear: (joint, node, [x], knobs) => [clear(joint, node, x!, knobs.comparison)],
};
