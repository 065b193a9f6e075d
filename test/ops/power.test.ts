import test from 'ava';
import { node, one, tensor } from '../helpers/onnx';
import { agrees, clearAgrees, coreOps, refuses } from './oracle';

const x = [2, 3, 4];

test('Pow with a small whole exponent is a product', async (t) => {
  const products: Record<number, string[]> = {
    1: [],
    2: ['mul'],
    3: ['mul', 'rescale', 'mul'],
    4: ['mul', 'rescale', 'mul'],
  };
  for (const [exponent, ops] of Object.entries(products)) {
    const r = await agrees(t, {
      inputs: { x },
      outputs: { y: x },
      nodes: [node('Pow', ['x', 'e'], ['y'])],
      initializers: { e: tensor([], [Number(exponent)]) },
    });
    t.deepEqual(
      coreOps(r).filter((op) => op !== 'reshape'),
      ops,
      exponent,
    );
  }
});

test('Pow of an exponent that broadcasts', async (t) => {
  await agrees(t, {
    inputs: { x: [3] },
    outputs: { y: [2, 3] },
    nodes: [node('Pow', ['x', 'e'], ['y'])],
    initializers: { e: tensor([2, 1], [2, 2]) },
  });
});

/** 1.5 + x / 8 for |x| <= 3: between 1.125 and 1.875. */
const narrow = [node('Mul', ['x', 'eighth'], ['s']), node('Add', ['s', 'one'], ['p'])];
const constants = { eighth: tensor([], [0.125]), one: tensor([], [1.5]) };
const ranges = { x: [-3, 3] as const };

for (const [op, last, more] of [
  ['Reciprocal', node('Reciprocal', ['p'], ['y']), {}],
  ['Sqrt', node('Sqrt', ['p'], ['y']), {}],
  ['Pow -0.75', node('Pow', ['p', 'e'], ['y']), { e: tensor([], [-0.75]) }],
  ['Div by itself', node('Div', ['x', 'p'], ['y']), {}],
] as const) {
  test(`${op} on a narrow range: a polynomial`, async (t) => {
    const spec = {
      inputs: { x },
      outputs: { y: x },
      nodes: [...narrow, last],
      initializers: { ...constants, ...more },
    };
    const r = await clearAgrees(t, spec, 3, { ranges });
    t.true(coreOps(r).includes('polynomial'), coreOps(r).join());
  });
}

test('a root and a division after it are one power of what the root is taken of', async (t) => {
  const base = { inputs: { x }, outputs: { y: x }, initializers: constants };
  const root = node('Sqrt', ['p'], ['r']);
  const divided = await agrees(t, { ...base, nodes: [...narrow, root, node('Div', ['x', 'r'], ['y'])] }, 3, {
    ranges,
  });
  // The factor and the term before the root are part of the power.
  t.deepEqual(
    coreOps(divided).filter((op) => op !== 'rescale'),
    ['polynomial', 'mul'],
  );
  const twice = await agrees(t, { ...base, nodes: [...narrow, root, node('Div', ['r', 'r'], ['y'])] }, 3, {
    ranges,
  });
  t.is(coreOps(twice).filter((op) => op === 'polynomial').length, 2, 'the root is needed for itself');
});

/** x^2 + 1/8: over the domain that is taken where nothing is known. */
const positive = [node('Mul', ['x', 'x'], ['q']), node('Add', ['q', 'eighth'], ['p'])];

for (const [op, last, more] of [
  ['Reciprocal', node('Reciprocal', ['p'], ['y']), {}],
  ['Sqrt', node('Sqrt', ['p'], ['y']), {}],
  ['Pow 1.5', node('Pow', ['p', 'e'], ['y']), { e: tensor([], [1.5]) }],
  ['Div', node('Div', ['x', 'p'], ['y']), {}],
  ['Div of a constant', node('Div', ['c', 'p'], ['y']), { c: tensor([4], [1, -2, 3, 0.5]) }],
] as const) {
  test(`${op} where nothing is known: a spline`, async (t) => {
    const initializers = { ...constants, ...more };
    const spec = { inputs: { x }, outputs: { y: x }, nodes: [...positive, last], initializers };
    const r = await agrees(t, spec);
    t.true(coreOps(r).includes('spline'), coreOps(r).join());
    await clearAgrees(t, spec, 3, { magnitude: 10 });
  });
}

test('Sqrt of 0 is next to nothing', async (t) => {
  const nodes = [node('Mul', ['x', 'x'], ['q']), node('Sqrt', ['q'], ['y'])];
  await agrees(t, { inputs: { x: [5] }, outputs: { y: [5] }, nodes }, 3, { magnitude: 2 });
});

test('powers: what is refused', (t) => {
  const base = { inputs: { x }, outputs: { y: x } };
  const pow = (exponents: ReturnType<typeof tensor>) => ({
    ...base,
    nodes: [node('Pow', ['x', 'e'], ['y'], {}, 'pow')],
    initializers: { e: exponents },
  });
  refuses(t, pow(tensor([4], [1, 2, 3, 4])), 'UNSUPPORTED_ATTRIBUTE', 'pow', 'exponent');
  refuses(
    t,
    { inputs: { x, e: [1] }, outputs: { y: x }, nodes: [node('Pow', ['x', 'e'], ['y'], {}, 'pow')] },
    'UNSUPPORTED_ATTRIBUTE',
    'pow',
    'secret exponent',
  );
});

test('Softsign, of small operands and large ones', async (t) => {
  const r = await agrees(t, one('Softsign', x, x));
  t.is(coreOps(r).filter((op) => op === 'spline').length, 1);
  await clearAgrees(t, one('Softsign', [50], [50]), 3, { magnitude: 16000 });
});
