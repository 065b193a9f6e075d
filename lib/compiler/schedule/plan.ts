// A plan: everything one role does, in order, with every operand placed in memory at compile time. This file holds its
// form in TypeScript and writes it as the words that native/core/plan.cpp reads.

import { KERNELS, type KernelName } from '../kernels';

export type Region = 'state' | 'material' | 'work';
const REGION = { state: 1, material: 2, work: 3 } as const;
const LAYOUT = { ring: 0, packed: 1, planes: 2 } as const;

/** A piece of a region; the offset is filled in by the arena (arena.ts). */
export interface Buffer {
  readonly region: Region;
  readonly bytes: number;
  offset: number;
}

export interface Place {
  readonly buffer: Buffer;
  /** Bytes from the start of the buffer. */
  readonly at: number;
}

export interface Stream {
  readonly key: number;
  readonly fresh: boolean;
  readonly value: number;
  readonly sign: 1 | -1;
}

export interface Source {
  readonly place: Place | null;
  readonly layout: keyof typeof LAYOUT;
  readonly bits: number;
  readonly planes: number;
  readonly elements: number;
  readonly inner: number;
  readonly mid: number;
  readonly streams: readonly Stream[];
  readonly correction: Place | null;
}

export interface Sink {
  readonly place: Place | null;
  readonly layout: keyof typeof LAYOUT;
  readonly bits: number;
  readonly planes: number;
  readonly elements: number;
}

export interface FrameSegment {
  readonly node: number;
  readonly bytes: number;
}

export type PlanStep =
  | {
      readonly type: 'kernel';
      readonly kernel: KernelName;
      readonly node: number;
      readonly lead: boolean;
      readonly in: readonly Source[];
      readonly out: readonly Sink[];
      readonly attr: readonly (number | bigint)[];
    }
  | {
      readonly type: 'send' | 'receive';
      readonly exchange: number;
      readonly peer: number;
      readonly place: Place;
      readonly bytes: number;
      readonly segments: readonly FrameSegment[];
    }
  | { readonly type: 'input' | 'output'; readonly io: number; readonly place: Place }
  | {
      readonly type: 'share_input';
      readonly io: number;
      readonly place: Place;
      readonly part: number;
      readonly parts: number;
    };

export interface PlanIo {
  readonly output: boolean;
  readonly phase: 0 | 1 | 2;
  readonly elements: number;
  readonly scale: number;
  readonly bits: number;
}

/** Everything that one role does, in order, with every operand placed in memory. */
export interface Plan {
  /** Computing parties, the dealer not counted. */
  readonly parties: number;
  /** 0 to n-1: a party, n: the dealer, n+1: cleartext. */
  readonly role: number;
  /** Memory of each region. */
  readonly bytes: Readonly<Record<Region, number>>;
  /** How many seeds the role has. */
  readonly keys: number;
  /** Nodes of the model that steps are counted for. */
  readonly nodes: number;
  /** Inputs and outputs, in the order of the program. */
  readonly ios: readonly PlanIo[];
  /** Setup, offline, online. */
  readonly phases: readonly [readonly PlanStep[], readonly PlanStep[], readonly PlanStep[]];
}

const MAGIC = 0x314e414c50544343n;
const STEP = { kernel: 0, send: 1, receive: 2, input: 3, output: 4, share_input: 5 } as const;

type Word = number | bigint;

function placeWords(place: Place | null): [number, number] {
  return place === null ? [0, 0] : [REGION[place.buffer.region], place.buffer.offset + place.at];
}

function sourceWords(s: Source): Word[] {
  const streams = s.streams.flatMap((p) => [p.key, p.fresh ? 1 : 0, p.value, p.sign]);
  const form = [LAYOUT[s.layout], s.bits, s.planes, s.elements, s.inner, s.mid];
  return [...placeWords(s.place), ...form, s.streams.length, ...streams, ...placeWords(s.correction)];
}

function stepWords(s: PlanStep): Word[] {
  const type = STEP[s.type];
  switch (s.type) {
    case 'kernel': {
      const head = [
        type,
        KERNELS[s.kernel],
        s.node,
        s.lead ? 1 : 0,
        s.in.length,
        s.out.length,
        s.attr.length,
      ];
      const sinks = s.out.flatMap((o) => [
        ...placeWords(o.place),
        LAYOUT[o.layout],
        o.bits,
        o.planes,
        o.elements,
      ]);
      return [...head, ...s.in.flatMap(sourceWords), ...sinks, ...s.attr];
    }
    case 'send':
    case 'receive':
      return [
        type,
        s.exchange,
        s.peer,
        ...placeWords(s.place),
        s.bytes,
        s.segments.length,
        ...s.segments.flatMap((g) => [g.node, g.bytes]),
      ];
    case 'share_input':
      return [type, s.io, ...placeWords(s.place), s.part, s.parts];
    default:
      return [type, s.io, ...placeWords(s.place)];
  }
}

/** The words of a plan: see native/core/plan.hpp for their order. */
export function encodePlan(plan: Plan): BigInt64Array {
  const { state, material, work } = plan.bytes;
  const words: Word[] = [
    MAGIC,
    1,
    plan.parties,
    plan.role,
    state,
    material,
    work,
    plan.keys,
    plan.ios.length,
    plan.nodes,
  ];
  words.push(...plan.phases.map((p) => p.length));
  for (const io of plan.ios) words.push(io.output ? 1 : 0, io.phase, io.elements, io.scale, io.bits);
  for (const step of plan.phases.flat()) {
    const w = stepWords(step);
    words.push(w.length + 1);
    for (const word of w) words.push(word);
  }
  return BigInt64Array.from(words, (w) => BigInt.asIntN(64, BigInt(w)));
}
