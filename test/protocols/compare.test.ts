import test from 'ava';
import { Joint } from '../../lib/compiler/joint';
import type { Program, Value } from '../../lib/compiler/program';
import { bitToRing, isNegative, openComplement } from '../../lib/compiler/protocols/compare';
import { profile } from '../../lib/cost/communication';
import { runProgram } from '../../lib/runtime/local';
import { Random } from '../helpers/protocols';

/** [x >= 0] for values of `bits` bits, revealed as 0 or 1. The comparison is the node 'compare'. */
function comparison(
  parties: number,
  elements: number,
  knobs: { bits: number; leaf: number; fanin: number },
): Program {
  const joint = new Joint({ parties });
  joint.beginNode({ name: 'inputs', op: 'Input', shape: [] });
  const io = { name: 'x', shape: [elements], scale: 0, dtype: 'int' as const };
  const { share, clear } = joint.input({ ...io, kind: 'input', owner: 'secret', bits: 64 });
  joint.beginNode({ name: 'compare', op: 'Less', shape: [elements] });
  const narrow: Value = joint.local('lincomb', [share], [0, 1], { elements, bits: knobs.bits });
  const negative = isNegative(joint, joint.open(narrow), knobs);
  joint.beginNode({ name: 'arithmetic', op: 'Cast', shape: [elements] });
  const y = bitToRing(joint, openComplement(joint, negative, 64), 64);
  const sign = joint.clear('lincomb', [clear], [0, 0], { elements, bits: 64 });
  const one = joint.clear('lincomb', [clear], [1, 0], { elements, bits: 64 });
  const expected = joint.clear('clear_select', [clear, one], [0, 0, knobs.bits], { elements, bits: 64 });
  const result = joint.clear('lincomb', [expected, sign], [0, 1, 1], { elements, bits: 64 });
  joint.beginNode({ name: 'y', op: 'Output', shape: [elements] });
  joint.output({ ...io, name: 'y', owner: 0 }, y, result);
  return joint.build('comparison');
}

for (const bits of [2, 3, 17, 32, 33, 63, 64]) {
  test(`sign of ${bits}-bit values by digits and gates of several widths`, async (t) => {
    const limit = 1n << BigInt(bits - 1);
    const bound = bits === 64 ? (1n << 62n) - 1n : limit - 1n;
    const x = [
      0n,
      -1n,
      ...(bits > 2 ? [1n] : []),
      bound,
      -bound,
      ...new Random(bits).list(200, Math.min(bits, 63) - 1),
    ];
    for (const parties of [2, 3]) {
      for (const [leaf, fanin] of [
        [4, 4],
        [1, 2],
        [8, 8],
        [3, 5],
      ] as const) {
        const program = comparison(parties, x.length, { bits, leaf, fanin });
        const run = await runProgram(program, new Map([['x', BigInt64Array.from(x)]]), { seed: 1 });
        t.deepEqual(
          Array.from(run.outputs.get('y')!, Number),
          x.map((v) => (v < 0n ? 0 : 1)),
          `${leaf} ${fanin}`,
        );
        t.deepEqual(run.counted, profile(program).total);
      }
    }
  });
}

test('costs are those of the specification, or less where its gates are not of equal size', (t) => {
  const elements = 4096;
  for (const { bits, leaf, fanin, rounds, sent, material } of [
    { bits: 64, leaf: 4, fanin: 4, rounds: 3, sent: 97, material: 329 },
    { bits: 64, leaf: 8, fanin: 8, rounds: 2, sent: 78, material: 2280 },
    { bits: 64, leaf: 1, fanin: 2, rounds: 7, sent: 244, material: 182 },
    { bits: 32, leaf: 4, fanin: 4, rounds: 3, sent: 47, material: 151 },
    { bits: 21, leaf: 4, fanin: 4, rounds: 3, sent: 30, material: 84 },
    { bits: 2, leaf: 4, fanin: 4, rounds: 1, sent: 2, material: 2 },
  ]) {
    const program = comparison(2, elements, { bits, leaf, fanin });
    const cost = profile(program).nodes[program.nodes.findIndex((n) => n.name === 'compare')]!;
    t.is(cost.online.rounds, rounds, `rounds of ${bits}/${leaf}/${fanin}`);
    t.is((cost.online.bytes * 8) / elements / 2, sent, `bits of ${bits}/${leaf}/${fanin}`);
    t.is((cost.offline.bytes * 8) / elements, material, `material of ${bits}/${leaf}/${fanin}`);
  }
});
