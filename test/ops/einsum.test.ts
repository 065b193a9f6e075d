import test from 'ava';
import { node } from '../helpers/onnx';
import { agrees, clearAgrees, coreOps, refuses, weights } from './oracle';

function einsum(equation: string, shapes: readonly (readonly number[])[], constants: readonly number[] = []) {
  const names = shapes.map((_, i) => `x${i}`);
  const given = (constant: boolean) => names.filter((_, i) => constants.includes(i) === constant);
  const shapeOf = (name: string) => shapes[names.indexOf(name)]!;
  return {
    inputs: Object.fromEntries(given(false).map((name) => [name, shapeOf(name)])),
    outputs: { y: [] },
    nodes: [node('Einsum', names, ['y'], { equation }, 'einsum')],
    initializers: Object.fromEntries(given(true).map((name) => [name, weights(shapeOf(name))])),
    edit: (m: import('../../lib/model/onnx/onnx_pb').ModelProto) => {
      m.graph!.output[0]!.type = undefined;
    },
    opset: 13,
  };
}

const equations: [string, number[][]][] = [
  ['ij->ji', [[2, 3]]],
  ['ij->', [[2, 3]]],
  ['ij', [[2, 3]]],
  ['ba', [[2, 3]]],
  ['iij->j', [[3, 3, 2]]],
  ['ii->i', [[3, 3]]],
  ['ii', [[3, 3]]],
  ['i,i->', [[4], [4]]],
  ['i,j->ij', [[2], [3]]],
  [
    'ij,jk->ik',
    [
      [2, 3],
      [3, 4],
    ],
  ],
  [
    'ij,kj->ki',
    [
      [2, 3],
      [4, 3],
    ],
  ],
  [
    'ji,jk',
    [
      [3, 2],
      [3, 4],
    ],
  ],
  [
    'bij,bjk->bik',
    [
      [2, 3, 4],
      [2, 4, 5],
    ],
  ],
  [
    'bhqd,bhkd->bhqk',
    [
      [2, 3, 4, 5],
      [2, 3, 6, 5],
    ],
  ],
  [
    'bqhd,bkhd->bhqk',
    [
      [2, 4, 3, 5],
      [2, 6, 3, 5],
    ],
  ],
  [
    'bij,bij->bij',
    [
      [2, 3, 4],
      [2, 3, 4],
    ],
  ],
  ['ijk,k->ij', [[2, 3, 4], [4]]],
  [
    'ij,ij->i',
    [
      [2, 3],
      [2, 3],
    ],
  ],
  ['ij,j->ji', [[2, 3], [3]]],
  [
    'ijk,lj->kil',
    [
      [2, 3, 4],
      [5, 3],
    ],
  ],
  [
    'ij,kl->jl',
    [
      [2, 3],
      [4, 5],
    ],
  ],
  [
    '...ij,...jk->...ik',
    [
      [5, 1, 3, 4],
      [5, 2, 4, 3],
    ],
  ],
  [
    '...i,ij',
    [
      [2, 3, 4],
      [4, 5],
    ],
  ],
  ['b...->...b', [[2, 3, 4]]],
  [
    'ij,jk,kl->il',
    [
      [2, 3],
      [3, 4],
      [4, 5],
    ],
  ],
  ['i,i,i->i', [[4], [4], [4]]],
  [
    'ab,bc,ca->',
    [
      [2, 3],
      [3, 4],
      [4, 2],
    ],
  ],
];

test('Einsum: equations of one to three operands', async (t) => {
  for (const [equation, shapes] of equations) await clearAgrees(t, einsum(equation, shapes));
});

test('Einsum with weights at any place', async (t) => {
  for (const [equation, shapes] of equations.filter(([, s]) => s.length > 1)) {
    await clearAgrees(t, einsum(equation, shapes, [1]));
    await clearAgrees(t, einsum(equation, shapes, [0]));
  }
  await clearAgrees(
    t,
    einsum(
      'ij,jk,kl->il',
      [
        [2, 3],
        [3, 4],
        [4, 5],
      ],
      [0, 1],
    ),
  );
});

test('Einsum, privately: products as they come, without moves', async (t) => {
  const scores = await agrees(
    t,
    einsum('bhqd,bhkd->bhqk', [
      [2, 3, 4, 5],
      [2, 3, 6, 5],
    ]),
  );
  t.deepEqual(
    coreOps(scores).filter((op) => op !== 'reshape'),
    ['matmul'],
  );
  t.true(
    coreOps(
      await agrees(
        t,
        einsum(
          'bqhd,hde->bqe',
          [
            [2, 3, 2, 4],
            [2, 4, 5],
          ],
          [1],
        ),
      ),
    ).includes('matmul'),
  );
  await agrees(t, einsum('iij,jk,k->ik', [[3, 3, 2], [2, 4], [4]]));
});

test('Einsum: what is refused', (t) => {
  refuses(t, einsum('ij,jk->ik', [[2, 3]]), 'INVALID_SHAPE', 'einsum', '"ij,jk->ik"');
  refuses(
    t,
    einsum('ij,jk->ik', [
      [2, 3],
      [4, 5],
    ]),
    'INVALID_SHAPE',
    'einsum',
    '[2, 3]',
    '[4, 5]',
  );
  refuses(t, einsum('ij->ik', [[2, 3]]), 'INVALID_SHAPE', 'einsum', 'result');
  refuses(t, einsum('ijk->i', [[2, 3]]), 'INVALID_SHAPE', 'einsum', '"ijk"');
  refuses(t, einsum('i1->i', [[2, 3]]), 'INVALID_SHAPE', 'einsum', '"i1"');
  refuses(t, { ...einsum('ij->i', [[2, 3]]), opset: 11 }, 'UNSUPPORTED_OPSET', 'einsum', 'opset 12');
});
