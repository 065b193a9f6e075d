import test from 'ava';
import { roundHalfEven } from '../../lib/compiler/ops/array';
import { exactScale, factorScale, quantise } from '../../lib/compiler/passes/quantise';

const where = { name: 'n', origin: 'Mul' };

test('halves are rounded to the even integer, on both sides of zero', (t) => {
  t.deepEqual(
    [0.5, 1.5, 2.5, -0.5, -1.5, 2.4999, -2.6].map(roundHalfEven).map((v) => v + 0),
    [0, 2, 2, 0, -2, 2, -3],
  );
  t.deepEqual([...quantise([0.25, -0.75, 1.25], 1, where)], [0n, -2n, 2n]);
});

test('powers of two take few bits, integers none', (t) => {
  t.is(exactScale([3, -7, 0], 16), 0);
  t.is(exactScale([0.5, 3], 16), 1);
  t.is(exactScale([0.25, 0.125], 16), 3);
  t.is(exactScale([0.1], 16), undefined);
  t.is(factorScale([1 / 64], 16), 6);
});

test('other factors below one have a relative error of at most 2^-17 at 16 bits', (t) => {
  for (const k of [3, 9, 49, 100, 255, 1000]) {
    const scale = factorScale([1 / k], 16);
    const q = Number(quantise([1 / k], scale, where)[0]!) * 2 ** -scale;
    t.true(Math.abs(q * k - 1) <= 2 ** -17, `1/${k}`);
  }
  t.is(factorScale([1.1], 16), 16);
});

test('constants that are not finite are refused', (t) => {
  t.throws(() => quantise([Number.NaN], 4, where), { message: /"n".*NaN/ });
  t.throws(() => quantise([Number.POSITIVE_INFINITY], 4, where), { code: 'ERR_CRYPTORCH_INVALID_WEIGHTS' });
});
