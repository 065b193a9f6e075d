// An ONNX file -> a Graph of ONNX operators.
//
// Nodes keep their operator ('Conv') and attributes; which operators exist, and what shapes they make, is for the
// passes to say: the outputs of nodes have the placeholder type {shape: [], dtype: 'fixed', owner: 'secret'} until
// then. Tensors of floating point with more than one element are weights: private constants of their owner. Scalars,
// integers and shapes are public. Calls of the model's own functions are replaced by their bodies. A file comes from outside, so everything that the passes rely on is checked here:
// one definition per name, no cycle, known input shapes, sound tensors.

import {
  type Constant,
  elementCount,
  type Graph,
  GraphBuilder,
  type Owner,
  type Type,
  type Value,
} from '../../compiler/ir/graph';
import { attempt, type OnProblem } from '../../compiler/problem';
import { CryptorchError } from '../../errors';
import { readAttributes } from './attributes';
import { branchesOf, capturedNames, isIf } from './branches';
import { constantTensor, isConstantNode } from './constants';
import { ExternalFiles } from './external';
import { inlineFunctions } from './functions';
import type { GraphProto, ModelProto, NodeProto } from './onnx_pb';
import { type OrderedNode, orderNodes } from './order';
import { invalidModel, isDefaultDomain, quote, readModel } from './reader';
import { type DeclaredType, declaredType, ShapeBinder } from './shapes';
import { type DecodedTensor, decodeTensor } from './tensors';

/** What `importOnnx` takes besides the file. */
export interface ImportOptions {
  /** Shapes of inputs by name, where the model leaves dimensions open. */
  readonly shapes?: Readonly<Record<string, readonly number[]>> | undefined;
  /** What a symbolic first dimension of an input is, where its shape is not given; 1 by default. */
  readonly batch?: number | undefined;
  /** Who has each input (default party 0) and, as `weights`, the private constants (default party 1). */
  readonly owners?: Readonly<Record<string, Owner>> | undefined;
  /** Name of the graph; the model's own by default. */
  readonly name?: string | undefined;
  /** The folder of the model's file: where data that it keeps in other files is read from. */
  readonly folder?: string | undefined;
  /**
   * Called for everything that cannot be computed about a single node or initializer, instead of throwing it. The values that
   * it would define then have no definition in the graph.
   */
  readonly onProblem?: OnProblem | undefined;
}

/** A constant tensor of the file. */
export interface InitializerInfo {
  /** Name in the file. */
  readonly name: string;
  /** Its dimensions. */
  readonly shape: readonly number[];
  /** Product of the dimensions. */
  readonly elements: number;
}

/** An ONNX model as a graph of ONNX operators. */
export interface ImportedModel {
  /** Nodes keep their operators and attributes; shapes are not inferred yet. */
  readonly graph: Graph;
  /** Version of the operator set. */
  readonly opset: number;
  /** Names of the inputs. */
  readonly inputs: readonly string[];
  /** Names of the outputs. */
  readonly outputs: readonly string[];
  /** What the file says of the outputs' shapes; undefined where it says nothing. */
  readonly declaredOutputs: ReadonlyMap<string, readonly (number | undefined)[] | undefined>;
  /** Constants that become part of the public program. */
  readonly publicInitializers: readonly InitializerInfo[];
  /** Constants that stay with the weights' owner. */
  readonly privateInitializers: readonly InitializerInfo[];
}

const UNKNOWN: Type = { shape: [], dtype: 'fixed', owner: 'secret' };

/**
 * Reads a model.
 * @throws CryptorchError INVALID_MODEL, UNSUPPORTED_OPSET, UNSUPPORTED_OPERATOR, UNSUPPORTED_DATA, INVALID_WEIGHTS,
 * INVALID_SHAPE, UNKNOWN_INPUT, INVALID_OPTION, FILE
 */
export function importOnnx(bytes: Uint8Array, options: ImportOptions = {}): ImportedModel {
  const { model, graph, opset } = readModel(bytes);
  return new Importer(model, graph, opset, options).run();
}

class Importer {
  private builder: GraphBuilder;
  private values = new Map<string, Value>();
  private readonly publicInitializers: InitializerInfo[] = [];
  private readonly privateInitializers: InitializerInfo[] = [];
  private readonly binder = new ShapeBinder();
  private readonly files: ExternalFiles;
  private absent: Value | undefined;

  constructor(
    private readonly model: ModelProto,
    private readonly graph: GraphProto,
    private readonly opset: number,
    private readonly options: ImportOptions,
  ) {
    this.builder = new GraphBuilder(options.name ?? (graph.name || 'model'), opset);
    this.files = new ExternalFiles(options.folder);
  }

