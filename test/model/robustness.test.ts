// Files come from outside: whatever they hold, reading them ends, with a result or with a coded error.

import test from 'ava';
import { verifyGraph } from '../../lib/compiler/ir/verify';
import { CryptorchError } from '../../lib/errors';
import { readNpy, writeNpy } from '../../lib/model/npy';
import { readNpz, writeNpz } from '../../lib/model/npz';
import { importOnnx } from '../../lib/model/onnx/import';
import { tensor } from '../../lib/tensor';
import { mutate, randomIntegers } from '../helpers/mutate';
import * as onnx from '../helpers/onnx';

const files: Record<string, { bytes: Uint8Array; read: (bytes: Uint8Array) => void; rounds: number }> = {
  onnx: {
    bytes: onnx.model({
      inputs: { x: ['N', 1, 6, 6] },
      outputs: { y: ['N', 2], i: ['N'] },
      nodes: [
        onnx.node('Conv', ['x', 'k', ''], ['c'], { strides: [1, 1], pads: [1, 1, 1, 1], auto_pad: 'NOTSET' }),
        onnx.node('Constant', [], ['shape'], { value: onnx.int64([0, -1]) }),
        onnx.node('Reshape', ['c', 'shape'], ['r'], {}, 'flat'),
        onnx.node('Gemm', ['r', 'w', 'b'], ['y'], { transB: 1, alpha: onnx.float(0.5) }),
        onnx.node('ArgMax', ['y'], ['i'], { axis: 1 }),
      ],
      initializers: {
        k: onnx.tensor([2, 1, 3, 3], new Float32Array(18).fill(0.25)),
        w: onnx.tensor([2, 72], new Float32Array(144).fill(1), onnx.DataType.FLOAT, false),
        b: onnx.tensor([2], [1, 2], onnx.DataType.DOUBLE),
      },
    }),
    read: (bytes) => verifyGraph(importOnnx(bytes).graph, 'import'),
    rounds: 3000,
  },
  npy: { bytes: writeNpy(tensor([1, 2, 3, 4, 5, 6], [2, 3])), read: readNpy, rounds: 3000 },
  npz: { bytes: writeNpz({ x: tensor([1, 2]), y: tensor([3], [], 'int64') }), read: readNpz, rounds: 1500 },
};

for (const [kind, { bytes, read, rounds }] of Object.entries(files)) {
  test(`damaged ${kind} files are read or refused`, (t) => {
    t.notThrows(() => read(bytes));
    const random = randomIntegers(7);
    let refused = 0;
    for (let i = 0; i < rounds; i++) {
      const damaged = mutate(bytes, random);
      try {
        read(damaged);
      } catch (error) {
        if (!CryptorchError.is(error) || CryptorchError.is(error, 'INTERNAL')) {
          t.log(Buffer.from(damaged).toString('base64'));
          throw error;
        }
        refused++;
      }
    }
    t.true(refused > rounds / 4, `${refused} of ${rounds} refused`);
  });

  test(`random bytes are no ${kind} file`, (t) => {
    const random = randomIntegers(11);
    for (let i = 0; i < 500; i++) {
      const noise = Uint8Array.from({ length: random(300) }, () => random(256));
      t.throws(() => read(noise), { instanceOf: CryptorchError });
    }
  });
}
