// Whether the parts of a program from a file belong together: what the leakage check, the projection to roles and the
// cost report take for granted about programs that the compiler built.
//
// Every value has one origin and is written before it is read; phases only go forward; what outlives a run is made in
// setup; views and dealt values have the form of what they are made of; inputs, weights and outputs correspond to
// values of their size.

import { has, type Io, PHASES, type Program, type Step, type Value } from '../compiler/program';

/** Throws what `refuse` makes of the first contradiction. */
export function checkProgram(program: Program, refuse: (why: string) => Error): void {
  new ProgramCheck(program, refuse).run();
}

class ProgramCheck {
  private readonly written: boolean[];
  private readonly exchanges = new Set<number>();
  private readonly everyone: number;
  private phase = 0;

  constructor(
    private readonly program: Program,
    private readonly refuse: (why: string) => Error,
  ) {
    this.everyone = 2 ** program.parties - 1;
    this.written = program.values.map((v) => v.origin.kind !== 'step');
  }

  run(): void {
    this.program.values.forEach((v, i) => {
      this.expect(v.id === i, `value ${i} has the number ${v.id}`);
      this.value(v);
    });
    for (const step of this.program.steps) this.step(step);
    const names = new Set(this.program.ios.map((io) => `${io.kind === 'output'} ${io.name}`));
    this.expect(names.size === this.program.ios.length, 'two inputs or two outputs have one name');
    this.program.ios.forEach((io, i) => {
      this.io(io, i);
    });
  }

  private expect(condition: boolean, otherwise: string): void {
    if (!condition) throw this.refuse(otherwise);
  }

  private get(id: number): Value {
    const v = this.program.values[id];
    if (v === undefined) throw this.refuse(`value ${id} does not exist`);
    return v;
  }

  private node(index: number): void {
    this.expect(index < this.program.nodes.length, `node ${index} does not exist`);
  }

  private value(v: Value): void {
    const what = `value ${v.id}`;
    this.node(v.node);
    this.expect(
      (v.layout === 'planes') === v.planes > 0,
      `${what} has a layout that does not fit its planes`,
    );
    this.expect(v.layout === 'ring' || v.bits === 1, `${what} has bit planes of more than one bit`);
    this.expect((v.parties & ~this.everyone) === 0, `${what} belongs to parties that do not exist`);
    this.expect(
      (v.life === 'state') === (v.phase === 'setup'),
      `${what} is made in ${v.phase} but lives for a ${v.life}`,
    );
    const { origin } = v;
    switch (origin.kind) {
      case 'uniform':
        this.expect(v.world === 'mask' && v.parties !== 0, `${what} is uniform but no mask`);
        break;
      case 'expand':
      case 'deal': {
        const mask = this.get(origin.mask);
        const alike =
          sameForm(v, mask) && v.life === mask.life && mask.world === 'mask' && v.world === 'share';
        this.expect(alike, `${what} is no share of mask ${mask.id}`);
        if (origin.kind === 'expand') {
          const uniform = mask.origin.kind === 'uniform' && mask.parties === v.parties;
          this.expect(uniform, `${what} expands value ${mask.id}, which is not uniform`);
        } else this.expect(origin.corrected < this.program.parties, `${what} is corrected at no party`);
        break;
      }
      case 'input': {
        const io = this.program.ios[origin.io];
        const known = io !== undefined && io.kind !== 'output' && (io.value === v.id || io.clear === v.id);
        this.expect(known, `${what} comes from an input that does not exist`);
        break;
      }
      case 'view': {
        this.expect(origin.of < v.id, `${what} is a view of a later value`);
        const base = this.get(origin.of);
        const alike =
          base.world === v.world &&
          base.parties === v.parties &&
          base.life === v.life &&
          base.phase === v.phase;
        const inside = origin.offset + v.elements <= base.elements && base.bits === v.bits;
        this.expect(
          alike && inside && v.planes === 0 && base.planes === 0,
          `${what} is no part of value ${base.id}`,
        );
        this.expect(
          base.origin.kind === 'step' || base.origin.kind === 'input',
          `${what} is a view of a value that is not in memory`,
        );
        break;
      }
      case 'zero':
        this.expect(v.parties === 0 && v.world === 'share', `${what} is zero but has holders`);
        break;
      case 'step':
        break;
    }
  }

  private read(id: number): Value {
    const v = this.get(id);
    const source = v.origin.kind === 'view' ? this.base(v) : v;
    this.expect(this.written[source.id] === true, `value ${id} is read before it is written`);
    this.expect(PHASES.indexOf(v.phase) <= this.phase, `value ${id} is read before its phase`);
    return v;
  }

  private base(v: Value): Value {
    return v.origin.kind === 'view' ? this.base(this.get(v.origin.of)) : v;
  }