  run(): ImportedModel {
    const { graph } = this;
    const initializers = byName(graph.initializer, 'Initializer');
    const inputs = new Map<string, DeclaredType>();
    for (const [name, info] of byName(graph.input, 'Input')) {
      // Before IR version 4 every initializer is an input too.
      if (!initializers.has(name)) inputs.set(name, declaredType(info, `Input ${quote(name)}`));
    }
    const outputs = byName(graph.output, 'Output');
    if (outputs.size === 0) throw invalidModel('The model has no output. Export it again.');
    this.checkOptionNames(inputs, outputs);

    this.addInputs(inputs);
    this.addGraph(graph, inlineFunctions(this.model, this.opset), [...inputs.keys()]);
    for (const name of outputs.keys()) this.builder.outputs.push(this.values.get(name)!);

    return {
      graph: this.builder.build(),
      opset: this.opset,
      inputs: [...inputs.keys()],
      outputs: [...outputs.keys()],
      declaredOutputs: new Map(
        [...outputs].map(([name, info]) => [
          name,
          info.type ? this.binder.resolve(declaredType(info, `Output ${quote(name)}`).dims) : undefined,
        ]),
      ),
      publicInitializers: this.publicInitializers,
      privateInitializers: this.privateInitializers,
    };
  }

  /** Constants and nodes of a graph; `sources` are names that are defined outside of them. */
  private addGraph(
    graph: GraphProto,
    protos: readonly NodeProto[],
    sources: readonly string[],
    prefix?: string,
  ): void {
    if (graph.sparseInitializer.length > 0) {
      const message = 'The model has sparse initializers; convert them to dense tensors.';
      throw new CryptorchError('UNSUPPORTED_DATA', message);
    }
    const initializers = byName(graph.initializer, 'Initializer');
    const { nodes, used } = orderNodes(graph, protos, new Set([...initializers.keys(), ...sources]));
    for (const [name, tensor] of initializers) {
      if (!used.has(name)) continue;
      const what = `Initializer ${quote(name)}`;
      this.attempt(name, 'Initializer', [name], () => {
        this.addConstant(name, decodeTensor(tensor, what, this.files));
      });
    }
    for (const { name: own, proto } of nodes) {
      const name = prefix === undefined ? own : `${prefix}/${own}`;
      this.attempt(name, proto.opType, proto.output, () => this.addNode({ proto, name }));
    }
  }

  private checkOptionNames(
    inputs: ReadonlyMap<string, unknown>,
    outputs: ReadonlyMap<string, unknown>,
  ): void {
    const known = `the inputs are ${[...inputs.keys()].map(quote).join(', ')}`;
    for (const name of Object.keys(this.options.shapes ?? {})) {
      if (inputs.has(name)) continue;
      throw new CryptorchError('UNKNOWN_INPUT', `The model has no input ${quote(name)}; ${known}.`, {
        input: name,
        inputs: [...inputs.keys()],
      });
    }
    for (const [name, owner] of Object.entries(this.options.owners ?? {})) {
      if (name !== 'weights' && !inputs.has(name) && !outputs.has(name)) {
        const message = `An owner is given for ${quote(name)}, but ${known}, the outputs ${[...outputs.keys()].map(quote).join(', ')}; private constants are "weights".`;
        throw new CryptorchError('INVALID_OPTION', message, { name });
      }
      const party = typeof owner === 'number' && Number.isSafeInteger(owner) && owner >= 0;
      if (!party && owner !== 'secret' && owner !== 'public') {
        const message = `The owner of ${quote(name)} is ${String(owner)}; give a party's number, "secret" or "public".`;
        throw new CryptorchError('INVALID_OPTION', message, { name });
      }
      if (owner === 'public' && inputs.has(name)) {
        const message = `The owner of input ${quote(name)} is "public"; give the number of the party that brings it, or "secret".`;
        throw new CryptorchError('INVALID_OPTION', message, { name });
      }
    }
  }

  private owner(name: string, otherwise: Owner): Owner {
    const { owners } = this.options;
    return owners && Object.hasOwn(owners, name) ? owners[name]! : otherwise;
  }

  private addInputs(inputs: ReadonlyMap<string, DeclaredType>): void {
    const shapes = this.binder.bindInputs(inputs, this.options);
    for (const [name, { dtype }] of inputs) {
      const type: Type = { shape: shapes.get(name)!, dtype, owner: this.owner(name, 0) };
      this.values.set(name, this.builder.input(name, type));
    }
  }

