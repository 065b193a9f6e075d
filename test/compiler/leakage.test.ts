import test from 'ava';
import { checkLeakage } from '../../lib/compiler/leakage';
import type { ExchangeStep, KernelStep, Program, Segment, Step, Value } from '../../lib/compiler/program';
import { CryptorchError } from '../../lib/errors';
import { graphOf, programOf, type } from '../helpers/protocols';

/** Two matrix products with a ReLU between them, weights of party 1 and weights that are shared. */
function program(): Program {
  const graph = graphOf(
    [
      { name: 'x', shape: [4, 8], owner: 0 },
      { name: 'v', shape: [8, 8], owner: 1, weight: true },
      { name: 'w', shape: [8, 2], owner: 'secret', weight: true },
    ],
    (b, [x, v, w]) => {
      const at = (name: string) => ({ name, origin: name });
      const [a] = b.node(at('first'), 'matmul', [x!, v!], [type([4, 8])]);
      const [r] = b.node(at('relu'), 'relu', [a!], [type([4, 8])], { shift: 4 });
      return b.node(at('second'), 'matmul', [r!, w!], [type([4, 2])]);
    },
  );
  return programOf(graph, { parties: 3 });
}

/** The program with some steps and values changed. */
function broken(change: { step?: (s: Step) => Step; value?: (v: Value) => Value }): Program {
  const p = program();
  return {
    ...p,
    steps: p.steps.map(change.step ?? ((s) => s)),
    values: p.values.map(change.value ?? ((v) => v)),
  };
}

function exchanges(change: (s: Segment, step: ExchangeStep) => Segment): (s: Step) => Step {
  return (s) => (s.kind === 'exchange' ? { ...s, segments: s.segments.map((g) => change(g, s)) } : s);
}

function kernels(change: (s: KernelStep) => KernelStep): (s: Step) => Step {
  return (s) => (s.kind === 'kernel' ? change(s) : s);
}

test('sound programs pass', (t) => {
  t.notThrows(() => checkLeakage(program()));
});

// Masks of two values of the same form that all parties hold parts of.
const [mask, other] = program()
  .values.filter(
    (v) => v.origin.kind === 'uniform' && v.layout === 'ring' && v.elements === 32 && v.parties === 7,
  )
  .map((v) => v.id);
const inputMask = program().steps.flatMap((s) =>
  s.kind === 'exchange' && s.phase === 'online' && s.audience === 2 ? s.segments.map((g) => g.mask) : [],
)[0]!;
const anyShare = program().values.find(
  (v) => v.world === 'share' && v.origin.kind === 'step' && v.phase === 'online',
)!;

const faults: readonly (readonly [string, Program, RegExp])[] = [
  [
    'one mask opens two values',
    broken({ step: exchanges((g) => (g.mask === other ? { ...g, mask: mask! } : g)) }),
    /opens values/,
  ],
  [
    'an opening without a mask',
    broken({ step: exchanges(({ mask: _mask, ...g }) => g as Segment) }),
    /without a uniform mask/,
  ],
  [
    'a mask that is not uniform',
    broken({ value: (v) => (v.id === mask ? { ...v, origin: { kind: 'step' } } : v) }),
    /without a uniform mask/,
  ],
  [
    'a mask narrower than the value',
    broken({ value: (v) => (v.id === mask ? { ...v, bits: 32 } : v) }),
    /does not cover/,
  ],
  [
    'a mask without a stream of every sender',
    broken({ value: (v) => (v.id === mask ? { ...v, parties: 1 } : v) }),
    /lacks the stream/,
  ],
  [
    'an opening for the holder of weights that the others do not mask',
    broken({ value: (v) => (v.id === inputMask ? { ...v, parties: 2 } : v) }),
    /lacks the stream/,
  ],
  [
    'a sender that keeps its part back',
    broken({ step: exchanges((g) => (g.mask === mask ? { ...g, senders: 1 } : g)) }),
    /is not sent/,
  ],
  [
    'a state mask for a value of a run',
    broken({ value: (v) => (v.id === mask ? { ...v, life: 'state' } : v) }),
    /outlives|share the random stream/,
  ],
  [
    'two values from one random address',
    broken({
      value: (v) =>
        v.origin.kind === 'uniform' && v.life === 'run'
          ? { ...v, origin: { kind: 'uniform', stream: 0 } }
          : v,
    }),
    /share the random stream/,
  ],
  [
    'a share that flows to the dealer',
    broken({
      step: kernels((s) =>
        s.world === 'mask' ? { ...s, in: s.in.map((o) => ({ ...o, value: anyShare.id })) } : s,
      ),
    }),
    /flows to the dealer/,
  ],
  [
    'an opening that flows to the dealer',
    broken({
      step: kernels((s) =>
        s.world === 'mask'
          ? {
              ...s,
              in: s.in.map((o) => ({ ...o, value: program().values.find((v) => v.world === 'public')!.id })),
            }
          : s,
      ),
    }),
    /flows to the dealer/,
  ],
  [
    'a share computed into a public value',
    broken({ value: (v) => (v.id === anyShare.id ? { ...v, world: 'public' } : v) }),
    /writes public value|exchange of public|computed from/,
  ],
  [
    'a reveal to a party that owns no output',
    broken({
      step: (s) =>
        s.kind === 'exchange' && s.segments.some((g) => g.kind === 'reveal') ? { ...s, audience: 2 } : s,
    }),
    /own no output/,
  ],
  [
    'a reveal that is not re-randomised',
    broken({ step: exchanges(({ stream: _stream, ...g }) => g as Segment) }),
    /not re-randomised/,
  ],
  [
    'corrections to another party',
    broken({ step: (s) => (s.kind === 'deal' ? { ...s, to: 0 } : s) }),
    /goes to party 0/,
  ],
  [
    'a dealt value that one party does not mask',
    broken({ value: (v) => (v.origin.kind === 'deal' ? { ...v, parties: 3 } : v) }),
    /not masked by every party/,
  ],
];

for (const [name, bad, expected] of faults) {
  test(`refused: ${name}`, (t) => {
    const error = t.throws(() => checkLeakage(bad), { instanceOf: CryptorchError });
    t.is(error.code, 'ERR_CRYPTORCH_LEAKAGE');
    t.regex(error.message, expected);
  });
}
