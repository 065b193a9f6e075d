// What GELU of a product costs and how exact it is, with everything by default.

import test from 'ava';
import { ofProduct } from '../../bench/functions';
import { findFunction } from '../../lib/compiler/approximations';
import { checkLeakage } from '../../lib/compiler/leakage';
import { secure } from '../../lib/compiler/secure';
import { profile } from '../../lib/cost/communication';
import { runProgram } from '../../lib/runtime/local';

const elements = 4096;
const far = [-16000, -1000, -40, 40, 1000, 16000].flatMap((v) => [v, v + 1e-3]);
const x = Float64Array.from({ length: elements }, (_, i) => far[i] ?? (i / elements) * 16 - 8);

test('GELU of a product: bits, rounds and error, whatever the operand is', async (t) => {
  const gelu = findFunction('gelu').of([]);
  const graph = ofProduct([elements], (core, v) => core.approximate(v, 'gelu', []));
  for (const parties of [2, 3]) {
    const program = secure(graph, { parties });
    checkLeakage(program);
    const { nodes, total } = profile(program);
    const node = nodes[program.nodes.findIndex((n) => n.op === 'body')]!;
    const peers = parties * (parties - 1);
    // The product in 64 bits, two comparisons of 25 bits, the clipped operand in 20; and what every output of more than 16
    // fractional bits takes, a truncation in 64 bits and a round of its own.
    t.is((node.online.bytes * 8) / (elements * peers), 64 + 2 * 25 + 20 + 64);
    t.is(node.online.rounds, 5 + 1);
    const run = await runProgram(program, new Map([['x', x]]), { seed: parties });
    t.deepEqual(run.counted, total);
    const clear = await runProgram(program, new Map([['x', x]]), { seed: parties, cleartext: true });
    const y = [...run.outputs.values()][0]!;
    t.deepEqual([...y], [...[...clear.outputs.values()][0]!]);
    x.forEach((v, i) => {
      const product = v * (1 - 2 ** -16);
      t.true(Math.abs(Number(y[i]) - gelu(product)) <= 5e-3, `gelu(${product}) = ${y[i]}`);
    });
  }
});