  /** Where problems are collected, one does not keep the rest from being looked at: its values are just not defined. */
  private attempt(node: string, operator: string, values: readonly string[], action: () => void): void {
    if (attempt({ node, operator }, action, this.options.onProblem)) return;
    for (const name of values) this.values.set(name, this.builder.value(name, UNKNOWN));
  }

  private addConstant(name: string, tensor: DecodedTensor): void {
    const { shape, dtype } = tensor;
    const elements = elementCount(shape);
    const owner = dtype === 'fixed' && elements > 1 ? this.owner('weights', 1) : 'public';
    const isPrivate = owner !== 'public';
    const constant: Constant = {
      private: isPrivate,
      deferred: tensor.deferred === true,
      get data() {
        return tensor.data;
      },
    };
    this.values.set(name, this.builder.constant(name, { shape, dtype, owner }, constant));
    const list = isPrivate ? this.privateInitializers : this.publicInitializers;
    list.push({ name, shape, elements });
  }

  private addNode({ proto, name }: OrderedNode): void {
    const what = `node ${quote(name)} (${proto.opType})`;
    this.checkOperator(proto, name);
    if (isConstantNode(proto)) {
      const output = proto.output[0];
      if (proto.input.length > 0 || proto.output.length !== 1 || !output) {
        throw invalidModel(`The ${what} must have no input and one output. Export the model again.`, {
          node: name,
        });
      }
      this.addConstant(output, constantTensor(proto, what, this.files));
      return;
    }
    const inputs = trimmed(proto.input).map((value) =>
      value === '' ? this.absentValue() : this.values.get(value)!,
    );
    const outputs = trimmed(proto.output).map((value) => {
      const made = this.builder.value(value, UNKNOWN);
      if (value !== '') this.values.set(value, made);
      return made;
    });
    const branches = isIf(proto) ? this.branches(proto, name, what) : undefined;
    if (branches) inputs.push(...capturedNames(proto).map((value) => this.values.get(value)!));
    const attrs = branches ? {} : readAttributes(proto, what, this.files);
    const { nodes } = this.builder;
    const [id, op] = [nodes.length, proto.opType];
    nodes.push({ id, name, op, origin: op, inputs, outputs, attrs, ...(branches && { branches }) });
  }

  /** Both graphs of an If; their inputs are the values of this graph that any of them reads. */
  private branches(proto: NodeProto, name: string, what: string): [Graph, Graph] {
    const captured = capturedNames(proto);
    const branch = (graph: GraphProto): Graph => this.branch(graph, captured, name);
    const [then, otherwise] = branchesOf(proto, what);
    return [branch(then), branch(otherwise)];
  }

  private branch(graph: GraphProto, captured: readonly string[], prefix: string): Graph {
    const { builder, values, absent } = this;
    this.builder = new GraphBuilder(prefix, this.opset);
    this.values = new Map(captured.map((value) => [value, this.builder.input(value, UNKNOWN)]));
    this.absent = undefined;
    try {
      this.addGraph(graph, graph.node, captured, prefix);
      return this.builder.build(graph.output.map(({ name }) => this.values.get(name)!));
    } finally {
      Object.assign(this, { builder, values, absent });
    }
  }

  private checkOperator(proto: NodeProto, name: string): void {
    if (isDefaultDomain(proto.domain)) return;
    const remedy = 'Export the model without it.';
    const message = `Node ${quote(name)} uses operator ${quote(proto.opType)} of the domain ${quote(proto.domain)}; only the standard ONNX operators can be computed. ${remedy}`;
    throw new CryptorchError('UNSUPPORTED_OPERATOR', message, {
      remedy,
      node: name,
      operator: proto.opType,
      domain: proto.domain,
    });
  }

  private absentValue(): Value {
    this.absent ??= this.builder.constant(
      '',
      { shape: [0], dtype: 'fixed', owner: 'public' },
      { data: new Float64Array(0), private: false },
    );
    return this.absent;
  }
}

/** Names without the empty ones at the end: optional inputs or outputs that are left out. */
function trimmed(names: readonly string[]): readonly string[] {
  let n = names.length;
  while (n > 0 && names[n - 1] === '') n--;
  return names.slice(0, n);
}

function byName<T extends { name: string }>(list: readonly T[], what: string): Map<string, T> {
  const found = new Map<string, T>();
  for (const item of list) {
    if (item.name === '') throw invalidModel(`${what} ${found.size} has no name. Export the model again.`);
    if (found.has(item.name)) {
      throw invalidModel(`${what} ${quote(item.name)} is there twice. Export the model again.`, {
        value: item.name,
      });
    }
    found.set(item.name, item);
  }
  return found;
}
