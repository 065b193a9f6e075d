import test from 'ava';
import { Joint } from '../../lib/compiler/joint';
import { checkLeakage } from '../../lib/compiler/leakage';
import type { Program, Value } from '../../lib/compiler/program';
import { bitToRing, openBit } from '../../lib/compiler/protocols/compare';
import { isZero } from '../../lib/compiler/protocols/equality';
import { profile } from '../../lib/cost/communication';
import { runProgram } from '../../lib/runtime/local';
import { Random } from '../helpers/protocols';

/** [a = b] modulo 2^bits, revealed as 0 or 1. */
function equality(parties: number, elements: number, bits: number, leaf: number): Program {
  const joint = new Joint({ parties });
  joint.beginNode({ name: 'inputs', op: 'Input', shape: [] });
  const io = { shape: [elements], scale: 0, dtype: 'int' as const, kind: 'input' as const, bits: 64 };
  const narrow = (name: string, owner: number): Value =>
    joint.local('lincomb', [joint.input({ ...io, name, owner }).share], [0, 1], { elements, bits });
  const [a, b] = [narrow('a', 0), narrow('b', parties - 1)];
  joint.beginNode({ name: 'equal', op: 'Equal', shape: [elements] });
  const difference = joint.open(joint.local('lincomb', [a, b], [0, 1, -1], { elements, bits }));
  const equal = isZero(joint, difference, { leaf });
  joint.beginNode({ name: 'arithmetic', op: 'Cast', shape: [elements] });
  const y = bitToRing(joint, openBit(joint, equal, 2), 2);
  joint.beginNode({ name: 'y', op: 'Output', shape: [elements] });
  joint.output({ name: 'y', shape: [elements], scale: 0, dtype: 'int', owner: 0 }, y, y);
  return joint.build('equality');
}

for (const bits of [1, 2, 17, 32, 43, 64]) {
  test(`equality of ${bits}-bit values, by digits of several widths`, async (t) => {
    const random = new Random(bits);
    const b = random.list(301, 62);
    // Equal, or different in one bit, or anything.
    const a = b.map((v, i) => {
      if (i % 3 === 0) return v;
      return i % 3 === 1 ? BigInt.asIntN(63, v ^ (1n << BigInt(i % Math.min(bits, 62)))) : random.signed(62);
    });
    const expected = a.map((v, i) => (BigInt.asUintN(bits, v - b[i]!) === 0n ? 1 : 0));
    t.true(expected.includes(1) && expected.includes(0));
    for (const parties of [2, 3, 5]) {
      for (const leaf of [3, 4, 8]) {
        const program = equality(parties, a.length, bits, leaf);
        checkLeakage(program);
        const numbers = new Map([
          ['a', BigInt64Array.from(a)],
          ['b', BigInt64Array.from(b)],
        ]);
        const run = await runProgram(program, numbers, { seed: 1 });
        t.deepEqual(Array.from(run.outputs.get('y')!, Number), expected, `${parties} ${leaf}`);
        t.deepEqual(run.counted, profile(program).total);
      }
    }
  });
}

test('equality opens one bit per digit and gate: rounds, bits, material', (t) => {
  const elements = 4096;
  for (const [bits, leaf, rounds, sent, material] of [
    [64, 8, 2, 64 + 8, 8 * 255 + 247],
    [64, 4, 3, 64 + 16 + 4, 16 * 15 + 5 * 11],
    [32, 4, 2, 32 + 8, 8 * 15 + 247],
    [12, 4, 2, 12 + 3, 3 * 15 + 4],
    [4, 4, 1, 4, 15],
  ] as const) {
    const cost = profile(equality(2, elements, bits, leaf)).nodes[1]!;
    t.is(cost.online.rounds, rounds);
    t.is((cost.online.bytes * 8) / elements / 2, sent);
    t.is((cost.offline.bytes * 8) / elements, material);
  }
});
