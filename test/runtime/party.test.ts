import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { cp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import test, { type ExecutionContext } from 'ava';
import { type CryptorchError, compile } from '../../lib';
import type { RunEvent } from '../../lib/runtime/events';
import type { Party, PartyRunOptions } from '../../lib/runtime/party';
import { tensor, toFloat64 } from '../../lib/tensor';
import { coded } from '../helpers/errors';
import { Group, until } from '../helpers/group';
import { tensor as constant, DataType, int64, model, node } from '../helpers/onnx';
import { expected } from '../helpers/small-model';

const X = [1, 2, 3, -1, 0.5, 8];

/** Runs the model on rows of three numbers. */
async function compute(party: Party, x: readonly number[], options: PartyRunOptions = {}): Promise<number[]> {
  const { outputs } = await party.run({ x: tensor(x, [x.length / 3, 3]) }, options);
  return [...toFloat64(outputs.y!)].map((value) => Math.round(value * 1000) / 1000);
}

async function agrees(
  t: ExecutionContext,
  party: Party,
  x: readonly number[] = X,
  factor = 1,
): Promise<void> {
  const want = expected(x, factor).map((value) => Math.round(value * 1000) / 1000);
  t.deepEqual(await compute(party, x), want);
}

for (const parties of [2, 3]) {
  test(`${parties} parties serve runs of several batch sizes over one state`, async (t) => {
    const group = await Group.create(t, { parties });
    const all = await group.start();
    await Promise.all(all.map((party) => party.ready()));
    const inputs = [X, X.slice(0, 3), X.slice(3), X, [0, 0, 0]];
    await Promise.all(inputs.map((x) => agrees(t, all[0]!, x)));
    for (const party of all) {
      await until(() => party.stats.finished === inputs.length);
      t.is(party.stats.epoch, 1);
      t.is(party.stats.finished, inputs.length);
      t.is(party.stats.queued, 0);
      t.deepEqual(party.stats.missing, []);
    }
    t.deepEqual(group.errors, []);
  });

  test(`${parties} parties resume without opening the weights again`, async (t) => {
    const group = await Group.create(t, { parties });
    const [first] = await group.start();
    await agrees(t, first!);
    const { highestRun } = first!.stats;
    await group.close();
    await rm(group.at(1, 'weights.npz'));
    const [again, owner] = await group.start();
    await agrees(t, again!);
    t.is(again!.stats.epoch, 1);
    t.true(again!.stats.highestRun > highestRun);
    await until(() => owner!.stats.finished === 1);
  });
}

test('booleans and indices come out as such, and truths about weights stay private', async (t) => {
  const nodes = [
    node('Less', ['x', 'z'], ['less']),
    node('Greater', ['w', 'zero'], ['positive']),
    node('Xor', ['less', 'positive'], ['b']),
    node('Where', ['positive', 'x', 'z'], ['y']),
    node('TopK', ['y', 'k'], ['v', 'i']),
  ];
  const bool = { shape: [2, 4], type: DataType.BOOL };
  const bytes = model({
    inputs: { x: [2, 4], z: [4] },
    outputs: { b: bool, i: { shape: [2, 2], type: DataType.INT64 }, v: [2, 2] },
    nodes,
    initializers: { w: constant([4], [1, -1, 0.5, -2]), zero: constant([], [0]), k: int64([2]) },
  });
  const compiled = await compile(bytes);
  const group = await Group.create(t, { models: [compiled] });
  const [first] = await group.start();
  const x = tensor([1, 2, 3, 4, -1, -2, -3, -4], [2, 4]);
  const z = tensor([0, 3, 3, 5], [4]);
  const { outputs } = await first!.run({ x, z });
  t.deepEqual(outputs.b, { shape: [2, 4], dtype: 'bool', data: Uint8Array.of(1, 1, 1, 1, 0, 1, 0, 1) });
  t.deepEqual(outputs.i, { shape: [2, 2], dtype: 'int64', data: BigInt64Array.of(3n, 1n, 3n, 1n) });
  t.deepEqual(outputs.v, { shape: [2, 2], dtype: 'float32', data: Float32Array.of(5, 3, 5, 3) });
});

test('changed weights are a new epoch under new masks', async (t) => {
  const group = await Group.create(t);
  const [first] = await group.start();
  await agrees(t, first!);
  await group.close();
  await group.compile(2);
  const [again] = await group.start();
  await agrees(t, again!, X, 2);
  t.is(again!.stats.epoch, 2);
});

test('a new epoch without the weights is refused, and all go on once they are there', async (t) => {
  const group = await Group.create(t);
  const [first] = await group.start();
  await agrees(t, first!);
  await group.close();
  await rm(group.at(0, 'state', 'shares'));
  await rename(group.at(1, 'weights.npz'), group.at(1, 'away.npz'));
  const [party, owner] = await group.start();
  await t.throwsAsync(party!.ready(), coded('STALE_STATE', /party 1|Dealer/));
  await t.throwsAsync(compute(party!, X), coded('STALE_STATE'));
  t.true(group.errors.includes('dealer STALE_STATE') && group.errors.includes('1 STALE_STATE'));
  await owner!.close();
  await rename(group.at(1, 'away.npz'), group.at(1, 'weights.npz'));
  await group.startParty(1);
  await agrees(t, party!);
  t.is(party!.stats.epoch, 2);
});

test('a restored folder cannot use a run number again', async (t) => {
  const group = await Group.create(t);
  const [first] = await group.start();
  await agrees(t, first!);
  await group.close();
  for (const role of ['dealer', 0, 1] as const) {
    await cp(group.at(role, 'state'), group.at(role, 'old'), { recursive: true });
  }
  const [second] = await group.start();
  for (let i = 0; i < 3; i++) await agrees(t, second!);
  const { highestRun } = second!.stats;
  await group.close();
  for (const role of ['dealer', 0] as const) {
    await rm(group.at(role, 'state'), { recursive: true });
    await rename(group.at(role, 'old'), group.at(role, 'state'));
  }
  const [third] = await group.start();
  await agrees(t, third!);
  t.is(third!.stats.highestRun, highestRun + 1);
});

test('a role that lost its state gets a new epoch, with a new seed', async (t) => {
  const group = await Group.create(t);
  await agrees(t, (await group.start())[0]!);
  const seed = await readFile(group.at(0, 'state', 'seed'));
  await group.close();
  await rm(group.at(0, 'state', 'ledger'));
  const [again] = await group.start();
  await agrees(t, again!);
  t.is(again!.stats.epoch, 2);
  t.notDeepEqual(await readFile(group.at(0, 'state', 'seed')), seed);
  t.true(group.errors.includes('dealer STALE_STATE'));
});

test('a run is cancelled while it waits and while it is computed; others go on', async (t) => {
  const group = await Group.create(t, { parties: 3 });
  const [party] = await group.start();
  await party!.ready();
  const waiting = new AbortController();
  const runs = [agrees(t, party!), compute(party!, X, { signal: waiting.signal }), agrees(t, party!)];
  waiting.abort(new Error('enough'));
  const error = (await t.throwsAsync(runs[1]!, coded('CANCELLED'))) as CryptorchError;
  t.is((error.cause as Error).message, 'enough');
  await Promise.all([runs[0], runs[2]]);
  t.deepEqual(group.errors, []);

  const running = new AbortController();
  const run = compute(party!, X, { signal: running.signal });
  await until(() => party!.stats.highestRun === 3);
  running.abort();
  await t.throwsAsync(run, coded('CANCELLED'));
  await t.throwsAsync(compute(party!, X, { signal: AbortSignal.abort() }), coded('CANCELLED'));
  await agrees(t, party!);
});

test('a run is cancelled in the event that tells of its start', async (t) => {
  const group = await Group.create(t);
  const [party] = await group.start({ ahead: 1 });
  await agrees(t, party!);
  const caller = new AbortController();
  const listener = (event: unknown): void => {
    const { deployment, role, state } = event as RunEvent;
    if (deployment === party!.deployment.name && role === 0 && state === 'started') caller.abort();
  };
  await until(() => party!.stats.prepared === 1);
  subscribe('cryptorch:run', listener);
  t.teardown(() => unsubscribe('cryptorch:run', listener));
  await t.throwsAsync(compute(party!, X, { signal: caller.signal }), coded('CANCELLED'));
  await agrees(t, party!);
  t.deepEqual([...new Set(group.errors)].sort(), ['0 CANCELLED', '1 CANCELLED', 'dealer CANCELLED']);
});

test('the queue has an end, and a run without a result in time fails', async (t) => {
  const group = await Group.create(t);
  await group.startDealer();
  const party = await group.startParty(0, { queue: 2 });
  const runs = [compute(party, X, { timeout: 0.3 }), compute(party, X, { timeout: 0.4 })];
  await t.throwsAsync(compute(party, X), coded('BUSY', /2 runs are queued/));
  await Promise.all(runs.map((run) => t.throwsAsync(run, coded('CONNECTION', /no connection to party 1/))));
  const late = agrees(t, party);
  await group.startParty(1);
  await late;
  await t.throwsAsync(compute(party, X, { timeout: 0 }), coded('INVALID_OPTION'));
});

test('inputs are checked before anything is sent', async (t) => {
  const group = await Group.create(t);
  const [party, owner] = await group.start();
  await party!.ready();
  const secret = 123456789.123;
  const run = (x: unknown): Promise<unknown> => party!.run({ x } as never);
  await t.throwsAsync(party!.run({}), coded('MISSING_INPUT'));
  await t.throwsAsync(party!.run({ z: tensor([1]) }), coded('UNKNOWN_INPUT'));
  await t.throwsAsync(run([1, 2, 3]), coded('INVALID_INPUT'));
  await t.throwsAsync(
    run(tensor([1, 2, 3, 4])),
    coded('INVALID_INPUT', /programs take: x \[1, 3\]; or x \[2, 3\]/),
  );
  const huge = await t.throwsAsync(
    party!.run({ x: tensor(Float64Array.of(1, secret * 2 ** 40, 1), [1, 3]) }),
    coded('VALUE_RANGE', /"x": the value at \[0, 1\] is out of range/),
  );
  t.false(huge!.message.includes(String(secret).slice(0, 9)));
  await t.throwsAsync(run(tensor([1, Number.NaN, 1], [1, 3])), coded('VALUE_RANGE', /not a number/));
  await t.throwsAsync(owner!.run({}), coded('INVALID_OPTION', /supplies no input/));
  t.is(party!.stats.highestRun, 0);
  await agrees(t, party!);
});

test('inputs of several parties are paired in order, and each owner learns its outputs', async (t) => {
  const group = await Group.create(t, { parties: 3, compile: { owners: { x: 2, weights: 0, y: 1 } } });
  await group.startDealer();
  await group.startParty(0);
  const learnt: number[][] = [];
  let told!: () => void;
  const all = new Promise<void>((resolve) => {
    told = resolve;
  });
  await group.startParty(
    1,
    {},
    {
      onResult: ({ outputs }) => {
        learnt.push([...toFloat64(outputs.y!)].map(Math.round));
        if (learnt.length === 2) told();
      },
    },
  );
  const owner = await group.startParty(2);
  const results = await Promise.all(
    [
      [1, 2, 3],
      [3, 2, 1],
    ].map((x) => owner.run({ x: tensor(x, [1, 3]) })),
  );
  await all;
  t.deepEqual(
    results.map((r) => r.outputs),
    [{}, {}],
  );
  t.deepEqual(learnt, [
    [1, 14],
    [4, 4],
  ]);
});

test('a party that leaves and comes back finds its runs waiting', async (t) => {
  const group = await Group.create(t, { parties: 3 });
  const [party, owner] = await group.start({ ahead: 2 });
  await agrees(t, party!);
  await owner!.close();
  const waiting = [agrees(t, party!), agrees(t, party!)];
  await group.startParty(1);
  await Promise.all(waiting);
  t.is(party!.stats.epoch, 1);
});

test('a party with another program is refused by name, and the right one is served afterwards', async (t) => {
  const group = await Group.create(t);
  const other = await Group.create(t, { compile: { fractionalBits: 12 } });
  const text = await readFile(group.at(1, 'program.json'), 'utf8');
  const name = JSON.parse(text).name as string;
  const foreign = await readFile(other.at(1, 'program.json'), 'utf8');
  await writeFile(group.at(1, 'program.json'), foreign.replace(/"name":"g\d+-\d+"/, `"name":"${name}"`));
  const [party, wrong] = await group.start();
  await t.throwsAsync(wrong!.ready(), coded('HANDSHAKE', /"programs" differs/));
  await t.throwsAsync(compute(party!, X), coded('HANDSHAKE', /"programs" differs/));
  await wrong!.close();
  await writeFile(group.at(1, 'program.json'), text);
  await group.startParty(1);
  await agrees(t, party!);
});

test('one folder serves one process at a time', async (t) => {
  const group = await Group.create(t);
  await group.start();
  await t.throwsAsync(group.startParty(0), coded('BUSY'));
  await group.close();
  await agrees(t, (await group.start())[0]!);
});

test('a closed party is closed, and what waited is told', async (t) => {
  const group = await Group.create(t);
  await group.startDealer();
  const party = await group.startParty(0);
  const [run, ready] = [compute(party, X), party.ready()];
  const checks = [t.throwsAsync(run, coded('CANCELLED')), t.throwsAsync(ready, coded('CANCELLED'))];
  await Promise.all([party.close(), party[Symbol.asyncDispose]()]);
  await Promise.all(checks);
  await t.throwsAsync(compute(party, X), coded('CANCELLED'));
  await t.throwsAsync(party.ready(), coded('CANCELLED'));
});

test('material is prepared ahead of runs, and kept', async (t) => {
  const group = await Group.create(t, { batches: [2] });
  const [party, owner] = await group.start({ ahead: 3 });
  await until(() => party!.stats.prepared === 3 && owner!.stats.prepared === 3);
  const { highestRun } = party!.stats;
  t.is(highestRun, 3);
  const { run } = await party!.run({ x: tensor(X, [2, 3]) });
  t.is(run, 1);
  await until(() => party!.stats.prepared === 3);
  t.is(party!.stats.highestRun, 4);
});

test('a process that was killed leaves nothing half-written behind', async (t) => {
  const group = await Group.create(t);
  await agrees(t, (await group.start())[0]!);
  await group.close();
  const names = await readdir(group.at(0, 'state'));
  for (const name of ['shares.tmp', 'ledger.0123.tmp', 'seed.tmp.77']) {
    await writeFile(group.at(0, 'state', name), 'half');
  }
  await agrees(t, (await group.start())[0]!);
  await group.close();
  t.deepEqual((await readdir(group.at(0, 'state'))).sort(), names.sort());
});

test('a damaged state file is told of, and a new epoch replaces it', async (t) => {
  const group = await Group.create(t);
  await agrees(t, (await group.start())[0]!);
  await group.close();
  const path = group.at(0, 'state', 'shares');
  const bytes = await readFile(path);
  bytes[bytes.length - 9]! ^= 1;
  await writeFile(path, bytes);
  const [party] = await group.start();
  await agrees(t, party!);
  t.is(party!.stats.epoch, 2);
  t.true(group.errors.includes('0 BAD_STATE'));
});
