// What must hold of the tables of a `spline` (../ops/spline.ts): sizes that fit each other, and bits that fit a word.

import type { Node } from './graph';
import { num, nums } from './verify-shapes';

/** Integers of operands are below 2^61, positions and coefficients such that no product in the dealer's word wraps. */
const MOST = { border: 61, position: 12, degree: 3, precision: 20, cells: 9 } as const;

/** What is wrong, undefined where nothing is. */
export function wrongSpline(node: Node): string | undefined {
  const borders = nums(node, 'borders');
  const [end, segments] = [borders.at(-1)!, borders.length - 1];
  if (segments < 1 || end > MOST.border || borders.some((b, i) => i > 0 && b <= borders[i - 1]!))
    return `has the borders ${borders.join(', ')}, which do not cut a domain of up to ${MOST.border} bits`;
  for (const name of ['degree', 'precision', 'cells'] as const) {
    const value = num(node, name);
    if (value > MOST[name] || (value < 1 && name !== 'precision')) return `has the ${name} ${value}`;
  }
  const [cells, positions] = [num(node, 'cells'), nums(node, 'positions')];
  const most = Math.min(MOST.position, positions[0] ?? 0);
  if (positions.length !== num(node, 'degree') || positions.some((p) => p < 1 || p > most))
    return `has positions of ${positions.join(', ')} bits`;
  if (cells + positions[0]! > end)
    return `has positions of ${cells + positions[0]!} bits, its operand ${end}`;
  const length = (name: string): number => (node.attrs[name] as BigInt64Array).length;
  const tables = length('weights') / segments;
  if (!Number.isInteger(tables) || tables < 1) return 'has not one weight per segment and table';
  if (length('offsets') !== segments || length('errors') !== segments)
    return 'has not one offset and error per segment';
  if (length('coefficients') !== tables * 2 ** cells * (num(node, 'degree') + 1))
    return 'has not one polynomial per table and cell';
  const scale = node.inputs[0]!.type.scale;
  return scale === num(node, 'inputScale') ? undefined : `has tables for another scale than ${scale}`;
}
