// Calls of a model's own functions (ModelProto.functions) replaced by their bodies, as exporters write them for modules
// and for operators of their own.
//
// Inside a body, names of inputs and outputs become those of the call, every other name gets the call's name in front,
// and an attribute that refers to one of the function (ref_attr_name) gets the call's value, or the function's default,
// or is left out where there is neither. Bodies may call functions again, but none itself: the file comes from outside,
// so recursion is refused, and the number of nodes and how deep graphs lie within graphs are limited.

import { create } from '@bufbuild/protobuf';
import {
  type AttributeProto,
  type FunctionProto,
  type GraphProto,
  type ModelProto,
  type NodeProto,
  NodeProtoSchema,
  type TensorProto,
  type ValueInfoProto,
} from './onnx_pb';
import { invalidModel, isDefaultDomain, quote } from './reader';

/** Most nodes after inlining: a few functions that call each other twice would otherwise grow without bound. */
const MOST_NODES = 200_000;
const MOST_CALLERS = 200;
/**
 * Most graphs of `If` within each other. The decoder limits what a file nests, but every call adds what its function
 * nests, and what comes later walks through graphs recursively.
 */
const MOST_GRAPHS = 64;

type AnyMessage = NodeProto | AttributeProto | GraphProto | TensorProto | ValueInfoProto;
type Attributes = ReadonlyMap<string, AttributeProto>;

/**
 * The nodes of the model's graph without calls of its functions. The nodes of the model are not changed.
 * @throws CryptorchError INVALID_MODEL
 */
export function inlineFunctions(model: ModelProto, opset: number): NodeProto[] {
  const nodes = model.graph?.node ?? [];
  return model.functions.length === 0 ? nodes : new Inliner(model, opset).run(nodes);
}

class Inliner {
  private readonly functions = new Map<string, FunctionProto>();
  /** Names of values; those of bodies must differ from them. */
  private readonly values: Names;
  private readonly calls = new Names();
  private result: NodeProto[] = [];
  /** Graphs around the one that is being written. */
  private depth = 0;
  private visited = 0;

  constructor(
    model: ModelProto,
    private readonly opset: number,
  ) {
    for (const f of model.functions) {
      const key = keyOf(f.domain, f.name, f.overload);
      if (this.functions.has(key)) {
        throw invalidModel(`The model defines its function ${quote(f.name)} twice. Export the model again.`);
      }
      this.functions.set(key, f);
    }
    const { node: nodes = [], input: inputs = [], initializer: initializers = [] } = model.graph ?? {};
    const names = [...nodes.flatMap((n) => n.output), ...[...inputs, ...initializers].map((i) => i.name)];
    this.values = new Names(names);
  }

  run(nodes: readonly NodeProto[]): NodeProto[] {
    for (const node of nodes) this.visit(node, []);
    return this.result;
  }

  private visit(node: NodeProto, callers: readonly FunctionProto[]): void {
    this.count(callers.length);
    const called = this.functions.get(keyOf(node.domain, node.opType, node.overload));
    if (!called) {
      this.result.push(withGraphs(node, (g) => changed(g, { node: this.inlined(g.node, callers) })));
      return;
    }
    if (callers.includes(called)) {
      const path = [...callers.slice(callers.indexOf(called)), called].map((f) => quote(f.name)).join(' -> ');
      throw invalidModel(`The model's functions call each other in a circle: ${path}. Correct the model.`, {
        function: called.name,
      });
    }
    this.checkOpset(called);
    this.inline(node, called, [...callers, called]);
  }

  private count(calls: number): void {
    if (++this.visited <= MOST_NODES && calls <= MOST_CALLERS) return;
    throw invalidModel(
      `With the bodies of its functions the model has more than ${MOST_NODES} nodes, or calls more than ${MOST_CALLERS} deep. Export it without functions.`,
    );
  }

  /** The nodes of a graph within the one that is being written. */
  private inlined(nodes: readonly NodeProto[], callers: readonly FunctionProto[]): NodeProto[] {
    const { result: outer, depth } = this;
    checkDepth(depth + 1);
    Object.assign(this, { result: [], depth: depth + 1 });
    for (const node of nodes) this.visit(node, callers);
    const { result } = this;
    Object.assign(this, { result: outer, depth });
    return result;
  }

