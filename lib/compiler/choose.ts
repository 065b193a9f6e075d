// Choosing forms of protocols for a network: fewer rounds cost more material, and which is cheaper depends on how long a
// message takes and on how many elements share it.
//
// Every node is costed by itself under every candidate (node-cost.ts), and takes the one with the least estimated time:
// half a round trip for every message in a row, bytes at the network's rate, and a fixed time per byte of material for
// expanding and using it. What is prepared offline counts like what is sent online, unless only the online time is of
// interest.
//
// Between two parties of which one holds the weights, a node's first opening needs nothing from the other online, and
// the parties then answer each other: a message carries one party's parts of two rounds. So r rounds and the opening of
// the result take 2 ceil(r / 2) messages in a row, not r + 1; two where one gate is all of the comparison.

import type { Network } from '../cost/network';
import type { Graph, Node } from './ir/graph';
import { type NodeCost, nodeCost } from './node-cost';
import { openingHints } from './opening-hints';
import type { ComparisonKnobs, Knobs } from './protocols/protocol';
import { comparedBits, shiftOf } from './widths';

export interface ChooseOptions {
  readonly parties: number;
  /** Of every link, the dealer's too. */
  readonly network: Network;
  /** What is to be short: the online part alone, or offline and online together. */
  readonly prefer: 'online' | 'total';
  /** Knobs that are not chosen. */
  readonly knobs?: Partial<Knobs>;
}

/** Seconds in which a party expands and uses a byte of material, on one core without VAES (docs/performance.md, Comparisons). */
const SECONDS_PER_MATERIAL_BYTE = 0.3e-9;

/** Those that may compare all pairs. */
const MAXIMA: ReadonlySet<string> = new Set(['max_pool', 'arg_max']);
/** Those that compare their truncated operand, so that equal comparisons of one value are made once. */
const SHARING: ReadonlySet<string> = new Set(['relu', 'leaky_relu', 'clip', 'piecewise']);
/** Those whose comparison ends in a product, with which its last gate can be fused. */
const FUSING: ReadonlySet<string> = new Set([...SHARING, 'spline']);

const COMPARING: ReadonlySet<string> = new Set([...FUSING, ...MAXIMA, 'rank', 'step', 'equals']);

/** Estimated seconds of a node: a sum of everything that its protocol does, in `parties` parties at once. */
export function estimate(cost: NodeCost, options: ChooseOptions, alternating: boolean): number {
  const { parties, network, prefer } = options;
  const { online, offline } = cost.communication;
  const messages = alternating ? 2 * Math.ceil(online.rounds / 2) : online.rounds + 1;
  const wire = (bytes: number): number => (8 * bytes) / network.bitsPerSecond;
  const during = (messages * network.roundTrip) / 2 + wire(online.bytes / parties);
  const ahead = prefer === 'total' ? wire(offline.bytes) : 0;
  return during + ahead + offline.bytes * SECONDS_PER_MATERIAL_BYTE;
}

function comparisons(node: Node): ComparisonKnobs[] {
  const bits = comparedBits(node) - shiftOf(node);
  const list: ComparisonKnobs[] = [];
  for (const fused of FUSING.has(node.op) ? [1, 2, 3, 4, 5, 6] : [1]) {
    // A spline widens its digits by itself (protocols/spline.ts).
    for (const leaf of node.op === 'spline' ? [4] : [4, 5, 6, 7, 8, 9]) {
      const digits = Math.ceil(bits / leaf);
      // Without a level of gates before the last one, their fan-in says nothing.
      for (const fanin of digits > fused ? [4, 5, 6] : [4]) list.push({ leaf, fanin, fused });
    }
  }
  return list;
}

function candidates(node: Node): Partial<Knobs>[] {
  const pairs = MAXIMA.has(node.op) ? [{}, { allPairs: 2 }, { allPairs: 9 }] : [{}];
  return comparisons(node).flatMap((comparison) => pairs.map((p) => ({ ...p, comparison })));
}

/** What the cost of a node depends on. */
function signature(node: Node, alternating: boolean): string {
  const types = [...node.inputs, ...node.outputs].map(({ type }) => [type.shape, type.ring]);
  return JSON.stringify([node.op, node.attrs, types, comparedBits(node), alternating], (_, v: unknown) =>
    typeof v === 'bigint' ? `${v}` : v,
  );
}

/** The knobs of every node of a core graph whose values have their rings. */
export function chooseKnobs(graph: Graph, options: ChooseOptions): (node: Node) => Partial<Knobs> {
  const known = new Map<string, Partial<Knobs>>();
  const shared = new Map<string, Partial<Knobs>>();
  const hints = openingHints(graph);
  const best = (node: Node, alternating: boolean): Partial<Knobs> => {
    const costed = candidates(node).map((knobs) => {
      const merged = { ...options.knobs, ...knobs };
      const { parties } = options;
      const cost = nodeCost(node, { parties, knobs: merged, constants: graph.constants });
      return { knobs, seconds: estimate(cost, options, alternating) };
    });
    return costed.reduce((a, b) => (b.seconds < a.seconds ? b : a)).knobs;
  };
  const chosenFor = (node: Node): Partial<Knobs> => {
    const alternating = options.parties === 2 && node.outputs.every((v) => hints.has(v));
    const key = signature(node, alternating);
    const before = known.get(key);
    if (before !== undefined) return before;
    const chosen = best(node, alternating);
    known.set(key, chosen);
    return chosen;
  };
  return (node) => {
    if (!COMPARING.has(node.op)) return {};
    if (!SHARING.has(node.op)) return chosenFor(node);
    // The first one that compares these bits of a value chooses for all of them.
    const key = `${node.inputs[0]?.id} ${shiftOf(node)} ${comparedBits(node)}`;
    const chosen = shared.get(key) ?? chosenFor(node);
    shared.set(key, chosen);
    return chosen;
  };
}

/**
 * Size from which openings among three and more parties go by slices (schedule/slices.ts): every party then sends
 * 2 (n - 1) / n of their bytes instead of n - 1 times as many, a message later.
 */
export function slicedBytes({ bitsPerSecond, roundTrip }: Network, parties: number): number {
  const saved = parties - 1 - (2 * (parties - 1)) / parties;
  return saved === 0 ? Number.POSITIVE_INFINITY : ((bitsPerSecond / 8) * (roundTrip / 2)) / saved;
}
