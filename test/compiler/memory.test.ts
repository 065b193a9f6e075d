// What a plan takes, against bounds that do not depend on how it is laid out.

import test from 'ava';
import { NETWORKS } from '../../bench/networks';
import { compile } from '../../lib';
import { liveBytes, workBlocks } from '../../lib/compiler/schedule/arena';
import { project } from '../../lib/compiler/schedule/project';
import { CryptorchError } from '../../lib/errors';
import { runProgram } from '../../lib/runtime/local';
import { oneNode, programOf } from '../helpers/protocols';

const size = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

test('ResNet-18 at 224 x 224 takes at most three times its weights and two largest activations', async (t) => {
  t.timeout(300_000);
  const network = NETWORKS.find((n) => n.name === 'ResNet-18 224x224')!;
  const file = network.build();
  for (const parties of [2, 3]) {
    const { program } = await compile(file, { parties, shapes: { x: [1, ...network.input] } });
    const weights = program.ios
      .filter((io) => io.kind === 'weight')
      .reduce((sum, io) => sum + size(io.shape), 0);
    const [largest, second] = program.nodes.map((n) => size(n.shape)).sort((a, b) => b - a);
    const shares = 8 * (weights + largest! + second!);
    for (let role = 0; role <= parties; role++) {
      const { bytes, phases } = project(program, role);
      const planned = bytes.state + bytes.material + bytes.work;
      t.true(
        planned <= 3 * shares,
        `role ${role} of ${parties}: ${planned} bytes, ${planned / shares} times`,
      );
      const live = liveBytes(workBlocks(phases));
      t.true(bytes.work >= live && bytes.work <= 1.1 * live, `role ${role}: ${bytes.work} bytes for ${live}`);
    }
  }
});

test('what is far larger than any machine is planned at once and refused with a code', async (t) => {
  for (const elements of [1e9, 1e10]) {
    const graph = oneNode('relu', [{ name: 'x', shape: [elements], owner: 'secret' }], [elements], {
      shift: 16,
    });
    const program = programOf(graph, { parties: 2, outputOwners: { y: 'secret' } });
    const error = await t.throwsAsync(runProgram(program, new Map(), { seed: 1 }), {
      instanceOf: CryptorchError,
    });
    t.is((error as CryptorchError).code, 'ERR_CRYPTORCH_OUT_OF_MEMORY');
  }
});
