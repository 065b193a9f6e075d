// The graph: what is to be computed, with nothing said about how it is protected.
//
// A Graph is a list of nodes in topological order over single-assignment values. Every value has a static shape, an
// owner (who may know it in the clear) and, once the fixed-point pass has run, a scale: the real number is
// integer * 2^-scale. Passes are functions Graph -> Graph that build a new graph; nothing is changed in place, so a
// printed graph stays what it was.

/** Who may know a value: a party's index, everybody, or nobody (it exists as shares only). */
export type Owner = number | 'secret' | 'public';

/** A closed interval in real units, and what it rests on. */
export interface Range {
  /** Proven by interval arithmetic, seen on examples, or taken for granted. */
  readonly kind: 'proven' | 'calibrated' | 'assumed';
  /** Lowest value. */
  readonly lo: number;
  /** Highest value. */
  readonly hi: number;
}

/** `fixed` values stand for real numbers, `int` values for indices and shapes, `bool` values for masks. */
export type Dtype = 'fixed' | 'int' | 'bool';

/** What is known of a value before anything runs. */
export interface Type {
  /** Dimensions, outermost first; empty for a scalar. */
  readonly shape: readonly number[];
  /** Kind of number. */
  readonly dtype: Dtype;
  /** Who may know it. */
  readonly owner: Owner;
  /** Fractional bits; undefined before the fixed-point pass, 0 for `int` and `bool`. */
  readonly scale?: number;
  /** What it lies between, where that is known. */
  readonly range?: Range;
  /** The shares are kept modulo 2^ring: that many low bits of the integer are all that anything needs. Default 64. */
  readonly ring?: number;
}

/** A value of a graph; equal by identity. */
export interface Value {
  /** Number in its graph. */
  readonly id: number;
  /** For errors and reports; names of inputs and outputs are those of the model. */
  readonly name: string;
  /** Shape, kind, owner, scale. */
  readonly type: Type;
}

/** Elements of a constant, row-major. Integers and shapes that must be exact are bigint. */
export type ConstantData = Float64Array | Float32Array | BigInt64Array;

/** A tensor that is known when the model is compiled. */
export interface Constant {
  /** Row-major. */
  readonly data: ConstantData;
  /** `data` is read from a file at every access, and checked then. */
  readonly deferred?: boolean;
  /** A private constant is a weight: it belongs to the weights' owner and never enters the public program. */
  readonly private: boolean;
}

/** Value of an attribute: plain data. */
export type Attribute =
  | number
  | bigint
  | string
  | boolean
  | null
  | readonly Attribute[]
  | { readonly [key: string]: Attribute }
  | ConstantData;
/** Attributes of a node by name; for core operations see lib/compiler/ops/core.ts. */
export type Attributes = { readonly [name: string]: Attribute };

/** The newest operator set that is understood. */
export const LAST_OPSET = 23;

/** One operation. */
export interface Node {
  /** Position in its graph. */
  readonly id: number;
  /** Name of the model's node this came from: errors and reports use it. */
  readonly name: string;
  /** ONNX operator before lowering, core operation afterwards. */
  readonly op: string;
  /** Operands; an optional one that was left out has the name "". */
  readonly inputs: readonly Value[];
  /** Results. */
  readonly outputs: readonly Value[];
  /** Attributes by name. */
  readonly attrs: Attributes;
  /** Operator of the model that this node was lowered from (`Conv`, `MaxPool`, ...), for reports. */
  readonly origin: string;
  /**
   * What an `If` computes where its condition (input 0) holds and where it does not, until shapes are inferred; the
   * inputs of both graphs are the node's inputs from 1 on.
   */
  readonly branches?: readonly [Graph, Graph];
}

/** Nodes in topological order over single-assignment values. */
export interface Graph {
  /** Name of the model. */
  readonly name: string;
  /** Version of the ONNX operator set that the operators have; of no meaning once they are core operations. */
  readonly opset: number;
  /** Values that are supplied at a run. */
  readonly inputs: readonly Value[];
  /** Values that are revealed at the end of a run. */
  readonly outputs: readonly Value[];
  /** Data of the values that are known when the model is compiled. */
  readonly constants: ReadonlyMap<Value, Constant>;
  /** In an order in which they can be computed. */
  readonly nodes: readonly Node[];
  /**
   * The value that carries a result of the model's own nodes, by what that result was when shapes became known. Results of
   * nodes that were merged into others are not there. For reports; no pass decides by it.
   */
  readonly carriers?: ReadonlyMap<Value, Value>;
}

/** Product of the dimensions; 1 for a scalar. */
export function elementCount(shape: readonly number[]): number {
  return shape.reduce((a, b) => a * b, 1);
}

/** Builds graphs: hands out value ids and node ids, in order. */
export class GraphBuilder {
  /** In the order in which they were added. */
  readonly inputs: Value[] = [];
  /** To be filled, or given to `build`. */
  readonly outputs: Value[] = [];
  /** Data by value. */
  readonly constants: Map<Value, Constant> = new Map();
  /** In the order in which they were added. */
  readonly nodes: Node[] = [];
  private nextValue = 0;

  /** For the model of this name, whose operators have the forms of version `opset`. */
  constructor(
    /** Name of the model. */
    readonly name: string,
    /** Version of the ONNX operator set. */
    readonly opset: number = LAST_OPSET,
  ) {}

  /** A new value that nothing computes yet. */
  value(name: string, type: Type): Value {
    return { id: this.nextValue++, name, type };
  }

  /** A new input. */
  input(name: string, type: Type): Value {
    const v = this.value(name, type);
    this.inputs.push(v);
    return v;
  }

  /** A new constant. */
  constant(name: string, type: Type, constant: Constant): Value {
    const v = this.value(name, type);
    this.constants.set(v, constant);
    return v;
  }

  /** Appends an operation and returns its results, one for each of `types`. */
  node(
    from: { name: string; origin: string },
    op: string,
    inputs: readonly Value[],
    types: readonly Type[],
    attrs: Attributes = {},
  ): Value[] {
    const outputs = types.map((t, i) =>
      this.value(types.length === 1 ? `${from.name}:${op}` : `${from.name}:${op}.${i}`, t),
    );
    this.nodes.push({
      id: this.nodes.length,
      name: from.name,
      origin: from.origin,
      op,
      inputs,
      outputs,
      attrs,
    });
    return outputs;
  }

  /** The graph so far. */
  build(outputs: readonly Value[] = this.outputs): Graph {
    const { name, opset, inputs, constants, nodes } = this;
    return { name, opset, inputs, outputs, constants, nodes };
  }
}
