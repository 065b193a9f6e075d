// Plans written by hand, for tests of the native core that need no compiler. The format is that of native/core/plan.hpp.

export const STATE = 1;
export const MATERIAL = 2;
export const WORK = 3;

const MAGIC = 0x314e414c50544343n;

export type Word = number | bigint;

/** A stream of the plan's key `key`; fresh streams belong to one run, others to the state. */
export interface TestStream {
  key: number;
  value: number;
  fresh?: boolean;
  sign?: number;
}

/** Ring values of `elements` elements; a region and an offset, or streams, or both. */
export interface TestSource {
  region?: number;
  offset?: number;
  elements: number;
  bits?: number;
  streams?: TestStream[];
  correction?: { region: number; offset: number };
}

export interface TestIo {
  output?: boolean;
  phase?: number;
  elements: number;
  scale?: number;
  bits?: number;
}

export function source(s: TestSource, layout: number = 0): Word[] {
  const streams = s.streams ?? [];
  return [
    s.region ?? 0,
    s.offset ?? 0,
    layout,
    s.bits ?? 64,
    0,
    s.elements,
    1,
    s.elements,
    streams.length,
    ...streams.flatMap((t) => [t.key, (t.fresh ?? true) ? 1 : 0, t.value, t.sign ?? 1]),
    s.correction?.region ?? 0,
    s.correction?.offset ?? 0,
  ];
}

/** out = lead * constant + sum of coefficient * operand, written at `region`, `offset`. */
export function lincomb(
  node: number,
  lead: number,
  operands: readonly (readonly [TestSource, Word])[],
  region: number,
  offset: number,
  elements: number,
  constant: Word = 0,
): Word[] {
  return [
    ...[0, 1, node, lead, operands.length, 1, operands.length + 1],
    ...operands.flatMap(([s]) => source(s)),
    ...[region, offset, 0, 64, 0, elements],
    constant,
    ...operands.map(([, c]) => c),
  ];
}

/** One frame with one segment. */
export function frame(
  type: 'send' | 'receive',
  exchange: number,
  peer: number,
  region: number,
  offset: number,
  bytes: number,
  node: number,
): Word[] {
  return [type === 'send' ? 1 : 2, exchange, peer, region, offset, bytes, 1, node, bytes];
}

export const input = (io: number, region: number, offset: number): Word[] => [3, io, region, offset];
export const output = (io: number, region: number, offset: number): Word[] => [4, io, region, offset];
export const shareInput = (
  io: number,
  region: number,
  offset: number,
  part: number,
  parts: number,
): Word[] => [...[5, io, region, offset], ...[part, parts]];

export interface TestPlan {
  parties?: number;
  role: number;
  bytes: readonly [number, number, number];
  keys: number;
  nodes?: number;
  ios?: readonly TestIo[];
  setup?: readonly Word[][];
  offline?: readonly Word[][];
  online?: readonly Word[][];
}

/** The words of a plan. */
export function plan(p: TestPlan): BigInt64Array {
  const phases = [p.setup ?? [], p.offline ?? [], p.online ?? []];
  const ios = p.ios ?? [];
  const words: Word[] = [
    ...[MAGIC, 1, p.parties ?? 2, p.role, ...p.bytes, p.keys, ios.length, p.nodes ?? 1],
    ...phases.map((steps) => steps.length),
    ...ios.flatMap((io) => [io.output ? 1 : 0, io.phase ?? 2, io.elements, io.scale ?? 16, io.bits ?? 48]),
    ...phases.flatMap((steps) => steps.flatMap((step) => [step.length + 1, ...step])),
  ];
  return BigInt64Array.from(words, BigInt);
}

/**
 * y = 3 x, computed by two parties and a dealer: party 0 owns x and learns y. The parties open x + r (r0 and r1 are
 * streams of their own keys); the dealer, who knows r, deals shares of 2r: a stream to party 0 and a correction to
 * party 1. Then 3 hat - r - 2r are shares of 3x, revealed to party 0 under a zero sharing.
 * Node 0 is the opening, node 1 the product, node 2 the reveal.
 */
