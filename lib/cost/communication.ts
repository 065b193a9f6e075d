// Communication of a program, read off it without running anything: bytes each party sends, bytes the dealer sends to
// each party, and rounds, per phase and per node of the model.
//
// Bytes are application frames, header included. Rounds are the depth of the graph of frames: every role has a clock,
// a frame carries its sender's clock plus one, and who receives it moves on to at least that (Lamport). A party that
// need not wait does not add a round. Which frames there are follows from what each party knows when
// (compiler/schedule/timeline.ts).

import {
  type DealStep,
  FRAME_HEADER_BYTES,
  PHASES,
  type Phase,
  type Program,
  partiesOf,
  wireBytes,
} from '../compiler/program';
import { phaseOf, roundOf } from '../compiler/schedule/moments';
import { type Frame, segmentBytes, timelineOf } from '../compiler/schedule/timeline';

/** What one phase sends; frame headers are included in bytes. */
export interface PhaseCommunication {
  /** Depth of the graph of frames: how many wait for each other in a row. */
  readonly rounds: number;
  /** Bytes sent by each party to the other parties. */
  readonly bytesSent: readonly number[];
  /** Bytes sent by the dealer to each party. */
  readonly dealerBytes: readonly number[];
}

/** By phase. */
export type Communication = Readonly<Record<Phase, PhaseCommunication>>;

/**
 * Payload caused by one node of the model: bytes over all senders and receivers, and rounds in which frames have a part
 * of it, at the party that sees most of them. Nodes share rounds.
 */
export interface NodeCommunication {
  /** Rounds that it has a part in. */
  readonly rounds: number;
  /** Without frame headers. */
  readonly bytes: number;
}

/** Cost of a program. */
export interface Profile {
  /** Of the whole program. */
  readonly total: Communication;
  /** Indexed as Program.nodes. */
  readonly nodes: readonly Readonly<Record<Phase, NodeCommunication>>[];
}

class PhaseCounter {
  readonly bytesSent: number[];
  readonly dealerBytes: number[];
  private rounds = 0;
  /** By node: rounds that each party takes part in, whether the dealer sends something for it, bytes. */
  private readonly nodes: { rounds: Set<number>[]; dealt: boolean; bytes: number }[];

  constructor(private readonly program: Program) {
    const each = <T>(make: () => T): T[] => Array.from({ length: program.parties }, make);
    this.bytesSent = each(() => 0);
    this.dealerBytes = each(() => 0);
    this.nodes = program.nodes.map(() => ({ rounds: each(() => new Set<number>()), dealt: false, bytes: 0 }));
  }

  private bytesOf(id: number): number {
    return wireBytes(this.program.values[id] as Program['values'][number]);
  }

  private nodeOf(id: number): PhaseCounter['nodes'][number] | undefined {
    return this.nodes[this.program.values[id]?.node as number];
  }

  frame(frame: Frame): void {
    const { from, to, sent, segments } = frame;
    const round = roundOf(sent) + 1;
    const receivers = partiesOf(to);
    this.rounds = Math.max(this.rounds, round);
    const bytes = segments.map((s) => segmentBytes(this.program, frame, s));
    const payload = bytes.reduce((sum, b) => sum + b, 0);
    this.bytesSent[from] =
      (this.bytesSent[from] as number) + receivers.length * (FRAME_HEADER_BYTES + payload);
    segments.forEach((s, i) => {
      const node = this.nodeOf(s.out);
      if (node === undefined) return;
      node.bytes += receivers.length * (bytes[i] as number);
      for (const p of [from, ...receivers]) node.rounds[p]?.add(round);
    });
  }

  /** Corrections travel one way, frame after frame: for a node they are one round, however many frames carry them. */
  deal(step: DealStep): void {
    this.rounds = Math.max(this.rounds, 1);
    const payload = step.values.reduce((sum, id) => sum + this.bytesOf(id), 0);
    this.dealerBytes[step.to] = (this.dealerBytes[step.to] as number) + FRAME_HEADER_BYTES + payload;
    for (const id of step.values) {
      const node = this.nodeOf(id);
      if (node === undefined) continue;
      node.bytes += this.bytesOf(id);
      node.dealt = true;
    }
  }

  total(): PhaseCommunication {
    return { rounds: this.rounds, bytesSent: this.bytesSent, dealerBytes: this.dealerBytes };
  }

  node(index: number): NodeCommunication {
    const { rounds, dealt, bytes } = this.nodes[index] as PhaseCounter['nodes'][number];
    return { rounds: Math.max(...rounds.map((r) => r.size)) + (dealt ? 1 : 0), bytes };
  }
}

/** Communication of every phase and node of a program. */
export function profile(program: Program): Profile {
  const { frames } = timelineOf(program);
  const phases = Object.fromEntries(
    PHASES.map((phase) => {
      const counter = new PhaseCounter(program);
      for (const frame of frames) if (PHASES[phaseOf(frame.sent)] === phase) counter.frame(frame);
      for (const step of program.steps) if (step.phase === phase && step.kind === 'deal') counter.deal(step);
      return [phase, counter];
    }),
  ) as Record<Phase, PhaseCounter>;
  const each = <T>(f: (c: PhaseCounter) => T): Record<Phase, T> => ({
    setup: f(phases.setup),
    offline: f(phases.offline),
    online: f(phases.online),
  });
  return { total: each((c) => c.total()), nodes: program.nodes.map((_, i) => each((c) => c.node(i))) };
}
