// Fitted approximations are as exact as they say, with every rounding of the private evaluation: the cleartext twin, which is
// that bit for bit, against the function.

import test from 'ava';
import { choose, DEFAULT_APPROXIMATION, findFunction } from '../../lib/compiler/approximations';
import { type Graph, GraphBuilder } from '../../lib/compiler/ir/graph';
import { deadCode } from '../../lib/compiler/passes/dead-code';
import { fixedPoint } from '../../lib/compiler/passes/fixed-point';
import { fuseRescale } from '../../lib/compiler/passes/fuse-rescale';
import { ranges } from '../../lib/compiler/passes/ranges';
import { ringWidths } from '../../lib/compiler/passes/ring-widths';
import { secure } from '../../lib/compiler/secure';
import { runProgram } from '../../lib/runtime/local';

const n = 3001;

/** y = fn(x) for x in [lo, hi], with a tail where it is clipped. */
function graphOf(fn: string, params: readonly number[], lo: number, hi: number): Graph {
  const b = new GraphBuilder('test');
  const type = { shape: [n], dtype: 'fixed' as const, owner: 'secret' as const };
  const x = b.input('x', { ...type, range: { kind: 'proven', lo, hi } });
  const domain = findFunction(fn).domain(params);
  const attrs = { fn, params, lo: domain.lo, hi: domain.hi, known: false };
  const [y] = b.node({ name: 'f', origin: fn }, 'approximate', [x], [type], attrs);
  return { ...b.build([y!]), outputs: [y!] };
}

const cases: readonly (readonly [string, readonly number[], number, number, readonly string[]])[] = [
  ['sigmoid', [], -20, 20, ['fourier', 'spline']],
  ['tanh', [], -9, 9, ['fourier', 'spline']],
  ['decay', [], -20, 0, ['exponential', 'fourier', 'spline']],
  ['gelu', [], -9, 9, ['fourier', 'spline']],
  ['erf', [], -2, 1, ['polynomial', 'fourier', 'spline']],
  ['exp', [], -3, 3, ['exponential', 'fourier', 'spline', 'square of a spline']],
  ['power', [-1, 1, 0], 1, 2.5, ['polynomial', 'fourier', 'spline']],
  ['power', [-0.5, 1, 0], 0.5, 100, ['spline']],
  ['log', [], 0.5, 8, ['spline']],
  ['sin', [], -900, 1000, ['sine']],
  ['cos', [], -2, 3, ['sine', 'fourier']],
];

for (const [fn, params, lo, hi, names] of cases) {
  for (const selection of names) {
    test(`${fn}(${params}) on [${lo}, ${hi}] by ${selection}`, async (t) => {
      const graph = graphOf(fn, params, lo, hi);
      const options = { ...DEFAULT_APPROXIMATION, functions: { [fn]: selection } };
      const made = choose(graph.nodes[0]!, {
        inputScale: 16,
        fractionalBits: 16,
        approximation: options,
        selection,
      });
      const real = fuseRescale(fixedPoint(ranges(graph), 16, options));
      const program = secure(ringWidths(ranges(deadCode(real, 'reshape'))), { parties: 2 });
      const grid = (v: number) => Math.round(v * 2 ** 16) * 2 ** -16;
      const x = Float64Array.from({ length: n }, (_, i) => grid(lo + ((hi - lo) * i) / (n - 1)));
      const run = await runProgram(program, new Map([['x', x]]), { seed: 'test', cleartext: true });
      const y = [...run.outputs.values()][0]!;
      const definition = findFunction(fn);
      const exact = Array.from(x, definition.of(params));
      const unit = definition.unit ?? Math.max(...exact.map(Math.abs));
      // The output is rounded once more.
      const off = exact.map((v, i) => {
        const difference = Math.abs(Number(y[i]) - v) - 2 ** -16;
        return difference / (definition.relative ? Math.abs(v) : unit);
      });
      const worst = Math.max(...off);
      t.true(worst <= made.error!, `${worst}, but ${made.error} is stated`);
      t.true(worst > made.error! / 16, `${worst}, far below ${made.error}`);
    });
  }
}
