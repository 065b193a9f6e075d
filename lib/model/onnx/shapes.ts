// Shapes of a model's inputs, with symbolic dimensions bound to numbers.
//
// A dimension is a number, a symbol ('N'), or not stated (also: zero or negative, as some exporters write). Given
// shapes bind symbols first; a first dimension that is still open is the batch; any other open dimension must be a
// symbol that is bound elsewhere.

import type { Dtype } from '../../compiler/ir/graph';
import { CryptorchError } from '../../errors';
import { dtypeOfElement, elementTypeName, READABLE_TYPES } from './element-types';
import type { ValueInfoProto } from './onnx_pb';
import { invalidModel, quote } from './reader';

export type Dimension = number | string | undefined;

export interface DeclaredType {
  readonly dtype: Dtype;
  /** Undefined where the file says nothing about the shape. */
  readonly dims: readonly Dimension[] | undefined;
}

/**
 * What the file says about an input or output; `what` names it in errors.
 * @throws CryptorchError INVALID_MODEL, UNSUPPORTED_DATA
 */
export function declaredType(info: ValueInfoProto, what: string): DeclaredType {
  const value = info.type?.value;
  if (value?.case === undefined) throw invalidModel(`${what} has no type. Export the model again.`);
  if (value.case !== 'tensorType') {
    const message = `${what} is not a tensor but a ${value.case.replace('Type', '')}; export the model with tensors only.`;
    throw new CryptorchError('UNSUPPORTED_DATA', message, { value: info.name });
  }
  const { elemType, shape } = value.value;
  const dtype = dtypeOfElement(elemType);
  if (!dtype) {
    const message = `${what} has element type ${elementTypeName(elemType)}; use one of ${READABLE_TYPES}.`;
    throw new CryptorchError('UNSUPPORTED_DATA', message, { value: info.name });
  }
  const dims = shape?.dim.map(({ value: d }): Dimension => {
    if (d.case === 'dimParam') return d.value === '' ? undefined : d.value;
    if (d.case !== 'dimValue' || d.value <= 0n) return undefined;
    const n = Number(d.value);
    if (!Number.isSafeInteger(n))
      throw invalidModel(`${what} has a dimension of ${d.value}. Export the model again.`);
    return n;
  });
  return { dtype, dims };
}

export interface ShapeOptions {
  readonly shapes?: Readonly<Record<string, readonly number[]>> | undefined;
  readonly batch?: number | undefined;
}

/** Binds the inputs' dimensions; keeps what each symbol stands for. */
export class ShapeBinder {
  private readonly symbols = new Map<string, number>();

  /**
   * Shapes of all inputs, every dimension a positive integer.
   * @throws CryptorchError INVALID_SHAPE, INVALID_OPTION
   */
  bindInputs(inputs: ReadonlyMap<string, DeclaredType>, options: ShapeOptions): Map<string, number[]> {
    const { batch } = options;
    if (batch !== undefined && !(Number.isSafeInteger(batch) && batch > 0)) {
      throw new CryptorchError('INVALID_OPTION', `The batch ${batch} is not a positive integer.`);
    }
    const open = new Map<string, Dimension[]>();
    for (const [name, { dims }] of inputs) {
      const given = options.shapes && Object.hasOwn(options.shapes, name) ? options.shapes[name] : undefined;
      open.set(name, given ? this.given(name, dims, given) : this.unstated(name, dims));
    }
    this.bindBatch(open, batch);
    return new Map([...open].map(([name, dims]) => [name, this.closed(name, dims)]));
  }

  /** The declared dimensions of an output as far as they are known. */
  resolve(dims: readonly Dimension[] | undefined): (number | undefined)[] | undefined {
    return dims?.map((d) => (typeof d === 'string' ? this.symbols.get(d) : d));
  }

  private given(name: string, dims: readonly Dimension[] | undefined, shape: readonly number[]): number[] {
    const refuse = (why: string): never => {
      const message = `Input ${quote(name)} was given the shape [${shape.join(', ')}], ${why}. Give a shape that fits the model.`;
      throw new CryptorchError('INVALID_SHAPE', message, { input: name, shape: [...shape] });
    };
    if (!shape.every((d) => Number.isSafeInteger(d) && d > 0))
      return refuse('which is not a list of positive integers');
    if (!dims) return [...shape];
    const model = `the model has [${dims.map((d) => d ?? '?').join(', ')}]`;
    if (dims.length !== shape.length) return refuse(`but ${model}`);
    dims.forEach((d, i) => {
      if (typeof d === 'number' && d !== shape[i]) refuse(`but ${model}`);
      if (typeof d !== 'string') return;
      const bound = this.symbols.get(d);
      if (bound !== undefined && bound !== shape[i]) refuse(`but ${quote(d)} is ${bound} elsewhere`);
      this.symbols.set(d, shape[i]!);
    });
    return [...shape];
  }

  private unstated(name: string, dims: readonly Dimension[] | undefined): Dimension[] {
    if (dims) return [...dims];
    const message = `The model does not say what shape input ${quote(name)} has; give it in options.shapes.`;
    throw new CryptorchError('INVALID_SHAPE', message, { input: name });
  }

  private bindBatch(open: Map<string, Dimension[]>, batch: number | undefined): void {
    let bound = false;
    for (const dims of open.values()) {
      const first = dims[0];
      if (dims.length === 0 || typeof first === 'number') continue;
      bound = true;
      if (first === undefined) dims[0] = batch ?? 1;
      else if (!this.symbols.has(first)) this.symbols.set(first, batch ?? 1);
    }
    if (batch === undefined || bound || [...open.values()].some((dims) => dims[0] === batch)) return;
    const shapes = [...open].map(([name, dims]) => `${quote(name)} [${dims.join(', ')}]`).join(', ');
    const message = `A batch of ${batch} was asked for, but the shapes are fixed: ${shapes}. Export the model with a symbolic batch.`;
    throw new CryptorchError('INVALID_SHAPE', message, { batch });
  }

  private closed(name: string, dims: readonly Dimension[]): number[] {
    return dims.map((d, i) => {
      const bound = typeof d === 'string' ? this.symbols.get(d) : d;
      if (bound !== undefined) return bound;
      const message = `Dimension ${i} of input ${quote(name)} is ${d ? quote(d as string) : 'not stated'}; give the input's shape in options.shapes.`;
      throw new CryptorchError('INVALID_SHAPE', message, { input: name, dimension: i });
    });
  }
}
