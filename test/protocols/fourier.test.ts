// Fourier series evaluated privately: against exact sines, for operands of any size.

import test, { type ExecutionContext } from 'ava';
import { type Attributes, type Graph, GraphBuilder, type Value } from '../../lib/compiler/ir/graph';
import { type FourierSeries, fourierError, seriesOf } from '../../lib/compiler/ops/fourier';
import { profile } from '../../lib/cost/communication';
import {
  type Checked,
  check,
  graphOf,
  oneNode,
  onlineBits,
  onlineRounds,
  programOf,
  Random,
  type,
} from '../helpers/protocols';

interface Series {
  readonly period: number;
  readonly sine: readonly number[];
  readonly cosine: readonly number[];
  readonly constant: number;
  readonly wave: number;
  readonly scale: number;
}

function attrs({ period, wave, scale, ...s }: Series): Attributes {
  const integers = (data: readonly number[], bits: number) =>
    BigInt64Array.from(data, (c) => BigInt(Math.round(c * 2 ** bits)));
  const [sine, cosine] = [integers(s.sine, scale - wave), integers(s.cosine, scale - wave)];
  const constant = integers([s.constant], scale)[0]!;
  return { period, sine, cosine, constant, wave, scale, lo: -1, hi: 1 };
}

/** The series that the integers stand for, and its period as operands count it. */
function realOf(series: Series): FourierSeries {
  const inputs = [{ id: 0, name: 'x', type: type([]) }];
  return seriesOf({ id: 0, name: '', op: 'fourier', origin: '', inputs, outputs: [], attrs: attrs(series) });
}

/** Angles modulo a turn, as integers, so that doubles have them exactly. */
function exact(series: Series, v: bigint): number {
  const { constant, sine, cosine } = realOf(series);
  const wave = (k: number, of: (x: number) => number) => {
    const part = BigInt.asUintN(series.period, v * BigInt(k));
    return of((2 * Math.PI * Number(part)) / 2 ** series.period);
  };
  return Array.from(
    sine,
    (s, i) => Number(s) * wave(i + 1, Math.sin) + Number(cosine[i]) * wave(i + 1, Math.cos),
  ).reduce((a, b) => a + b, constant);
}

/** Largest error of the outputs, in parts of the bound. */
function worst(series: Series, x: readonly bigint[], y: readonly bigint[]): number {
  const bound = fourierError(realOf(series), series.scale, series.wave);
  const errors = x.map((v, i) => Math.abs(Number(y[i]) * 2 ** -series.scale - exact(series, v)));
  return Math.max(...errors) / bound;
}

const none = { sine: [0], cosine: [0], constant: 0, wave: 12, scale: 24 };
const all: Record<string, Series> = {
  'a sine': { ...none, sine: [1], period: 35 },
  'a cosine': { ...none, cosine: [1], period: 20 },
  'a period of a whole word': { ...none, sine: [0.5], cosine: [-0.5], period: 64 },
  'a period of two': { ...none, sine: [1], cosine: [0.75], period: 1 },
  'few bits': { ...none, sine: [1], period: 10, wave: 6, scale: 12 },
  'many bits': { ...none, sine: [1.5], cosine: [-2.5], constant: -3, period: 40, wave: 24, scale: 48 },
  'several frequencies, some of them missing': {
    sine: [0.5, 0, 0, -0.25, 0.125],
    cosine: [0.1, 0, -0.7, 0, 0],
    constant: 2.25,
    period: 30,
    wave: 14,
    scale: 30,
  },
};

function operands({ period }: Series, count: number, seed = 1): bigint[] {
  const random = new Random(seed);
  const quarter = 1n << BigInt(Math.min(Math.max(period - 2, 0), 58));
  const edges = [0n, 1n, -1n, quarter, quarter - 1n, 2n * quarter, -3n * quarter, 4n * quarter];
  const most = (1n << 62n) - 1n;
  return [...edges, most, -most, ...random.list(count, 62), ...random.list(count, Math.min(period, 62))];
}

const graphFor = (series: Series, n: number, owner: number | 'secret' = 'secret'): Graph =>
  oneNode('fourier', [{ name: 'x', shape: [n], owner }], [n], attrs(series));

