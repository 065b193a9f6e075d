// The joint program: one description of what n parties and the dealer compute, from which every role's part, the
// costs, the material and the leakage check are read off.
//
// It is plain data: values of four worlds, and steps over them.
//   public   known to the parties in `parties` after an opening (or from the start)
//   share    additive (ring) or XOR (planes) shares; parties outside `parties` hold zero
//   mask     known to the dealer, derived from the parties' seeds before any input exists
//   clear    the cleartext twin of a share: same fixed-point semantics, one process, for tests and tuning
// Secrets decide neither what is sent nor when, so everything below is known before the first byte moves.

import { createHash } from 'node:crypto';
import type { KernelName } from './kernels';

export type World = 'public' | 'share' | 'mask' | 'clear';
/** Setup once per epoch, offline before inputs exist, online while they wait. */
export type Phase = 'setup' | 'offline' | 'online';
export const PHASES: readonly Phase[] = ['setup', 'offline', 'online'];

/** A set of parties: bit i stands for party i. */
export type PartySet = number;

/** `run` values live for one inference, `state` values for a deployment (weights and their openings). */
export type Life = 'run' | 'state';

/** Where a value comes from. `stream` is the address of its pseudo-random elements (see native/core/kernel.hpp). */
export type Origin =
  | { readonly kind: 'uniform'; readonly stream: number }
  | { readonly kind: 'expand'; readonly mask: number }
  | { readonly kind: 'deal'; readonly mask: number; readonly stream: number; readonly corrected: number }
  | { readonly kind: 'input'; readonly io: number }
  | { readonly kind: 'view'; readonly of: number; readonly offset: number }
  | { readonly kind: 'zero' }
  | { readonly kind: 'step' };

export interface Value {
  readonly id: number;
  readonly world: World;
  readonly layout: 'ring' | 'planes';
  /** Its ring is Z_2^bits; 1 for planes. */
  readonly bits: number;
  readonly elements: number;
  /** Bits per element of a bit-sliced value; 0 for ring values. */
  readonly planes: number;
  /** Who holds a part of it (share), who knows it (public), whose streams make it up (uniform mask). */
  readonly parties: PartySet;
  readonly life: Life;
  readonly phase: Phase;
  /** Exchanges of its phase that must have happened before it exists. */
  readonly level: number;
  /** Index into Program.nodes: the model's node that caused it. */
  readonly node: number;
  readonly origin: Origin;
}

/** A use of a value: element i of the operation reads element (i / inner) % mid. */
export interface Operand {
  readonly value: number;
  readonly inner: number;
  readonly mid: number;
}

export interface KernelStep {
  readonly kind: 'kernel';
  readonly world: World;
  readonly phase: Phase;
  readonly level: number;
  readonly node: number;
  readonly kernel: KernelName;
  readonly in: readonly Operand[];
  /** An output of -1 is not wanted. */
  readonly out: readonly number[];
  readonly attr: readonly (number | bigint)[];
}

/**
 * One value crossing the network: each sender contributes its masked share, the audience sums the contributions. A
 * sender that is the whole audience keeps its contribution, which needs no mask.
 */
export interface Segment {
  readonly kind: 'open' | 'reveal';
  readonly share: number;
  /** open: the uniform mask; reveal: absent, the shares are re-randomised by a zero sharing addressed by `stream`. */
  readonly mask?: number;
  readonly stream?: number;
  readonly out: number;
  readonly senders: PartySet;
  /** Opened slice by slice, each at one party, which sends it to the others (schedule/slices.ts). */
  readonly sliced?: true;
}

/** Everything that one audience learns in one round: one frame from each sender to each of its members. */
export interface ExchangeStep {
  readonly kind: 'exchange';
  readonly id: number;
  readonly phase: Phase;
  readonly level: number;
  readonly audience: PartySet;
  readonly segments: readonly Segment[];
}

/** Corrections for dealt values, in one frame from the dealer to the corrected party. */
export interface DealStep {
  readonly kind: 'deal';
  readonly id: number;
  readonly phase: Phase;
  readonly to: number;
  /** Values of origin `deal`. */
  readonly values: readonly number[];
}

export type Step = KernelStep | ExchangeStep | DealStep;

