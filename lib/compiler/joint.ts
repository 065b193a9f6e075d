// Builds joint programs: the small set of constructors that is all a protocol sees.
//
//   uniform   a fresh mask; every party of `parties` expands its own part of it from its seed
//   derive    dealer-side arithmetic on masks
//   deal      shares of a mask: seed expansion at every party but one, a correction to that one (corrections.ts)
//   open      exchange of share + mask, seen by its audience; repeated opens of one value are one
//   local     arithmetic on public values and shares, no message
//   reveal    to the named parties only, re-randomised by a zero sharing
//   clear     the same function on cleartext twins
//
// What is derived, dealt, opened or computed twice from the same values is made once: operators that need the same
// comparison or truncation of one value share it without knowing of each other.
//
// Phases and rounds are not chosen but follow from the data: a step belongs to the latest phase of its operands, and
// an exchange to the first round in which all it sends exists. When each party sends its part is for schedule/timeline.ts.

import { assemble, type PendingDeal, type PendingSegment } from './assemble';
import type { KernelName } from './kernels';
import {
  allParties,
  type Io,
  isSingle,
  type KernelStep,
  type Operand,
  type Origin,
  type PartySet,
  PHASES,
  type Phase,
  type Program,
  type ProgramNode,
  type Value,
  type World,
} from './program';
import { WORD_BITS } from './widths';

/** What an opening gives: the public hat = share + mask, the mask at the dealer, and the share it was made from. */
export interface Opened {
  /** What was opened. */
  readonly share: Value;
  /** Public: share + mask. */
  readonly hat: Value;
  /** Known to the dealer. */
  readonly mask: Value;
}

/** An operand: a value, or one that is broadcast: element i of the operation reads element (i / inner) % mid. */
export type Use = Value | Broadcast;

/** A value that is read several times. */
export interface Broadcast {
  /** What is read. */
  readonly value: Value;
  /** How often each element is read in a row. */
  readonly inner: number;
  /** How many elements are read before it starts again. */
  readonly mid: number;
}

/** A value in both worlds: on shares, and on plain integers. */
export interface Both {
  /** Shares, or a public constant. */
  readonly share: Value;
  /** For the cleartext evaluator. */
  readonly clear: Value;
}

/** Form of a result: a ring value of `bits` per element, or (planes > 0) bit planes. */
export interface Form {
  /** How many. */
  readonly elements: number;
  /** Ring Z_2^bits; 64 by default. */
  readonly bits?: number;
  /** Bit planes per element; 0 by default, for ring values. */
  readonly planes?: number;
}

/** For whom a program is built. */
export interface JointOptions {
  /** Computing parties, the dealer not counted. */
  readonly parties: number;
  /** The one party that receives the dealer's corrections. Default: they are spread (corrections.ts). */
  readonly corrected?: number;
  /** A dealer frame is closed once it holds this many bytes. */
  readonly dealFrameBytes?: number;
}

/** Kernels that read their operands from memory only: expanded material is written out for them first. */
const MEMORY_OPERANDS: ReadonlySet<KernelName> = new Set([
  'matmul',
  'conv2d',
  'copy',
  'windows',
  'reduce_sum',
  'pool_sum',
]);

/** What is made once. */
type Remembered = Value | Opened | readonly (Value | null)[];

/** A dealt value's corrected party until the program is complete. */
const UNDECIDED = -1;

/** A joint program under construction: what protocols are written in (ARCHITECTURE.md, Three worlds). */
export class Joint {
  /** Number of parties. */
  readonly n: number;
  /** All parties. */
  readonly everyone: PartySet;
  private readonly corrected: number | undefined;
  private readonly dealFrameBytes: number;
  private readonly values: Value[] = [];
  private readonly kernelSteps: KernelStep[] = [];
  private readonly segments: PendingSegment[] = [];
  private readonly deals: PendingDeal[] = [];
  private readonly ios: Io[] = [];
  private readonly nodes: ProgramNode[] = [];
  private readonly memo = new Map<string, Remembered>();
  private readonly later = new Map<number, () => Opened>();
  private readonly streams = { run: 0, state: 0 };
  private readonly constants = new Map<string, Both>();
  private node = -1;

  /** A program without any step. */
  constructor(options: JointOptions) {
    this.n = options.parties;
    this.everyone = allParties(options.parties);
    this.corrected = options.corrected;
    this.dealFrameBytes = options.dealFrameBytes ?? 1 << 20;
  }

  /** What follows belongs to this node of the model. */
  beginNode(node: ProgramNode): void {
    const known = this.nodes.findIndex((n) => n.name === node.name && n.op === node.op);
    this.node = known >= 0 ? known : this.nodes.push(node) - 1;
    this.nodes[this.node] = { ...this.nodes[this.node], ...node };
  }

