import test from 'ava';
import { type SegmentOptions, segmentTable } from '../../lib/compiler/approximations/segments';
import { evaluateSpline, segmentsOf, splineRange, tablesOf } from '../../lib/compiler/ops/spline';
import { coded } from '../helpers/errors';

const wide = { domain: [2 ** -10, 2 ** 14], inputScale: 16 } as const;
const reciprocal: SegmentOptions = { ...wide, fn: (x) => 1 / x };
const functions: readonly (readonly [string, SegmentOptions, number])[] = [
  ['1/x', reciprocal, 1],
  ['1/sqrt(x)', { ...wide, fn: (x) => 1 / Math.sqrt(x) }, 1],
  ['sqrt(x)', { ...wide, fn: Math.sqrt }, 1],
  ['-x^-0.75', { ...wide, fn: (x) => -(x ** -0.75) }, 1],
  ['log(x)', { ...wide, fn: Math.log, relative: false }, 1],
  ['1/(1 + x)', { ...wide, fn: (x) => 1 / (1 + x) }, 12],
];

for (const [name, options, tables] of functions) {
  test(`${name}: what its segments share, and tables that are the function`, (t) => {
    const { table, error } = segmentTable(options);
    t.is(segmentsOf(table), 12);
    t.is(tablesOf(table), tables);
    t.true(error <= 1e-3);
    const [lo, hi] = options.domain;
    const range = splineRange(table, lo, hi * 0.999);
    const largest = Math.max(Math.abs(options.fn(lo)), Math.abs(options.fn(hi)));
    for (let i = 0; i < 5000; i++) {
      const x = lo * (hi / lo) ** (i / 5000);
      const [exact, found] = [options.fn(x), evaluateSpline(table, x)];
      t.true(Math.abs(found - exact) <= error * (options.relative === false ? largest : Math.abs(exact)));
      t.true(range.lo <= found && found <= range.hi);
    }
    // Bounds of a result are about the function's.
    const ends = [options.fn(lo), options.fn(hi)].sort((a, b) => a - b) as [number, number];
    const slack = 0.01 * Math.max(Math.abs(ends[0]), Math.abs(ends[1]));
    t.true(range.lo > ends[0] - slack && range.hi < ends[1] + slack);
  });
}

test('fewer fractional bits take more cells, and fewer cells more fractional bits', (t) => {
  const scales = [16, 32, 64, 128].map((cells) => segmentTable({ ...reciprocal, cells }).table.outputScale);
  t.deepEqual(
    scales,
    [...scales].sort((a, b) => b - a),
  );
  const tables = [28, 30, 34, 38].map((outputScale) => segmentTable({ ...reciprocal, outputScale }));
  const entries = tables.map(({ table }) => table.coefficients.length);
  t.deepEqual(
    entries,
    [...entries].sort((a, b) => b - a),
  );
  for (const { error } of tables) t.true(error <= 1e-3);
});

test('an operand outside of the domain has the value at its end', (t) => {
  const { table } = segmentTable({ ...reciprocal, domain: [1, 512] });
  for (const [x, y] of [
    [0.2, 1],
    [-3, 1],
    [600, 1 / 512],
    [Number.POSITIVE_INFINITY, 1 / 512],
  ] as const)
    t.true(Math.abs(evaluateSpline(table, x) / y - 1) < 1e-3);
  const all = splineRange(table, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY);
  t.true(all.lo > 0 && all.lo < 1 / 512 && all.hi > 1 && all.hi < 3);
});

test('one segment of equally wide cells', (t) => {
  // On [1/8, 4), in cells of 1/8.
  const options = { fn: Math.exp, domain: [1 / 8, 4], inputScale: 16, cells: 32, segmentBits: 5 } as const;
  const { table, error } = segmentTable(options);
  t.deepEqual(table.borders, [13, 18]);
  t.is(tablesOf(table), 1);
  t.true(error <= 1e-3);
  for (let x = 1 / 8; x < 4; x += 1 / 512)
    t.true(Math.abs(evaluateSpline(table, x) / Math.exp(x) - 1) <= error);
});

test('what cannot be written is refused with a reason', (t) => {
  const refused = (change: Partial<SegmentOptions>, message: RegExp): void => {
    t.throws(() => segmentTable({ ...reciprocal, ...change }), coded('INVALID_OPTION', message));
  };
  refused({ domain: [0, 1] }, /domain/);
  refused({ domain: [2, 1] }, /domain/);
  refused({ domain: [2 ** -17, 1] }, /domain/);
  refused({ domain: [1, 2 ** 50] }, /bits/);
  refused({ cells: 33 }, /33 cells/);
  refused({ cells: 1024 }, /1024 cells/);
  refused({ segmentBits: 0 }, /segments/);
  refused({ fn: (x) => 1 / (x - 1) }, /finite/);
  refused({ fn: () => 0 }, /zero/);
  refused({ outputScale: 52 }, /more than 61 bits/);
  refused({ outputScale: 20 }, /error is 0\.06.* not 0\.001/);
  refused({ cells: 8, tolerance: 1e-4 }, /not 0\.0001/);
});
