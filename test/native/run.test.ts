// runLocal on plans written by hand: results, counters, and how runs end.

import test from 'ava';
import { CryptorchError } from '../../lib/errors';
import { type LocalConfig, type LocalProgress, native } from '../../lib/native';
import { frame, input, lincomb, output, plan, shareInput, triple, WORK } from './plans';

const core = native();

function numbers(elements: number): Float64Array {
  return Float64Array.from({ length: elements }, (_, i) => i / 16 - 20);
}

function tripleConfig(elements: number, more: Partial<LocalConfig> = {}): LocalConfig {
  return { ...triple(elements), inputs: [[numbers(elements)], [], []], ...more };
}

/** Two parties that wait for each other. */
function deadlock(more: Partial<LocalConfig> = {}): LocalConfig {
  const waits = (role: number): BigInt64Array =>
    plan({ role, bytes: [0, 0, 64], keys: 0, online: [frame('receive', 1, 1 - role, WORK, 0, 8, 0)] });
  return { plans: [waits(0), waits(1)], keys: [[], []], inputs: [[], []], ...more };
}

test('two parties and a dealer compute 3 x', async (t) => {
  for (const elements of [1, 511, 512, 513, 20000]) {
    const result = await core.runLocal(tripleConfig(elements));
    const y = result.roles[0]!.outputs[1];
    t.true(y instanceof Float64Array);
    t.deepEqual(
      y,
      numbers(elements).map((x) => 3 * x),
    );
    t.is(result.roles[0]!.outputs[0], null);
  }
});

test('bytes, rounds, nodes and memory are reported', async (t) => {
  const { roles, seconds } = await core.runLocal(tripleConfig(100));
  const [zero, one, dealer] = roles;
  t.deepEqual(
    roles.map((r) => r.role),
    [0, 1, 2],
  );
  t.deepEqual(zero!.counters.online.bytesSent, [0, 824, 0]);
  t.deepEqual(one!.counters.online.bytesSent, [1648, 0, 0]);
  t.deepEqual(dealer!.counters.offline.bytesSent, [0, 824, 0]);
  t.is(zero!.counters.online.clock, 2);
  t.is(one!.counters.offline.clock, 1);
  t.like(
    one!.counters.online.nodes.find((n) => n.node === 2),
    { bytes: 800, exchanges: 1 },
  );
  t.like(
    zero!.counters.online.nodes.find((n) => n.node === 2),
    { bytes: 0, exchanges: 1 },
  );
  t.true(zero!.peakBytes >= 6 * 832);
  t.true(seconds.setup >= 0 && seconds.offline > 0 && seconds.online > 0);
});

test('runs with the same seeds, epoch and run number are the same, whatever kernels and threads', async (t) => {
  const outputs = new Set<string>();
  for (const isa of core.info().available) {
    for (const threads of [1, 4]) {
      const { roles, isa: used } = await core.runLocal(tripleConfig(3000, { isa, threads }));
      t.is(used, isa);
      outputs.add(Buffer.from(roles[0]!.outputs[1]!.buffer).toString('base64'));
    }
  }
  t.is(outputs.size, 1);
});

test('plans can be given as bytes, outputs had as integers', async (t) => {
  const config = tripleConfig(2);
  const plans = config.plans.map((p) => new Uint8Array(p.buffer, p.byteOffset, p.byteLength));
  const { roles } = await core.runLocal({ ...config, plans, integers: [[1]] });
  t.deepEqual(roles[0]!.outputs[1], BigInt64Array.of(-60n * 65536n, -60n * 65536n + 3n * 4096n));
});

