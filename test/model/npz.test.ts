import test from 'ava';
import { writeNpy } from '../../lib/model/npy';
import { readNpz, writeNpz } from '../../lib/model/npz';
import { writeZip } from '../../lib/model/zip';
import { tensor } from '../../lib/tensor';
import { coded } from '../helpers/errors';

/** numpy.savez_compressed(x=numpy.array([1, 2], dtype='i4'), y=numpy.zeros((1, 1))), numpy 1.24. */
const compressed = Buffer.from(
  'UEsDBBQAAAAIAAAAIQAL+aotSwAAAIgAAAAFABQAeC5ucHkBABAAiAAAAAAAAABLAAAAAAAAAJvsF+obEMnIUMZQrZ6SWpxcpG6loG6TaaKuo6Ce' +
    'll9UUpSYF59flJIKEndLzClOBYoXZyQWpAL5GkY6mjoKtQoUAC5GBgYGJiAGAFBLAwQUAAAACAAAACEACysRjkkAAACIAAAABQAUAHkubnB5AQAQ' +
    'AIgAAAAAAAAASQAAAAAAAACb7BfqGxDJyFDGUK2eklqcXKRupaBuk2ahrqOgnpZfVFKUmBefX5SSChJ3S8wpTgWKF2ckFqQC+RqGOgqGmjoKtQpk' +
    'Ay4GKAAAUEsBAhQDFAAAAAgAAAAhAAv5qi1LAAAAiAAAAAUAAAAAAAAAAAAAAIABAAAAAHgubnB5UEsBAhQDFAAAAAgAAAAhAAsrEY5JAAAAiAAA' +
    'AAUAAAAAAAAAAAAAAIABggAAAHkubnB5UEsFBgAAAAACAAIAZgAAAAIBAAAAAA==',
  'base64',
);

const arrays = { x: tensor([1, 2, 3], [3, 1]), 'ä/logits': tensor(BigInt64Array.of(-5n)) };

test("reads numpy's compressed archives", (t) => {
  t.deepEqual(
    readNpz(compressed),
    new Map([
      ['x', tensor([1, 2], [2], 'int32')],
      ['y', tensor([0], [1, 1], 'float64')],
    ]),
  );
});

test('what is written is read back, and equal contents give equal files', (t) => {
  const bytes = writeNpz(arrays);
  t.deepEqual(readNpz(bytes), new Map(Object.entries(arrays)));
  t.deepEqual(writeNpz(new Map(Object.entries(arrays))), bytes);
  t.is(readNpz(writeNpz({})).size, 0);
});

test('the archive must hold npy files, once each, and fit the limit', (t) => {
  const npy = writeNpy(tensor([1]));
  const zip = (...names: string[]): Uint8Array => writeZip(names.map((name) => ({ name, data: npy })));
  t.throws(() => readNpz(zip('a.txt')), coded('INVALID_NPY', /"a\.txt" is not an npy file/));
  t.throws(() => readNpz(zip('a.npy', 'a.npy')), coded('INVALID_NPY', /"a" twice/));
  t.throws(
    () => readNpz(compressed, 'big.npz', 200),
    coded('INVALID_NPY', /big\.npz: it unpacks to more than 200 bytes/),
  );
  const broken = writeZip([{ name: 'a.npy', data: npy.subarray(0, 20) }]);
  t.throws(() => readNpz(broken, 'b.npz'), coded('INVALID_NPY', /"a\.npy" in b\.npz/));
  t.throws(() => readNpz(npy), coded('INVALID_NPY', /no zip archive/));
});

test('checksums and sizes are compared', (t) => {
  const flipped = Uint8Array.from(writeNpz({ x: tensor([1, 2]) }));
  flipped[flipped.indexOf(0x0a) + 3]! ^= 1;
  t.throws(() => readNpz(flipped), coded('INVALID_NPY', /"x\.npy" is damaged/));
  // The directory claims that the first entry unpacks to four gigabytes: nothing is unpacked beyond what it holds.
  const claims = Buffer.from(compressed);
  claims.writeUInt32LE(0xfffffff0, claims.indexOf('PK\x01\x02') + 24);
  t.throws(() => readNpz(claims), coded('INVALID_NPY'));
});

test('an archive cut off anywhere is refused', (t) => {
  const whole = writeNpz(arrays);
  for (let n = 0; n < whole.length; n += 7)
    t.throws(() => readNpz(whole.subarray(0, n)), coded('INVALID_NPY'), `${n} bytes`);
});
