import test from 'ava';
import type { Node, Value } from '../../lib/compiler/ir/graph';
import { nodeCost } from '../../lib/compiler/node-cost';
import { profile } from '../../lib/cost/communication';
import { oneNode, programOf } from '../helpers/protocols';

test('the cost of a node is that of the program it stands in', (t) => {
  const attrs = { kernel: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1], dilations: [1, 1] };
  const graph = oneNode(
    'max_pool',
    [{ name: 'x', shape: [1, 5, 9, 9], owner: 'secret' }],
    [1, 5, 5, 5],
    attrs,
  );
  const node = graph.nodes[0] as Node;
  for (const parties of [2, 3]) {
    for (const allPairs of [2, 9]) {
      const options = { parties, knobs: { allPairs } };
      const program = programOf(graph, options);
      t.deepEqual(nodeCost(node, options), {
        communication: profile(program).nodes[1]!,
        choices: program.nodes[1]!.choices!,
      });
      const opened = nodeCost(node, { ...options, opened: new Set(node.inputs as Value[]) }).communication
        .online;
      const closed = nodeCost(node, options).communication.online;
      t.is(opened.rounds, closed.rounds - 1);
      // Overlapping windows: fewer values than windows have taps are opened, by the node itself or before it.
      t.is(closed.bytes - opened.bytes, 5 * 9 * 9 * 8 * parties * (parties - 1));
    }
  }
});
