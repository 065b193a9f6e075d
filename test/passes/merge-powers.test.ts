import test from 'ava';
import type { Graph } from '../../lib/compiler/ir/graph';
import { evaluateCore } from '../../lib/compiler/ops/evaluate-core';
import { lowered } from '../../lib/compiler/passes/pipeline';
import { importOnnx } from '../../lib/model/onnx/import';
import { type ModelSpec, model, node, tensor } from '../helpers/onnx';

function graphOf(nodes: ModelSpec['nodes'], outputs: readonly string[] = ['y']): Graph {
  const spec: ModelSpec = {
    inputs: { x: [4], z: [4] },
    outputs: Object.fromEntries(outputs.map((name) => [name, [4]])),
    nodes,
    initializers: {
      two: tensor([], [2]),
      quarter: tensor([], [0.25]),
      each: tensor([4], [1, 2, 3, 4]),
      minus: tensor([], [-1]),
      e: tensor([], [-0.75]),
    },
  };
  return lowered(importOnnx(model(spec)).graph, { fractionalBits: 16 });
}

const operands = [Float64Array.of(0.5, 1, 7, 20), Float64Array.of(1, -2, 3, 4)];
const powers = (g: Graph) => g.nodes.filter((n) => n.op === 'approximate').map((n) => n.attrs.params);
const ops = (g: Graph) => g.nodes.map((n) => n.op);

function computes(t: { true(ok: boolean): void }, g: Graph, f: (x: number, z: number) => number): void {
  const [y] = evaluateCore(g, operands);
  y!.data.forEach((v, i) => {
    const expected = f(operands[0]![i]!, operands[1]![i]!);
    t.true(Math.abs(v - expected) <= 1e-9 * Math.abs(expected));
  });
}

test('a factor, a term and a root before a division are one power', (t) => {
  const g = graphOf([
    node('Mul', ['x', 'quarter'], ['a']),
    node('Add', ['a', 'two'], ['b']),
    node('Sqrt', ['b'], ['r']),
    node('Div', ['z', 'r'], ['y']),
  ]);
  t.deepEqual(powers(g), [[-0.5, 0.25, 2]]);
  t.deepEqual(ops(g), ['approximate', 'mul']);
  computes(t, g, (x, z) => z / Math.sqrt(0.25 * x + 2));
});

test('the divisor of a normalisation written out', (t) => {
  const g = graphOf([
    node('Mul', ['x', 'quarter'], ['a']),
    node('Add', ['a', 'two'], ['b']),
    node('Pow', ['b', 'e'], ['r']),
    node('Reciprocal', ['r'], ['y']),
  ]);
  t.deepEqual(powers(g), [[0.75, 0.25, 2]]);
  computes(t, g, (x) => (0.25 * x + 2) ** 0.75);
});

test('what others need stays, and what is no scalar or negative is not taken in', (t) => {
  const shared = graphOf([node('Sqrt', ['x'], ['r']), node('Div', ['z', 'r'], ['y'])], ['y', 'r']);
  t.deepEqual(powers(shared), [
    [0.5, 1, 0],
    [-0.5, 1, 0],
  ]);
  const [y, r] = evaluateCore(shared, operands);
  t.deepEqual(Array.from(r!.data), Array.from(operands[0]!, Math.sqrt));
  t.is(y!.data[1], -2);
  for (const factor of ['each', 'minus']) {
    const g = graphOf([node('Mul', ['x', factor], ['a']), node('Sqrt', ['a'], ['y'])]);
    t.deepEqual(powers(g), [[0.5, 1, 0]], factor);
  }
  // A term behind a power is none of its base.
  const behind = graphOf([
    node('Sqrt', ['x'], ['r']),
    node('Add', ['r', 'two'], ['s']),
    node('Reciprocal', ['s'], ['y']),
  ]);
  t.deepEqual(powers(behind), [
    [0.5, 1, 0],
    [-1, 1, 2],
  ]);
  computes(t, behind, (x) => 1 / (Math.sqrt(x) + 2));
});

test('domains follow to the operand that the power is taken of then', (t) => {
  const [node1] = graphOf([
    node('Mul', ['x', 'quarter'], ['a']),
    node('Add', ['a', 'two'], ['b']),
    node('Reciprocal', ['b'], ['y']),
  ]).nodes;
  t.is(node1!.attrs.lo, (-(2 ** 14) - 2) * 4);
  t.is(node1!.attrs.hi, (2 ** 14 - 2) * 4);
});
