import test from 'ava';
import { GraphBuilder } from '../../lib/compiler/ir/graph';
import { printGraph, printType } from '../../lib/compiler/ir/print';

test('a graph prints one definition per line, without private contents', (t) => {
  const g = new GraphBuilder('digits');
  const x = g.input('x', { shape: [1, 4], dtype: 'fixed', owner: 0, scale: 16 });
  const w = g.constant(
    'w',
    { shape: [4, 2], dtype: 'fixed', owner: 1, scale: 16 },
    { data: Float32Array.from({ length: 8 }, () => 0.123), private: true },
  );
  const k = g.constant(
    'k',
    { shape: [2], dtype: 'int', owner: 'public' },
    { data: BigInt64Array.of(1n, -2n), private: false },
  );
  const range = { kind: 'proven', lo: -3.2, hi: 4.1 } as const;
  const [h] = g.node(
    { name: 'fc', origin: 'Gemm' },
    'matmul',
    [x, w],
    [{ shape: [1, 2], dtype: 'fixed', owner: 'secret', scale: 32, range }],
    { transA: false },
  );
  const attrs = {
    data: BigInt64Array.from({ length: 20 }, (_, i) => BigInt(i)),
    mode: 'a"b',
    lo: null,
    dims: [[1, 2], []],
    nested: { deep: 1n },
  };
  const [y, z] = g.node(
    { name: 'two\nlines', origin: 'Op' },
    'Op',
    [h!, k],
    [h!.type, { ...h!.type, range: { ...range, kind: 'assumed' } }],
    attrs,
  );
  const text = printGraph(g.build([{ ...y!, name: 'y' }, z!]));
  t.is(
    text,
    [
      'graph "digits"',
      '%0 = input : fixed[1, 4] party 0 @16  # x',
      '%1 = constant {private} : fixed[4, 2] party 1 @16  # w',
      '%2 = constant {1, -2} : int[2] public  # k',
      '%3 = matmul(%0, %1) {transA: false} : fixed[1, 2] secret @32 [-3.2, 4.1]  # fc (Gemm)',
      '%4, %5 = Op(%3, %2) {data: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, ... 20 in all], mode: "a\\"b", ' +
        'lo: null, dims: [[1, 2], []], nested: {deep: 1}} : fixed[1, 2] secret @32 [-3.2, 4.1]; fixed[1, 2] secret @32 [-3.2, 4.1] assumed  # two\\nlines',
      'return %4 "y", %5 "two\\nlines:Op.1"',
      '',
    ].join('\n'),
  );
});

test('types', (t) => {
  t.is(printType({ shape: [], dtype: 'int', owner: 'secret', scale: 0 }), 'int[] secret @0');
  const range = { kind: 'calibrated', lo: 0, hi: 1 / 3 } as const;
  t.is(
    printType({ shape: [2], dtype: 'fixed', owner: 2, range }),
    'fixed[2] party 2 [0, 0.333333] calibrated',
  );
});
