// Operators whose results are elements of one input, each moved to places known at compile time, and a fill
// value elsewhere. They are one move, or a reshape where everything stays in order.

import { elementCount, type Value } from '../ir/graph';
import { filled } from './array';
import type { LowerContext, OpContext } from './context';
import type { Piece } from './core';
import { copyPiece, isWhole } from './pieces';
import { defineOp, type OpDefinition, type Shaped } from './registry';

/** An output that is made of pieces of an input. */
export interface Moved {
  readonly shape: readonly number[];
  readonly pieces: () => Piece[];
  /** What is where no piece is; null where the pieces cover everything. */
  readonly fill: number | null;
  /** Lengths of the lists that the pieces are made from; the dimensions of the result by default. */
  readonly lists?: readonly number[];
  /** The input that is moved, 0 by default. */
  readonly input?: number;
}

/** Most pieces that the kernel takes. */
const mostPieces = 1 << 16;

/** Refuses moves that the kernel does not take. */
export function needPieces(c: OpContext, count: number): void {
  if (count <= mostPieces) return;
  const what = `moves elements in ${count} runs; the most are ${mostPieces}`;
  throw c.unsupported(what, 'Move along whole axes, or split the operator up.');
}

function lowerMoved(c: LowerContext, { shape, pieces, fill, input = 0 }: Moved): Value {
  const made = pieces();
  const x = c.value(input);
  needPieces(c, made.length);
  if (made.length === 1 && isWhole(made[0]!, x.type.shape, shape)) return c.core.reshape(x, shape);
  if (made.length === 0)
    throw c.unsupported('leaves nothing of its input', 'Put a constant of the model in its place.');
  return c.core.move(
    made.map(() => x),
    made,
    shape,
    fill,
  );
}

/** An operator that makes each output of pieces of an input. */
export function defineMove(
  head: Pick<OpDefinition, 'op' | 'opset' | 'restrictions'>,
  outputs: (c: OpContext) => readonly Moved[],
): void {
  defineOp({
    ...head,
    integers: true,
    infer: (c) =>
      outputs(c).map(({ shape, lists = shape, input = 0 }): Shaped => {
        c.needSize(shape);
        if (elementCount(shape) > 0) c.needPlaces(lists);
        return { shape, dtype: c.type(input).dtype };
      }),
    reference: (c, inputs) =>
      outputs(c).map(({ shape, pieces, fill, input = 0 }) => {
        const out = filled(shape, fill ?? 0);
        if (elementCount(shape) === 0) return out;
        for (const piece of pieces()) copyPiece(out, inputs[input]!, piece);
        return out;
      }),
    lower: (c) => outputs(c).map((moved) => lowerMoved(c, moved)),
  });
}
