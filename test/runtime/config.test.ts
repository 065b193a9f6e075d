import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import {
  checkDealerConfig,
  checkPartyConfig,
  parseAddress,
  readDealerConfig,
  readPartyConfig,
  timeoutsOf,
} from '../../lib/runtime/config';
import { Party } from '../../lib/runtime/party';
import { temporaryFolder } from '../helpers/cli';
import { coded } from '../helpers/errors';
import { Group } from '../helpers/group';

const CERTIFICATES = { ca: 'ca.pem', certificate: 'c.pem', key: 'c.key' };
const PARTY = {
  party: 1,
  deployment: '.',
  certificates: CERTIFICATES,
  peers: { dealer: 'd:1', '0': '[::1]:2' },
};

test('paths of a file are relative to it', async (t) => {
  const folder = await temporaryFolder(t);
  const file = join(folder, 'config.json');
  const extra = { inputs: { x: 'x.npy' }, outputs: '/tmp/y.npz', http: '127.0.0.1:0', state: 'mine' };
  await writeFile(file, JSON.stringify({ ...PARTY, ...extra }));
  const config = await readPartyConfig(file);
  t.is(config.deployment, folder);
  t.is(config.state, join(folder, 'mine'));
  t.deepEqual(config.inputs, { x: join(folder, 'x.npy') });
  t.is(config.outputs, '/tmp/y.npz');
  t.deepEqual(config.certificates, {
    ca: join(folder, 'ca.pem'),
    certificate: join(folder, 'c.pem'),
    key: join(folder, 'c.key'),
  });
  await writeFile(file, JSON.stringify({ deployment: 'd', insecure: true, listen: 'localhost:0' }));
  t.is((await readDealerConfig(file)).deployment, join(folder, 'd'));
});

test('addresses and durations', (t) => {
  t.deepEqual(parseAddress('dealer.example:7700'), { host: 'dealer.example', port: 7700 });
  t.deepEqual(parseAddress('[::1]:0'), { host: '::1', port: 0 });
  const timeouts = timeoutsOf(checkPartyConfig({ ...PARTY, timeouts: { online: 0.5 } }));
  t.is(timeouts.online, 500);
  t.is(timeouts.connect, 5000);
});

test('an entry that is wrong, missing or unknown is named', async (t) => {
  const refused = (change: object, message: RegExp): void => {
    t.throws(() => checkPartyConfig({ ...PARTY, ...change }, 'p.json'), coded('CONFIG', message));
  };
  refused({ party: 16 }, /In p\.json, "party" must be/);
  refused({ party: '1' }, /"party" must be/);
  refused({ deployment: '' }, /"deployment"/);
  refused({ partys: 1 }, /"partys" is not known here/);
  refused({ peers: { dealer: 'd' } }, /"peers\.dealer" must be HOST:PORT/);
  refused({ peers: { dealer: 'd:65536' } }, /"peers\.dealer" must be HOST:PORT/);
  refused({ peers: { someone: 'd:1' } }, /"peers/);
  refused({ certificates: { ca: 'x' } }, /"certificates\.certificate" is missing/);
  refused({ insecure: true }, /"certificates" must be given, or instead of it/);
  refused({ certificates: undefined }, /"certificates"/);
  refused({ timeouts: { online: 0 } }, /"timeouts\.online"/);
  refused({ queue: 0 }, /"queue"/);
  refused({ inputs: {} }, /"inputs" is not known here/);
  t.throws(
    () => checkDealerConfig({ deployment: '.', insecure: true }),
    coded('CONFIG', /"listen" is missing/),
  );
  t.throws(() => checkDealerConfig([]), coded('CONFIG'));
  const file = join(await temporaryFolder(t), 'config.json');
  await t.throwsAsync(readPartyConfig(file), coded('FILE'));
  await writeFile(file, '{');
  await t.throwsAsync(readPartyConfig(file), coded('CONFIG', /is not JSON/));
});

test('a role says which addresses it lacks or does not need', async (t) => {
  const group = await Group.create(t, { parties: 3 });
  const refused = async (index: number, change: object, message: RegExp): Promise<void> => {
    await t.throwsAsync(group.startParty(index, change), coded('CONFIG', message));
  };
  await refused(1, { peers: { dealer: 'd:1' } }, /"peers\.0" is missing/);
  await refused(0, { peers: { dealer: 'd:1', '1': 'd:2' } }, /"peers\.1" is not needed/);
  const { listen: _listen, ...silent } = group.config(0);
  await t.throwsAsync(Party.open(silent), coded('CONFIG', /"listen" is missing/));
  await t.throwsAsync(Party.open({ ...group.config(2), party: 3 }), coded('CONFIG', /for 3 parties, 0 to 2/));
  const open = { ...group.config(0), listen: '0.0.0.0:0' };
  await t.throwsAsync(Party.open(open), coded('INVALID_OPTION', /loopback/));
});
