// Products: element-wise multiplication, matrix products and convolutions of two shared values (spec/protocols.py P1
// and P2), and their cheap forms where a factor is public.
//
// For any bilinear map B, with x^ = x + a and w^ = w + b opened once each and B(a, b) dealt,
//     [B(x, w)] = B(x^, [w]) - B([a], w^) + [B(a, b)].
// The second and third term do not depend on the input once w^ is known: weights are opened once per deployment, under
// a long-lived mask, so a linear layer costs the opening of its input and one product, whatever its weights weigh.
// [w] of weights that one party holds in the clear is held by that party alone, and so is the online product: only it
// has to see x^, whose mask it need not have a part of (spec/refinements.py E).

import { elementCount, type Node } from '../ir/graph';
import type { Joint, Opened } from '../joint';
import type { KernelName } from '../kernels';
import { isSingle, type PartySet, type Value } from '../program';
import { isPlain, maskedBoolean, numberOf } from './boolean';
import {
  type MaskedFactor,
  maskedByOpening,
  maskedByTruncation,
  productOfMasked,
  type Spread,
} from './masked-factor';
import {
  broadcast,
  broadcastClear,
  expansion,
  numberAttr,
  numbersAttr,
  outputShape,
  type Protocol,
  type Run,
  shareForm,
  type Twin,
  words,
} from './protocol';

/** A bilinear kernel with its attributes; the addend is scaled by `c`. */
interface Bilinear {
  readonly kernel: KernelName;
  readonly attr: readonly number[];
  readonly elements: number;
}

/** The party that holds all of a share, if there is one. */
function holderOf(share: Value): PartySet | null {
  return isSingle(share.parties) ? share.parties : null;
}

/**
 * The opening of a factor that is multiplied by [w]. Only the holders of [w] need to see it: where one party holds the
 * weights and nothing else needs the opening, the others send it their masked shares and it sends nothing back.
 */
function openFactor(joint: Joint, x: Twin, w: Value): Opened {
  const holder = holderOf(w);
  if (holder === null || x.openedFor !== holder || joint.isOpened(x.share)) return joint.open(x.share);
  return joint.open(x.share, { audience: holder });
}

/** Factors in the order of the identity: weights, which are opened once per deployment, come second. */
function ordered<T extends { share: Value }>(a: T, b: T): { x: T; w: T; swapped: boolean } {
  const swapped = a.share.life === 'state' && b.share.life !== 'state';
  return swapped ? { x: b, w: a, swapped } : { x: a, w: b, swapped };
}

/** What one party holds both factors of is computed by that party alone. */
function isLocal(a: Value, b: Value): boolean {
  return a.world === 'public' || b.world === 'public' || (holderOf(a) !== null && a.parties === b.parties);
}

/** [B(a, b)] of two shares by their openings. */
function product(
  joint: Joint,
  map: Bilinear,
  a: Twin,
  b: Twin,
  form: { elements: number; bits: number },
): Value {
  const { x, w, swapped } = ordered(a, b);
  const pair = (left: Value, right: Value): Value[] => (swapped ? [right, left] : [left, right]);
  const ox = openFactor(joint, x, w.share);
  const ow = joint.open(w.share);
  const dealt = joint.deal(joint.derive(map.kernel, pair(ox.mask, ow.mask), [...map.attr, 1, 0], form));
  const known = joint.local(map.kernel, pair(joint.sharesOf(ox.mask), ow.hat), [...map.attr, 1, 0], form);
  const offset = joint.local('lincomb', [dealt, known], [0, 1, -1], form);
  return joint.local(map.kernel, [...pair(ox.hat, w.share), offset], [...map.attr, 1, 1], form);
}

/** Shape attributes of matmul, from operands of rank 1 and above (numpy semantics). Equal or shared batches only. */
function matmulMap(node: Node, a: readonly number[], b: readonly number[]): Bilinear {
  const [ta, tb] = [
    node.attrs.transA === true || node.attrs.transA === 1,
    node.attrs.transB === true || node.attrs.transB === 1,
  ];
  const [a2, b2] = [a.length === 1 ? [1, ...a] : a, b.length === 1 ? [...b, 1] : b];
  const [r, s] = a2.slice(-2) as [number, number];
  const [m, k] = ta ? [s, r] : [r, s];
  const n = (tb ? b2.at(-2) : b2.at(-1)) as number;
  const [countA, countB] = [a2, b2].map((shape) => shape.slice(0, -2).reduce((x, y) => x * y, 1)) as [
    number,
    number,
  ];
  const batch = Math.max(countA, countB);
  // Rows of a batch that shares its right factor are rows of one product.
  const merged = countB === 1 && !ta;
  const sizes = merged ? [1, countA * m, k, n] : [batch, m, k, n];
  const steps = [countA === 1 || merged ? 0 : m * k, countB === 1 ? 0 : k * n];
  const attr = [...sizes, ta ? 1 : 0, tb ? 1 : 0, ...steps];
  return { kernel: 'matmul', attr, elements: batch * m * n };
}

/** Repeats the batches of a factor where numpy broadcasting needs more than "one for all". */
function expandBatches(shape: readonly number[], batch: readonly number[]): readonly number[] | null {
  const own = shape.slice(0, -2);
  const count = own.reduce((x, y) => x * y, 1);
  if (shape.length <= 2 || count === 1 || count === batch.reduce((x, y) => x * y, 1)) return null;
  return [...batch, ...shape.slice(-2)];
}

