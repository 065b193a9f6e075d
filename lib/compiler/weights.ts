// The private constants of a compiled graph by name. Elements that lie in files are read when they are asked for, and
// not kept here: compiling needs them one tensor at a time.

import type { Constant, ConstantData, Graph } from './ir/graph';

/** Weights by the name under which the program asks for them: private to their owner. */
export type Weights = ReadonlyMap<string, ConstantData>;

export class GraphWeights implements Weights {
  private readonly constants: ReadonlyMap<string, Constant>;

  constructor(graph: Graph) {
    this.constants = new Map([...graph.constants].filter(([, c]) => c.private).map(([v, c]) => [v.name, c]));
  }

  get size(): number {
    return this.constants.size;
  }

  get(name: string): ConstantData | undefined {
    return this.constants.get(name)?.data;
  }

  has(name: string): boolean {
    return this.constants.has(name);
  }

  keys(): MapIterator<string> {
    return this.constants.keys();
  }

  *values(): MapIterator<ConstantData> {
    for (const constant of this.constants.values()) yield constant.data;
  }

  *entries(): MapIterator<[string, ConstantData]> {
    for (const [name, constant] of this.constants) yield [name, constant.data];
  }

  [Symbol.iterator](): MapIterator<[string, ConstantData]> {
    return this.entries();
  }

  forEach(use: (data: ConstantData, name: string, weights: Weights) => void): void {
    for (const [name, data] of this) use(data, name, this);
  }
}
