// The addon in several threads and contexts at once, ended at any moment, and what it leaves behind: nothing.

import { join, resolve } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { createContext, runInContext, runInNewContext } from 'node:vm';
import { Worker } from 'node:worker_threads';
import test, { type ExecutionContext } from 'ava';
import { type RunResult, runLocal, type Tensor, tensor } from '../../lib';
import { type LocalConfig, native } from '../../lib/native';
import { toFloat64 } from '../../lib/tensor';
import { connected } from '../helpers/roles';
import { expected, smallModels, smallOnnx } from '../helpers/small-model';
import { triple } from './plans';

const LIB = join(resolve(__dirname, '../..'), 'lib', 'index.ts');
const NOTHING = { regions: 0, bytes: 0 };
const X = [1, 2, 3, -1, 0.5, 8];
const ELEMENTS = 20_000;
const WARM = 100;
const COUNTED = 200;

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

const rounded = (values: Iterable<number>): number[] =>
  Array.from(values, (v) => Math.round(v * 1000) / 1000);
const result = ({ outputs }: RunResult): number[] => rounded(toFloat64(outputs.y!));

/** Three times a vector of `value`s. */
const tripled = (value: number): LocalConfig => ({
  ...triple(ELEMENTS),
  inputs: [[new Float64Array(ELEMENTS).fill(value)], [], []],
});

/** What a worker posts; rejects where it fails. */
function answer(worker: Worker): Promise<unknown> {
  return new Promise((done, fail) => worker.once('message', done).once('error', fail));
}

test.serial('two worker threads and the main thread run a model at once', async (t) => {
  const script = `
    require('tsx/cjs');
    const { parentPort, workerData: { lib, onnx, x } } = require('node:worker_threads');
    const { compile, runLocal, tensor } = require(lib);
    compile(onnx, { batch: 2 })
      .then((model) => runLocal(model, { x: tensor(x, [2, 3]) }))
      .then(({ outputs }) => parentPort.postMessage(outputs.y.data));`;
  const workerData = { lib: LIB, onnx: smallOnnx(), x: X };
  const workers = [0, 1].map(() => new Worker(script, { eval: true, workerData }));
  const [model] = await smallModels([2]);
  const own = runLocal(model!, { x: tensor(X, [2, 3]) });
  for (const data of await Promise.all(workers.map(answer)))
    t.deepEqual(rounded(data as Float32Array), expected(X));
  t.deepEqual(result(await own), expected(X));
  await Promise.all(workers.map((worker) => worker.terminate()));
});

test.serial(
  'worker threads that are ended while they run leave the others alone, and no memory',
  async (t) => {
    const script = `
    const { parentPort, workerData: { file, config } } = require('node:worker_threads');
    const addon = require(file);
    const again = () => addon.runLocal(config, () => {}).promise.then(again);
    for (let i = 0; i < 4; i++) again();
    parentPort.postMessage('running');`;
    for (let round = 0; round < 12; round++) {
      const workerData = { file: native().file, config: tripled(0) };
      const workers = [0, 1].map(() => new Worker(script, { eval: true, workerData }));
      const own = native().runLocal(tripled(2));
      await Promise.all(workers.map(answer));
      await new Promise((done) => setTimeout(done, 2 * round));
      const codes = await Promise.all(workers.map((worker) => worker.terminate()));
      t.deepEqual(codes, [1, 1]);
      t.is((await own).roles[0]!.outputs[1]![ELEMENTS - 1], 6);
    }
    t.deepEqual(native().info().memory, NOTHING);
  },
);

test.serial('two contexts run a model at once, with arrays of their own', async (t) => {
  const [model] = await smallModels([2]);
  const script = `runLocal(model, { x: tensor(Float32Array.of(${X}), [2, 3]) })`;
  const runs = [0, 1].map(
    () => runInContext(script, createContext({ model, runLocal, tensor })) as Promise<RunResult>,
  );
  for (const run of await Promise.all(runs)) t.deepEqual(result(run), expected(X));
  const foreign = runInNewContext(
    `({ shape: [2, 3], dtype: 'float64', data: Float64Array.of(${X}) })`,
  ) as Tensor;
  t.deepEqual(result(await runLocal(model!, { x: foreign })), expected(X));
});

test.serial('the addon can be loaded twice in a thread', async (t) => {
  const instances = [0, 1].map(() => {
    delete require.cache[native().file];
    return require(native().file) as { runLocal(config: LocalConfig): { promise: Promise<{ isa: string }> } };
  });
  t.not(instances[0], instances[1]);
  const runs = await Promise.all(instances.map((addon) => addon.runLocal(tripled(0)).promise));
  for (const { isa } of runs) t.is(isa, native().info().isa);
});

/** Repeats something that must leave nothing. Heaps take a while to settle; what leaks grows in every block. */
async function staysFlat(t: ExecutionContext, once: () => Promise<void>): Promise<void> {
  t.timeout(120_000);
  const resident = async (times: number): Promise<number> => {
    for (let i = 0; i < times; i++) await once();
    collect();
    return process.memoryUsage.rss();
  };
  let [before, growth] = [await resident(WARM), Number.POSITIVE_INFINITY];
  for (let block = 0; block < 6 && growth >= 0.02; block++) {
    const after = await resident(COUNTED);
    growth = after / before - 1;
    before = after;
    t.log(`resident memory grew by ${(100 * growth).toFixed(1)} % to ${(after / 2 ** 20).toFixed(0)} MiB`);
  }
  t.true(growth < 0.02);
  t.deepEqual(native().info().memory, NOTHING);
}

test.serial(`${COUNTED} local runs leave no memory`, (t) =>
  staysFlat(t, async () => {
    await native().runLocal(tripled(0));
  }),
);

test.serial(`${COUNTED} sessions that are opened, used and closed leave no memory`, async (t) => {
  const roles = await connected(t, 2, null);
  const { plans, keys, inputs } = tripled(0);
  await staysFlat(t, async () => {
    const all = roles.map(({ endpoint }, role) =>
      endpoint.session({ plans: [plans[role]!], keys: keys[role]!, threads: 1 }),
    );
    const call = { program: 0, epoch: 0, run: 1, inputs: [], timeoutMs: 10_000 };
    const made = await Promise.all(all.map((session) => session.offline(call)));
    t.true(native().info().memory.bytes > 8 * ELEMENTS);
    await Promise.all(
      all.map((session, role) => {
        const { material } = made[role]!;
        return session.online({ ...call, inputs: inputs[role]!, material, integers: [] });
      }),
    );
    for (const session of all) session.close();
    while (native().info().memory.regions > 0) await new Promise((done) => setImmediate(done));
  });
});
