// Groups that become one operator, with one change each: another operand, operator or axis. Whatever they become then, it
// computes what they did.

import test from 'ava';
import { verifyGraph } from '../../lib/compiler/ir/verify';
import { evaluate } from '../../lib/compiler/ops/evaluate';
import { inferShapes } from '../../lib/compiler/passes/infer-shapes';
import { raise } from '../../lib/compiler/passes/raise';
import { CryptorchError } from '../../lib/errors';
import { importOnnx } from '../../lib/model/onnx/import';
import { model } from '../helpers/onnx';
import { randoms } from '../ops/oracle';
import { written } from './lines';

const MEAN =
  'm = ReduceMean x | {"axes":[-1]}; d = Sub x m; q = Mul d d; v = ReduceMean q | {"axes":[-1]}; w = Add v eps';
const SHIFTED = 'm = ReduceMax x | {"axes":[-1]}; d = Sub x m; e = Exp d; s = ReduceSum e axes';

const GROUPS: readonly string[] = [
  'd = Div x root2; e = Erf d; a = Add e one; m = Mul x a; y = Mul m half',
  'd = Mul x root1_2; e = Erf d; h = Mul e half; a = Add half h; y = Mul x a',
  'c = Pow x three; k = Mul c cube; a = Add x k; i = Mul a tanh; h = Tanh i; o = Add h one; z = Mul x half; y = Mul z o',
  'z = Mul x quick; s = Sigmoid z; y = Mul x s',
  'n = Neg x; e = Exp n; a = Add e one; y = Div x a',
  'e = Exp x; a = Add e one; s = Log a; h = Tanh s; y = Mul h x',
  'a = Add x three; c = Clip a zero six; d = Div c six; y = Mul d x',
  'b = Mul x two; s = Softplus b; d = Div s two; g = Greater b twenty; y = Where g x d',
  `${MEAN}; r = Sqrt w; n = Div d r; k = Mul n weight; y = Add k bias`,
  `${MEAN}; r = Sqrt w; i = Reciprocal r; f = Mul i weight; a = Mul x f; b = Mul m f; c = Sub bias b; y = Add a c`,
  'q = Pow x two; v = ReduceMean q | {"axes":[-1]}; w = Add v eps; r = Sqrt w; i = Div one r; n = Mul x i; y = Mul weight n',
  `${SHIFTED}; y = Div e s`,
  `${SHIFTED}; l = Log s; y = Sub d l`,
];

const BINARY = ['Add', 'Sub', 'Mul', 'Div'];
const UNARY = ['Erf', 'Tanh', 'Sigmoid', 'Exp', 'Neg', 'Sqrt', 'Log', 'Softplus', 'Reciprocal'];
const OTHERS = ['x', 'half', 'one', 'two', 'weight', 'wide', 'one4', 'half4', 'eps4', 'weight4'];

/** The group with one word changed, in every way. */
function* changed(group: string): Generator<string> {
  const lines = group.split('; ').map((line) => line.split(' '));
  const made = lines.map(([name]) => name!);
  for (const [i, line] of lines.entries()) {
    for (const [j, word] of line.entries()) {
      let words: readonly string[] = [];
      if (j === 2) words = [BINARY, UNARY].find((list) => list.includes(word)) ?? [];
      else if (j > 2 && /^\w+$/.test(word)) words = [...OTHERS, ...made.slice(0, i)];
      else if (word.startsWith('{')) words = ['{"axes":[1]}', '{"axes":[1,2]}'];
      for (const other of words) {
        if (other !== word) yield lines.map((l, k) => (k === i ? l.with(j, other) : l).join(' ')).join('; ');
      }
    }
  }
}

const x = randoms(24, 3, 2);

for (const group of GROUPS) {
  test(group, (t) => {
    let [same, fewer] = [0, 0];
    for (const lines of changed(group)) {
      const graph = shaped(lines);
      if (!graph) continue;
      const now = raise(graph);
      verifyGraph(now, 'raise');
      if (now.nodes.length < graph.nodes.length) fewer++;
      const [[before], [after]] = [evaluate(graph, [x]), evaluate(now, [x])];
      t.deepEqual(after!.shape, before!.shape, lines);
      // Numbers that patterns look for may be off by 2^-11.
      const far = before!.data.some((v, i) => {
        return Number.isFinite(v) && !(Math.abs(after!.data[i]! - v) <= 1e-3 * Math.max(1, Math.abs(v)));
      });
      t.false(far, `${lines} became ${now.nodes.map(({ op }) => op)}`);
      same++;
    }
    t.true(same > 15, `${same}`);
    t.true(fewer < same, `${fewer} of ${same}`);
  });
}

/** Undefined where shapes do not fit any more. */
function shaped(lines: string) {
  const spec = written(lines);
  try {
    return inferShapes(importOnnx(model(spec)).graph);
  } catch (error) {
    if (CryptorchError.is(error)) return undefined;
    throw error;
  }
}
