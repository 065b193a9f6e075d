// Tables looked up privately: the entry of the operand's cell, or of the next one where a coin says so.

import test from 'ava';
import type { Attributes, Graph } from '../../lib/compiler/ir/graph';
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

interface Table {
  readonly entries: readonly bigint[];
  readonly below: number;
  readonly exact: boolean;
}

function random(cells: number, below: number, exact: boolean): Table {
  return { entries: new Random(cells + below).list(2 ** cells, 40), below, exact };
}

function attrs({ entries, below, exact }: Table): Attributes {
  return { table: BigInt64Array.from(entries), below, exact, scale: 0 };
}

const graphFor = (table: Table, n: number, owner: number | 'secret' = 'secret'): Graph =>
  oneNode('lookup', [{ name: 'x', shape: [n], owner }], [n], attrs(table));

/** The entries that a value may give. */
function entriesFor({ entries, below }: Table, x: bigint, exact: boolean): readonly bigint[] {
  const low = x >> BigInt(below);
  const rest = BigInt.asUintN(below, x);
  const cells = exact || rest === 0n ? [low] : [low, low + 1n];
  return cells.map((c) => entries[Number(BigInt.asUintN(64, c) % BigInt(entries.length))]!);
}

function operands({ entries, below }: Table, count: number): bigint[] {
  const end = BigInt(entries.length) << BigInt(below);
  const most = (1n << 62n) - 1n;
  const random = new Random(count);
  const edges = [0n, 1n, -1n, end - 1n, end, end + 1n, -end, most, -most].filter(
    (v) => v <= most && v >= -most,
  );
  return [...edges, ...random.list(count, 62), ...random.list(count, Math.min(61, below + 10))];
}

const tables: Record<string, Table> = {
  'a table of 256, 11 bits below': random(8, 11, false),
  'the same, rounded downwards': random(8, 11, true),
  'nothing below': random(5, 0, false),
  'two entries': random(1, 7, false),
  'many bits below': random(6, 50, false),
  'many bits below, rounded downwards': random(6, 50, true),
  'a whole word': random(4, 60, false),
};

for (const [name, table] of Object.entries(tables)) {
  for (const parties of [2, 3, 5]) {
    test(`${name}, ${parties} parties`, async (t) => {
      const x = operands(table, parties === 2 ? 700 : 50);
      for (const truncation of ['coin', 'floor'] as const) {
        const program = programOf(graphFor(table, x.length), { parties, knobs: { truncation } });
        const { y } = await check(t, program, { x });
        const exact = table.exact || truncation === 'floor';
        t.true(x.every((v, i) => entriesFor(table, v, exact).includes(y[i]!)));
        // The coin falls both ways.
        const low = x.filter((v, i) => entriesFor(table, v, true)[0] === y[i]).length;
        t.is(exact || table.below === 0, low === x.length);
      }
    });
  }
}

/** Of 3 x, shared in as many bits as count, in a ring just wide enough. */
function narrow(list: readonly Table[], n: number, ring: number): Graph {
  return graphOf([{ name: 'x', shape: [n], owner: 'secret' }], (b, [x]) => {
    const at = (name: string) => ({ name, origin: name });
    const factor = { data: BigInt64Array.of(3n), scale: 0, shape: [] };
    const bits = list[0]!.below + Math.log2(list[0]!.entries.length);
    const [v] = b.node(at('scaled'), 'mul_const', [x!], [{ ...type([n]), ring: bits }], factor);
    const out = [{ ...type([n]), ring }];
    return list.map((table, i) => b.node(at(`lookup_${i}`), 'lookup', [v!], out, attrs(table))[0]!);
  });
}

function material(checked: Checked, name: string, n: number): number {
  const index = checked.program.nodes.findIndex((node) => node.name === name);
  return (profile(checked.program).nodes[index]!.offline.bytes * 8) / n;
}

test('a table costs the bits of its cells and those below, one round, and its size of material', async (t) => {
  const n = 1024;
  for (const [table, bits, rounds] of [
    [random(8, 11, false), 19, 1],
    [random(5, 0, true), 5, 1],
    // The carry of 11 bits, by a gate of three digits, and the cell.
    [random(8, 11, true), 19 + 5 + 8, 3],
  ] as const) {
    const x = operands(table, n)
      .slice(-n)
      .map((v) => v / 4n);
    const checked = await check(t, programOf(narrow([table], n, 41), { parties: 2 }), { x });
    const scaled = x.map((v) => 3n * v);
    const y = checked.y.map((v) => BigInt.asIntN(41, v));
    t.true(scaled.every((v, i) => entriesFor(table, v, table.exact).includes(y[i]!)));
    t.is(onlineBits(checked, 'lookup_0', n), bits);
    t.is(onlineRounds(checked, 'lookup_0'), rounds);
    if (!table.exact) t.is(material(checked, 'lookup_0', n), table.entries.length * 41);
  }
});

test('several tables of one value take one opening', async (t) => {
  const n = 300;
  const list = [random(6, 9, false), { ...random(6, 9, false), entries: new Random(77).list(64, 30) }];
  const x = new Random(5).list(n, 20);
  for (const parties of [2, 3]) {
    const checked = await check(t, programOf(narrow(list, n, 45), { parties }), { x });
    t.is(onlineBits(checked, 'lookup_1', n), 0);
    // The same coin for both.
    const outputs = ['y', 'y1'].map((name) => checked.outputs.get(name)!.map((v) => BigInt.asIntN(45, v)));
    const cells = outputs.map((y, i) => y.map((v) => list[i]!.entries.indexOf(v)));
    t.deepEqual(cells[0], cells[1]);
    t.true(cells[0]!.every((c) => c >= 0));
  }
});

for (const parties of [2, 3]) {
  test(`the corrections at any of ${parties} parties, odd sizes`, async (t) => {
    const table = random(7, 3, true);
    for (const n of [1, 63, 513]) {
      const x = operands(table, n).slice(-n);
      for (let corrected = 0; corrected < parties; corrected++) {
        const graph = graphFor(table, n, (corrected + 1) % parties);
        const options = { parties, corrected, outputOwners: { y: (corrected + 2) % parties } };
        const { y } = await check(t, programOf(graph, options), { x });
        t.true(x.every((v, i) => entriesFor(table, v, true)[0] === y[i]));
      }
    }
  });
}
