import test from 'ava';
import { joinRows, runRows } from '../../lib/runtime/batches';
import { tensor, toFloat64 } from '../../lib/tensor';
import { coded } from '../helpers/errors';
import { Group } from '../helpers/group';
import { expected } from '../helpers/small-model';

test('any batch is made of the batches that were compiled', async (t) => {
  const group = await Group.create(t, { batches: [2, 5] });
  const [party] = await group.start();
  for (const count of [2, 5, 9, 14]) {
    const x = Array.from({ length: 3 * count }, (_, i) => (i % 7) - 2);
    const results = await runRows(party!, 0, { x: tensor(x, [count, 3]) });
    const { y } = joinRows(results);
    t.deepEqual(y!.shape, [count, 2]);
    t.deepEqual(
      [...toFloat64(y!)].map((v) => Math.round(v * 1000) / 1000),
      expected(x),
    );
    const sizes = results.map((r) => r.outputs.y!.shape[0]);
    t.is(sizes.filter((s) => s === 5).length, Math.floor(count / 5));
  }
  const odd = { x: tensor(new Float32Array(9), [3, 3]) };
  await t.throwsAsync(
    runRows(party!, 0, odd),
    coded('INVALID_INPUT', /batch of 3 cannot be made of batches of 2, 5/),
  );
  await t.throwsAsync(runRows(party!, 0, {}), coded('MISSING_INPUT'));
  t.deepEqual(joinRows([]), {});
});
