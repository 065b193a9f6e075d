// A Fourier series of a value from ONE opening of it, modulo the period: a power of two of its integers, and low bits are a
// ring homomorphism, so that operands of any size are opened in as many bits as the period has and no wrap is repaired.
//
// For v = V - r with a public V and a mask r,
//     sin(k v) = sin(k V) cos(k r) - cos(k V) sin(k r),     cos(k v) = cos(k V) cos(k r) + sin(k V) sin(k r):
// the dealer shares sines and cosines of the mask as integers, two for each frequency, and the parties multiply them with
// integers that they compute from V (native/cpu/fourier.cpp). One round, and no message but the opening. There is no
// truncation: angles count in full.

import type { Node } from '../ir/graph';
import type { Form } from '../joint';
import type { Value } from '../program';
import { numberAttr, type Protocol, type Run, shareForm, words } from './protocol';

/** A frequency that the series has: its number, and the coefficients of its sine and cosine. */
function frequenciesOf({ attrs }: Node): (readonly [number, bigint, bigint])[] {
  const [sine, cosine] = [attrs.sine, attrs.cosine] as [BigInt64Array, BigInt64Array];
  return Array.from(sine, (s, i) => [i + 1, s, cosine[i]!] as const).filter(
    ([, s, c]) => s !== 0n || c !== 0n,
  );
}

/** cos(k mask) and sin(k mask) for each frequency. */
function wavesOf(run: Run, node: Node, mask: Value, form: Form): Value[] {
  const [period, bits] = [numberAttr(node, 'period'), numberAttr(node, 'wave')];
  return frequenciesOf(node).flatMap(([k]) =>
    [1, 0].map((cosine) => run('wave', [mask], [period, bits, k, cosine], form)),
  );
}

function sumOf(run: Run, node: Node, hat: Value, waves: readonly Value[], form: Form): Value {
  const attr = [
    numberAttr(node, 'period'),
    BigInt(node.attrs.constant as bigint),
    ...frequenciesOf(node).flat(),
  ];
  return run('fourier', [hat, ...waves], attr, form);
}

export const fourier: Protocol = {
  name: 'fourier',
  of: ['fourier'],
  build: (joint, node, [x]) => {
    const { hat, mask } = joint.open(x!.share);
    const form = shareForm(node);
    const waves = wavesOf(joint.derive.bind(joint), node, mask, form).map((w) => joint.deal(w));
    joint.note('frequencies', `${waves.length / 2} on one opening`);
    return [sumOf(joint.local.bind(joint), node, hat, waves, form)];
  },
  // Waves are rounded, so the sum depends on the mask.
  clear: (joint, node, [x]) => {
    const mask = joint.clearMask(joint.open(x!.share).mask);
    const run = joint.clear.bind(joint);
    const form = words(x!.clear.elements);
    const hat = run('lincomb', [x!.clear, mask], [0, 1, 1], form);
    return [sumOf(run, node, hat, wavesOf(run, node, mask, form), form)];
  },
};
