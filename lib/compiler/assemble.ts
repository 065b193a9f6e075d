// From what protocols have written down (joint.ts) to a Program: who receives each correction, and all steps in order.
//
// A phase is the dealer's part first: its arithmetic, with corrections sent in frames as they become known. Then, level
// by level, what is exchanged and what is computed from it, and the cleartext twin last.

import { type Correction, type Corrections, correctionsOf } from './corrections';
import {
  type Io,
  type KernelStep,
  type Origin,
  type PartySet,
  PHASES,
  type Phase,
  type Program,
  type ProgramNode,
  type Segment,
  type Step,
  type Value,
  wireBytes,
} from './program';

/** A part of an exchange before its round is put together. */
export interface PendingSegment extends Segment {
  readonly phase: Phase;
  readonly level: number;
  readonly audience: PartySet;
}

/** A dealt value, known once the dealer has taken `after` steps. */
export interface PendingDeal {
  readonly value: Value;
  readonly after: number;
}

/** What a program is made of. */
export interface Parts {
  /** Number of parties. */
  readonly n: number;
  readonly values: readonly Value[];
  readonly kernelSteps: readonly KernelStep[];
  readonly segments: readonly PendingSegment[];
  readonly deals: readonly PendingDeal[];
  readonly nodes: readonly ProgramNode[];
  readonly ios: readonly Io[];
  /** The one party that receives corrections; undefined where they are spread. */
  readonly corrected: number | undefined;
  readonly dealFrameBytes: number;
}

/** The program of these parts. */
export function assemble(name: string, parts: Parts): Program {
  const { n, kernelSteps, nodes, ios } = parts;
  const corrections = correctionsOf(n, parts.values, kernelSteps, parts.corrected);
  const steps: Step[] = [];
  let exchange = 0;
  for (const phase of PHASES) {
    const kernels = kernelSteps.filter((s) => s.phase === phase);
    const segments = parts.segments.filter((s) => s.phase === phase);
    steps.push(...dealing(phase, parts, corrections, () => exchange++));
    const levels = Math.max(0, ...kernels.map((s) => s.level), ...segments.map((s) => s.level));
    for (let level = 0; level <= levels; level++) {
      const round = segments.filter((s) => s.level === level);
      for (const audience of new Set(round.map((s) => s.audience))) {
        const own = round.filter((s) => s.audience === audience);
        const plain = own.map(({ phase: _phase, level: _level, audience: _audience, ...segment }) => segment);
        steps.push({ kind: 'exchange', id: exchange++, phase, level, audience, segments: plain });
      }
      steps.push(
        ...kernels.filter((s) => s.level === level && (s.world === 'share' || s.world === 'public')),
      );
    }
    steps.push(...kernels.filter((s) => s.world === 'clear'));
  }
  const values = parts.values.map((v) => settled(v, corrections));
  return { version: 3, name, parties: n, nodes, values, steps, ios };
}

/** The value with who is corrected. */
function settled(v: Value, corrections: Corrections): Value {
  const correction = corrections.get(v.id);
  if (!correction) return v;
  return { ...v, origin: { ...(v.origin as Origin & { kind: 'deal' }), corrected: correction.to } };
}

/** The dealer's part of a phase: its arithmetic, and corrections grouped into frames as they become known. */
function dealing(phase: Phase, parts: Parts, corrections: Corrections, nextId: () => number): Step[] {
  const steps: Step[] = [];
  // What is kept does not share a frame with what is not, so that no frame is kept for a part of it.
  const pending = new Map<string, { to: number; values: number[]; bytes: number }>();
  const close = (key: string): void => {
    const frame = pending.get(key);
    if (frame === undefined) return;
    steps.push({ kind: 'deal', id: nextId(), phase, to: frame.to, values: frame.values });
    pending.delete(key);
  };
  const deals = parts.deals.filter((d) => d.value.phase === phase);
  let next = 0;
  const take = (until: number): void => {
    for (let d = deals[next]; d !== undefined && d.after <= until; d = deals[++next]) {
      const { to, kept } = corrections.get(d.value.id) as Correction;
      const key = `${to} ${kept}`;
      const frame = pending.get(key) ?? { to, values: [], bytes: 0 };
      frame.values.push(d.value.id);
      frame.bytes += wireBytes(d.value);
      pending.set(key, frame);
      if (frame.bytes >= parts.dealFrameBytes) close(key);
    }
  };
  for (const [index, s] of parts.kernelSteps.entries()) {
    if (s.phase !== phase || s.world !== 'mask') continue;
    take(index);
    steps.push(s);
  }
  take(Number.POSITIVE_INFINITY);
  for (const key of [...pending.keys()]) close(key);
  return steps;
}
