// Projects a joint program to one role: what this party (or the dealer, or the cleartext evaluator) runs.
//
// A share outside its `parties` is zero there and its operand disappears; public terms of a sum enter at the lead
// party alone. A mask's share, or a dealt value, is never stored: the kernel that consumes it expands it from the
// role's own stream, or takes the correction that lies in the dealer's frame if this party is the corrected one.

import {
  type DealStep,
  has,
  type Io,
  type KernelStep,
  type Operand,
  type Origin,
  PHASES,
  type Phase,
  type Program,
  partiesOf,
  type Segment,
  type Value,
  wireBytes,
} from '../program';
import { INTEGER_BITS } from '../widths';
import { layOut } from './arena';
import { RoleMemory } from './memory';
import type { Place, Plan, PlanIo, PlanStep, Sink, Source, Stream } from './plan';
import { leadsAt, neededAt, operandsAt, runsAt } from './presence';
import type { Slice } from './slices';
import { type Frame, type RoleStep, segmentBytes, timelineOf } from './timeline';

const CONTRACTIONS: ReadonlySet<string> = new Set(['matmul', 'conv2d']);

/** Number of roles of a program: the parties, the dealer, the cleartext evaluator. */
export function dealerRole(n: number): number {
  return n;
}

export function cleartextRole(n: number): number {
  return n + 1;
}

/** The plan of a role: a party by its number, the dealer as `parties`. */
export function project(program: Program, role: number): Plan {
  return new Projection(program, role).plan();
}

class Projection {
  private readonly n: number;
  private readonly phases: [PlanStep[], PlanStep[], PlanStep[]] = [[], [], []];
  private readonly steps: readonly (readonly RoleStep[])[];
  private readonly memory: RoleMemory;
  private readonly needed: ReadonlySet<number>;
  private phase = 0;

  constructor(
    private readonly program: Program,
    private readonly role: number,
  ) {
    this.n = program.parties;
    this.needed = neededAt(program, role);
    this.steps = timelineOf(program).steps(role);
    this.memory = new RoleMemory(program, role, this.steps);
  }

  plan(): Plan {
    PHASES.forEach((phase, index) => {
      this.phase = index;
      this.memory.phase = index;
      this.enter(phase);
      for (const step of this.steps[index] as readonly RoleStep[]) this.step(step);
      this.leave(phase);
    });
    const bytes = layOut(this.phases);
    const ios = this.program.ios.map((io) => this.io(io));
    const keys = this.isParty ? this.n + 1 : this.n;
    return {
      parties: this.n,
      role: this.role,
      bytes,
      keys,
      nodes: this.program.nodes.length,
      ios,
      phases: this.phases,
    };
  }

  private get isParty(): boolean {
    return this.role < this.n;
  }

  private value(id: number): Value {
    return this.program.values[id] as Value;
  }

  private emit(step: PlanStep): void {
    (this.phases[this.phase] as PlanStep[]).push(step);
  }

  // ---- inputs and outputs --------------------------------------------------------------------------------------

  private ioValue(io: Io): Value | null {
    const id = this.role === cleartextRole(this.n) ? io.clear : io.value;
    return id < 0 || this.role === dealerRole(this.n) ? null : this.value(id);
  }

  private io(io: Io): PlanIo {
    const v = this.value(io.value);
    const phase = io.kind === 'output' ? 2 : PHASES.indexOf(v.phase);
    return {
      output: io.kind === 'output',
      phase: phase as 0 | 1 | 2,
      elements: v.elements,
      scale: io.scale,
      bits: io.kind === 'output' ? io.bits : INTEGER_BITS,
    };
  }

  private enter(phase: Phase): void {
    this.program.ios.forEach((io, index) => {
      const v = this.ioValue(io);
      if (io.kind === 'output' || v === null || v.phase !== phase || !this.needed.has(v.id)) return;
      if (this.isParty && !has(v.parties, this.role)) return;
      const place = this.memory.define(v);
      if (this.isParty && io.owner === 'secret')
        this.emit({ type: 'share_input', io: index, place, part: this.role, parts: this.n });
      else this.emit({ type: 'input', io: index, place });
    });
  }

