import test from 'ava';
import { LAST_OPSET } from '../../lib/compiler/ir/graph';
import { allOps } from '../../lib/compiler/ops';
import { DEPRECATED, OUTSIDE, STANDARD_OPERATORS } from '../../lib/model/onnx/standard';

test('every operator of the registry is one of the standard, of an opset that is read', (t) => {
  for (const { op, opset } of allOps()) {
    // Of a later set, for what earlier ones write as several operators.
    if (opset[0] > LAST_OPSET) continue;
    const versions = STANDARD_OPERATORS[op];
    t.truthy(versions, op);
    t.true(opset[1] >= versions![0]!, op);
  }
});

test('the list of the standard is sound', (t) => {
  const names = Object.keys(STANDARD_OPERATORS);
  t.is(names.length, 196);
  t.deepEqual(names, [...names].sort());
  for (const [op, versions] of Object.entries(STANDARD_OPERATORS)) {
    t.deepEqual(
      versions,
      [...new Set(versions)].sort((a, b) => a - b),
      op,
    );
    t.true(versions.length > 0 && versions[0]! >= 1 && versions.at(-1)! <= LAST_OPSET, op);
  }
  for (const op of [...Object.keys(DEPRECATED), ...Object.values(OUTSIDE).flat()])
    t.true(names.includes(op), op);
});
