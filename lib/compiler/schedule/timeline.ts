// The frames that follow from when every party knows what (moments.ts), and every role's steps in order.
//
// What a party sends to the same peers in one moment is one frame. All frames that wait for equally many others are a
// round: they carry its number, and everybody handles the rounds of a phase in order. So the frames of a link come in
// the order in which they are expected, and nobody waits for a frame that is itself waiting for him.

import {
  allParties,
  type DealStep,
  has,
  type KernelStep,
  type PartySet,
  PHASES,
  type Program,
  partiesOf,
  type Segment,
  type Value,
  wireBytes,
} from '../program';
import { type Moment, type Operation, type PartyTimes, partyTimes, phaseOf, roundOf } from './moments';
import { type Slice, slicesOf } from './slices';

/** A frame is closed once it holds this many bytes: what is complete travels while the rest is computed. */
const FRAME_BYTES: number = 1 << 20;

/** On the wire, rounds are numbered from this in setup, twice this offline, three times online; dealer's frames from 0. */
const FIRST_ROUND: number = 2 ** 24;

/** One sender's contributions to openings, one after the other, for everybody in `to`. */
export interface Frame {
  /** Number on the wire: that of its round. */
  readonly id: number;
  readonly from: number;
  readonly to: PartySet;
  /** When it is sent; it arrives in the round after that. */
  readonly sent: Moment;
  readonly segments: readonly Segment[];
  /** Of a sliced segment, which is alone in its frames: a slice of a contribution, or of the opening itself. */
  readonly slice?: Slice & { readonly opened: boolean };
}

/** Bytes of a frame that belong to one of its segments. */
export function segmentBytes(program: Program, frame: Frame, segment: Segment): number {
  return frame.slice?.bytes ?? wireBytes(program.values[segment.out] as Value);
}

/** What a role does, in order. */
export type RoleStep =
  | { readonly kind: 'kernel'; readonly step: KernelStep }
  | { readonly kind: 'deal'; readonly step: DealStep }
  | { readonly kind: 'receive' | 'send'; readonly frame: Frame }
  | { readonly kind: 'pack'; readonly segment: Segment; readonly frame: Frame }
  /** A contribution to a sliced segment, of which slices are sent. */
  | { readonly kind: 'cut'; readonly segment: Segment }
  /** The slice of an opening that this party sums up for everybody, from its own contribution and `frames`. */
  | {
      readonly kind: 'reduce';
      readonly segment: Segment;
      readonly slice: Slice;
      readonly frames: readonly Frame[];
    }
  /** The opening of a sliced segment, whose slices are all there. */
  | { readonly kind: 'gather'; readonly segment: Segment }
  /** The opening of a segment from the contributions in `frames`; without one of its own it adds its own share. */
  | { readonly kind: 'sum'; readonly segment: Segment; readonly frames: readonly Frame[] };

export interface Timeline {
  readonly frames: readonly Frame[];
  /** Steps of a party, of the dealer or of the cleartext evaluator by phase. */
  readonly steps: (role: number) => readonly (readonly RoleStep[])[];
  /** When a sender's part of what is opened exists; undefined where nobody wants it. */
  readonly sent: (segment: Segment, party: number) => Moment | undefined;
}

const timelines = new WeakMap<Program, Timeline>();

/** Computed once for a program. */
export function timelineOf(program: Program): Timeline {
  const known = timelines.get(program);
  if (known !== undefined) return known;
  const made = new Scheduler(program).run();
  timelines.set(program, made);
  return made;
}

class Scheduler {
  private readonly parties: readonly PartyTimes[];
  private readonly frames: Frame[] = [];
  /** The frames of each sender that carry something of a segment. */
  private readonly framesOf: readonly Map<Segment, readonly Frame[]>[];

  constructor(private readonly program: Program) {
    this.parties = partyTimes(program);
    this.framesOf = this.parties.map(() => new Map());
  }

  run(): Timeline {
    for (const times of this.parties) this.group(times);
    return {
      frames: this.frames,
      steps: (role) => (role < this.program.parties ? this.partySteps(role) : this.inOrder()),
      sent: (segment, party) => this.parties[party]?.sent.get(segment),
    };
  }

  private value(id: number): Value {
    return this.program.values[id] as Value;
  }