  private leave(phase: Phase): void {
    if (phase !== 'online') return;
    this.program.ios.forEach((io, index) => {
      const v = this.ioValue(io);
      if (io.kind !== 'output' || v === null) return;
      const known = this.isParty ? v.world === 'public' && has(v.parties, this.role) : true;
      if (known) this.emit({ type: 'output', io: index, place: this.memory.placeOf(v) as Place });
    });
  }

  // ---- operands ------------------------------------------------------------------------------------------------

  private source(operand: Operand): Source {
    const v = this.value(operand.value);
    const { inner, mid } = operand;
    const form = { layout: v.layout, bits: v.bits, planes: v.planes, elements: v.elements, inner, mid };
    const absent: Source = { ...form, place: null, streams: [], correction: null };
    if (v.world === 'share' && !has(v.parties, this.role)) return absent;
    switch (v.origin.kind) {
      case 'zero':
        return absent;
      case 'uniform':
        return { ...absent, streams: this.allStreams(v, v.origin, v.parties) };
      case 'expand': {
        const origin = this.value(v.origin.mask).origin as Origin & { kind: 'uniform' };
        return { ...absent, streams: [{ key: 0, fresh: v.life === 'run', value: origin.stream, sign: 1 }] };
      }
      case 'deal':
        // The corrected party's share is the correction; the streams of all others hide what is dealt from it.
        if (v.origin.corrected === this.role) return { ...absent, correction: this.memory.correctionOf(v) };
        return {
          ...absent,
          streams: [{ key: 0, fresh: v.life === 'run', value: v.origin.stream, sign: 1 }],
        };
      default: {
        const place = this.memory.placeOf(v);
        if (place === null) throw new Error(`value ${v.id} is not defined at role ${this.role}`);
        return { ...absent, place };
      }
    }
  }

  /** The streams of all parties, at a role that holds all seeds. */
  private allStreams(v: Value, origin: { stream: number }, parties: number): Stream[] {
    return partiesOf(parties).map((p) => ({
      key: p,
      fresh: v.life === 'run',
      value: origin.stream,
      sign: 1,
    }));
  }

  private sink(id: number): Sink {
    if (id < 0) return { place: null, layout: 'planes', bits: 1, planes: 0, elements: 0 };
    const v = this.value(id);
    return {
      place: this.memory.define(v),
      layout: v.layout,
      bits: v.bits,
      planes: v.planes,
      elements: v.elements,
    };
  }

  // ---- steps ---------------------------------------------------------------------------------------------------

  private kernel(step: KernelStep): void {
    if (!runsAt(this.program, step, this.role) || !step.out.some((id) => this.needed.has(id))) return;
    const lead = leadsAt(this.program, step, this.role);
    const present = operandsAt(this.program, step, this.role);
    const sources = step.in.map((o, i) => (present[i] ? this.source(o) : null));
    const { node } = step;
    const put = (kernel: KernelStep['kernel'], ins: readonly Source[], attr: KernelStep['attr']): void =>
      this.emit({
        type: 'kernel',
        kernel,
        node,
        lead,
        in: ins,
        out: step.out.map((id) => this.sink(id)),
        attr,
      });
    const operands = sources.filter((s) => s !== null);
    if (step.kernel === 'lincomb') {
      put('lincomb', operands, [
        step.attr[0] as number,
        ...step.attr.slice(1).filter((_, i) => sources[i] !== null),
      ]);
    } else if (step.kernel === 'copy') {
      put('copy', operands, keepPieces(step.attr, present));
    } else if (CONTRACTIONS.has(step.kernel)) {
      const [a, b, c] = sources;
      if (a && b) put(step.kernel, c ? [a, b, c] : [a, b], c ? step.attr : [...step.attr.slice(0, -1), 0]);
      else if (c) put('lincomb', [c], [0, step.attr.at(-1) as number]);
      else
        throw new Error(
          `${step.kernel} of ${this.program.nodes[node]?.name} has no operand at role ${this.role}`,
        );
    } else {
      put(
        step.kernel,
        sources.map((s, i) => s ?? { ...this.zero(step.in[i] as Operand) }),
        step.attr,
      );
    }
  }

