import test from 'ava';
import * as v from 'valibot';
import type { Graph } from '../../lib/compiler/ir/graph';
import { Joint } from '../../lib/compiler/joint';
import { printProgram } from '../../lib/compiler/print-program';
import { canonicalJson, materialHash, memoryBytes, programHash, wireBytes } from '../../lib/compiler/program';
import { placesOf } from '../../lib/compiler/schedule/arena';
import { type Buffer, encodePlan, type Plan, type PlanStep } from '../../lib/compiler/schedule/plan';
import { cleartextRole, project } from '../../lib/compiler/schedule/project';
import { profile } from '../../lib/cost/communication';
import { runProgram } from '../../lib/runtime/local';
import { programSchema } from '../../lib/runtime/program-schema';
import { graphOf, oneNode, programOf, Random, type } from '../helpers/protocols';

/** relu(x v) w for weights of party 1. */
function twoLayers(batch: number): Graph {
  return graphOf(
    [
      { name: 'x', shape: [batch, 64], owner: 0 },
      { name: 'v', shape: [64, 128], owner: 1, weight: true },
      { name: 'w', shape: [128, 10], owner: 1, weight: true },
    ],
    (b, [x, v, w]) => {
      const at = (name: string) => ({ name, origin: name });
      const [a] = b.node(at('first'), 'matmul', [x!, v!], [type([batch, 128])]);
      const [r] = b.node(at('relu'), 'relu', [a!], [type([batch, 128])], { shift: 4 });
      return b.node(at('second'), 'matmul', [r!, w!], [type([batch, 10])]);
    },
  );
}

test('equal models give equal programs, and any difference another hash', (t) => {
  const hash = (batch: number, parties: number, corrected = 0): string =>
    programHash(programOf(twoLayers(batch), { parties, corrected }));
  t.is(hash(4, 2), hash(4, 2));
  t.is(new Set([hash(4, 2), hash(5, 2), hash(4, 3), hash(4, 2, 1)]).size, 4);
  const p = programOf(twoLayers(4), { parties: 2 });
  const reordered = { ...p, nodes: p.nodes.map((n) => ({ ...n, name: `${n.name}'` })) };
  t.is(materialHash(p), materialHash(reordered), 'material does not depend on names');
  t.not(programHash(p), programHash(reordered));
});

test('the text form shows worlds, rounds, audiences', (t) => {
  const text = printProgram(programOf(twoLayers(4), { parties: 2 }));
  t.regex(text, /setup\.1 +open .* = 'v' \+ mask %\d+ +\{1\} -> \{0,1\}/);
  t.regex(text, /online\.1 +open .* = 'x' \+ mask %\d+ +\{0\} -> \{1\}/);
  t.regex(text, /offline +deal/);
  t.regex(text, /reveal .* zero sharing +\{0,1\} -> \{0\}/);
});

test('what was chosen for a node is kept with it, printed, and part of a program file', (t) => {
  const joint = new Joint({ parties: 2 });
  for (const choice of ['fused', 'fused', 'plain']) {
    joint.beginNode({ name: 'a', op: 'Relu', shape: [2] });
    joint.note('gates', choice);
  }
  joint.note('ring', '43');
  joint.beginNode({ name: 'b', op: 'Relu', shape: [2] });
  const program = joint.build('choices');
  t.deepEqual(
    program.nodes.map((n) => n.choices),
    [{ gates: 'fused, plain', ring: '43' }, undefined],
  );
  t.regex(printProgram(program), /chosen for 'a': gates fused, plain; ring 43/);
  t.deepEqual(v.parse(programSchema, JSON.parse(canonicalJson(program))), program);
});

test('the state of a deployment does not depend on the batch', (t) => {
  const setup = (batch: number, role: number): unknown => {
    const plan = project(programOf(twoLayers(batch), { parties: 2 }), role);
    return {
      bytes: plan.bytes.state,
      steps: encodePlan({
        ...plan,
        phases: [plan.phases[0], [], []],
        bytes: { ...plan.bytes, work: 0, material: 0 },
        ios: [],
      }),
    };
  };
  for (const role of [0, 1, 2]) t.deepEqual(setup(1, role), setup(32, role));
});