function matmulOperands(joint: Joint, node: Node, ins: readonly Twin[]): { map: Bilinear; a: Twin; b: Twin } {
  const batch = outputBatch(ins);
  const [a, b] = ins.map((t) => {
    const target = expandBatches(t.shape, batch);
    if (target === null) return t;
    const attr = expansion(t.shape, target);
    const elements = target.reduce((x, y) => x * y, 1);
    const share = joint.local('copy', [t.share], attr, { elements, bits: t.share.bits });
    return { ...t, share, clear: joint.clear('copy', [t.clear], attr, words(elements)), shape: target };
  }) as [Twin, Twin];
  return { map: matmulMap(node, a.shape, b.shape), a, b };
}

function outputBatch(ins: readonly Twin[]): number[] {
  const batches = ins.map((t) => t.shape.slice(0, -2));
  const rank = Math.max(...batches.map((b) => b.length));
  return Array.from({ length: rank }, (_, i) => Math.max(...batches.map((b) => b[i - rank + b.length] ?? 1)));
}

function convolutionMap(node: Node, x: readonly number[], w: readonly number[]): Bilinear {
  const out = outputShape(node);
  const pads = numbersAttr(node, 'pads');
  const [n, c, h, width] = x as [number, number, number, number];
  const [o, , kh, kw] = w as [number, number, number, number];
  const [oh, ow] = out.slice(2) as [number, number];
  const window = [
    kh,
    kw,
    ...numbersAttr(node, 'strides'),
    ...numbersAttr(node, 'dilations'),
    pads[0] as number,
    pads[1] as number,
    oh,
    ow,
  ];
  return {
    kernel: 'conv2d',
    attr: [n, c, h, width, o, ...window, numberAttr(node, 'group')],
    elements: n * o * oh * ow,
  };
}

/** A bilinear operator whose factors may be shared or public. */
function contraction(
  name: string,
  of: string,
  prepare: (joint: Joint, node: Node, ins: readonly Twin[]) => { map: Bilinear; a: Twin; b: Twin },
): Protocol {
  return {
    name,
    of: [of],
    build: (joint, node, ins) => {
      const { map, a, b } = prepare(joint, node, ins);
      if (!isLocal(a.share, b.share)) return [product(joint, map, a, b, shareForm(node))];
      return [joint.local(map.kernel, [a.share, b.share], [...map.attr, 1, 0], shareForm(node))];
    },
    clear: (joint, node, ins) => {
      const { map, a, b } = prepare(joint, node, ins);
      return [joint.clear(map.kernel, [a.clear, b.clear], [...map.attr, 1, 0], words(map.elements))];
    },
  };
}

export const matmul: Protocol = contraction('matmul', 'matmul', matmulOperands);

export const conv2d: Protocol = contraction('conv2d', 'conv2d', (_joint, node, [x, w]) => ({
  map: convolutionMap(node, x!.shape, w!.shape),
  a: x!,
  b: w!,
}));

const spreadOver =
  (t: Twin, out: readonly number[]): Spread =>
  (v, run) =>
    broadcast(v, t.shape, out, (attr, elements) => run('copy', [v], attr, { elements, bits: v.bits }));

/** A factor by its opening, or by that before its truncation. */
function factor(joint: Joint, t: Twin, open: () => Opened): MaskedFactor {
  const truncation = joint.isOpened(t.share) ? null : maskedByTruncation(joint, t.share);
  if (truncation !== null) joint.note('factor', 'opened before its truncation');
  return truncation ?? maskedByOpening(joint, open());
}

/** Where the boolean c holds x, elsewhere 0 (boolean.ts). */
function multiplyByBoolean(joint: Joint, node: Node, x: Twin, c: Twin): Value {
  const out = outputShape(node);
  const form = shareForm(node);
  const [spreadX, spreadC] = [spreadOver(x, out), spreadOver(c, out)];
  const local: Run = joint.local.bind(joint);
  const isKnown = isPlain(c.share) && isLocal(x.share, c.share);
  if (isKnown || x.share.world === 'public') {
    const number = numberOf(joint, c.share, form.bits);
    return joint.local('mulsum', [spreadX(x.share, local), spreadC(number, local)], [1, 1, 0], form);
  }
  const opened = factor(joint, x, () => joint.open(x.share));
  return productOfMasked(joint, [maskedBoolean(joint, c.share, form.bits), spreadC], [opened, spreadX], form);
}

/** Element-wise product: the same identity, with broadcasting. */
export const multiply: Protocol = {
  name: 'multiply',
  of: ['mul'],
  build: (joint, node, [a, b]) => {
    const [left, right] = node.inputs.map((v) => v.type.dtype === 'bool');
    if (right && !left) return [multiplyByBoolean(joint, node, a!, b!)];
    const out = outputShape(node);
    const form = shareForm(node);
    const { x, w } = ordered(a!, b!);
    const [spreadX, spreadW] = [spreadOver(x, out), spreadOver(w, out)];
    const local: Run = joint.local.bind(joint);
    if (isLocal(x.share, w.share)) {
      return [joint.local('mulsum', [spreadX(x.share, local), spreadW(w.share, local)], [1, 1, 0], form)];
    }
    const first = factor(joint, x, () => openFactor(joint, x, w.share));
    const second = x.share === w.share ? first : factor(joint, w, () => joint.open(w.share));
    return [productOfMasked(joint, [first, spreadX], [second, spreadW], form)];
  },
  clear: (joint, node, [x, y]) => {
    const out = outputShape(node);
    const form = words(elementCount(out));
    return [
      joint.clear(
        'mulsum',
        [broadcastClear(joint, x!, out), broadcastClear(joint, y!, out)],
        [1, 1, 0],
        form,
      ),
    ];
  },
};