export function triple(elements: number): { plans: BigInt64Array[]; keys: Uint8Array[][] } {
  const bytes = elements * 8;
  const at = (slot: number): number => slot * Math.ceil(bytes / 64) * 64;
  const room = at(6);
  const [OWN, R, DEALT, ZERO] = [0, 5, 6, 7];
  const key = (id: number): Uint8Array => Uint8Array.from({ length: 16 }, (_, i) => (id * 41 + i * 7) & 255);
  const memory = (slot: number): TestSource => ({ region: WORK, offset: at(slot), elements });
  const stream = (keyIndex: number, value: number): TestSource => ({
    elements,
    streams: [{ key: keyIndex, value }],
  });

  const party = (role: number): BigInt64Array => {
    const peer = 1 - role;
    const x = role === 0 ? [[memory(0), 1] as const] : [];
    const dealt: TestSource = role === 0 ? stream(OWN, DEALT) : { region: MATERIAL, offset: 0, elements };
    const zero: TestSource = { elements, streams: [{ key: 1 + peer, value: ZERO }] };
    const product = lincomb(
      1,
      role === 0 ? 1 : 0,
      [
        ...(role === 0 ? [[memory(3), 3] as const] : []),
        [stream(OWN, R), -1],
        [dealt, -1],
        [zero, role === 0 ? 1 : -1],
      ],
      WORK,
      at(4),
      elements,
    );
    return plan({
      role,
      bytes: [0, role === 1 ? Math.max(64, bytes) : 0, room],
      keys: 3,
      nodes: 3,
      ios: role === 0 ? [{ elements }, { output: true, elements, bits: 64 }] : [],
      offline: role === 1 ? [frame('receive', 1, 2, MATERIAL, 0, bytes, 1)] : [],
      online: [
        ...(role === 0 ? [input(0, WORK, at(0))] : []),
        lincomb(0, 0, [...x, [stream(OWN, R), 1]], WORK, at(1), elements),
        frame('send', 2, peer, WORK, at(1), bytes, 0),
        frame('receive', 2, peer, WORK, at(2), bytes, 0),
        lincomb(
          0,
          0,
          [
            [memory(1), 1],
            [memory(2), 1],
          ],
          WORK,
          at(3),
          elements,
        ),
        product,
        ...(role === 1
          ? [frame('send', 3, 0, WORK, at(4), bytes, 2)]
          : [
              frame('receive', 3, 1, WORK, at(5), bytes, 2),
              lincomb(
                2,
                0,
                [
                  [memory(4), 1],
                  [memory(5), 1],
                ],
                WORK,
                at(5),
                elements,
              ),
              output(1, WORK, at(5)),
            ]),
      ],
    });
  };
  const dealer = plan({
    role: 2,
    bytes: [0, 0, Math.max(64, bytes)],
    keys: 2,
    nodes: 3,
    offline: [
      lincomb(
        1,
        0,
        [
          [stream(0, R), 2],
          [stream(1, R), 2],
          [stream(0, DEALT), -1],
        ],
        WORK,
        0,
        elements,
      ),
      frame('send', 1, 1, WORK, 0, bytes, 1),
    ],
  });
  const pair = key(9);
  const unused = new Uint8Array(16);
  return {
    plans: [party(0), party(1), dealer],
    keys: [
      [key(1), unused, pair],
      [key(2), pair, unused],
      [key(1), key(2)],
    ],
  };
}

/** The file that the driver runs: the format is that of native/core/bundle.hpp. Inputs are doubles. */
export function bundle(
  config: { plans: BigInt64Array[]; keys: Uint8Array[][] },
  inputs: readonly (readonly Float64Array[])[],
): Buffer {
  const word = (value: number): Buffer => Buffer.from(BigInt64Array.of(BigInt(value)).buffer);
  const bytes = (a: ArrayBufferView): Buffer => Buffer.from(a.buffer, a.byteOffset, a.byteLength);
  const parts = [
    Buffer.from('CCTBUND1'),
    word(0),
    word(1),
    word(0),
    Buffer.alloc(16),
    word(config.plans.length),
  ];
  config.plans.forEach((words, role) => {
    const keys = config.keys[role]!;
    const given = inputs[role] ?? [];
    parts.push(word(words.length), bytes(words), word(keys.length), ...keys.map(bytes), word(given.length));
    for (const x of given) parts.push(word(2), word(x.length), bytes(x));
    parts.push(word(0));
  });
  return Buffer.concat(parts);
}