test('material in memory is corrections, prepared products and what was sent ahead, nothing else', async (t) => {
  const batch = 16;
  const program = programOf(twoLayers(batch), { parties: 2 });
  const prepared = batch * (128 + 10) * 8;
  const dealt = program.values.filter((v) => v.origin.kind === 'deal');
  const online = new Set(
    program.steps.flatMap((s) =>
      s.kind === 'kernel' && s.phase === 'online' ? s.in.map((o) => o.value) : [],
    ),
  );
  const kept = dealt.filter((v) => online.has(v.id));
  t.is(dealt.length - kept.length, 2, 'the dealt parts of the two products are used up before the run');
  const corrections = kept.map(wireBytes);
  const total = corrections.reduce((sum, bytes) => sum + bytes, 0);
  // The weights' holder is sent the other party's half of the first layer ahead of the run.
  const ahead = [0, batch * 128 * 8];
  const keeps = [0, 1].map((role) => project(program, role).bytes.material - prepared - ahead[role]!);
  const rounding = 64 * corrections.length;
  t.true(keeps[0]! + keeps[1]! >= total && keeps[0]! + keeps[1]! <= total + rounding);
  t.true(Math.abs(keeps[0]! - keeps[1]!) <= Math.max(...corrections) + rounding, 'nobody keeps it all');
  const expanded = kept.reduce((sum, v) => sum + memoryBytes(v), 0);
  t.true(expanded > total);

  const random = new Random(1);
  const inputs = new Map([
    ['x', BigInt64Array.from(random.list(batch * 64, 10))],
    ['v', BigInt64Array.from(random.list(64 * 128, 10))],
    ['w', BigInt64Array.from(random.list(1280, 10))],
  ]);
  const run = await runProgram(program, inputs, { seed: 1 });
  for (const role of [0, 1]) {
    const { state, material, work } = project(program, role).bytes;
    // What the session takes beyond its regions: keys and scratch of the kernels.
    const beyond = run.peakBytes[role]! - (state + material + work);
    t.true(beyond >= 0 && beyond <= 4 << 20, `${beyond} bytes beyond the plan`);
    // Work: the weights' frame during setup, or a handful of activations.
    t.true(work <= 2 * 64 * 128 * 8 + 8 * batch * 128 * 8, `${work} bytes of work memory`);
  }
});

/** No two buffers of the work region that are alive at the same time overlap, but a sum and what it is written over. */
function overlaps(plan: Plan): string[] {
  const steps = plan.phases.flat();
  const life = new Map<Buffer, { first: number; last: number; at: number; bytes: number }>();
  steps.forEach((step, i) => {
    for (const { buffer } of placesOf(step)) {
      if (buffer.region !== 'work') continue;
      const known = life.get(buffer);
      if (known) known.last = i;
      else life.set(buffer, { first: i, last: i, at: buffer.offset, bytes: buffer.bytes });
    }
  });
  const list = [...life.values()];
  return list.flatMap((a, i) =>
    list.slice(i + 1).flatMap((b) => {
      const together = a.first <= b.last && b.first <= a.last;
      const [earlier, later] = a.first < b.first ? [a, b] : [b, a];
      const step = steps[later.first] as PlanStep;
      const over =
        earlier.last === later.first &&
        a.at === b.at &&
        a.bytes === b.bytes &&
        step.type === 'kernel' &&
        (step.kernel === 'lincomb' || step.kernel === 'xor');
      return together && !over && a.at < b.at + b.bytes && b.at < a.at + a.bytes
        ? [`${a.first}-${a.last} and ${b.first}-${b.last}`]
        : [];
    }),
  );
}

test('buffers that live at the same time do not overlap', (t) => {
  for (const parties of [2, 3]) {
    const programs = [
      programOf(twoLayers(3), { parties }),
      programOf(
        oneNode('arg_max', [{ name: 'x', shape: [9, 11], owner: 'secret' }], [9], {
          axis: 1,
          keepdims: false,
        }),
        { parties },
      ),
    ];
    for (const program of programs) {
      for (let role = 0; role <= cleartextRole(parties); role++) {
        const plan = project(program, role);
        t.deepEqual(overlaps(plan), []);
        for (const step of plan.phases.flat()) {
          for (const { buffer, at } of placesOf(step)) {
            t.true(buffer.offset + at < plan.bytes[buffer.region] || buffer.bytes === 0);
            t.true(buffer.offset + buffer.bytes <= plan.bytes[buffer.region]);
          }
        }
      }
    }
  }
});

test('a longer frame than predicted would be noticed', async (t) => {
  const program = programOf(twoLayers(2), { parties: 2 });
  const random = new Random(2);
  const inputs = new Map([
    ['x', BigInt64Array.from(random.list(128, 10))],
    ['v', BigInt64Array.from(random.list(64 * 128, 10))],
    ['w', BigInt64Array.from(random.list(1280, 10))],
  ]);
  const { counted } = await runProgram(program, inputs, { seed: 3 });
  t.deepEqual(counted, profile(program).total);
  // The same program with one opening of eight more bytes: the prediction no longer fits what was counted.
  const step = program.steps.find((s) => s.kind === 'exchange' && s.phase === 'online');
  const out = step?.kind === 'exchange' ? step.segments[0]!.out : -1;
  const mutant = {
    ...program,
    values: program.values.map((v) => (v.id === out ? { ...v, elements: v.elements + 1 } : v)),
  };
  t.notDeepEqual(counted, profile(mutant).total);
});