test('every element type of an input, and inputs that arrive as shares', async (t) => {
  const clear = plan({
    role: 3,
    bytes: [0, 0, 64],
    keys: 0,
    ios: [{ elements: 3 }, { output: true, elements: 3, bits: 64 }],
    online: [
      input(0, WORK, 0),
      lincomb(0, 1, [[{ region: WORK, offset: 0, elements: 3 }, 1]], WORK, 0, 3),
      output(1, WORK, 0),
    ],
  });
  for (const x of [
    Float32Array.of(1, -2, 3),
    Float64Array.of(1, -2, 3),
    Int32Array.of(1, -2, 3),
    BigInt64Array.of(1n, -2n, 3n),
  ]) {
    const { roles } = await core.runLocal({ plans: [clear], keys: [[]], inputs: [[x]] });
    t.deepEqual(roles[0]!.outputs[1], Float64Array.of(1, -2, 3));
  }

  const shares = (role: number): BigInt64Array =>
    plan({
      role,
      bytes: [0, 0, 128],
      keys: 0,
      ios: role === 0 ? [{ elements: 3 }, { output: true, elements: 3, bits: 64 }] : [{ elements: 3 }],
      online: [
        shareInput(0, WORK, 0, role, 2),
        ...(role === 1
          ? [frame('send', 1, 0, WORK, 0, 24, 0)]
          : [
              frame('receive', 1, 1, WORK, 64, 24, 0),
              lincomb(
                0,
                0,
                [
                  [{ region: WORK, offset: 0, elements: 3 }, 1],
                  [{ region: WORK, offset: 64, elements: 3 }, 1],
                ],
                WORK,
                0,
                3,
              ),
              output(1, WORK, 0),
            ]),
      ],
    });
  const x = Float64Array.of(1, -2, 3);
  const { roles } = await core.runLocal({
    plans: [shares(0), shares(1)],
    keys: [[], []],
    inputs: [[x], [x]],
  });
  t.deepEqual(roles[0]!.outputs[1], x);
});

test('inputs may lie in shared memory', async (t) => {
  const shared = new Float64Array(new SharedArrayBuffer(8 * 100));
  shared.set(numbers(100));
  const { roles } = await core.runLocal({ ...triple(100), inputs: [[shared], [], []] });
  t.deepEqual(
    roles[0]!.outputs[1],
    numbers(100).map((x) => 3 * x),
  );
});

test('an output that a role does not learn is null', async (t) => {
  const idle = plan({ role: 3, bytes: [0, 0, 0], keys: 0, ios: [{ output: true, elements: 5 }] });
  const { roles } = await core.runLocal({ plans: [idle], keys: [[]], inputs: [[]] });
  t.deepEqual(roles[0]!.outputs, [null]);
});

test('changing an input during a run changes nothing', async (t) => {
  const x = numbers(1000);
  const running = core.runLocal({ ...triple(1000), inputs: [[x], [], []] });
  x.fill(NaN);
  const { roles } = await running;
  t.deepEqual(
    roles[0]!.outputs[1],
    numbers(1000).map((v) => 3 * v),
  );
});

test('a number that does not fit is named, not shown', async (t) => {
  const x = numbers(10);
  x[7] = 123456789012345680;
  const error = await t.throwsAsync(core.runLocal({ ...triple(10), inputs: [[x], [], []] }));
  t.true(CryptorchError.is(error, 'VALUE_RANGE'));
  t.like((error as CryptorchError).details, { role: 0, io: 0, index: 7, reason: 'range' });
  t.false(error!.message.includes('12345'));
});

test('malformed plans are refused', async (t) => {
  const config = tripleConfig(4);
  const mutants: [string, (words: BigInt64Array) => BigInt64Array][] = [
    ['another magic number', (w) => w.with(0, 1n)],
    ['another version', (w) => w.with(1, 2n)],
    ['more steps than there are', (w) => w.with(12, 100n)],
    ['a region too small', (w) => w.with(6, 64n)],
    ['cut short', (w) => w.slice(0, -1)],
    ['empty', () => new BigInt64Array(0)],
  ];
  for (const [name, change] of mutants) {
    const plans = config.plans.map((p, i) => (i === 0 ? change(p as BigInt64Array) : p));
    const error = await t.throwsAsync(
      core.runLocal({ ...config, plans }),
      { instanceOf: CryptorchError },
      name,
    );
    t.is((error as CryptorchError).code, 'ERR_CRYPTORCH_BAD_PLAN', name);
  }
  const twice = [config.plans[0]!, config.plans[0]!, config.plans[2]!];
  await t.throwsAsync(core.runLocal({ ...config, plans: twice }), { code: 'ERR_CRYPTORCH_BAD_PLAN' });
  const plans = config.plans.map((p) => new Uint8Array(p.buffer).subarray(1));
  await t.throwsAsync(core.runLocal({ ...config, plans }), { code: 'ERR_CRYPTORCH_INVALID_OPTION' });
});

