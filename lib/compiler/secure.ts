// From a core graph to a joint program: every operator becomes its protocol.

import { CryptorchError } from '../errors';
import type { Constant, Graph, Value as GraphValue, Node } from './ir/graph';
import { Joint } from './joint';
import { openedLater, openingHints } from './opening-hints';
import type { Io, Program } from './program';
import { protocolFor } from './protocols';
import { checkKnobs, DEFAULT_KNOBS, type Knobs, type Twin } from './protocols/protocol';
import { sliceLargeOpenings } from './schedule/slices';
import { WORD_BITS } from './widths';

/** What `secure` takes besides the graph. */
export interface SecureOptions {
  /** Computing parties, the dealer not counted. */
  readonly parties: number;
  /** Who learns an output: a party, `public` (every party) or `secret` (it stays shared). By output name; default 0. */
  readonly outputOwners?: Readonly<Record<string, number | 'secret' | 'public'>>;
  /** Knobs of all nodes. */
  readonly knobs?: Partial<Knobs>;
  /** Knobs of a node, over those of all. */
  readonly choose?: (node: Node) => Partial<Knobs>;
  /** The one party that receives the dealer's corrections. Default: they are spread (corrections.ts). */
  readonly corrected?: number;
  /** Openings of at least this many bytes go by slices (schedule/slices.ts). Default 1 MiB. */
  readonly slicedBytes?: number;
}

/** The joint program of a core graph. Weights appear in it by name and shape only. */
export function secure(graph: Graph, options: SecureOptions): Program {
  const joint = new Joint(
    options.corrected === undefined
      ? { parties: options.parties }
      : { parties: options.parties, corrected: options.corrected },
  );
  const common: Knobs = { ...DEFAULT_KNOBS, ...options.knobs };
  const env = new Map<GraphValue, Twin>();
  const hints = openingHints(graph);
  const later = openedLater(graph);
  const set = (v: GraphValue, twin: Pick<Twin, 'share' | 'clear'>): void => {
    const openedFor = hints.get(v);
    env.set(v, {
      ...twin,
      shape: v.type.shape,
      ...(openedFor !== undefined && { openedFor }),
      ...(later.has(v) && { openedLater: true }),
    });
  };
  joint.beginNode({ name: 'inputs', op: 'Input', shape: [] });
  for (const [value, constant] of graph.constants) set(value, enterConstant(joint, value, constant));
  for (const value of graph.inputs) set(value, joint.input(ioOf(value, 'input')));
  for (const node of graph.nodes) {
    const protocol = protocolFor(node.op);
    if (protocol === undefined) {
      throw new CryptorchError('INTERNAL', `operator ${node.op} of node '${node.name}' has no protocol`);
    }
    joint.beginNode({ name: node.name, op: node.origin, shape: node.outputs[0]?.type.shape ?? [] });
    const ins = node.inputs.map((v) => env.get(v) as Twin);
    const knobs = { ...common, ...options.choose?.(node) };
    checkKnobs(knobs);
    const ring = node.outputs[0]?.type.ring;
    if (ring !== undefined && ring < WORD_BITS) joint.note('ring', `${ring} bits`);
    const shares = protocol.build(joint, node, ins, knobs);
    const clears = protocol.clear(joint, node, ins, knobs);
    node.outputs.forEach((v, i) => {
      set(v, { share: shares[i] as Twin['share'], clear: clears[i] as Twin['clear'] });
    });
  }
  for (const value of graph.outputs) {
    const { share: computed, clear } = env.get(value) as Twin;
    const share = narrowed(joint, computed, value.type.ring);
    const owner = options.outputOwners?.[value.name] ?? 0;
    joint.beginNode({ name: value.name, op: 'Output', shape: value.type.shape });
    joint.output(
      {
        name: value.name,
        owner,
        shape: value.type.shape,
        scale: value.type.scale ?? 0,
        dtype: value.type.dtype,
      },
      share,
      clear,
    );
  }
  return sliceLargeOpenings(joint.build(graph.name), options.slicedBytes);
}

/** Shares in the ring that an output needs: no more of it is revealed. */
function narrowed(joint: Joint, share: Twin['share'], ring: number | undefined): Twin['share'] {
  if (ring === undefined || ring >= share.bits) return share;
  return joint.local('lincomb', [share], [0, 1], { elements: share.elements, bits: ring });
}

export function ioOf(value: GraphValue, kind: 'input' | 'weight'): Omit<Io, 'value' | 'clear'> {
  const { shape, scale, dtype, owner, ring, range } = value.type;
  const form = { shape, scale: scale ?? 0, bits: ring ?? WORD_BITS, dtype };
  const limits = kind === 'input' && range ? { range: { lo: range.lo, hi: range.hi } } : {};
  return { name: value.name, kind, owner, ...form, ...limits };
}

export function enterConstant(
  joint: Joint,
  value: GraphValue,
  constant: Constant,
): Pick<Twin, 'share' | 'clear'> {
  if (constant.private) return joint.input(ioOf(value, 'weight'));
  const unit = 2 ** (value.type.scale ?? 0);
  const data = Array.from(constant.data as ArrayLike<number | bigint>, (v) =>
    typeof v === 'bigint' ? v : BigInt(Math.round(v * unit)),
  );
  return joint.constant(data, value.type.shape);
}
