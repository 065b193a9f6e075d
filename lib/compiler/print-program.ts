// Text form of a joint program: one line per step, in order, with every value's world, ring and place in the rounds.
//
//     online.1  open     %12 + mask %13 -> %14   ring64[512]  {0,1} -> {0,1}  at offline.1, online.1   # Conv_0
//     online.1  share    %20 = truncate(%14, %17, %18) {16, ...}               # Conv_0
//
// Rounds count those of the joint program; where senders have their parts at other times, these follow, sender by sender.

import {
  type ExchangeStep,
  type KernelStep,
  PHASES,
  type Program,
  partiesOf,
  type Segment,
  type Step,
  type Value,
} from './program';
import { phaseOf, roundOf } from './schedule/moments';
import { timelineOf } from './schedule/timeline';

function form(v: Value): string {
  return v.layout === 'planes' ? `bits${v.planes}[${v.elements}]` : `ring${v.bits}[${v.elements}]`;
}

function set(parties: number): string {
  return `{${partiesOf(parties).join(',')}}`;
}

function describe(program: Program, id: number): string {
  const v = program.values[id] as Value;
  switch (v.origin.kind) {
    case 'expand':
      return `shares(%${v.origin.mask})`;
    case 'deal':
      return `dealt(%${v.origin.mask})`;
    case 'view':
      return `${describe(program, v.origin.of)}[${v.origin.offset}:${v.origin.offset + v.elements}]`;
    case 'input':
      return `'${program.ios[v.origin.io]?.name}'`;
    case 'zero':
      return '0';
    default:
      return `%${id}`;
  }
}

function kernel(program: Program, s: KernelStep): string {
  const ins = s.in.map((o) => {
    const v = program.values[o.value] as Value;
    return (
      describe(program, o.value) + (o.inner === 1 && o.mid === v.elements ? '' : `(i/${o.inner}%${o.mid})`)
    );
  });
  const outs = s.out.map((id) => (id < 0 ? '_' : `%${id}: ${form(program.values[id] as Value)}`));
  const attr = s.attr.length > 12 ? `${s.attr.slice(0, 12).join(' ')} ...` : s.attr.join(' ');
  return `${s.world.padEnd(7)} ${outs.join(', ')} = ${s.kernel}(${ins.join(', ')}) {${attr}}`;
}

function exchange(program: Program, s: ExchangeStep): string[] {
  return s.segments.map((g) => {
    const v = program.values[g.out] as Value;
    const hidden = g.kind === 'open' ? `mask %${g.mask}` : 'zero sharing';
    const parts = `${set(g.senders)} -> ${set(s.audience)}${sendingTimes(program, s, g)}`;
    return `${g.kind.padEnd(7)} %${g.out}: ${form(v)} = ${describe(program, g.share)} + ${hidden}  ${parts}`;
  });
}

/** When each sender's frame arrives, unless that is the round of the step for all of them. */
function sendingTimes(program: Program, s: ExchangeStep, segment: Segment): string {
  const { sent } = timelineOf(program);
  const times = partiesOf(segment.senders).map((party) => {
    const at = sent(segment, party);
    return at === undefined ? '-' : `${PHASES[phaseOf(at)]}.${roundOf(at) + 1}`;
  });
  return times.every((time) => time === `${s.phase}.${s.level}`) ? '' : `  at ${times.join(', ')}`;
}

function nodeOf(program: Program, s: Step): string {
  const id = s.kind === 'kernel' ? s.node : -1;
  return program.nodes[id]?.name ?? '';
}

/** `maximum all-pairs; truncation floor` */
export function choicesText(choices: Readonly<Record<string, string>>): string {
  return Object.entries(choices)
    .map(([subject, choice]) => `${subject} ${choice}`)
    .join('; ');
}

/** The joint program as text: a line per step, with worlds, rings and rounds. */
export function printProgram(program: Program): string {
  const lines = [`program '${program.name}' for ${program.parties} parties`];
  for (const io of program.ios) {
    lines.push(
      `${io.kind} '${io.name}': [${io.shape.join(', ')}] ring${io.bits} scale ${io.scale}, owner ${io.owner}`,
    );
  }
  for (const { name, choices } of program.nodes) {
    if (choices !== undefined) lines.push(`chosen for '${name}': ${choicesText(choices)}`);
  }
  for (const s of program.steps) {
    const at = s.kind === 'deal' ? s.phase : `${s.phase}.${s.level}`;
    const texts =
      s.kind === 'kernel'
        ? [kernel(program, s)]
        : s.kind === 'exchange'
          ? exchange(program, s)
          : [
              `deal    ${s.values.map((id) => `${describe(program, id)}: ${form(program.values[id] as Value)}`).join(', ')} -> {${s.to}}`,
            ];
    const node = nodeOf(program, s);
    for (const text of texts) lines.push(`${at.padEnd(11)}${text}${node === '' ? '' : `  # ${node}`}`);
  }
  return lines.join('\n');
}
