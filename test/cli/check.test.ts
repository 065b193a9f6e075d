import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { check, compile } from '../../lib';
import { plannedMemory } from '../../lib/cost/memory';
import { cryptorch, example, temporaryFolder } from '../helpers/cli';
import { DataType, model, node, tensor } from '../helpers/onnx';
import { weights } from '../ops/oracle';

const DIGITS = example('digits', 'digits.onnx');

/** A node of another domain, unknown operators, a wrong shape, wrong weights, and what follows from them. */
function wrong(): Uint8Array {
  const custom = node('FusedConv', ['x'], ['a'], {}, 'custom');
  custom.domain = 'com.microsoft';
  return model({
    inputs: { x: ['N', 3] },
    outputs: { y: ['N', 3], z: ['N', 3] },
    nodes: [
      custom,
      node('Relu', ['a'], ['b'], {}, 'behind'),
      node('Unheard', ['b'], ['c'], {}, 'unknown behind'),
      node('MatMul', ['x', 'w'], ['d'], {}, 'shapes'),
      node('Add', ['x', 'nan'], ['e'], {}, 'uses bad weights'),
      node('Cast', ['x'], ['f'], { to: DataType.INT64 }, 'cast'),
      node('Relu', ['x'], ['g'], {}, 'fine'),
      node('Add', ['c', 'd'], ['h'], {}, 'last'),
      node('Sum', ['h', 'e', 'f', 'g'], ['y'], {}, 'sum'),
      node('Relu', ['g'], ['z']),
    ],
    initializers: { w: weights([4, 3]), nan: tensor([3], [0, Number.NaN, 0]) },
  });
}

test('every problem of a model is listed with its node, operator and remedy', async (t) => {
  const { ok, problems, model: compiled } = await check(wrong());
  t.false(ok);
  t.is(compiled, undefined);
  const found = problems
    .map(({ node: name, operator, code }) => [name, operator, code.slice('ERR_CRYPTORCH_'.length)])
    .filter(([, operator]) => operator !== 'Sum');
  t.deepEqual(found, [
    ['nan', 'Initializer', 'INVALID_WEIGHTS'],
    ['custom', 'FusedConv', 'UNSUPPORTED_OPERATOR'],
    ['unknown behind', 'Unheard', 'UNSUPPORTED_OPERATOR'],
    ['shapes', 'MatMul', 'INVALID_SHAPE'],
    ['cast', 'Cast', 'UNSUPPORTED_ATTRIBUTE'],
  ]);
  for (const { what, remedy } of problems) {
    t.true(what.length > 20 && remedy.length > 10 && !what.includes(remedy), `${what} | ${remedy}`);
  }
  const shapes = problems.find(({ operator }) => operator === 'MatMul')!;
  t.regex(shapes.what, /\[1, 3\] and \[4, 3\]/);
});

test('what is wrong with the model or the options as a whole is the one problem', async (t) => {
  const only = async (...args: Parameters<typeof check>): Promise<string> => {
    const { ok, problems } = await check(...args);
    t.false(ok);
    t.is(problems.length, 1);
    return `${problems[0]!.code} ${problems[0]!.what}`;
  };
  t.regex(await only(new Uint8Array([1, 2, 3])), /INVALID_MODEL .*decoded/);
  t.regex(await only('/nowhere.onnx'), /FILE .*nowhere/);
  t.regex(await only(DIGITS, { parties: 1 }), /INVALID_OPTION/);
  t.regex(await only(DIGITS, { owners: { nothing: 0 } }), /INVALID_OPTION .*"nothing"/);
  t.regex(await only(DIGITS, { shapes: { image: [1, 1, 9, 9] } }), /INVALID_SHAPE/);
});

test('a model that can be computed comes with its cost', async (t) => {
  const options = { parties: 3, batch: 4 };
  const { ok, problems, model: checked, memory } = await check(DIGITS, options);
  const compiled = await compile(DIGITS, options);
  t.true(ok);
  t.deepEqual(problems, []);
  t.is(checked!.hash, compiled.hash);
  t.deepEqual(memory, plannedMemory(compiled.program));
  t.is(memory!.parties.length, 3);
  t.true(Math.min(...memory!.parties, memory!.dealer) > 0);
});

test('cryptorch check prints it, as text or JSON, and ends with 1 where there are problems', async (t) => {
  const path = join(await temporaryFolder(t), 'wrong.onnx');
  await writeFile(path, wrong());
  const [text, json, good, goodJson] = await Promise.all([
    cryptorch('check', path),
    cryptorch('check', path, '--json', '--batch', '2'),
    cryptorch('check', DIGITS, '--shape', 'image=3,1,8,8', '--parties', '3'),
    cryptorch('check', DIGITS, '--json', '--network', 'wan', '--owners', 'image=1'),
  ]);
  t.is(text.code, 1, text.stderr);
  t.regex(text.stdout, /^wrong\.onnx cannot be computed: \d problems\./);
  t.regex(text.stdout, /shapes \(MatMul\): ERR_CRYPTORCH_INVALID_SHAPE\n.*\[1, 3\].*\n +What to do: /);
  t.is(text.stderr, '');

  t.is(json.code, 1);
  const listed = JSON.parse(json.stdout);
  t.false(listed.ok);
  t.deepEqual(Object.keys(listed.problems[0]), ['node', 'operator', 'code', 'what', 'remedy']);
  t.regex(listed.problems.find((p: { node: string }) => p.node === 'shapes').what, /\[2, 3\]/);

  t.is(good.code, 0, good.stderr);
  t.regex(good.stdout, /will run: 3 parties/);
  t.regex(good.stdout, /input image \[3, 1, 8, 8\] from party 0/);
  t.regex(good.stdout, /online, bytes sent +\d+( +[\d,]+){4}/);
  t.regex(good.stdout, /memory, bytes( +[\d,]+){4}/);

  const report = JSON.parse(goodJson.stdout);
  t.true(report.ok);
  t.is(report.inputs[0].owner, 1);
  t.is(report.communication.online.bytesSent.length, 2);
  t.is(report.memory.parties.length, 2);
  const wan = await compile(DIGITS, { network: 'wan', owners: { image: 1 } });
  t.deepEqual(report.communication, wan.predicted);
});
