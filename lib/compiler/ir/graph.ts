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
  readonly kind: 'proven' | 'calibrated' | 'assumed';
  readonly lo: number;
  readonly hi: number;
}

/** `fixed` values stand for real numbers, `int` values for indices and shapes, `bool` values for masks. */
export type Dtype = 'fixed' | 'int' | 'bool';

export interface Type {
  readonly shape: readonly number[];
  readonly dtype: Dtype;
  readonly owner: Owner;
  /** Fractional bits; undefined before the fixed-point pass, 0 for `int` and `bool`. */
  readonly scale?: number;
  readonly range?: Range;
  /** The shares are kept modulo 2^ring: that many low bits of the integer are all that anything needs. Default 64. */
  readonly ring?: number;
}

export interface Value {
  readonly id: number;
  readonly name: string;
  readonly type: Type;
}

/** Elements of a constant, row-major. Integers and shapes that must be exact are bigint. */
export type ConstantData = Float64Array | Float32Array | BigInt64Array;

export interface Constant {
  readonly data: ConstantData;
  /** A private constant is a weight: it belongs to the weights' owner and never enters the public program. */
  readonly private: boolean;
}

export type Attribute =
  | number
  | bigint
  | string
  | boolean
  | null
  | readonly Attribute[]
  | { readonly [key: string]: Attribute }
  | ConstantData;
export type Attributes = { readonly [name: string]: Attribute };

/** The newest operator set that is understood. */
export const LAST_OPSET = 23;

export interface Node {
  readonly id: number;
  /** Name of the model's node this came from: errors and reports use it. */
  readonly name: string;
  readonly op: string;
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  readonly attrs: Attributes;
  /** Operator of the model that this node was lowered from (`Conv`, `MaxPool`, ...), for reports. */
  readonly origin: string;
}

export interface Graph {
  readonly name: string;
  /** Version of the ONNX operator set that the operators have; of no meaning once they are core operations. */
  readonly opset: number;
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  readonly constants: ReadonlyMap<Value, Constant>;
  readonly nodes: readonly Node[];
}

export function elementCount(shape: readonly number[]): number {
  return shape.reduce((a, b) => a * b, 1);
}

/** Builds graphs: hands out value ids and node ids, in order. */
export class GraphBuilder {
  readonly inputs: Value[] = [];
  readonly outputs: Value[] = [];
  readonly constants: Map<Value, Constant> = new Map();
  readonly nodes: Node[] = [];
  private nextValue = 0;

  constructor(
    readonly name: string,
    readonly opset: number = LAST_OPSET,
  ) {}

  value(name: string, type: Type): Value {
    return { id: this.nextValue++, name, type };
  }

  input(name: string, type: Type): Value {
    const v = this.value(name, type);
    this.inputs.push(v);
    return v;
  }

  constant(name: string, type: Type, constant: Constant): Value {
    const v = this.value(name, type);
    this.constants.set(v, constant);
    return v;
  }

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

  build(outputs: readonly Value[] = this.outputs): Graph {
    const { name, opset, inputs, constants, nodes } = this;
    return { name, opset, inputs, outputs, constants, nodes };
  }
}