/** What enters or leaves a run, or a public constant of the program. */
export interface Io {
  readonly name: string;
  readonly kind: 'input' | 'weight' | 'constant' | 'output';
  readonly owner: number | 'secret' | 'public';
  readonly shape: readonly number[];
  readonly scale: number;
  readonly bits: number;
  /** Numbers outside this interval, in real units, are refused: the widths of the program rest on it. */
  readonly range?: { readonly lo: number; readonly hi: number };
  readonly dtype: 'fixed' | 'int' | 'bool';
  /** The shared value, and its cleartext twin (-1 where there is none). */
  readonly value: number;
  readonly clear: number;
  /** Elements of a public constant. */
  readonly data?: readonly (number | bigint)[];
}

/** A node of the model, for reports and for tagging what is sent. */
export interface ProgramNode {
  readonly name: string;
  readonly op: string;
  readonly shape: readonly number[];
  /** Which form of a protocol was chosen where there are several: `maximum` -> `all-pairs`. */
  readonly choices?: Readonly<Record<string, string>>;
}

/** The joint computation of all parties and the dealer: plain, public data. */
export interface Program {
  /** Of the format. */
  readonly version: 3;
  /** Name of the model. */
  readonly name: string;
  /** Computing parties, the dealer not counted. */
  readonly parties: number;
  /** Nodes of the model, for costs and reports. */
  readonly nodes: readonly ProgramNode[];
  /** Values by number. */
  readonly values: readonly Value[];
  /** In execution order: phases in order, levels within a phase in order. */
  readonly steps: readonly Step[];
  /** Inputs, weights and outputs. */
  readonly ios: readonly Io[];
}

export const FRAME_HEADER_BYTES = 24;

/** Bytes of a value on the wire or as a correction: packed to its width, bit planes padded to 8 bytes. */
export function wireBytes(value: {
  layout: 'ring' | 'planes';
  bits: number;
  elements: number;
  planes: number;
}): number {
  if (value.layout === 'planes') return value.planes * Math.ceil(value.elements / 64) * 8;
  return Math.ceil((value.elements * value.bits) / 64) * 8;
}

/** Bytes of a value in a party's memory. */
export function memoryBytes(value: { layout: 'ring' | 'planes'; elements: number; planes: number }): number {
  return value.layout === 'planes' ? value.planes * Math.ceil(value.elements / 64) * 8 : value.elements * 8;
}

export function allParties(n: number): PartySet {
  return 2 ** n - 1;
}

export function has(set: PartySet, party: number): boolean {
  return ((set >> party) & 1) === 1;
}

export function partiesOf(set: PartySet): number[] {
  const list: number[] = [];
  for (let p = 0; set >> p > 0; p++) if (has(set, p)) list.push(p);
  return list;
}

/** Whether a set has exactly one member. */
export function isSingle(set: PartySet): boolean {
  return set !== 0 && (set & (set - 1)) === 0;
}

/** The one party that adds public terms to its share. */
export function leadOf(set: PartySet): number {
  return 31 - Math.clz32(set & -set);
}

/** JSON with sorted keys and bigints as strings: equal programs give equal text. */
export function canonicalJson(data: unknown): string {
  return JSON.stringify(data, (_key, v: unknown) => {
    if (typeof v === 'bigint') return `${v}n`;
    if (v !== null && typeof v === 'object' && !Array.isArray(v)) {
      return Object.fromEntries(Object.entries(v).sort(([a], [b]) => (a < b ? -1 : 1)));
    }
    return v;
  });
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** Covers everything the parties must agree on, order included. */
export function programHash(program: Program): string {
  return sha256(canonicalJson(program));
}

/** Covers what stored dealer material depends on: masks, what they open, and the correlations dealt on them. */
export function materialHash(program: Program): string {
  const masks = program.values.filter((v) => v.world === 'mask' || v.origin.kind === 'deal');
  const derivations = program.steps.filter(
    (s) => s.kind === 'deal' || (s.kind === 'kernel' && s.world === 'mask'),
  );
  const openings = program.steps.flatMap((s) => (s.kind === 'exchange' ? s.segments : []));
  return sha256(
    canonicalJson({ version: program.version, parties: program.parties, masks, derivations, openings }),
  );
}
