// e^(rate x) from one opening of x (../ops/exponential.ts): one round, and no message of its own.
//
//     [e^x] = e^(u^) [e^(-u) e^(cells between x^ and r)],
//
// where u^ and u are what x^ and its mask r leave within their cells. The dealer shares the second factor for every cell
// that x^ may lie in (native/cpu/exponential.cpp), a few of them.

import type { Node } from '../ir/graph';
import type { Joint } from '../joint';
import { type ExponentialTable, exponentialOf } from '../ops/exponential';
import { type Protocol, shareForm, words } from './protocol';

function tableAttributes({
  bits,
  cells,
  below,
  decay,
  mantissas,
  shifts,
}: ExponentialTable): (number | bigint)[] {
  return [bits, cells, below, ...decay, ...mantissas, ...shifts];
}

function selectAttributes({ bits, cells, below, fraction, growth }: ExponentialTable): (number | bigint)[] {
  return [bits, cells, below, fraction, ...growth];
}

/** Masks of operands, which decide how the cleartext twin rounds. */
function rows(node: Node): { table: ExponentialTable; count: number } {
  const table = exponentialOf(node);
  return { table, count: 2 ** table.cells };
}

export const exponential: Protocol = {
  name: 'exponential',
  of: ['exponential'],
  build: (joint: Joint, node, [x]) => {
    const { table, count } = rows(node);
    const form = shareForm(node);
    joint.note('exponential', `${count} cells`);
    const z = joint.open(x!.share);
    const entries = { elements: form.elements * count, bits: form.bits };
    const dealt = joint.deal(joint.derive('exponential_table', [z.mask], tableAttributes(table), entries));
    return [joint.local('exponential_select', [z.hat, dealt], selectAttributes(table), form)];
  },
  clear: (joint: Joint, node, [x]) => {
    const { table, count } = rows(node);
    const form = words(x!.clear.elements);
    const mask = joint.clearMask(joint.open(x!.share).mask);
    const hat = joint.clear('lincomb', [x!.clear, mask], [0, 1, 1], form);
    const entries = words(form.elements * count);
    const table_ = joint.clear('exponential_table', [mask], tableAttributes(table), entries);
    return [joint.clear('exponential_select', [hat, table_], selectAttributes(table), form)];
  },
};
