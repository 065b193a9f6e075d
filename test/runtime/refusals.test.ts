import test, { type ExecutionContext } from 'ava';
import { Endpoint } from '../../lib/native-endpoint';
import { Deployment } from '../../lib/runtime/deployment';
import type { Hello, Message } from '../../lib/runtime/messages';
import type { Party } from '../../lib/runtime/party';
import { tensor } from '../../lib/tensor';
import { coded } from '../helpers/errors';
import { Group } from '../helpers/group';
import { Peer } from '../helpers/peer';

const X = { x: tensor([1, 2, 3], [1, 3]) };

/** Two parties that have computed a run, and then meet a dealer made by hand. */
async function withDealer(t: ExecutionContext): Promise<{ parties: Party[]; dealer: Peer }> {
  const group = await Group.create(t);
  await (await group.start())[0]!.run(X);
  await group.close();
  const dealer = new Peer(await Deployment.load(group.at('dealer')), 2);
  t.teardown(() => dealer.endpoint.close());
  group.setPort('dealer', await dealer.endpoint.listen('127.0.0.1', 0));
  const parties = [await group.startParty(0), await group.startParty(1)];
  for (const _ of parties) {
    const { epoch, highestEpoch } = await dealer.hear('hello');
    t.deepEqual([epoch, highestEpoch], [1, 1]);
    t.is((await dealer.hear('seed')).seed.length, 16);
  }
  return { parties, dealer };
}

function tell(dealer: Peer, message: Message): void {
  for (const party of [0, 1]) dealer.say(party, message);
}

test('an epoch that was used is not set up again: its masks would open other weights', async (t) => {
  const { dealer } = await withDealer(t);
  tell(dealer, { type: 'epoch', epoch: 1, setup: true });
  t.is((await dealer.hear('fail')).code, 'STALE_STATE');
});

test('an epoch that is not stored here is not resumed', async (t) => {
  const { parties, dealer } = await withDealer(t);
  const ready = t.throwsAsync(parties[0]!.ready(), coded('STALE_STATE'));
  tell(dealer, { type: 'epoch', epoch: 2, setup: false });
  t.is((await dealer.hear('fail')).code, 'STALE_STATE');
  await ready;
});

test('a run number that was used is refused', async (t) => {
  const { parties, dealer } = await withDealer(t);
  const run = t.throwsAsync(parties[0]!.run(X), coded('LEDGER', /Run 1 was refused/));
  tell(dealer, { type: 'epoch', epoch: 1, setup: false });
  await dealer.hear('number');
  dealer.say(0, { type: 'numbered', program: 0, run: 1 });
  t.is((await dealer.hear('fail')).code, 'LEDGER');
  await run;
});

test('what does not belong to a conversation ends it with a code', async (t) => {
  const messages: Message[] = [
    { type: 'prepare', program: 0, run: 9 },
    { type: 'start', program: 0, run: 9, jobs: [] },
    { type: 'number', program: 0 },
    { type: 'numbered', program: 0, run: 9 },
    { type: 'ready', epoch: 1 },
    { type: 'want', program: 0, job: 0 },
    { type: 'epoch', epoch: 1, setup: false },
  ];
  for (const message of messages) {
    const { parties, dealer } = await withDealer(t);
    tell(dealer, { type: 'epoch', epoch: 1, setup: false });
    await Promise.all(parties.map((party) => party.ready()));
    dealer.say(0, message);
    const { code } = await dealer.hear('fail');
    t.is(code, 'PROTOCOL', message.type);
  }
});

test('a hello that differs is answered with what differs', async (t) => {
  const group = await Group.create(t);
  const dealer = await group.startDealer();
  const deployment = await Deployment.load(group.at(0));
  const differences: Partial<Hello>[] = [
    { protocol: 2 },
    { deployment: 'other' },
    { role: 1 },
    { parties: 3 },
    { programs: ['f'.repeat(64)] },
  ];
  for (const changed of differences) {
    const peer = new Peer(deployment, 0, changed);
    await peer.endpoint.connect(2, '127.0.0.1', dealer.port, 2000);
    const { field } = await peer.hear('refuse');
    t.deepEqual([field], Object.keys(changed));
    await peer.endpoint.close();
  }
  const [party] = [await group.startParty(0), await group.startParty(1)];
  await party.run(X);
});

test('peers that never say hello, or say nonsense, are sent away', async (t) => {
  const group = await Group.create(t);
  const dealer = await group.startDealer();
  const deployment = await Deployment.load(group.at(0));
  const nonsense = [
    '',
    'hello',
    '{}',
    '{"type":"hello"}',
    '{"type":"start","program":0,"run":1,"jobs":[]}',
    JSON.stringify({ type: 'epoch', epoch: 2 ** 24, setup: true }),
    `{"type":"${'x'.repeat(60_000)}"}`,
    '\u0001',
  ];
  for (const text of [undefined, ...nonsense]) {
    const [gone, down] = until();
    const endpoint = new Endpoint({
      role: 0,
      parties: 2,
      deployment: deployment.name,
      tls: null,
      maxFrameBytes: 1 << 20,
      maxControlBytes: 1 << 16,
      onEvent: (event) => event.type === 'down' && down(),
    });
    await endpoint.connect(2, '127.0.0.1', dealer.port, 2000);
    if (text !== undefined) endpoint.send(2, Buffer.from(text));
    await gone;
    await endpoint.close();
  }
  const [party] = [await group.startParty(0), await group.startParty(1)];
  t.is((await party.run(X)).run, 1);
});

function until(): [Promise<void>, () => void] {
  let resolve!: () => void;
  const promise = new Promise<void>((r) => {
    resolve = r;
  });
  return [promise, resolve];
}