  private write(id: number, world: Value['world']): Value {
    const v = this.get(id);
    this.expect(v.origin.kind === 'step' && this.written[id] === false, `value ${id} is written twice`);
    this.expect(v.world === world, `value ${id} is written as ${world}`);
    this.expect(PHASES.indexOf(v.phase) === this.phase, `value ${id} is written outside its phase`);
    this.written[id] = true;
    return v;
  }

  private step(step: Step): void {
    const phase = PHASES.indexOf(step.phase);
    this.expect(phase >= this.phase, `a step of ${step.phase} comes too late`);
    this.phase = phase;
    if (step.kind === 'kernel') {
      this.node(step.node);
      for (const o of step.in) this.read(o.value);
      const outs = step.out.filter((id) => id >= 0).map((id) => this.write(id, step.world));
      this.expect(outs.length > 0, `kernel ${step.kernel} writes nothing`);
      const [first] = outs;
      this.expect(
        outs.every((v) => v.parties === first?.parties),
        `kernel ${step.kernel} writes for different parties`,
      );
      return;
    }
    this.expect(!this.exchanges.has(step.id), `exchange ${step.id} happens twice`);
    this.exchanges.add(step.id);
    if (step.kind === 'deal') {
      this.expect(step.to < this.program.parties, `exchange ${step.id} goes to no party`);
      this.expect(
        new Set(step.values).size === step.values.length,
        `exchange ${step.id} deals a value twice`,
      );
      for (const id of step.values) {
        const v = this.get(id);
        this.expect(
          v.origin.kind === 'deal' && v.phase === step.phase,
          `value ${id} is not dealt in ${step.phase}`,
        );
        if (v.origin.kind === 'deal') this.read(v.origin.mask);
      }
      return;
    }
    const inside = step.audience !== 0 && (step.audience & ~this.everyone) === 0;
    this.expect(inside, `exchange ${step.id} has no audience`);
    for (const s of step.segments) {
      const share = this.read(s.share);
      const out = this.write(s.out, 'public');
      this.expect(sameForm(share, out), `value ${s.out} is no opening of value ${s.share}`);
      this.expect(out.parties === step.audience, `value ${s.out} is known to others than its audience`);
      this.expect((s.senders & ~this.everyone) === 0 && s.senders !== 0, `value ${s.share} has no senders`);
      this.expect(
        (s.kind === 'open') === (s.mask !== undefined),
        `the opening of value ${s.share} is neither masked nor a reveal`,
      );
      this.expect(
        (s.kind === 'reveal') === (s.stream !== undefined),
        `the reveal of value ${s.share} has no stream of its own`,
      );
      if (s.mask !== undefined) this.get(s.mask);
      this.expect(
        s.sliced === undefined || (step.audience === this.everyone && this.program.parties > 2),
        `the opening of value ${s.share} is cut for parties that do not see it`,
      );
    }
  }

  private io(io: Io, index: number): void {
    const what = `${io.kind} '${io.name}'`;
    const elements = io.shape.reduce((a, b) => a * b, 1);
    const { parties } = this.program;
    this.expect(typeof io.owner !== 'number' || io.owner < parties, `${what} belongs to no party`);
    this.expect((io.data?.length ?? elements) === elements, `${what} has data of another size`);
    this.expect(
      (io.data !== undefined) === (io.kind === 'constant'),
      `${what} has data where there should be none, or none`,
    );
    for (const [id, twin] of [[io.value, false] as const, [io.clear, true] as const]) {
      if (id < 0) continue;
      const v = this.get(id);
      this.expect(
        v.elements === elements && v.layout === 'ring',
        `${what} has another size than value ${id}`,
      );
      this.expect(
        twin === (v.world === 'clear'),
        `${what} has value ${id} as its ${twin ? 'twin' : 'value'}`,
      );
      if (io.kind === 'output') {
        this.read(id);
        continue;
      }
      const phase = { input: 'online', weight: 'setup', constant: 'offline' }[io.kind];
      this.expect(
        v.origin.kind === 'input' && v.origin.io === index,
        `${what} is not the origin of value ${id}`,
      );
      this.expect(v.phase === phase, `${what} enters in ${v.phase}`);
      const holders = typeof io.owner === 'number' ? 2 ** io.owner : this.everyone;
      this.expect(twin || v.parties === holders, `${what} enters at others than its owner`);
      this.expect(twin || (v.world === 'public') === (io.owner === 'public'), `${what} enters as ${v.world}`);
    }
    const v = this.get(io.value);
    if (io.kind !== 'output' || io.owner === 'secret') return;
    const learns = typeof io.owner === 'number' ? has(v.parties, io.owner) : v.parties === this.everyone;
    this.expect(v.world === 'public' && learns, `${what} never reaches its owner`);
  }
}

function sameForm(a: Value, b: Value): boolean {
  return a.layout === b.layout && a.bits === b.bits && a.planes === b.planes && a.elements === b.elements;
}