for (const [name, series] of Object.entries(all)) {
  for (const parties of [2, 3, 5]) {
    test(`${name}, ${parties} parties`, async (t) => {
      const x = operands(series, parties === 2 ? 700 : 60);
      for (const truncation of ['coin', 'floor'] as const) {
        const program = programOf(graphFor(series, x.length), { parties, knobs: { truncation } });
        const checked = await check(t, program, { x });
        const off = worst(series, x, checked.y);
        t.true(off <= 1, `off by ${off} times the bound`);
        // A bound that is far off would hide an error. A period of two has whole numbers only.
        t.true(parties > 2 || series.period === 1 || off > 1 / 4, `off by ${off} times the bound`);
        t.is(onlineRounds(checked, 'fourier_0'), 1);
      }
    });
  }
}

/** Of 3 x, shared in as many bits as the period has, in a ring just wide enough for the result. */
function narrow(series: Series, n: number, ring: number): Graph {
  return graphOf([{ name: 'x', shape: [n], owner: 'secret' }], (b, [x]) => {
    const at = (name: string) => ({ name, origin: name });
    const factor = { data: BigInt64Array.of(3n), scale: 0, shape: [] };
    const [v] = b.node(at('scaled'), 'mul_const', [x!], [{ ...type([n]), ring: series.period }], factor);
    return b.node(at('fourier_0'), 'fourier', [v!], [{ ...type([n]), ring }], attrs(series));
  });
}

function material(checked: Checked, n: number): number {
  const index = checked.program.nodes.findIndex((node) => node.name === 'fourier_0');
  return (profile(checked.program).nodes[index]!.offline.bytes * 8) / n;
}

test('a value costs the bits of its period, and material for two waves in its ring a frequency', async (t) => {
  const n = 4096;
  for (const [name, bits, ring, frequencies] of [
    ['a sine', 35, 26, 1],
    ['few bits', 10, 14, 1],
    ['several frequencies, some of them missing', 30, 33, 4],
  ] as const) {
    const series = all[name]!;
    const x = new Random(3).list(n, 62);
    for (const parties of [2, 3]) {
      const checked = await check(t, programOf(narrow(series, n, ring), { parties }), { x });
      const y = checked.y.map((v) => BigInt.asIntN(ring, v));
      const scaled = x.map((v) => 3n * v);
      t.true(worst(series, scaled, y) <= 1, name);
      t.is(onlineBits(checked, 'fourier_0', n), bits, name);
      if (parties === 2) t.is(material(checked, n), 2 * frequencies * ring, name);
    }
  }
});

for (const parties of [2, 3, 5]) {
  test(`the corrections at any of ${parties} parties, input and output at any other`, async (t) => {
    const series = all['a sine']!;
    const x = operands(series, 20);
    for (let corrected = 0; corrected < parties; corrected++) {
      const graph = graphFor(series, x.length, (corrected + 1) % parties);
      const options = { parties, corrected, outputOwners: { y: (corrected + 2) % parties } };
      const { y } = await check(t, programOf(graph, options), { x });
      t.true(worst(series, x, y) <= 1);
    }
  });
}

test('sizes around a block, and other masks', async (t) => {
  const series = all['several frequencies, some of them missing']!;
  for (const n of [1, 63, 511, 512, 513, 1025]) {
    const x = operands(series, n, n).slice(-n);
    const program = programOf(graphFor(series, n), { parties: 2 });
    for (const seed of n === 513 ? ['a', 'b', 'c', 'd'] : ['a']) {
      const { y } = await check(t, program, { x }, seed);
      t.true(worst(series, x, y) <= 1);
    }
  }
});

function twoOf(t: ExecutionContext, n: number, series: readonly Series[]): Graph {
  const builder = new GraphBuilder('two');
  const x = builder.input('x', type([n]));
  const outs = series.flatMap((s, i): readonly Value[] =>
    builder.node({ name: `fourier${i}`, origin: 'fourier' }, 'fourier', [x], [type([n])], attrs(s)),
  );
  t.is(outs.length, series.length);
  return builder.build(outs.map((v, i) => ({ ...v, name: i ? `y${i}` : 'y' }))) as Graph;
}

test('sine and cosine of one value take one opening and the same waves', async (t) => {
  const series = [
    { ...none, sine: [1], period: 30 },
    { ...none, cosine: [1], period: 30 },
  ];
  const x = new Random(4).list(64, 40);
  const { outputs, run, program } = await check(t, programOf(twoOf(t, 64, series), { parties: 2 }), { x });
  t.true(worst(series[0]!, x, outputs.get('y')!) <= 1);
  t.true(worst(series[1]!, x, outputs.get('y1')!) <= 1);
  const second = program.nodes.findIndex((n) => n.name === 'fourier1');
  t.is(run.nodes[second]!.online.bytes, 0);
  t.is(run.nodes[second]!.offline.bytes, 0);
});
