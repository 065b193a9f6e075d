// An entry of a public table, chosen by a value that is opened modulo the size of the table (../ops/lookup.ts).
//
// The dealer rotates the table by the mask and shares it: a spline of degree 0 in one segment (native/cpu/spline.hpp), whose
// entry is exact, since with whole cells nothing is left over. The value and its truncation take one opening of as many
// bits as both have: low bits are a ring homomorphism, and no wrap is repaired. Several tables share it. Where the
// truncation has to round downwards, that is one more comparison, and the cell is opened.

import type { Node } from '../ir/graph';
import type { Joint, Opened } from '../joint';
import { cellBits } from '../ops/lookup';
import type { Value } from '../program';
import { type Knobs, numberAttr, type Protocol, shareForm, words } from './protocol';
import { clearRounded, rounded } from './rescale';

/** With the way in which its truncation rounds. */
function knobsOf(node: Node, knobs: Knobs): Knobs {
  return node.attrs.exact === true ? { ...knobs, truncation: 'floor' } : knobs;
}

function entriesOf(node: Node): bigint[] {
  return Array.from(node.attrs.table as BigInt64Array);
}

/** What is opened, and how many of its low bits do not count. */
function place(joint: Joint, node: Node, share: Value, knobs: Knobs): { opened: Opened; below: number } {
  const below = numberAttr(node, 'below');
  const opened = joint.open(share);
  if (below === 0 || knobsOf(node, knobs).truncation === 'coin') return { opened, below };
  const cell = rounded(joint, opened, below, cellBits(node), knobsOf(node, knobs));
  return { opened: joint.open(cell), below: 0 };
}

export const lookup: Protocol = {
  name: 'lookup',
  of: ['lookup'],
  build: (joint, node, [x], knobs) => {
    const [cells, table, form] = [cellBits(node), entriesOf(node), shareForm(node)];
    const { opened, below } = place(joint, node, x!.share, knobs);
    const attr = [cells + below, cells, 0];
    const entries = { ...form, elements: form.elements * table.length };
    const rotated = joint.derive('spline_table', [opened.mask], [...attr, 0, ...table], entries);
    joint.note('table', `${table.length} entries`);
    return [joint.local('spline_select', [opened.hat, joint.deal(rotated)], attr, form)];
  },
  clear: (joint, node, [x], knobs) => {
    const [cells, table, below] = [cellBits(node), entriesOf(node), numberAttr(node, 'below')];
    const cell =
      below === 0 ? x!.clear : clearRounded(joint, x!.share, x!.clear, below, knobsOf(node, knobs));
    const { clear } = joint.constant(table, [table.length]);
    return [joint.clear('spline_select', [cell, clear], [cells, cells, 0], words(x!.clear.elements))];
  },
};
