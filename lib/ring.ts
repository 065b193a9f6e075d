// Ring arithmetic for everybody: the kernels of the native core on BigUint64Array, mod 2^64, row-major.
//
//     const { ring } = require('cryptorch-native');
//     ring.decode(ring.truncate(ring.mul(ring.encode(x, 16), ring.encode(y, 16)), 16), 16);
//
// The functions compute on the calling thread and return new arrays; operands of element-wise functions have equal
// lengths. The addon is loaded at the first call.

import { type NativeRing, native } from './native';

export type { Conv2dShape, NativeRing } from './native';

/**
 * Arithmetic modulo 2^64 on the calling thread, by the kernels of the native core. Functions return new arrays.
 * @throws CryptorchError INVALID_OPTION where lengths, shapes or scales do not fit; VALUE_RANGE of `encode`; MISSING_BINARY
 */
export const ring: NativeRing = {
  add: (a, b) => native().ring.add(a, b),
  sub: (a, b) => native().ring.sub(a, b),
  mul: (a, b) => native().ring.mul(a, b),
  neg: (a) => native().ring.neg(a),
  matmul: (a, b, m, k, n) => native().ring.matmul(a, b, m, k, n),
  conv2d: (x, w, shape) => native().ring.conv2d(x, w, shape),
  truncate: (a, bits) => native().ring.truncate(a, bits),
  encode: (x, scale) => native().ring.encode(x, scale),
  decode: (a, scale) => native().ring.decode(a, scale),
};
