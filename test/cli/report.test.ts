import test from 'ava';
import { agrees, choiceCounts, layerTables, type ReportedRun, summary } from '../../lib/cli/report';

const none = { rounds: 0, bytes: 0 };
const idle = { ...none, seconds: 0 };
const quiet = { rounds: 0, bytesSent: [0, 0], dealerBytes: [0, 0] };

/** Two layers and two parties; `counted` overrides the counted online bytes of the second layer. */
function sample(counted: number = 2000): ReportedRun {
  const online = { rounds: 5, bytesSent: [2048, 2048], dealerBytes: [0, 0] };
  const offline = { rounds: 1, bytesSent: [0, 0], dealerBytes: [0, 7024] };
  const traffic = { setup: quiet, offline, online };
  return {
    seconds: { compile: 0.25, setup: 0.001, offline: 0.002, online: 0.0345 },
    communication: { predicted: traffic, counted: { ...traffic, online: { ...online } } },
    layers: [
      {
        name: '/stem/Conv',
        op: 'Conv',
        shape: [1, 8, 8, 8],
        predicted: { setup: none, offline: none, online: { rounds: 1, bytes: 2000 } },
        counted: { setup: idle, offline: idle, online: { rounds: 1, bytes: 2000, seconds: 0.01 } },
      },
      {
        name: '/Relu',
        op: 'Relu',
        shape: [1, 8, 8, 8],
        predicted: { setup: none, offline: { rounds: 1, bytes: 7000 }, online: { rounds: 4, bytes: 2000 } },
        counted: {
          setup: idle,
          offline: { rounds: 1, bytes: 7000, seconds: 0.001 },
          online: { rounds: 4, bytes: counted, seconds: 0.02 },
        },
      },
    ],
  };
}

test('each phase in which something happens has a table whose parts add up to its total', (t) => {
  const text = layerTables(sample());
  t.false(text.includes('setup'));
  const online = text.slice(text.indexOf('online')).split('\n');
  t.regex(
    online.find((line) => line.startsWith('/Relu'))!,
    /Relu +1 x 8 x 8 x 8 +4 +4 +2,000 +2,000 +20\.00$/,
  );
  t.regex(online.find((line) => line.startsWith('frame headers'))!, / 96 +96$/);
  t.regex(online.find((line) => line.startsWith('total'))!, / 5 +5 +4,096 +4,096 +34\.50$/);
});

test('a layer appears only in the phases that it takes part in', (t) => {
  const text = layerTables(sample());
  const offline = text.slice(0, text.indexOf('online'));
  t.true(offline.includes('/Relu'));
  t.false(offline.includes('/stem/Conv'));
});

test('the summary names every sender with both figures', (t) => {
  const lines = summary(sample()).split('\n');
  t.is(lines.filter((line) => line.includes('party 0')).length, 3);
  t.regex(lines.find((line) => line.includes('dealer') && line.includes('7,024'))!, /7,024 +7,024$/);
  t.regex(lines.find((line) => line.startsWith('online'))!, /party 0 +5 +5 +2,048 +2,048 +0\.03[45]$/);
});

test('one byte of difference is noticed', (t) => {
  t.true(agrees(sample()));
  t.false(agrees(sample(2001)));
});

test('choices stand beside their layer online, and are counted over all layers', (t) => {
  const run = sample();
  const [conv, relu] = run.layers as [ReportedRun['layers'][number], ReportedRun['layers'][number]];
  const layers = [conv, { ...relu, choices: { gates: 'fused', ring: '43' } }];
  const text = layerTables({ ...run, layers });
  const [offline, online] = [text.slice(0, text.indexOf('online')), text.slice(text.indexOf('online'))];
  t.false(offline.includes('gates'));
  t.regex(online, /\/Relu .* gates fused; ring 43\n/);
  t.deepEqual(choiceCounts([...layers, { choices: { gates: 'fused' } }, { choices: { ring: '64' } }]), [
    'gates fused (2)',
    'ring 43 (1), 64 (1)',
  ]);
});