  private inline(call: NodeProto, f: FunctionProto, callers: readonly FunctionProto[]): void {
    const where = `Node ${quote(call.name || call.opType)} calls the function ${quote(f.name)}`;
    if (call.input.length > f.input.length || call.output.length > f.output.length) {
      throw invalidModel(
        `${where} with ${call.input.length} inputs and ${call.output.length} outputs, but it has ${f.input.length} and ${f.output.length}. Export the model again.`,
        { node: call.name, function: f.name },
      );
    }
    const prefix = this.calls.unused(call.name || call.opType);
    const names = new Map<string, string>([['', '']]);
    f.input.forEach((name, i) => {
      names.set(name, call.input[i] ?? '');
    });
    const isPassed = new Set(f.input);
    const direct: NodeProto[] = [];
    f.output.forEach((name, i) => {
      const output = call.output[i] ?? '';
      if (output === '') return;
      // An output that is an input, or is returned twice, has a name already.
      if (isPassed.has(name) || names.has(name)) {
        const input = [names.get(name) ?? ''];
        direct.push(create(NodeProtoSchema, { opType: 'Identity', input, output: [output] }));
      } else names.set(name, output);
    });
    const renamed = (name: string): string => {
      const known = names.get(name);
      if (known !== undefined) return known;
      const own = this.values.unused(`${prefix}/${name}`);
      names.set(name, own);
      return own;
    };
    const attributes = valuesOf(call, f, where);
    f.node.forEach((inner, i) => {
      const name = `${prefix}/${inner.name || `${inner.opType}_${i}`}`;
      this.visit(this.renamedNode(changed(inner, { name }), renamed, attributes), callers);
    });
    this.result.push(...direct);
  }

  /**
   * A node of a body as the call has it: names of values changed and attributes filled in, in its graphs as well.
   * Those may come from the call, so they are counted here too: functions could hand on graphs that double.
   */
  private renamedNode(
    node: NodeProto,
    renamed: (name: string) => string,
    values: Attributes,
    depth: number = this.depth,
  ): NodeProto {
    const own = changed(node, {
      input: node.input.map(renamed),
      output: node.output.map(renamed),
      attribute: node.attribute.flatMap((a) => resolved(a, values)),
    });
    const named = <T extends { name: string } & AnyMessage>(m: T): T =>
      changed(m, { name: renamed(m.name) } as Partial<T>);
    return withGraphs(own, (g) => {
      checkDepth(depth + 1);
      return changed(g, {
        initializer: g.initializer.map(named),
        output: g.output.map(named),
        node: g.node.map((inner) => {
          this.count(0);
          return this.renamedNode(inner, renamed, values, depth + 1);
        }),
      });
    });
  }

  private checkOpset(f: FunctionProto): void {
    const other = f.opsetImport.find((o) => isDefaultDomain(o.domain) && Number(o.version) !== this.opset);
    if (!other) return;
    throw invalidModel(
      `The model uses opset ${this.opset}, but its function ${quote(f.name)} opset ${other.version}. Export the model with one operator set.`,
      { function: f.name, opset: Number(other.version) },
    );
  }
}

function checkDepth(graphs: number): void {
  if (graphs <= MOST_GRAPHS) return;
  throw invalidModel(
    `With the bodies of its functions the model nests the graphs of its If nodes more than ${MOST_GRAPHS} deep. Export it without functions, for one shape of its inputs, so that conditions are known.`,
    { most: MOST_GRAPHS },
  );
}

/** Names that are taken. */
class Names {
  private readonly taken: Set<string>;
  /** The number to try next for a name that is taken, so that many equal ones take linear time. */
  private readonly next = new Map<string, number>();

  constructor(taken: readonly string[] = []) {
    this.taken = new Set(taken);
  }

  /** The name itself, or with a number behind it; it is taken from then on. */
  unused(name: string): string {
    let own = name;
    for (let i = this.next.get(name) ?? 1; this.taken.has(own); i++) {
      own = `${name}.${i}`;
      this.next.set(name, i + 1);
    }
    this.taken.add(own);
    return own;
  }
}

/** A node with other graphs in its attributes. */
function withGraphs(node: NodeProto, change: (g: GraphProto) => GraphProto): NodeProto {
  if (!node.attribute.some((a) => a.g)) return node;
  return changed(node, { attribute: node.attribute.map((a) => (a.g ? changed(a, { g: change(a.g) }) : a)) });
}

/** A message like another one, what is not changed shared with it. */
function changed<T extends AnyMessage>(message: T, change: Partial<T>): T {
  return Object.assign(Object.create(Object.getPrototypeOf(message)), message, change) as T;
}

function keyOf(domain: string, name: string, overload: string): string {
  return JSON.stringify([isDefaultDomain(domain) ? '' : domain, name, overload]);
}

/** The attributes that a body may refer to: those of the call, then the function's defaults. */
function valuesOf(call: NodeProto, f: FunctionProto, where: string): Attributes {
  const values = new Map(f.attributeProto.map((a) => [a.name, a]));
  const known = new Set([...values.keys(), ...f.attribute]);
  for (const attribute of call.attribute) {
    if (!known.has(attribute.name)) {
      throw invalidModel(
        `${where} with the attribute ${quote(attribute.name)}, which it does not have. Export the model again.`,
        { node: call.name, function: f.name },
      );
    }
    values.set(attribute.name, attribute);
  }
  return values;
}

function resolved(attribute: AttributeProto, values: Attributes): AttributeProto[] {
  if (attribute.refAttrName === '') return [attribute];
  const value = values.get(attribute.refAttrName);
  return value ? [changed(value, { name: attribute.name })] : [];
}