  private zero(operand: Operand): Source {
    const v = this.value(operand.value);
    const { inner, mid } = operand;
    return {
      layout: v.layout,
      bits: v.bits,
      planes: v.planes,
      elements: v.elements,
      inner,
      mid,
      place: null,
      streams: [],
      correction: null,
    };
  }

  private step(step: RoleStep): void {
    switch (step.kind) {
      case 'kernel':
        this.kernel(step.step);
        break;
      case 'deal':
        this.deal(step.step);
        break;
      case 'pack':
        this.pack(step.segment, this.memory.contribution(step.frame, step.segment));
        break;
      case 'send':
        for (const peer of partiesOf(step.frame.to)) this.transfer('send', step.frame, peer);
        break;
      case 'receive':
        this.transfer('receive', step.frame, step.frame.from);
        break;
      case 'sum':
        this.sum(step.segment, step.frames);
        break;
      case 'cut':
        this.pack(step.segment, this.memory.whole(step.segment, 'cut'));
        break;
      case 'reduce':
        this.reduce(step.segment, step.slice, step.frames);
        break;
      case 'gather': {
        const out = this.value(step.segment.out);
        this.sumUp(out, [this.received(out, this.memory.whole(step.segment, 'opened'))], this.sink(out.id));
        break;
      }
    }
  }

  private transfer(type: 'send' | 'receive', frame: Frame, peer: number): void {
    const segments = frame.segments.map((s) => ({
      node: this.value(s.out).node,
      bytes: segmentBytes(this.program, frame, s),
    }));
    const bytes = segments.reduce((sum, s) => sum + s.bytes, 0);
    this.emit({ type, exchange: frame.id, peer, place: this.memory.placeOfFrame(frame), bytes, segments });
  }

  /** This party's slice of an opening, summed up for everybody. */
  private reduce(segment: Segment, slice: Slice, frames: readonly Frame[]): void {
    const { layout, bits, planes, elements } = slice;
    const form = { layout, bits, planes, elements };
    const at = ({ buffer, at }: Place): Place => ({ buffer, at: at + slice.offset });
    const received = (place: Place): Source => ({ ...this.received(form, place) });
    const own = has(segment.senders, this.role) ? [received(at(this.memory.whole(segment, 'cut')))] : [];
    const ins = [...own, ...frames.map((f) => received(this.memory.contribution(f, segment)))];
    const place = at(this.memory.whole(segment, 'opened'));
    this.sumUp(this.value(segment.out), ins, { place, ...form });
  }

  /** A packed value that somebody sent. */
  private received(
    v: Pick<Value, 'bits' | 'planes' | 'elements'> & { layout: string },
    place: Place,
  ): Source {
    const { elements } = v;
    return { ...this.packed(v), inner: 1, mid: elements, place, streams: [], correction: null };
  }

  /** The opening of a segment: contributions from frames, or its own that never was in one. */
  private sum(segment: Segment, frames: readonly Frame[]): void {
    const out = this.value(segment.out);
    const ins = frames.map((frame) => this.received(out, this.memory.contribution(frame, segment)));
    const alone = has(segment.senders, this.role) && !frames.some((f) => f.from === this.role);
    this.sumUp(out, alone ? [...this.masked(segment), ...ins] : ins, this.sink(out.id));
  }

  private packed(v: Pick<Value, 'bits' | 'planes' | 'elements'> & { layout: string }): {
    layout: 'packed' | 'planes';
    bits: number;
    planes: number;
    elements: number;
  } {
    return {
      layout: v.layout === 'planes' ? 'planes' : 'packed',
      bits: v.bits,
      planes: v.planes,
      elements: v.elements,
    };
  }

