import test from 'ava';
import { grouped, milliseconds, renderTable } from '../../lib/cli/table';

test('columns are as wide as their widest cell and aligned', (t) => {
  const text = renderTable(
    [
      { title: 'name', align: 'left' },
      { title: 'n', align: 'right' },
    ],
    [['a', '1'], ['longer', '1234'], 'rule', ['', '5']],
  );
  t.is(
    text,
    ['name       n', '------  ----', 'a          1', 'longer  1234', '------  ----', '           5'].join(
      '\n',
    ),
  );
});

test('a cell beyond its limit loses its middle and keeps the end that tells layers apart', (t) => {
  const [, , line] = renderTable([{ title: 'x', align: 'left', limit: 10 }], [['/block/conv/Conv_7']]).split(
    '\n',
  );
  t.is(line!.length, 10);
  t.true(line!.endsWith('onv_7'));
  t.true(line!.includes('…'));
});

test('numbers keep every digit', (t) => {
  t.is(grouped(0), '0');
  t.is(grouped(999), '999');
  t.is(grouped(1234567), '1,234,567');
  t.is(milliseconds(0.00123), '1.23');
  t.is(milliseconds(1.5), '1500');
});
