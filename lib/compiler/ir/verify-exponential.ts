// What must hold of the factors of an `exponential` (../ops/exponential.ts): numbers of them that fit each other, and sizes
// that its kernels take.

import { FACTOR } from '../ops/exponential';
import type { Node } from './graph';
import { num, nums } from './verify-shapes';

const MOST = { bits: 61, cells: 6, position: 24, shift: 63 } as const;

/** What is wrong, undefined where nothing is. */
export function wrongExponential(node: Node): string | undefined {
  const [bits, cells, below] = [num(node, 'bits'), num(node, 'cells'), num(node, 'below')];
  const position = bits - cells - below;
  if (bits > MOST.bits || cells < 1 || cells > MOST.cells || position < 1 || position > MOST.position)
    return `has ${bits} bits, ${cells} of cells and ${below} that do not count`;
  if (num(node, 'fraction') >= 2 * FACTOR) return `has a public factor of ${num(node, 'fraction')} bits`;
  const length = (name: string): number => (node.attrs[name] as BigInt64Array).length;
  if (length('growth') !== position || length('decay') !== position)
    return 'has not one factor per bit of a position';
  const shifts = nums(node, 'shifts');
  if (length('mantissas') !== 2 ** cells || shifts.length !== 2 ** cells) return 'has not one entry per cell';
  if (shifts.some((s) => s < 1 || s > MOST.shift)) return `has shifts of ${shifts.join(', ')} bits`;
  const scale = node.inputs[0]!.type.scale;
  return scale === num(node, 'inputScale') ? undefined : `has factors for another scale than ${scale}`;
}
