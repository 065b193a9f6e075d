// What must hold for a graph after every pass.
//
// Values are defined once and before they are used; ids are unique; shapes, scales, ranges and owners make sense;
// constants have as many elements as their shape says; nothing private is in an attribute, since attributes become
// part of the public program. With `core` every node must also be a core operation (./verify-core.ts). A violation is
// a bug in the pass that was run last, so it is an INTERNAL error naming the pass and the node.

import { CryptorchError } from '../../errors';
import { type Attribute, elementCount, type Graph, type Node, type Type, type Value } from './graph';
import { checkCoreNode } from './verify-core';

/** What the graph must be. */
export interface VerifyOptions {
  /** After the last pass: only core operations, and every value has a scale. */
  readonly core?: boolean;
}

/**
 * Checks a graph that the named pass made.
 * @throws CryptorchError INTERNAL
 */
export function verifyGraph(graph: Graph, pass: string, options: VerifyOptions = {}): void {
  new Verifier(graph, pass, options.core === true).run();
}

class Verifier {
  private readonly defined = new Set<Value>();
  private readonly ids = new Set<number>();
  private readonly nodeIds = new Set<number>();
  private readonly privateBuffers = new Set<ArrayBufferLike>();

  constructor(
    private readonly graph: Graph,
    private readonly pass: string,
    private readonly core: boolean,
  ) {}

  run(): void {
    const { inputs, constants, nodes, outputs } = this.graph;
    for (const v of inputs) this.define(v, `input ${show(v)}`);
    for (const [v] of constants) this.constant(v);
    for (const node of nodes) this.node(node);
    const names = new Set<string>();
    for (const v of outputs) {
      if (!this.defined.has(v)) this.fail(`output ${show(v)}`, 'is never computed');
      if (names.has(v.name)) this.fail(`output ${show(v)}`, 'has the name of another output');
      names.add(v.name);
    }
  }

  private fail(where: string, why: string, node?: Node): never {
    const message = `After pass ${this.pass}, ${where} ${why}. This is a bug in the compiler: please report it.`;
    throw new CryptorchError('INTERNAL', message, {
      pass: this.pass,
      ...(node && { node: node.name, op: node.op }),
    });
  }

  private define(v: Value, where: string, node?: Node): void {
    if (this.defined.has(v)) this.fail(where, 'is defined twice', node);
    if (!Number.isSafeInteger(v.id) || v.id < 0) this.fail(where, `has the id ${v.id}`, node);
    if (this.ids.has(v.id)) this.fail(where, `has the id ${v.id} of another value`, node);
    this.defined.add(v);
    this.ids.add(v.id);
    const why = typeProblem(v.type, this.graph.constants.has(v) && !this.core, this.core);
    if (why) this.fail(where, why, node);
  }

  private constant(v: Value): void {
    const where = `constant ${show(v)}`;
    this.define(v, where);
    const constant = this.graph.constants.get(v)!;
    const { private: isPrivate } = constant;
    if (!constant.deferred) {
      const { data } = constant;
      const count = elementCount(v.type.shape);
      if (data.length !== count) this.fail(where, `has ${data.length} elements, but its shape says ${count}`);
      if (v.type.dtype !== 'fixed' && !(data instanceof BigInt64Array))
        this.fail(where, `is ${v.type.dtype} but not exact`);
      if (isPrivate) this.privateBuffers.add(data.buffer);
    }
    if (isPrivate !== (v.type.owner !== 'public')) {
      this.fail(where, `is ${isPrivate ? 'private' : 'public'}, but its owner is ${v.type.owner}`);
    }
  }

  private node(node: Node): void {
    const where = `node ${JSON.stringify(node.name)} (${node.op})`;
    if (this.nodeIds.has(node.id)) this.fail(where, `has the id ${node.id} of another node`, node);
    this.nodeIds.add(node.id);
    if (typeof node.op !== 'string' || node.op === '') this.fail(where, 'has no operation', node);
    for (const v of node.inputs) {
      if (!v || !this.defined.has(v))
        this.fail(where, `uses ${v ? show(v) : 'nothing'} before it is defined`, node);
    }
    for (const [name, a] of Object.entries(node.attrs)) {
      const why = this.attributeProblem(a);
      if (why) this.fail(where, `has an attribute ${name} that ${why}`, node);
    }
    if (node.outputs.length === 0) this.fail(where, 'has no output', node);
    for (const v of node.outputs) this.define(v, `output ${show(v)} of ${where}`, node);
    if (!this.core) return;
    const why = checkCoreNode(node);
    if (why) this.fail(where, why, node);
  }

  private attributeProblem(a: Attribute): string | undefined {
    if (isKnownPlain(a)) return undefined;
    if (typeof a !== 'object') return `is a ${typeof a}`;
    if (ArrayBuffer.isView(a)) return this.privateBuffers.has(a.buffer) ? 'holds private data' : undefined;
    for (const part of Object.values(a as object) as Attribute[]) {
      const why = this.attributeProblem(part);
      if (why) return why;
    }
    return undefined;
  }
}

/**
 * Attributes that were seen to hold nothing but numbers and text: most passes hand them on as they are, and a move has
 * many.
 */
const plain = new WeakSet<object>();

function isPlain(a: Attribute): boolean {
  if (a === null || typeof a !== 'object') return plainTypes.has(typeof a) || a === null;
  return !ArrayBuffer.isView(a) && (Object.values(a) as Attribute[]).every(isPlain);
}

function isKnownPlain(a: Attribute): boolean {
  if (a === null || typeof a !== 'object') return isPlain(a);
  if (plain.has(a)) return true;
  if (!isPlain(a)) return false;
  plain.add(a);
  return true;
}

const plainTypes: ReadonlySet<string> = new Set(['number', 'bigint', 'string', 'boolean']);

function show(v: Value): string {
  return `%${v.id} ${JSON.stringify(v.name)}`;
}

function typeProblem(type: Type, mayBeEmpty: boolean, core: boolean): string | undefined {
  const { shape, dtype, owner, scale, range } = type;
  if (!shape.every((d) => Number.isSafeInteger(d) && d >= (mayBeEmpty ? 0 : 1)))
    return `has the shape [${shape.join(', ')}]`;
  if (!Number.isSafeInteger(elementCount(shape))) return 'has too many elements';
  if (!['fixed', 'int', 'bool'].includes(dtype)) return `has the element type ${dtype}`;
  const party = typeof owner === 'number' && Number.isSafeInteger(owner) && owner >= 0;
  if (!party && owner !== 'secret' && owner !== 'public') return `has the owner ${owner}`;
  if (scale === undefined ? core : !Number.isSafeInteger(scale) || scale < 0 || scale > 62)
    return `has the scale ${scale}`;
  if (scale !== undefined && dtype !== 'fixed' && scale !== 0) return `is ${dtype} with scale ${scale}`;
  if (range && !(range.lo <= range.hi)) return `has the range [${range.lo}, ${range.hi}]`;
  return undefined;
}