  /** Frames of one sender, in the order in which they are complete. */
  private group(times: PartyTimes): void {
    for (const [at, operations] of times.moments()) {
      const open = new Map<PartySet, { to: PartySet; segments: Segment[]; bytes: number; last: number }>();
      const closed: { to: PartySet; segments: Segment[]; last: number; slice?: Frame['slice'] }[] = [];
      operations.forEach((o, i) => {
        if (o.kind === 'cut' || o.kind === 'reduce')
          closed.push(...this.slices(times.party, o.segment, o.kind).map((f) => ({ ...f, last: i })));
        if (o.kind !== 'pack') return;
        const frame = open.get(o.to) ?? { to: o.to, segments: [], bytes: 0, last: 0 };
        frame.segments.push(o.segment);
        frame.bytes += wireBytes(this.value(o.segment.out));
        frame.last = i;
        open.set(o.to, frame);
        if (frame.bytes < FRAME_BYTES) return;
        closed.push(frame);
        open.delete(o.to);
      });
      closed.push(...open.values());
      closed.sort((a, b) => a.last - b.last);
      const id = FIRST_ROUND * (phaseOf(at) + 1) + roundOf(at);
      for (const { to, segments, slice } of closed) {
        const frame: Frame = { id, from: times.party, to, sent: at, segments, ...(slice && { slice }) };
        this.frames.push(frame);
        for (const s of segments) {
          const known = this.framesOf[times.party]?.get(s) ?? [];
          this.framesOf[times.party]?.set(s, [...known, frame]);
        }
      }
    }
  }

  /** What a party sends of a sliced segment: its part of every other's slice, or its own slice of the opening. */
  private slices(
    party: number,
    segment: Segment,
    kind: 'cut' | 'reduce',
  ): { to: PartySet; segments: Segment[]; slice: NonNullable<Frame['slice']> }[] {
    const opened = kind === 'reduce';
    const everyone = allParties(this.program.parties);
    return slicesOf(this.value(segment.out), this.program.parties).flatMap((slice, p) => {
      if ((p === party) !== opened || slice.elements === 0) return [];
      const to = opened ? everyone & ~(2 ** party) : 2 ** p;
      return [{ to, segments: [segment], slice: { ...slice, opened } }];
    });
  }

  private partySteps(party: number): RoleStep[][] {
    const phases: RoleStep[][] = PHASES.map(() => []);
    const byMoment = new Map<Moment, RoleStep[]>();
    const at = (m: Moment): RoleStep[] => {
      const list = byMoment.get(m) ?? [];
      byMoment.set(m, list);
      return list;
    };
    const times = this.parties[party] as PartyTimes;
    const moments = times.moments();
    // The dealer's frames first, then those of the other parties, then what can be done with them.
    for (const [m, operations] of moments) for (const o of operations) if (o.kind === 'deal') at(m).push(o);
    for (const frame of this.frames)
      if (has(frame.to, party)) at(frame.sent + 1).push({ kind: 'receive', frame });
    for (const [m, operations] of moments) {
      for (const o of operations) if (o.kind !== 'deal') at(m).push(...this.roleSteps(party, o));
    }
    for (const [m, steps] of [...byMoment].sort(([a], [b]) => a - b)) phases[phaseOf(m)]?.push(...steps);
    return phases;
  }

  private roleSteps(party: number, o: Exclude<Operation, { kind: 'deal' }>): RoleStep[] {
    if (o.kind === 'kernel') return [o];
    const { segment } = o;
    const own = this.framesOf[party]?.get(segment) ?? [];
    const all = partiesOf(segment.senders).flatMap((p) => this.framesOf[p]?.get(segment) ?? []);
    const sends = (frames: readonly Frame[]): RoleStep[] => frames.map((frame) => ({ kind: 'send', frame }));
    switch (o.kind) {
      case 'pack': {
        const frame = own[0] as Frame;
        const packed: RoleStep = { kind: 'pack', segment, frame };
        return frame.segments.at(-1) === segment ? [packed, ...sends([frame])] : [packed];
      }
      case 'sum':
        return [{ kind: 'sum', segment, frames: all }];
      case 'cut':
        return [o, ...sends(own.filter((f) => f.slice?.opened === false))];
      case 'reduce': {
        const slice = slicesOf(this.value(segment.out), this.program.parties)[party] as Slice;
        const frames = all.filter((f) => f.slice?.opened === false && has(f.to, party));
        const answers = sends(own.filter((f) => f.slice?.opened));
        return slice.elements === 0 ? [] : [{ kind: 'reduce', segment, slice, frames }, ...answers];
      }
      case 'gather':
        return [o];
    }
  }

  /** The dealer and the cleartext evaluator wait for nobody. */
  private inOrder(): RoleStep[][] {
    return PHASES.map((phase) =>
      this.program.steps.flatMap((step): RoleStep[] =>
        step.phase !== phase || step.kind === 'exchange'
          ? []
          : [step.kind === 'kernel' ? { kind: 'kernel', step } : { kind: 'deal', step }],
      ),
    );
  }
}