  /** Records for reports which form of a protocol the current node takes. Different answers of one node are listed. */
  note(subject: string, choice: string): void {
    const node = this.nodes[this.node] as ProgramNode;
    const known = node.choices?.[subject]?.split(', ') ?? [];
    const all = known.includes(choice) ? known : [...known, choice];
    this.nodes[this.node] = { ...node, choices: { ...node.choices, [subject]: all.join(', ') } };
  }

  // ---- constructors ------------------------------------------------------------------------------------------

  /** A fresh mask: every party of `parties` expands its own part. `state` masks live as long as an epoch. */
  uniform(form: Form, options: { parties?: PartySet; life?: 'run' | 'state' } = {}): Value {
    const life = options.life ?? 'run';
    const origin: Origin = { kind: 'uniform', stream: this.streams[life]++ };
    return this.value(
      'mask',
      form,
      options.parties ?? this.everyone,
      life === 'state' ? 'setup' : 'offline',
      0,
      origin,
    );
  }

  /** The dealer's arithmetic on masks. */
  derive(kernel: KernelName, ins: readonly Use[], attr: readonly (number | bigint)[], form: Form): Value {
    for (const u of ins) expectWorld(usedValue(u), ['mask', 'public']);
    return this.step('mask', kernel, ins, attr, [form])[0] as Value;
  }

  /** Shares of what the dealer derived: from seeds, for one party a correction. */
  deal(mask: Value): Value {
    expectWorld(mask, ['mask']);
    return this.remember(`deal ${mask.id}`, () => {
      const origin: Origin = {
        kind: 'deal',
        mask: mask.id,
        stream: this.streams[mask.life]++,
        corrected: this.corrected ?? UNDECIDED,
      };
      const value = this.value('share', mask, this.everyone, mask.phase, 0, origin);
      this.deals.push({ value, after: this.kernelSteps.length });
      return value;
    });
  }

  /** Shares of a mask. Of a uniform one they take no material: every party expands its own. */
  sharesOf(mask: Value): Value {
    if (mask.origin.kind !== 'uniform') return this.deal(mask);
    return this.remember(`expand ${mask.id}`, () =>
      this.value('share', mask, mask.parties, mask.phase, 0, { kind: 'expand', mask: mask.id }),
    );
  }

  /** Opens share + mask mod 2^bits to its audience under a fresh mask; the second opening of a value is the first. */
  open(share: Value, options: { audience?: PartySet } = {}): Opened {
    expectWorld(share, ['share']);
    const audience = options.audience ?? this.everyone;
    const implied = audience === this.everyone ? this.later.get(share.id) : undefined;
    if (implied !== undefined) {
      this.later.delete(share.id);
      this.opensAs(share, implied());
    }
    return this.remember(`open ${share.id} ${audience}`, () => {
      const hidden = isSingle(audience) ? share.parties & ~audience : share.parties;
      const mask = this.uniform(share, { parties: hidden, life: share.life });
      const level = share.level + 1;
      const hat = this.value('public', share, audience, share.phase, level, { kind: 'step' });
      this.segments.push({
        kind: 'open',
        share: share.id,
        mask: mask.id,
        out: hat.id,
        senders: share.parties,
        phase: share.phase,
        level,
        audience,
      });
      return { share, hat, mask };
    });
  }

  /** An operand that no party holds a part of. */
  zero(form: Form): Value {
    return this.remember(`zero ${form.elements} ${form.bits}`, () =>
      this.value('share', form, 0, 'setup', 0, { kind: 'zero' }),
    );
  }

  /** An opening of a share that another opening implies: nothing will be sent for it. */
  opensAs(share: Value, opened: Opened): void {
    const { hat, mask } = opened;
    expectWorld(hat, ['public']);
    expectWorld(mask, ['mask']);
    if (hat.parties !== this.everyone || hat.elements !== share.elements || hat.bits < share.bits)
      throw new Error(`value ${hat.id} is no opening of value ${share.id} to everybody`);
    this.memo.set(`open ${share.id} ${this.everyone}`, opened);
  }

  /** As `opensAs`, of an opening that is made once it is asked for. */
  opensLater(share: Value, make: () => Opened): void {
    this.later.set(share.id, make);
  }

  /** Whether the share has been opened, or another opening implies its opening. */
  isOpened(share: Value): boolean {
    return this.later.has(share.id) || this.memo.has(`open ${share.id} ${this.everyone}`);
  }

