import test from 'ava';
import type { Graph, Owner } from '../../lib/compiler/ir/graph';
import type { Program } from '../../lib/compiler/program';
import { profile } from '../../lib/cost/communication';
import { check, graphOf, type Operand, programOf, Random, type } from '../helpers/protocols';

const edges = [0n, 1n, -1n, 65535n, 65536n, -65535n, -65536n, -65537n, (1n << 40n) - 1n, -(1n << 40n)];
const at = (name: string) => ({ name, origin: name });
const wrap = (v: bigint): bigint => BigInt.asIntN(64, v);

/** Floor, or one more. */
const near = (v: bigint, z: bigint, f: bigint): boolean => v === z >> f || v === (z >> f) + 1n;

/** Products of values that are truncated first: with each other and themselves, with weights, and with an input. */
function products(owner: Owner): Graph {
  const operands: Operand[] = [
    { name: 'a', shape: [7, 43], owner: 'secret' },
    { name: 'b', shape: [7, 43], owner: 'secret' },
    { name: 'w', shape: [43], owner, weight: true },
    { name: 'v', shape: [7, 1], owner: 0 },
  ];
  return graphOf(operands, (g, [a, b, w, v]) => {
    const [x] = g.node(at('rescale a'), 'rescale', [a!], [type([7, 43])], { bits: 16 });
    const [y] = g.node(at('rescale b'), 'rescale', [b!], [type([7, 43])], { bits: 20 });
    const mul = (name: string, left: typeof x, right: typeof x) =>
      g.node(at(name), 'mul', [left!, right!], [type([7, 43])])[0]!;
    return [x!, y!, mul('square', x, x), mul('two', x, y), mul('weights', x, w), mul('input', v, y)];
  });
}

for (const parties of [2, 3, 5]) {
  for (const owner of [0, parties - 1, 'secret'] as const) {
    test(`products on openings before truncation, weights of ${owner}, ${parties} parties`, async (t) => {
      const random = new Random(31);
      const [a, b] = [0, 1].map(() => [...edges, ...random.list(301 - edges.length, 38)]) as [
        bigint[],
        bigint[],
      ];
      const [w, v] = [random.list(43, 18), random.list(7, 18)];
      const program = programOf(products(owner), { parties });
      const { outputs } = await check(t, program, { a, b, w, v });
      const [x, y, square, two, weights, input] = ['y', 'y1', 'y2', 'y3', 'y4', 'y5'].map(
        (n) => outputs.get(n)!,
      );
      for (let i = 0; i < a.length; i++) {
        t.true(near(x![i]!, a[i]!, 16n) && near(y![i]!, b[i]!, 20n));
        t.is(square![i], wrap(x![i]! * x![i]!));
        t.is(two![i], wrap(x![i]! * y![i]!));
        t.is(weights![i], wrap(x![i]! * w[i % 43]!));
        t.is(input![i], wrap(v[Math.floor(i / 43)]! * y![i]!));
      }
      for (const name of ['square', 'two', 'weights', 'input']) {
        const node = program.nodes.find((n) => n.name === name)!;
        t.deepEqual(node.choices, { factor: 'opened before its truncation' });
      }
    });
  }
}

/** Costs of a node online and offline: rounds, bits per element and party. */
function costs(program: Program, name: string, elements: number): number[] {
  const { online, offline } = profile(program).nodes[program.nodes.findIndex((n) => n.name === name)]!;
  return [online.rounds, (online.bytes * 8) / elements / 2, (offline.bytes * 8) / elements];
}

test('a product with a truncated value opens nothing', (t) => {
  const elements = 4096;
  const operands = [{ name: 'a', shape: [elements], owner: 'secret' as const }];
  const square = (exact: boolean, alsoOpened: boolean): Program =>
    programOf(
      graphOf(operands, (g, [a]) => {
        const [x] = g.node(at('rescale'), 'rescale', [a!], [type([elements])], { bits: 16 });
        const other = alsoOpened ? g.node(at('relu'), 'relu', [x!], [type([elements])], { shift: 0 }) : [];
        return [...g.node(at('square'), 'mul', [x!, x!], [type([elements])]), ...other];
      }),
      { parties: 2, ...(exact && { knobs: { truncation: 'floor' } }) },
    );
  // Dealt: high^2, and high * top in the 16 bits that matter. top^2 is multiplied by 2^96.
  t.deepEqual(costs(square(false, false), 'square', elements), [0, 0, 64 + 16]);
  t.deepEqual(
    costs(square(true, false), 'square', elements),
    [1, 64, 64],
    'rounded downwards: no such opening',
  );
  t.deepEqual(costs(square(false, true), 'square', elements), [0, 0, 64], 'somebody has opened it');
});

test('where rings are narrow, too', async (t) => {
  const z = [...new Random(5).list(301, 38)];
  const ringed = (ring: number) => ({ ...type([z.length]), ring });
  const graph = graphOf([{ name: 'a', shape: [z.length], owner: 'secret' }], (g, [a]) => {
    const [b] = g.node(at('add'), 'add', [a!, a!], [ringed(42)]);
    const [x] = g.node(at('rescale'), 'rescale', [b!], [ringed(50)], { bits: 16 });
    const [y] = g.node(at('square'), 'mul', [x!, x!], [ringed(50)]);
    return [y!, x!];
  });
  for (const parties of [2, 3]) {
    const program = programOf(graph, { parties });
    const { outputs } = await check(t, program, { a: z });
    const x = outputs.get('y1')!;
    t.true(x.every((v, i) => near(v, 2n * z[i]!, 16n)));
    t.deepEqual(
      [...outputs.get('y')!],
      x.map((v) => BigInt.asIntN(50, v * v)),
    );
    t.is(costs(program, 'square', z.length)[0], 0);
  }
});
