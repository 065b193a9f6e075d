// The figures that approximations are compared by: those of private runs, and measured anew for whatever is registered.

import test, { type ExecutionContext } from 'ava';
import {
  type ApproximationsOptions,
  approximations,
  defineApproximation,
  type MeasuredApproximation,
} from '../../lib';
import { DEFAULT_APPROXIMATION } from '../../lib/compiler/approximations';
import {
  type Alternative,
  alternativesOf,
  functionCases,
} from '../../lib/compiler/approximations/alternatives';
import { secure } from '../../lib/compiler/secure';
import { runProgram } from '../../lib/runtime/local';
import {
  compiledAlternatives,
  compileFunction,
  errorsOf,
  inputsFor,
  MEASURING_SEED,
  measure,
  type OperandKind,
  programOfFunction,
} from '../../lib/runtime/measure';
import { cryptorch } from '../helpers/cli';
import { coded } from '../helpers/errors';

/** The hard sigmoid of slope 1/4 or 1/5: exactly what it says, so that all of its error is known beforehand. */
defineApproximation({
  name: 'outside',
  of: 'sigmoid',
  knobs: { slope: [0.25, 0.2] },
  domain: { lo: -4, hi: 4 },
  source: 'this test',
  build: (g, x, { slope }) => g.clip(g.add(g.mul(x, slope), 0.5), 0, 1),
});

/** Printed figures against a private run on the same operands with the same seed. */
async function isPrivately(
  t: ExecutionContext,
  printed: MeasuredApproximation,
  kind: OperandKind,
): Promise<void> {
  const subject = functionCases().find((c) => c.name === printed.function)!;
  const alternative = alternativesOf(subject).find(
    (a) => a.approximation.name === printed.name && JSON.stringify(a.knobs) === JSON.stringify(printed.knobs),
  )!;
  const compiled = compileFunction(subject, alternative, kind);
  const inputs = inputsFor(alternative, alternative.measured);
  const { rounds, online, offline, error } = printed[kind];

  const numbers = new Map([['x', inputs]]);
  const run = await runProgram(programOfFunction(compiled), numbers, { seed: MEASURING_SEED });
  const bits = (phase: 'online' | 'offline') =>
    (8 * run.nodes.reduce((sum, n) => sum + n[phase].bytes, 0)) / 2 / inputs.length;
  t.is(run.counted.online.rounds, rounds);
  t.is(bits('online'), online);
  t.is(bits('offline'), offline);

  const [output] = compiled.graph.outputs;
  const revealed = secure(compiled.graph, { parties: 2, outputOwners: { [output!.name]: 0 } });
  const { outputs } = await runProgram(revealed, numbers, { seed: MEASURING_SEED });
  const results = outputs.get(output!.name) as Float64Array;
  const errors = errorsOf(alternative, compiled.factor, inputs, results);
  t.true(errors.length === inputs.length && Math.max(...errors) <= error.max);
  t.true(Math.max(...errors) > 0);
}

/** Those that choose their knobs themselves: what is taken where nothing is asked for is one of them. */
function isAutomatic({ approximation, knobs }: Alternative): boolean {
  return approximation.fitted && Object.values(knobs).every((v) => v === 'auto');
}

async function measured(
  options: ApproximationsOptions,
  wanted: (alternative: Alternative) => boolean,
): Promise<MeasuredApproximation[]> {
  const list: MeasuredApproximation[] = [];
  for (const compiled of compiledAlternatives(options, wanted)) list.push(await measure(compiled, options));
  return list;
}

test('rounds, bits and errors are those of private runs', async (t) => {
  t.timeout(300_000);
  const isOutside = ({ approximation }: Alternative) => approximation.name === 'outside';
  const outside = await measured({ functions: ['sigmoid'] }, isOutside);
  const fitted = await measured({ functions: ['sigmoid', 'rsqrt'] }, isAutomatic);
  t.deepEqual([...new Set(fitted.map((f) => f.function))].sort(), ['rsqrt', 'sigmoid']);
  for (const one of [...fitted, ...outside]) {
    await isPrivately(t, one, 'product');
    await isPrivately(t, one, 'fixed');
  }
});

