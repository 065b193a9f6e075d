// Where a role keeps what it computes, sends and receives. A place belongs to a region by how long it is used: state from
// setup on, material from offline to online, everything else is work. Offsets are set once all places are known (arena.ts).

import { memoryBytes, type Origin, type Program, type Segment, type Value, wireBytes } from '../program';
import type { Buffer, Place, Region } from './plan';
import { operandsAt, runsAt } from './presence';
import { type Frame, type RoleStep, segmentBytes } from './timeline';

/** Packed values of a sliced segment as a whole: this party's contribution, or the opening. */
type Whole = 'cut' | 'opened';

export class RoleMemory {
  /** Index of the phase whose steps are placed. */
  phase = 0;
  private readonly places = new Map<number, Place>();
  private readonly corrections = new Map<number, Place>();
  private readonly contributions = new Map<Frame, ReadonlyMap<Segment, Place>>();
  private readonly wholes = { cut: new Map<Segment, Place>(), opened: new Map<Segment, Place>() };
  private readonly last: LastUses;

  constructor(
    private readonly program: Program,
    private readonly role: number,
    steps: readonly (readonly RoleStep[])[],
  ) {
    this.last = lastUses(program, role, steps);
  }

  private value(id: number): Value {
    return this.program.values[id] as Value;
  }

  private buffer(bytes: number, last: number): Buffer {
    return { region: this.region(last), bytes, offset: 0 };
  }

  private region(last: number): Region {
    if (this.phase === 0 && last > 0) return 'state';
    return this.phase === 1 && last > 1 ? 'material' : 'work';
  }

  /** A place for a value that is written now. */
  define(v: Value): Place {
    const place = { buffer: this.buffer(memoryBytes(v), this.last.value(v.id)), at: 0 };
    this.places.set(v.id, place);
    return place;
  }

  /** Where a value lies; null if it was not written here. */
  placeOf(v: Value): Place | null {
    if (v.origin.kind !== 'view') return this.places.get(v.id) ?? null;
    const base = this.placeOf(this.value(v.origin.of));
    return base === null ? null : { buffer: base.buffer, at: base.at + v.origin.offset * 8 };
  }

  /** Corrections of dealt values, one after the other: at the corrected party they stay in the frame. */
  deal(values: readonly Value[], keep: boolean): { buffer: Buffer; places: readonly Place[] } {
    const bytes = values.reduce((sum, v) => sum + wireBytes(v), 0);
    const buffer = this.buffer(bytes, keep ? Math.max(...values.map((v) => this.last.value(v.id))) : -1);
    let at = 0;
    const places = values.map((v) => {
      const place = { buffer, at };
      at += wireBytes(v);
      if (keep) this.corrections.set(v.id, place);
      return place;
    });
    return { buffer, places };
  }

  correctionOf(v: Value): Place | null {
    return this.corrections.get(v.id) ?? null;
  }

  /** Where a frame has the contribution to a segment; one after the other, in memory of their own. */
  contribution(frame: Frame, segment: Segment): Place {
    let places = this.contributions.get(frame);
    if (places === undefined) {
      const sizes = frame.segments.map((s) => segmentBytes(this.program, frame, s));
      const bytes = sizes.reduce((sum, size) => sum + size, 0);
      const buffer = this.buffer(bytes, this.last.frame(frame));
      let at = 0;
      places = new Map(
        frame.segments.map((s, i) => {
          const place = { buffer, at };
          at += sizes[i] as number;
          return [s, place];
        }),
      );
      this.contributions.set(frame, places);
    }
    return places.get(segment) as Place;
  }

  /** Slices are sent from, and opened ones received to, where they lie in the whole. */
  placeOfFrame(frame: Frame): Place {
    const [first] = frame.segments as [Segment];
    const { slice } = frame;
    if (slice === undefined || (!slice.opened && frame.from !== this.role))
      return { buffer: this.contribution(frame, first).buffer, at: 0 };
    const { buffer, at } = this.whole(first, slice.opened ? 'opened' : 'cut');
    return { buffer, at: at + slice.offset };
  }

  /** All slices of a segment, one after the other: of this party's contribution, or of the opening. */
  whole(segment: Segment, what: Whole): Place {
    const known = this.wholes[what].get(segment);
    if (known !== undefined) return known;
    const bytes = wireBytes(this.value(segment.out));
    const place = { buffer: this.buffer(bytes, this.last.whole(segment, what)), at: 0 };
    this.wholes[what].set(segment, place);
    return place;
  }
}

/** The last phase in which a role uses a value, or a contribution of a frame; -1: never. */
interface LastUses {
  readonly value: (id: number) => number;
  readonly frame: (frame: Frame) => number;
  readonly whole: (segment: Segment, what: Whole) => number;
}

/** Views and dealt values use what they are made of. */
function lastUses(program: Program, role: number, steps: readonly (readonly RoleStep[])[]): LastUses {
  const values = program.values.map(() => -1);
  const frames = new Map<Frame, number>();
  const wholes = { cut: new Map<Segment, number>(), opened: new Map<Segment, number>() };
  const use = (id: number, phase: number): void => {
    values[id] = Math.max(values[id] as number, phase);
  };
  steps.forEach((list, phase) => {
    for (const s of list) {
      if (s.kind === 'kernel') {
        if (!runsAt(program, s.step, role)) continue;
        const present = operandsAt(program, s.step, role);
        s.step.in.forEach((o, i) => {
          if (present[i]) use(o.value, phase);
        });
      } else if (s.kind === 'deal')
        for (const id of s.step.values)
          use(((program.values[id] as Value).origin as Origin & { kind: 'deal' }).mask, phase);
      else if (s.kind === 'pack' || s.kind === 'cut') use(s.segment.share, phase);
      else if (s.kind === 'reduce') {
        wholes.cut.set(s.segment, phase);
        for (const f of s.frames) frames.set(f, phase);
      } else if (s.kind === 'gather') wholes.opened.set(s.segment, phase);
      else if (s.kind === 'sum') {
        for (const f of s.frames) frames.set(f, phase);
        if (!s.frames.some((f) => f.from === role)) use(s.segment.share, phase);
      }
    }
  });
  for (const io of program.ios) {
    if (io.kind !== 'output') continue;
    use(io.value, 2);
    if (io.clear >= 0) use(io.clear, 2);
  }
  for (const v of [...program.values].reverse()) {
    if (v.origin.kind === 'view') use(v.origin.of, values[v.id] as number);
  }
  return {
    value: (id) => values[id] as number,
    frame: (frame) => frames.get(frame) ?? -1,
    whole: (segment, what) => wholes[what].get(segment) ?? -1,
  };
}
