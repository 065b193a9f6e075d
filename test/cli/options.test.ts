import test from 'ava';
import { InvalidArgumentError } from 'commander';
import { integerFrom, parseApproximation, parseInput, parseOwners } from '../../lib/cli/options';

const refused = { instanceOf: InvalidArgumentError };

test('inputs collect by name, and a file name may contain an equals sign', (t) => {
  const once = parseInput('x=a.npy');
  t.deepEqual(
    parseInput('y=b=c.npy', once),
    new Map([
      ['x', 'a.npy'],
      ['y', 'b=c.npy'],
    ]),
  );
  t.throws(() => parseInput('x=again.npy', once), refused);
  for (const text of ['', 'x', 'x=', '=x.npy']) t.throws(() => parseInput(text), refused);
});

test('owners are parties or `secret`, and a name has one owner', (t) => {
  t.deepEqual(parseOwners('x=0,weights=1, y=secret'), { x: 0, weights: 1, y: 'secret' });
  t.deepEqual(parseOwners('y=public'), { y: 'public' });
  t.deepEqual(parseOwners('y=2', { x: 0 }), { x: 0, y: 2 });
  for (const text of ['', 'x', 'x=', 'x=-1', 'x=0.5', 'x=nobody', '=0', 'x=0,x=1']) {
    t.throws(() => parseOwners(text), refused, text);
  }
});

test('approximations have names and knobs, and a function has one', (t) => {
  const once = parseApproximation('exp=cryptorch,bits=7,clamp=false,form=long');
  t.deepEqual(once, { exp: { name: 'cryptorch', bits: 7, clamp: false, form: 'long' } });
  const twice = parseApproximation('/act/tanh=crypten chebyshev', once);
  t.deepEqual(twice, { ...once, '/act/tanh': { name: 'crypten chebyshev' } });
  t.deepEqual(parseApproximation('exp=a,name=b'), { exp: { name: 'a' } });
  for (const text of ['', 'exp', 'exp=', '=crypten', 'exp=a,bits', 'exp=a,=7', 'exp=a,bits=', 'exp=a=b'])
    t.throws(() => parseApproximation(text), refused, text);
  t.throws(() => parseApproximation('exp=crypten', once), refused);
});

test('whole numbers are read strictly', (t) => {
  const parse = integerFrom(2);
  t.is(parse('2'), 2);
  t.is(parse('12'), 12);
  for (const text of ['1', '2.0', '-3', 'two', '', '0x10', '1e1', ' 2', '99999999999999999999']) {
    t.throws(() => parse(text), refused, text);
  }
});