  /** Arithmetic on public values and shares, without a message. */
  local(kernel: KernelName, ins: readonly Use[], attr: readonly (number | bigint)[], form: Form): Value {
    return this.locals(kernel, ins, attr, [form])[0] as Value;
  }

  /** A local kernel with several outputs; `null` for one that is not wanted. */
  locals(
    kernel: KernelName,
    ins: readonly Use[],
    attr: readonly (number | bigint)[],
    forms: readonly (Form | null)[],
  ): readonly (Value | null)[] {
    const worlds = ins.map((u) => usedValue(u).world);
    for (const u of ins) expectWorld(usedValue(u), ['share', 'public']);
    return this.step(worlds.includes('share') ? 'share' : 'public', kernel, ins, attr, forms);
  }

  /** The same arithmetic on plain integers. */
  clear(kernel: KernelName, ins: readonly Use[], attr: readonly (number | bigint)[], form: Form): Value {
    for (const u of ins) expectWorld(usedValue(u), ['clear', 'mask', 'public']);
    return this.step('clear', kernel, ins, attr, [form])[0] as Value;
  }

  /** A mask as the cleartext evaluator has it: it draws what is drawn, and what the dealer derives it derives again. */
  clearMask(mask: Value): Value {
    if (mask.world !== 'mask' || mask.origin.kind === 'uniform') return mask;
    return this.remember(`clear ${mask.id}`, () => {
      const made = this.kernelSteps.find((s) => s.world === 'mask' && s.out.includes(mask.id)) as KernelStep;
      const ins = made.in.map(({ value, inner, mid }) => {
        return { value: this.clearMask(this.values[value] as Value), inner, mid };
      });
      return this.clear(made.kernel, ins, made.attr, mask);
    });
  }

  /** The same elements under another index: `elements` of them from `offset`. No work. */
  view(value: Value, offset: number, elements: number): Value {
    if (offset === 0 && elements === value.elements) return value;
    if (value.layout !== 'ring') throw new Error('views exist of ring values only');
    const base = this.inMemory(value);
    const form = { elements, bits: base.bits };
    const origin: Origin = { kind: 'view', of: base.id, offset };
    return this.remember(`view ${base.id} ${offset} ${elements}`, () =>
      this.value(base.world, form, base.parties, base.phase, base.level, origin),
    );
  }

  /** Makes a share known to `to` alone, re-randomised by a zero sharing. */
  reveal(share: Value, to: PartySet): Value {
    expectWorld(share, ['share']);
    const level = share.level + 1;
    const out = this.value('public', share, to, share.phase, level, { kind: 'step' });
    const stream = this.streams.run++;
    this.segments.push({
      kind: 'reveal',
      share: share.id,
      stream,
      out: out.id,
      senders: share.parties,
      phase: share.phase,
      level,
      audience: to,
    });
    return out;
  }

  // ---- what enters and leaves --------------------------------------------------------------------------------

  /** A value that a party holds in the clear, a constant of the program, or one that arrives as shares. */
  input(io: Omit<Io, 'value' | 'clear'>): Both {
    const index = this.ios.length;
    const elements = io.shape.reduce((a, b) => a * b, 1);
    const form = { elements, bits: io.bits };
    const phase = io.kind === 'input' ? 'online' : io.kind === 'weight' ? 'setup' : 'offline';
    const origin: Origin = { kind: 'input', io: index };
    const world = io.owner === 'public' ? 'public' : 'share';
    const parties = typeof io.owner === 'number' ? 2 ** io.owner : this.everyone;
    const share = this.value(world, form, parties, phase, 0, origin);
    // Cleartext integers are whole words, so that they have a sign; constants are what they are.
    const whole = io.kind === 'constant' ? form : { elements, bits: WORD_BITS };
    const clear = this.value('clear', whole, this.everyone, phase, 0, origin);
    this.ios.push({ ...io, value: share.id, clear: clear.id });
    return { share, clear };
  }

  /** Public integers of the program, as a value of a given ring. */
  constant(data: readonly bigint[], shape: readonly number[], bits = 64): Both {
    const key = `constant ${bits} ${shape.join()} ${data.join()}`;
    const known = this.constants.get(key);
    if (known !== undefined) return known;
    const name = `constant ${this.constants.size}`;
    const made = this.input({
      name,
      kind: 'constant',
      owner: 'public',
      shape,
      scale: 0,
      bits,
      dtype: 'int',
      data,
    });
    this.constants.set(key, made);
    return made;
  }