  /** out = sum (XOR for bits) of the sources, the first with coefficient 1 and the others with `sign`. */
  private sumUp(v: Value, ins: readonly Source[], out: Sink, sign: 1 | -1 = 1): void {
    const kernel = v.layout === 'planes' ? 'xor' : 'lincomb';
    const attr = kernel === 'xor' ? [0] : [0, ...ins.map((_, i) => (i === 0 ? 1 : sign))];
    this.emit({ type: 'kernel', kernel, node: v.node, lead: false, in: ins, out: [out], attr });
  }

  private pack(segment: Segment, place: Place): void {
    const out = this.value(segment.out);
    this.sumUp(out, this.masked(segment), { place, ...this.packed(out) });
  }

  /** This party's share of what is opened, and of its mask. */
  private masked(segment: Segment): Source[] {
    const { elements } = this.value(segment.out);
    const share = this.source({ value: segment.share, inner: 1, mid: elements });
    const mask: Source = { ...share, place: null, correction: null, streams: this.maskStreams(segment) };
    return mask.streams.length > 0 ? [share, mask] : [share];
  }

  /** An opening adds this party's share of the mask; a reveal adds its share of zero, from the pairwise seeds. */
  private maskStreams(segment: Segment): Stream[] {
    if (segment.mask !== undefined) {
      const mask = this.value(segment.mask);
      const origin = mask.origin as Origin & { kind: 'uniform' };
      if (!has(mask.parties, this.role)) return [];
      return [{ key: 0, fresh: mask.life === 'run', value: origin.stream, sign: 1 }];
    }
    return partiesOf(segment.senders)
      .filter((p) => p !== this.role)
      .map((p) => ({
        key: 1 + p,
        fresh: true,
        value: segment.stream as number,
        sign: this.role < p ? 1 : -1,
      }));
  }

  /** Corrections: at the dealer what is dealt minus the streams of all others, at the corrected party a frame to receive. */
  private deal(step: DealStep): void {
    if (this.role !== dealerRole(this.n) && this.role !== step.to) return;
    const values = step.values.map((id) => this.value(id));
    const segments = values.map((v) => ({ node: v.node, bytes: wireBytes(v) }));
    const { buffer, places } = this.memory.deal(values, this.role === step.to);
    const frame = { exchange: step.id, place: { buffer, at: 0 }, bytes: buffer.bytes, segments };
    if (this.role === step.to) {
      this.emit({ type: 'receive', peer: dealerRole(this.n), ...frame });
      return;
    }
    values.forEach((v, i) => {
      const origin = v.origin as Origin & { kind: 'deal' };
      const dealt = this.source({ value: origin.mask, inner: 1, mid: v.elements });
      const streams = this.allStreams(v, origin, v.parties & ~(2 ** step.to));
      const ins = [dealt, { ...dealt, place: null, correction: null, streams }];
      this.sumUp(v, ins, { place: places[i] as Place, ...this.packed(v) }, -1);
    });
    this.emit({ type: 'send', peer: step.to, ...frame });
  }
}

/** Removes pieces of a copy whose operand is zero at this role; what they would have written is filled with zeros. */
function keepPieces(attr: readonly (number | bigint)[], keep: readonly boolean[]): (number | bigint)[] {
  if (keep.every((k) => k)) return [...attr];
  if (Number(attr[0]) !== 0 && Number(attr[1]) !== 0)
    throw new Error('a copy that fills with a number has an operand that some party holds no part of');
  const pieces: (number | bigint)[][] = [];
  for (let at = 3; at < attr.length; ) {
    const length = 3 + 3 * Number(attr[at]);
    pieces.push(attr.slice(at, at + length));
    at += length;
  }
  const kept = pieces.filter((_, i) => keep[i]);
  return [1, 0, kept.length, ...kept.flat()];
}
