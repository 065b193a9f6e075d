// Where the operands of approximated functions are, as a calibration saw them. It names them by the node of the model and
// the function, on the lowered graph, which is the same whatever the domains are.

import { CryptorchError } from '../../errors';
import { findFunction, interval } from '../approximations';
import type { Graph, Node } from '../ir/graph';
import { numbersAttr } from '../ops/core';
import { Rewriter } from './rewriter';

/** Intervals of operands, in real units. */
export type Domains = Readonly<Record<string, readonly [number, number]>>;

/** The approximated functions of a lowered graph, by name. */
export function approximated(graph: Graph): Map<string, Node> {
  const found = new Map<string, Node>();
  for (const node of graph.nodes) {
    if (node.op !== 'approximate') continue;
    const name = `${node.name}/${node.attrs.fn}`;
    let own = name;
    for (let i = 2; found.has(own); i++) own = `${name}#${i}`;
    found.set(own, node);
  }
  return found;
}

/** @throws CryptorchError INVALID_OPTION for intervals that are none, or of another model */
export function setDomains(graph: Graph, domains: Domains = {}): Graph {
  const names = new Map([...approximated(graph)].map(([name, node]) => [node, name]));
  const foreign = Object.keys(domains).find((name) => ![...names.values()].includes(name));
  if (foreign !== undefined) {
    throw new CryptorchError(
      'INVALID_OPTION',
      `The calibration knows a function ${foreign}, which this model has not; calibrate again.`,
    );
  }
  const rewriter = new Rewriter(graph);
  for (const node of graph.nodes) {
    const name = names.get(node);
    const domain = name !== undefined && Object.hasOwn(domains, name) ? domains[name] : undefined;
    if (!domain) {
      rewriter.copy(node);
      continue;
    }
    const [lo, hi] = domain;
    const { exists } = findFunction(String(node.attrs.fn));
    const least = exists(numbersAttr(node, 'params')).lo;
    if (!(lo > least && lo <= hi && Number.isFinite(hi))) {
      throw new CryptorchError(
        'INVALID_OPTION',
        `The calibration says [${lo}, ${hi}] of the operand of ${name}, which must be above ${least}; calibrate again.`,
      );
    }
    rewriter.copy(node, { attrs: { ...node.attrs, ...interval({ lo, hi }, least), known: true } });
  }
  return rewriter.build('reshape');
}