test('what is taken where nothing is asked for is as exact as the tolerance says, rounding included', async (t) => {
  t.timeout(300_000);
  const seen: string[] = [];
  for (const compiled of compiledAlternatives({}, isAutomatic)) {
    if (!compiled.isDefault) continue;
    const { name, definition, params } = compiled.alternative;
    const { lo, hi } = definition.domain(params);
    const most = Math.max(...[lo, (lo + hi) / 2, hi].map((x) => Math.abs(definition.of(params)(x))));
    const unit = definition.relative ? 1 : (definition.unit ?? most);
    const bound = DEFAULT_APPROXIMATION.tolerance * (definition.precision ?? 1) * unit + 2 ** -16;
    const { fixed, product } = await measure(compiled);
    for (const { error } of [fixed, product])
      t.true(error.max <= bound, `${name}: ${error.max} above ${bound}`);
    seen.push(name);
  }
  t.true(
    ['decay', 'exp', 'gelu', 'rsqrt', 'sigmoid'].every((name) => seen.includes(name)),
    seen.join(),
  );
});

test('one that is registered is in the list, once for each setting, with what it was said to be', async (t) => {
  t.timeout(300_000);
  const all = await approximations({ functions: ['sigmoid'] });
  const own = all.filter((f) => f.name === 'outside');
  t.deepEqual(
    own.map(({ knobs }) => knobs),
    [{ slope: 0.25 }, { slope: 0.2 }],
  );
  for (const { domain, measured, source, default: isDefault, relative, fixed, product, knobs } of own) {
    t.deepEqual([...domain], [-4, 4]);
    t.deepEqual([...measured], [-4, 4]);
    t.is(source, 'this test');
    t.false(isDefault || relative);
    const at = (x: number) =>
      Math.abs(Math.min(Math.max(Number(knobs.slope) * x + 0.5, 0), 1) - 1 / (1 + Math.exp(-x)));
    const x = Array.from({ length: 4001 }, (_, i) => -4 + i / 500);
    const [most, mean] = [Math.max(...x.map(at)), x.reduce((sum, v) => sum + at(v), 0) / x.length];
    for (const { error } of [fixed, product]) {
      t.true(Math.abs(error.max - most) < 2e-4, `${error.max} instead of ${most}`);
      t.true(Math.abs(error.mean - mean) < 2e-4, `${error.mean} instead of ${mean}`);
    }
    t.true(product.rounds > 0 && product.online > 0 && product.offline > 0);
  }
  t.is(all.filter((f) => f.default).length, 1);
  const again = await measured({ functions: ['sigmoid'] }, (a) => a.approximation.name === 'outside');
  t.deepEqual(again, own, 'figures do not change');
});

test('a network chooses other forms and has times; more parties have costs of their own', async (t) => {
  t.timeout(300_000);
  const spline = async (options: ApproximationsOptions) => {
    const wanted = (a: Alternative) => a.approximation.name === 'spline' && isAutomatic(a);
    const [found] = await measured({ functions: ['tanh'], ...options }, wanted);
    return found!.product;
  };
  const near = await spline({ network: 'lan' });
  const far = await spline({ network: '1Gbit,80ms', prefer: 'online' });
  const three = await spline({ parties: 3 });
  t.true(far.rounds < near.rounds);
  t.true(far.seconds! > near.seconds! && far.seconds! >= (far.rounds + 1) * 0.04);
  t.is(three.seconds, undefined);
  t.true(three.online > near.online);
});

test('functions and networks that are not known are refused', async (t) => {
  await t.throwsAsync(
    approximations({ functions: ['cosh'] }),
    coded('INVALID_OPTION', /cosh.*there are: .*gelu/),
  );
  await t.throwsAsync(
    approximations({ functions: ['tanh'], network: 'train' }),
    coded('INVALID_OPTION', /train/),
  );
});

test('the command prints the same as the interface', async (t) => {
  t.timeout(300_000);
  const [json, text] = await Promise.all([
    cryptorch('approximations', 'sin', '--json'),
    cryptorch('approximations', 'sin', '--network', 'wan'),
  ]);
  t.is(json.code, 0, json.stderr);
  const printed = JSON.parse(json.stdout) as MeasuredApproximation[];
  t.deepEqual(printed, await approximations({ functions: ['sin'] }));
  const [first] = printed.filter(({ source }) => source === undefined);
  t.deepEqual(Object.keys(first!), [
    'function',
    'name',
    'knobs',
    'default',
    'domain',
    'measured',
    'relative',
    'fixed',
    'product',
  ]);
  t.deepEqual(Object.keys(first!.product).slice(-3), ['rounds', 'online', 'offline']);
  t.is(text.code, 0, text.stderr);
  t.regex(text.stdout, /^sin \(absolute errors, on \[\S+, \S+\]\)\n.* ms\n/);
  t.regex(text.stdout, / \* .*\de-\d/);
});
