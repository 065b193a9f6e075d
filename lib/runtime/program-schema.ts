// The form of a joint program in a file: field by field as in compiler/program.ts. Integers that may be large are
// written as strings with an n at their end. What the fields mean together is checked in program-check.ts.

import * as v from 'valibot';
import { KERNELS, type KernelName } from '../compiler/kernels';
import { PHASES, type Program } from '../compiler/program';
import type { Schema } from './validate';

/** Parties are bits of a set, and a kernel takes at most this many contributions. */
export const MOST_PARTIES = 16;
/** Bounds what a program may ask for; the memory of a role is bounded by its own setting. */
const MOST_ELEMENTS: number = 2 ** 40;

function integer(least: number, most: number): v.GenericSchema<unknown, number> {
  return v.pipe(
    v.number(),
    v.check(
      (x) => Number.isSafeInteger(x) && x >= least && x <= most,
      `must be an integer from ${least} to ${most}`,
    ),
  );
}

const index = integer(0, 2 ** 31 - 1);
const size = integer(0, MOST_ELEMENTS);
const phase = v.picklist(PHASES);
const world = v.picklist(['public', 'share', 'mask', 'clear']);
const parties = integer(0, 2 ** MOST_PARTIES - 1);

const whole = v.union([
  v.pipe(v.number(), v.safeInteger()),
  v.pipe(
    v.string(),
    v.regex(/^-?\d{1,20}n$/),
    v.transform((text) => BigInt(text.slice(0, -1))),
  ),
]);

const origin = v.variant('kind', [
  v.strictObject({ kind: v.literal('uniform'), stream: index }),
  v.strictObject({ kind: v.literal('expand'), mask: index }),
  v.strictObject({
    kind: v.literal('deal'),
    mask: index,
    stream: index,
    corrected: integer(0, MOST_PARTIES - 1),
  }),
  v.strictObject({ kind: v.literal('input'), io: index }),
  v.strictObject({ kind: v.literal('view'), of: index, offset: size }),
  v.strictObject({ kind: v.literal('zero') }),
  v.strictObject({ kind: v.literal('step') }),
]);

const value = v.strictObject({
  id: index,
  world,
  layout: v.picklist(['ring', 'planes']),
  bits: integer(1, 64),
  elements: size,
  planes: integer(0, 2 ** 20),
  parties,
  life: v.picklist(['run', 'state']),
  phase,
  level: index,
  node: index,
  origin,
});

const step = v.variant('kind', [
  v.strictObject({
    kind: v.literal('kernel'),
    world,
    phase,
    level: index,
    node: index,
    kernel: v.picklist(Object.keys(KERNELS) as KernelName[]),
    in: v.array(
      v.strictObject({ value: index, inner: integer(1, MOST_ELEMENTS), mid: integer(1, MOST_ELEMENTS) }),
    ),
    out: v.pipe(v.array(integer(-1, 2 ** 31 - 1)), v.minLength(1)),
    attr: v.array(whole),
  }),
  v.strictObject({
    kind: v.literal('exchange'),
    id: index,
    phase,
    level: index,
    audience: parties,
    segments: v.pipe(
      v.array(
        v.strictObject({
          kind: v.picklist(['open', 'reveal']),
          share: index,
          mask: v.exactOptional(index),
          stream: v.exactOptional(index),
          out: index,
          senders: parties,
          sliced: v.exactOptional(v.literal(true)),
        }),
      ),
      v.minLength(1),
    ),
  }),
  v.strictObject({
    kind: v.literal('deal'),
    id: index,
    phase,
    to: integer(0, MOST_PARTIES - 1),
    values: v.pipe(v.array(index), v.minLength(1)),
  }),
]);

const shape = v.array(size);
const real = v.pipe(v.number(), v.finite());

const io = v.strictObject({
  name: v.string(),
  kind: v.picklist(['input', 'weight', 'constant', 'output']),
  owner: v.union([integer(0, MOST_PARTIES - 1), v.picklist(['secret', 'public'])]),
  shape,
  scale: integer(0, 63),
  bits: integer(1, 64),
  range: v.exactOptional(v.strictObject({ lo: real, hi: real })),
  dtype: v.picklist(['fixed', 'int', 'bool']),
  value: index,
  clear: integer(-1, 2 ** 31 - 1),
  data: v.exactOptional(v.array(whole)),
});

export const programSchema: Schema<Program> = v.strictObject({
  version: v.literal(3),
  name: v.string(),
  parties: integer(2, MOST_PARTIES),
  nodes: v.array(
    v.strictObject({
      name: v.string(),
      op: v.string(),
      shape,
      choices: v.exactOptional(v.record(v.string(), v.string())),
    }),
  ),
  values: v.array(value),
  steps: v.array(step),
  ios: v.array(io),
});
