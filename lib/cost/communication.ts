// Communication of a program, read off it without running anything: bytes each party sends, bytes the dealer sends to
// each party, and rounds, per phase and per node of the model.
//
// Bytes are application frames, header included. Rounds are the depth of the exchange graph: every role has a clock,
// a frame carries its sender's clock plus one, and who receives it moves on to at least that (Lamport). A party that
// need not wait does not add a round.

import {
  type DealStep,
  type ExchangeStep,
  FRAME_HEADER_BYTES,
  has,
  PHASES,
  type Phase,
  type Program,
  partiesOf,
  wireBytes,
} from '../compiler/program';

export interface PhaseCommunication {
  readonly rounds: number;
  /** Bytes sent by each party to the other parties. */
  readonly bytesSent: readonly number[];
  /** Bytes sent by the dealer to each party. */
  readonly dealerBytes: readonly number[];
}

export type Communication = Readonly<Record<Phase, PhaseCommunication>>;

/** Payload caused by one node of the model: bytes over all senders and receivers, rounds it takes part in. */
export interface NodeCommunication {
  readonly rounds: number;
  readonly bytes: number;
}

export interface Profile {
  readonly total: Communication;
  /** Indexed as Program.nodes. */
  readonly nodes: readonly Readonly<Record<Phase, NodeCommunication>>[];
}

/** Corrections travel one way, frame after frame: for a node they are one round, however many frames carry them. */
const DEALER_ROUND = -1;

class PhaseCounter {
  readonly bytesSent: number[];
  readonly dealerBytes: number[];
  private readonly clocks: number[];
  private readonly nodes: { exchanges: Set<number>; bytes: number }[];

  constructor(private readonly program: Program) {
    const zeros = (): number[] => Array<number>(program.parties).fill(0);
    this.bytesSent = zeros();
    this.dealerBytes = zeros();
    this.clocks = [...zeros(), 0];
    this.nodes = program.nodes.map(() => ({ exchanges: new Set<number>(), bytes: 0 }));
  }

  private tag(node: number, exchange: number, bytes: number): void {
    const counter = this.nodes[node];
    if (counter === undefined) return;
    counter.exchanges.add(exchange);
    counter.bytes += bytes;
  }

  private bytesOf(id: number): number {
    return wireBytes(this.program.values[id] as Program['values'][number]);
  }

  private nodeOf(id: number): number {
    return this.program.values[id]?.node as number;
  }

  exchange(step: ExchangeStep): void {
    const senders = partiesOf(step.segments.reduce((set, s) => set | s.senders, 0));
    const clocks = [...this.clocks];
    for (const from of senders) {
      const segments = step.segments.filter((s) => has(s.senders, from));
      const payload = segments.reduce((sum, s) => sum + this.bytesOf(s.out), 0);
      for (const to of partiesOf(step.audience)) {
        if (to === from) continue;
        this.bytesSent[from] = (this.bytesSent[from] as number) + FRAME_HEADER_BYTES + payload;
        this.clocks[to] = Math.max(this.clocks[to] as number, (clocks[from] as number) + 1);
        for (const s of segments) this.tag(this.nodeOf(s.out), step.id, this.bytesOf(s.out));
      }
    }
  }

  deal(step: DealStep): void {
    const dealer = this.program.parties;
    const payload = step.values.reduce((sum, id) => sum + this.bytesOf(id), 0);
    this.dealerBytes[step.to] = (this.dealerBytes[step.to] as number) + FRAME_HEADER_BYTES + payload;
    this.clocks[step.to] = Math.max(this.clocks[step.to] as number, (this.clocks[dealer] as number) + 1);
    for (const id of step.values) this.tag(this.nodeOf(id), DEALER_ROUND, this.bytesOf(id));
  }

  total(): PhaseCommunication {
    return { rounds: Math.max(...this.clocks), bytesSent: this.bytesSent, dealerBytes: this.dealerBytes };
  }

  node(index: number): NodeCommunication {
    const counter = this.nodes[index];
    return { rounds: counter?.exchanges.size ?? 0, bytes: counter?.bytes ?? 0 };
  }
}

/** Communication of every phase and node of a program. */
export function profile(program: Program): Profile {
  const phases = Object.fromEntries(
    PHASES.map((phase) => {
      const counter = new PhaseCounter(program);
      for (const step of program.steps) {
        if (step.phase !== phase) continue;
        if (step.kind === 'exchange') counter.exchange(step);
        if (step.kind === 'deal') counter.deal(step);
      }
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