  /** Names a value as an output of the program. */
  output(io: Omit<Io, 'value' | 'clear' | 'kind' | 'bits'>, share: Value, clear: Value): void {
    const to = io.owner === 'public' ? this.everyone : io.owner === 'secret' ? 0 : 2 ** io.owner;
    const revealed = to === 0 || share.world === 'public' ? share : this.reveal(share, to);
    this.ios.push({ ...io, kind: 'output', bits: share.bits, value: revealed.id, clear: clear.id });
  }

  // ---- result ------------------------------------------------------------------------------------------------

  /** The program; the builder is not used afterwards. */
  build(name: string): Program {
    const { n, values, kernelSteps, segments, deals, nodes, ios, corrected, dealFrameBytes } = this;
    return assemble(name, { n, values, kernelSteps, segments, deals, nodes, ios, corrected, dealFrameBytes });
  }

  // ---- internals ---------------------------------------------------------------------------------------------

  /** A value whose elements lie in memory: material is expanded once, by a step of its own. */
  inMemory(value: Value): Value {
    if (value.origin.kind === 'step' || value.origin.kind === 'view' || value.origin.kind === 'input')
      return value;
    const [kernel, attr] =
      value.layout === 'planes' ? (['xor', [0]] as const) : (['lincomb', [0, 1]] as const);
    return this.step(value.world, kernel, [value], attr, [value])[0] as Value;
  }

  /** A kernel is a function of its operands and attributes: the second step of a kind is the first one. */
  private step(
    world: World,
    kernel: KernelName,
    ins: readonly Use[],
    attr: readonly (number | bigint)[],
    forms: readonly (Form | null)[],
  ): readonly (Value | null)[] {
    const results = forms.map((f) => (f === null ? '-' : `${f.elements}:${f.bits ?? 0}:${f.planes ?? 0}`));
    return this.remember(`${world} ${kernel} ${keyOf(ins)} ${attr.join()} ${results.join(' ')}`, () =>
      this.newStep(world, kernel, ins, attr, forms),
    );
  }

  private newStep(
    world: World,
    kernel: KernelName,
    ins: readonly Use[],
    attr: readonly (number | bigint)[],
    forms: readonly (Form | null)[],
  ): readonly (Value | null)[] {
    const operands = ins.map((u): Operand => {
      const value = MEMORY_OPERANDS.has(kernel) ? this.inMemory(usedValue(u)) : usedValue(u);
      return 'inner' in u
        ? { value: value.id, inner: u.inner, mid: u.mid }
        : { value: value.id, inner: 1, mid: value.elements };
    });
    const sources = operands.map((o) => this.values[o.value] as Value);
    const phase = PHASES[Math.max(...sources.map((v) => PHASES.indexOf(v.phase)))] as Phase;
    const level = Math.max(...sources.map((v) => (v.phase === phase ? v.level : 0)));
    const shares = sources.filter((v) => v.world === 'share');
    const parties =
      world === 'share'
        ? shares.reduce((set, v) => set | v.parties, 0)
        : world === 'public'
          ? sources.reduce((set, v) => set & v.parties, this.everyone)
          : this.everyone;
    const outs = forms.map((f) =>
      f === null ? null : this.value(world, f, parties, phase, level, { kind: 'step' }),
    );
    this.kernelSteps.push({
      kind: 'kernel',
      world,
      phase,
      level,
      node: this.node,
      kernel,
      in: operands,
      out: outs.map((v) => v?.id ?? -1),
      attr,
    });
    return outs;
  }

  private value(
    world: World,
    form: Form,
    parties: PartySet,
    phase: Phase,
    level: number,
    origin: Origin,
  ): Value {
    const planes = form.planes ?? 0;
    const layout = planes > 0 ? 'planes' : 'ring';
    const bits = layout === 'planes' ? 1 : (form.bits as number);
    const life = phase === 'setup' ? 'state' : 'run';
    const v: Value = {
      id: this.values.length,
      world,
      layout,
      bits,
      elements: form.elements,
      planes,
      parties,
      life,
      phase,
      level,
      node: this.node,
      origin,
    };
    this.values.push(v);
    return v;
  }

  private remember<T extends Remembered>(key: string, make: () => T): T {
    const known = this.memo.get(key);
    if (known !== undefined) return known as T;
    const made = make();
    this.memo.set(key, made);
    return made;
  }
}

function usedValue(use: Use): Value {
  return 'inner' in use ? use.value : use;
}

function keyOf(ins: readonly Use[]): string {
  return ins.map((u) => ('inner' in u ? `${u.value.id}/${u.inner}%${u.mid}` : `${u.id}`)).join(' ');
}

function expectWorld(value: Value, worlds: readonly World[]): void {
  if (!worlds.includes(value.world))
    throw new Error(`value ${value.id} is ${value.world}, expected ${worlds.join(' or ')}`);
}
