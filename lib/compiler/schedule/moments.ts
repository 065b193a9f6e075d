// When every value exists at every party.
//
// A party's part of a share waits only for the operands that it has a part of (presence.ts). So the parts of one share
// may exist at different times: where one party holds the weights, the others know their shares of a linear layer
// before any input, and can send them ahead. A moment of a party is a phase and how many frames of it, each waiting for
// the one before, must have arrived. All moments are found in one pass over the program, whose steps never wait for
// later ones.

import {
  type DealStep,
  type ExchangeStep,
  has,
  type KernelStep,
  type PartySet,
  PHASES,
  type Program,
  type Segment,
  type Value,
} from '../program';
import { neededAt, operandsAt, runsAt } from './presence';

/** A phase and a number of frames, as one number that grows with time. */
export type Moment = number;
const ROUNDS: number = 2 ** 32;

function moment(phase: number, round: number): Moment {
  return phase * ROUNDS + round;
}

/** Index of the phase that a moment belongs to. */
export function phaseOf(at: Moment): number {
  return Math.floor(at / ROUNDS);
}

/** Frames of its phase that must have arrived one after the other. */
export function roundOf(at: Moment): number {
  return at % ROUNDS;
}

/** What a party does in a moment: a step of the program, or its part of one. */
export type Operation =
  | { readonly kind: 'kernel'; readonly step: KernelStep }
  | { readonly kind: 'deal'; readonly step: DealStep }
  | { readonly kind: 'pack' | 'sum'; readonly segment: Segment; readonly to: PartySet }
  | { readonly kind: 'cut'; readonly segment: Segment }
  | { readonly kind: 'reduce'; readonly segment: Segment }
  | { readonly kind: 'gather'; readonly segment: Segment };

/** What belongs to one run is not computed before its offline phase. */
function earliest(v: Value): Moment {
  return moment(v.life === 'state' ? 0 : 1, 0);
}

/** What one party does and when; operations of one moment are in the order of the program. */
export class PartyTimes {
  private readonly written: (Moment | undefined)[] = [];
  private readonly operations = new Map<Moment, Operation[]>();
  readonly sent: Map<Segment, Moment> = new Map();
  readonly needed: ReadonlySet<number>;

  constructor(
    private readonly program: Program,
    readonly party: number,
  ) {
    this.needed = neededAt(program, party);
  }

  /** When a value is there; what is zero here always was. */
  of(id: number): Moment {
    const v = this.program.values[id] as Value;
    if (v.world === 'share' && !has(v.parties, this.party)) return 0;
    const start = moment(PHASES.indexOf(v.phase), 0);
    switch (v.origin.kind) {
      case 'zero':
        return 0;
      case 'view':
        return this.of(v.origin.of);
      case 'deal':
        return v.origin.corrected === this.party ? start + 1 : start;
      case 'step': {
        const at = this.written[id];
        if (at === undefined) throw new Error(`value ${id} is not known to party ${this.party}`);
        return at;
      }
      default:
        return start;
    }
  }

  write(id: number, at: Moment): void {
    this.written[id] = at;
  }

  add(at: Moment, operation: Operation): void {
    const list = this.operations.get(at);
    if (list === undefined) this.operations.set(at, [operation]);
    else list.push(operation);
  }

  /** Operations by moment, in order. */
  moments(): (readonly [Moment, readonly Operation[]])[] {
    return [...this.operations].sort(([a], [b]) => a - b);
  }
}

/** What every party does and when. */
export function partyTimes(program: Program): readonly PartyTimes[] {
  const pass = new Pass(program);
  for (const step of program.steps) {
    if (step.kind === 'kernel') pass.kernel(step);
    else if (step.kind === 'exchange') pass.exchange(step);
    else pass.deal(step);
  }
  return pass.parties;
}

class Pass {
  readonly parties: readonly PartyTimes[];

  constructor(private readonly program: Program) {
    this.parties = Array.from({ length: program.parties }, (_, p) => new PartyTimes(program, p));
  }

  private value(id: number): Value {
    return this.program.values[id] as Value;
  }

  kernel(step: KernelStep): void {
    for (const times of this.parties) {
      if (!runsAt(this.program, step, times.party) || !step.out.some((id) => times.needed.has(id))) continue;
      const present = operandsAt(this.program, step, times.party);
      const operands = step.in.filter((_, i) => present[i]).map((o) => times.of(o.value));
      const outs = step.out.filter((id) => id >= 0);
      const at = Math.max(...outs.map((id) => earliest(this.value(id))), ...operands);
      for (const id of outs) times.write(id, at);
      times.add(at, { kind: 'kernel', step });
    }
  }

  exchange(step: ExchangeStep): void {
    for (const segment of step.segments) {
      const out = this.value(segment.out);
      for (const times of this.parties) {
        if (!has(segment.senders, times.party)) continue;
        const to = step.audience & ~(2 ** times.party);
        const listens = has(step.audience, times.party) && times.needed.has(out.id);
        if (to === 0 && !listens) continue;
        const at = Math.max(earliest(out), times.of(segment.share));
        times.sent.set(segment, at);
        if (segment.sliced) times.add(at, { kind: 'cut', segment });
        else if (to !== 0) times.add(at, { kind: 'pack', segment, to });
      }
      const summed = this.parties.map((times) => this.allSent(segment, times));
      for (const times of this.parties) {
        if (!has(step.audience, times.party)) continue;
        const own = summed[times.party] as Moment;
        if (segment.sliced) times.add(own, { kind: 'reduce', segment });
        const at = segment.sliced
          ? Math.max(own, ...summed.filter((_, p) => p !== times.party).map((m) => m + 1))
          : own;
        times.write(out.id, at);
        if (!times.needed.has(out.id)) continue;
        times.add(
          at,
          segment.sliced ? { kind: 'gather', segment } : { kind: 'sum', segment, to: step.audience },
        );
      }
    }
  }

  /** When a party has all contributions to a segment. */
  private allSent(segment: Segment, to: PartyTimes): Moment {
    const contributions = this.parties.flatMap((from) => {
      const at = from.sent.get(segment);
      return at === undefined ? [] : [from === to ? at : at + 1];
    });
    return Math.max(...contributions);
  }

  deal(step: DealStep): void {
    this.parties[step.to]?.add(moment(PHASES.indexOf(step.phase), 1), { kind: 'deal', step });
  }
}