test('arguments of another kind are refused', async (t) => {
  const config = tripleConfig(4);
  const refused = async (change: object, code: string = 'INVALID_OPTION'): Promise<void> => {
    await t.throwsAsync(core.runLocal({ ...config, ...change } as LocalConfig), {
      code: `ERR_CRYPTORCH_${code}`,
    });
  };
  await refused({ plans: 3 });
  await refused({ plans: [1, 2, 3] });
  await refused({ keys: [[], [], []] });
  await refused({ keys: [[new Uint8Array(15)], [], []] });
  await refused({ inputs: [['x'], [], []] });
  await refused({ inputs: [[new Uint8Array(4)], [], []] });
  await refused({ inputs: [[], [], []] }, 'INVALID_INPUT');
  await refused({ inputs: [[new Float64Array(5)], [], []] }, 'INVALID_INPUT');
  await refused({ run: 0 });
  await refused({ run: 2 ** 32 });
  await refused({ epoch: 2 ** 24 });
  await refused({ threads: -1 });
  await refused({ timeoutMs: 0.5 });
  await refused({ isa: 'sse9' });
  await refused({ memoryLimit: 1000 }, 'OUT_OF_MEMORY');
  await t.throwsAsync(core.runLocal(undefined as unknown as LocalConfig), {
    code: 'ERR_CRYPTORCH_INVALID_OPTION',
  });
});

test('a run that needs too much memory says how much', async (t) => {
  const error = await t.throwsAsync(core.runLocal(tripleConfig(100000, { memoryLimit: 1_000_000 })));
  const { code, details } = error as CryptorchError;
  t.is(code, 'ERR_CRYPTORCH_OUT_OF_MEMORY');
  t.true((details.needed as number) >= 13 * 800000 && details.limit === 1_000_000);
});

test('a run ends at its deadline', async (t) => {
  await t.throwsAsync(core.runLocal(deadlock({ timeoutMs: 50 })), { code: 'ERR_CRYPTORCH_TIMEOUT' });
});

test('an AbortSignal cancels a run', async (t) => {
  const controller = new AbortController();
  const running = core.runLocal(deadlock(), { signal: controller.signal });
  setTimeout(() => controller.abort(new Error('enough')), 30);
  const error = await t.throwsAsync(running, { code: 'ERR_CRYPTORCH_CANCELLED' });
  t.is((error!.cause as Error).message, 'enough');
  await t.throwsAsync(core.runLocal(deadlock(), { signal: controller.signal }), {
    code: 'ERR_CRYPTORCH_CANCELLED',
  });
});

test('progress is reported, and the JavaScript thread goes on', async (t) => {
  const controller = new AbortController();
  const seen: LocalProgress[] = [];
  let ticks = 0;
  // Only a thread that goes on gets as far as cancelling the run.
  const timer = setInterval(() => ++ticks === 20 && controller.abort(), 5);
  await t.throwsAsync(
    core.runLocal(deadlock(), { signal: controller.signal, onProgress: (p) => seen.push(p) }),
  );
  clearInterval(timer);
  t.deepEqual(seen, [{ phase: 'online', steps: 0, of: 2 }]);
});

test('many runs at a time', async (t) => {
  const results = await Promise.all(
    Array.from({ length: 8 }, () => core.runLocal(tripleConfig(2000, { threads: 1 }))),
  );
  t.true(results.every((r) => r.roles[0]!.outputs[1]![1999] === 3 * numbers(2000)[1999]!));
});
