// Checks that a joint program leaks nothing, whatever built it. What every party sees beyond its own inputs must be
// uniform given what it may learn, and the dealer must see nothing.
//
//   1. Every opening adds a mask that is uniform, at least as wide as what is opened, made of a stream of every sender
//      (but one that is its whole audience), and used in no other opening: one mask never opens two different values.
//   2. A mask that outlives a run opens only values that outlive it too (the weights), so that no later run reuses it.
//   3. No pseudo-random address is used twice.
//   4. Nothing flows from shares or openings to the dealer: its arithmetic is over masks and constants of the program.
//   5. A public value follows from openings and public values alone; shares reach others only through an exchange.
//   6. A reveal is re-randomised by a zero sharing of its own, and goes only to the owner of an output.
//   7. A correction goes to one party, which is not told another party's stream: those of all others are in it.

import { CryptorchError } from '../errors';
import { isSingle, type KernelStep, type Program, partiesOf, type Segment, type Value } from './program';

/** Throws ERR_CRYPTORCH_LEAKAGE with the first violation. */
export function checkLeakage(program: Program): void {
  new LeakageCheck(program).run();
}

class LeakageCheck {
  private readonly openedBy = new Map<number, number>();
  private readonly addresses = new Map<string, number>();

  constructor(private readonly program: Program) {}

  run(): void {
    for (const v of this.program.values) this.address(v);
    for (const step of this.program.steps) {
      if (step.kind === 'kernel') this.kernel(step);
      if (step.kind === 'exchange') for (const s of step.segments) this.segment(s, step.audience);
      if (step.kind === 'deal') for (const id of step.values) this.dealt(this.value(id), step.to);
    }
  }

  private value(id: number): Value {
    const v = this.program.values[id];
    if (v === undefined) throw this.leak(`value ${id} does not exist`, -1);
    return v;
  }

  private leak(what: string, node: number): CryptorchError {
    const name = this.program.nodes[node]?.name ?? 'the program';
    return new CryptorchError(
      'LEAKAGE',
      `unsafe program at '${name}': ${what}. Correct the protocol that built it.`,
      { node: name },
    );
  }

  private claim(life: string, stream: number, v: Value): void {
    const key = `${life} ${stream}`;
    const other = this.addresses.get(key);
    if (other !== undefined)
      throw this.leak(`values ${other} and ${v.id} share the random stream ${key}`, v.node);
    this.addresses.set(key, v.id);
  }

  private address(v: Value): void {
    if (v.origin.kind === 'uniform' || v.origin.kind === 'deal') this.claim(v.life, v.origin.stream, v);
  }

  private kernel(step: KernelStep): void {
    for (const o of step.in) {
      const v = this.value(o.value);
      const constant = v.world === 'public' && v.origin.kind === 'input';
      if (step.world === 'mask' && v.world !== 'mask' && !constant)
        throw this.leak(`${v.world} value ${v.id} flows to the dealer`, step.node);
      if (step.world === 'public' && v.world !== 'public')
        throw this.leak(`public value computed from ${v.world} value ${v.id}`, step.node);
      if (step.world === 'share' && v.world !== 'public' && v.world !== 'share')
        throw this.leak(`shares computed from ${v.world} value ${v.id}`, step.node);
    }
    for (const id of step.out) {
      if (id >= 0 && this.value(id).world !== step.world)
        throw this.leak(`a ${step.world} kernel writes ${this.value(id).world} value ${id}`, step.node);
    }
  }

  private segment(s: Segment, audience: number): void {
    const [share, out] = [this.value(s.share), this.value(s.out)];
    if (share.world !== 'share') throw this.leak(`exchange of ${share.world} value ${share.id}`, out.node);
    if ((share.parties & ~s.senders) !== 0)
      throw this.leak(
        `a part of value ${share.id} is not sent, so its opening is not masked by it`,
        out.node,
      );
    // Slices are summed up by every party in turn, so all of them must be allowed to see the opening.
    if (s.sliced && (s.kind !== 'open' || audience !== 2 ** this.program.parties - 1))
      throw this.leak(`value ${share.id} is opened by slices at parties that must not see it`, out.node);
    if (s.kind === 'reveal') {
      this.reveal(s, audience, out);
      return;
    }
    const mask = s.mask === undefined ? undefined : this.value(s.mask);
    if (mask === undefined || mask.origin.kind !== 'uniform')
      throw this.leak(`value ${share.id} is opened without a uniform mask`, out.node);
    if (
      mask.layout !== share.layout ||
      mask.bits < share.bits ||
      mask.planes !== share.planes ||
      mask.elements !== share.elements
    ) {
      throw this.leak(`mask ${mask.id} does not cover value ${share.id}`, out.node);
    }
    if ((s.senders & ~(isSingle(audience) ? audience : 0) & ~mask.parties) !== 0)
      throw this.leak(
        `mask ${mask.id} lacks the stream of a sender among parties ${partiesOf(s.senders)}`,
        out.node,
      );
    if (mask.life === 'state' && share.life !== 'state')
      throw this.leak(`mask ${mask.id} outlives the run whose value ${share.id} it opens`, out.node);
    const before = this.openedBy.get(mask.id);
    if (before !== undefined)
      throw this.leak(`mask ${mask.id} opens values ${before} and ${share.id}`, out.node);
    this.openedBy.set(mask.id, share.id);
  }

  private reveal(s: Segment, audience: number, out: Value): void {
    const io = this.program.ios.find((o) => o.kind === 'output' && o.value === out.id);
    const allowed =
      io === undefined
        ? 0
        : io.owner === 'public'
          ? 2 ** this.program.parties - 1
          : io.owner === 'secret'
            ? 0
            : 2 ** io.owner;
    if ((audience & ~allowed) !== 0)
      throw this.leak(
        `value ${s.share} is revealed to parties ${partiesOf(audience & ~allowed)} that own no output of it`,
        out.node,
      );
    if (s.stream === undefined)
      throw this.leak(`the reveal of value ${s.share} is not re-randomised`, out.node);
    this.claim('run', s.stream, out);
  }

  private dealt(v: Value, to: number): void {
    if (v.origin.kind !== 'deal' || v.world !== 'share')
      throw this.leak(`value ${v.id} is dealt but not a dealt share`, v.node);
    if (this.value(v.origin.mask).world !== 'mask')
      throw this.leak(`value ${v.id} deals something the dealer must not know`, v.node);
    if (v.origin.corrected !== to)
      throw this.leak(
        `the correction of value ${v.id} goes to party ${to} instead of ${v.origin.corrected}`,
        v.node,
      );
    if (v.parties !== 2 ** this.program.parties - 1)
      throw this.leak(
        `dealt value ${v.id} is not masked by every party's stream but the corrected one's`,
        v.node,
      );
  }
}
