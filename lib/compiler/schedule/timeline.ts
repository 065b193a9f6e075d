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

/**
 * A frame is closed once it holds this many bytes: what is complete travels while the rest of its round is computed. Less
 * than that is not worth a frame of its own (a record of TLS has as much).
 */
const FRAME_BYTES: number = 16 << 10;

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
  private readonly framesOf: readonly Map<Segment, Frame[]>[];
  /** By party: frames that arrive, by when, in the order of each link. */
  private readonly arrivals: readonly Map<Moment, Frame[]>[];
  private readonly steps: readonly RoleStep[][][];

  constructor(private readonly program: Program) {
    this.parties = partyTimes(program);
    this.framesOf = this.parties.map(() => new Map());
    this.arrivals = this.parties.map(() => new Map());
    this.steps = this.parties.map(() => PHASES.map(() => []));
  }

  run(): Timeline {
    const { parties } = this;
    const pending = new Set(parties.flatMap((times) => times.moments().map(([m]) => m)));
    const operations = parties.map((times) => new Map(times.moments()));
    // What is sent in one moment arrives in the next, so moments are complete when their turn comes.
    for (let next = Math.min(...pending); pending.size > 0; next = Math.min(...pending)) {
      pending.delete(next);
      parties.forEach((times, p) => {
        new Stage(this.stage(times.party, next), operations[p]?.get(next) ?? []).run();
      });
      if (this.arrivals.some((a) => a.has(next + 1))) pending.add(next + 1);
    }
    return {
      frames: this.frames,
      steps: (role) => this.steps[role] ?? this.inOrder(),
      sent: (segment, party) => parties[party]?.sent.get(segment),
    };
  }

  private stage(party: number, at: Moment): StageContext {
    return {
      program: this.program,
      party,
      incoming: this.arrivals[party]?.get(at) ?? [],
      emit: (step) => this.steps[party]?.[phaseOf(at)]?.push(step),
      frame: (to, slice) => ({
        id: FIRST_ROUND * (phaseOf(at) + 1) + roundOf(at),
        from: party,
        to,
        sent: at,
        segments: [],
        ...(slice && { slice }),
      }),
      add: (frame, segment) => {
        frame.segments.push(segment);
        const known = this.framesOf[party]?.get(segment);
        if (known === undefined) this.framesOf[party]?.set(segment, [frame]);
        else known.push(frame);
      },
      send: (frame) => {
        this.frames.push(frame);
        for (const p of partiesOf(frame.to)) {
          const list = this.arrivals[p]?.get(at + 1);
          if (list === undefined) this.arrivals[p]?.set(at + 1, [frame]);
          else list.push(frame);
        }
      },
      carrying: (segment) => this.framesOf.flatMap((of) => of.get(segment) ?? []),
    };
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

/** A frame that is being filled. */
type OpenFrame = Frame & { readonly segments: Segment[] };

interface StageContext {
  readonly program: Program;
  readonly party: number;
  /** In the order of each link. */
  readonly incoming: readonly Frame[];
  readonly emit: (step: RoleStep) => void;
  readonly frame: (to: PartySet, slice?: Frame['slice']) => OpenFrame;
  readonly add: (frame: OpenFrame, segment: Segment) => void;
  readonly send: (frame: Frame) => void;
  /** Frames so far, of all senders, that carry something of a segment. */
  readonly carrying: (segment: Segment) => readonly Frame[];
}

/**
 * One party in one moment: it waits for a frame only when it needs it, and sends what it has before it waits. Frames that
 * it does not need yet are received at the end.
 */
class Stage {
  private readonly open = new Map<PartySet, { readonly frame: OpenFrame; bytes: number }>();
  private readonly received = new Set<Frame>();

  constructor(
    private readonly context: StageContext,
    private readonly operations: readonly Operation[],
  ) {}

  run(): void {
    for (const o of this.operations) if (o.kind === 'deal') this.context.emit(o);
    for (const o of this.operations) this.operation(o);
    this.flush();
    for (const frame of this.context.incoming) this.receive(frame);
  }

  private operation(o: Operation): void {
    const { emit, party, program } = this.context;
    switch (o.kind) {
      case 'deal':
        break;
      case 'kernel':
        emit(o);
        break;
      case 'pack':
        this.pack(o.segment, o.to);
        break;
      case 'sum':
        emit({ kind: 'sum', segment: o.segment, frames: this.receiveAll(o.segment) });
        break;
      case 'cut':
        emit(o);
        this.slices(o.segment).forEach((slice, p) => {
          if (p !== party) this.sendSlice(o.segment, 2 ** p, { ...slice, opened: false });
        });
        break;
      case 'reduce': {
        const slice = this.slices(o.segment)[party] as Slice;
        const frames = this.receiveAll(o.segment, false).filter((f) => f.from !== party && has(f.to, party));
        if (slice.elements === 0) break;
        emit({ kind: 'reduce', segment: o.segment, slice, frames });
        this.sendSlice(o.segment, allParties(program.parties) & ~(2 ** party), { ...slice, opened: true });
        break;
      }
      case 'gather':
        this.receiveAll(o.segment, true);
        emit(o);
        break;
    }
  }

  private slices(segment: Segment): Slice[] {
    const { program } = this.context;
    return slicesOf(program.values[segment.out] as Value, program.parties);
  }

  private sendSlice(segment: Segment, to: PartySet, slice: NonNullable<Frame['slice']>): void {
    if (slice.elements === 0) return;
    const frame = this.context.frame(to, slice);
    this.context.add(frame, segment);
    this.send(frame);
  }

  private pack(segment: Segment, to: PartySet): void {
    const filling = this.open.get(to) ?? { frame: this.context.frame(to), bytes: 0 };
    this.open.set(to, filling);
    const { frame } = filling;
    this.context.add(frame, segment);
    this.context.emit({ kind: 'pack', segment, frame });
    filling.bytes += wireBytes(this.context.program.values[segment.out] as Value);
    if (filling.bytes < FRAME_BYTES) return;
    this.open.delete(to);
    this.send(frame);
  }

  private send(frame: Frame): void {
    this.context.emit({ kind: 'send', frame });
    this.context.send(frame);
  }

  private flush(): void {
    for (const { frame } of this.open.values()) this.send(frame);
    this.open.clear();
  }

  /** Waits for what arrives of a segment; gives all frames that carry it, this party's own among them. */
  private receiveAll(segment: Segment, opened?: boolean): readonly Frame[] {
    const frames = this.context.carrying(segment).filter((f) => f.slice?.opened === opened);
    for (const frame of frames) if (this.context.incoming.includes(frame)) this.receive(frame);
    return frames;
  }

  /** With all frames before it on its link. */
  private receive(frame: Frame): void {
    if (this.received.has(frame)) return;
    this.flush();
    for (const f of this.context.incoming) {
      if (f.from !== frame.from || this.received.has(f)) continue;
      this.received.add(f);
      this.context.emit({ kind: 'receive', frame: f });
      if (f === frame) return;
    }
  }
}
