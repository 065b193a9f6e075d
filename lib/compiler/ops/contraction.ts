// Products and sums of tensors whose dimensions have labels: what an Einsum computes, by transposes, diagonals,
// sums and batched products of matrices, operand after operand.
//
// The same steps serve reference values and the values of a lowering: what they need of either is an algebra.

export interface Algebra<T> {
  shape(t: T): readonly number[];
  /** A strided view. */
  view(t: T, shape: readonly number[], strides: readonly number[]): T;
  reshape(t: T, shape: readonly number[]): T;
  /** The sum over axes, which are taken out. */
  sum(t: T, axes: readonly number[]): T;
  /** The product, element by element, with numpy's broadcasting. */
  mul(a: T, b: T): T;
  matmul(a: T, b: T, transA: boolean, transB: boolean): T;
}

export interface Equation {
  /** Labels of every operand's dimensions. */
  readonly inputs: readonly (readonly string[])[];
  readonly output: readonly string[];
}

interface Term<T> {
  readonly t: T;
  readonly labels: readonly string[];
}

/** Sizes of all labels; an operand of size 1 is repeated where another has more. Undefined where they contradict. */
export function labelSizes(
  { inputs }: Equation,
  shapes: readonly (readonly number[])[],
): Map<string, number> | undefined {
  const sizes = new Map<string, number>();
  for (const [i, labels] of inputs.entries()) {
    for (const [j, label] of labels.entries()) {
      const [before, now] = [sizes.get(label) ?? 1, shapes[i]![j]!];
      if (before !== now && before !== 1 && now !== 1) return undefined;
      sizes.set(label, Math.max(before, now));
    }
  }
  return sizes;
}

const product = (sizes: readonly number[]): number => sizes.reduce((a, b) => a * b, 1);

class Contraction<T> {
  constructor(
    private readonly al: Algebra<T>,
    private readonly sizes: ReadonlyMap<string, number>,
  ) {}

  private sizesOf(labels: readonly string[]): number[] {
    return labels.map((l) => this.sizes.get(l)!);
  }

  /** One dimension per label, in the given order: by default that in which they come; repeated labels are diagonals. */
  arranged({ t, labels }: Term<T>, order?: readonly string[]): Term<T> {
    const shape = this.al.shape(t);
    const strides = new Map<string, number>();
    let step = 1;
    for (let i = labels.length - 1; i >= 0; i--) {
      const label = labels[i]!;
      // A dimension that is repeated along its label is left out: the product repeats it.
      const isRepeated = shape[i] === 1 && this.sizes.get(label) !== 1;
      if (!isRepeated) strides.set(label, (strides.get(label) ?? 0) + step);
      step *= shape[i]!;
    }
    const now = order ?? [...new Set(labels)].filter((l) => strides.has(l));
    const steps = now.map((l) => strides.get(l)!);
    return { t: this.al.view(t, this.sizesOf(now), steps), labels: now };
  }

  /** Sums over the labels that are needed no more. */
  private summed(term: Term<T>, isNeeded: (label: string) => boolean): Term<T> {
    const axes = term.labels.flatMap((l, i) => (isNeeded(l) ? [] : [i]));
    if (axes.length === 0) return term;
    return { t: this.al.sum(term.t, axes), labels: term.labels.filter(isNeeded) };
  }

  /** A matrix, or one for each element of a batch; whether it is transposed already, so that it need not be moved. */
  private matrices(
    term: Term<T>,
    [batch, rows, columns]: readonly (readonly string[])[],
  ): { t: T; transposed: boolean } {
    const order = (a: readonly string[], b: readonly string[]) => [...batch!, ...a, ...b];
    const transposed = order(columns!, rows!).every((l, i) => l === term.labels[i]);
    const [first, second] = transposed ? [columns!, rows!] : [rows!, columns!];
    const { t } = this.arranged(term, order(first, second));
    const shape = [batch!, first, second].map((labels) => product(this.sizesOf(labels)));
    return { t: this.al.reshape(t, batch!.length === 0 ? shape.slice(1) : shape), transposed };
  }

  private elementwise(a: Term<T>, b: Term<T>): Term<T> {
    const isWithin = (x: Term<T>, y: Term<T>) => x.labels.every((l) => y.labels.includes(l));
    const [inA, inB] = [new Set(a.labels), new Set(b.labels)];
    const labels = isWithin(b, a)
      ? a.labels
      : isWithin(a, b)
        ? b.labels
        : [
            ...a.labels.filter((l) => inB.has(l)),
            ...a.labels.filter((l) => !inB.has(l)),
            ...b.labels.filter((l) => !inA.has(l)),
          ];
    const [x, y] = [a, b].map((term) => {
      const own = labels.filter((l) => term.labels.includes(l));
      const shape = labels.map((l) => (own.includes(l) ? this.sizes.get(l)! : 1));
      return this.al.reshape(this.arranged(term, own).t, shape);
    });
    return { t: this.al.mul(x!, y!), labels };
  }

  /** The product of two operands, summed over the labels that nothing later needs. */
  product(left: Term<T>, right: Term<T>, later: ReadonlySet<string>): Term<T> {
    const a = this.summed(left, (l) => right.labels.includes(l) || later.has(l));
    const b = this.summed(right, (l) => left.labels.includes(l) || later.has(l));
    const shared = a.labels.filter((l) => b.labels.includes(l));
    const contracted = shared.filter((l) => !later.has(l));
    if (contracted.length === 0) return this.elementwise(a, b);
    const batch = shared.filter((l) => later.has(l));
    const [rows, columns] = [a, b].map((x) => x.labels.filter((l) => !shared.includes(l)));
    const x = this.matrices(a, [batch, rows!, contracted]);
    const y = this.matrices(b, [batch, contracted, columns!]);
    const labels = [...batch, ...rows!, ...columns!];
    const t = this.al.matmul(x.t, y.t, x.transposed, y.transposed);
    return { t: this.al.reshape(t, this.sizesOf(labels)), labels };
  }

  result(term: Term<T>, output: readonly string[]): T {
    const needed = new Set(output);
    return this.arranged(
      this.summed(term, (l) => needed.has(l)),
      output,
    ).t;
  }
}

/** The value of an equation, its operands taken from left to right. */
export function contract<T>(
  al: Algebra<T>,
  { inputs, output }: Equation,
  operands: readonly T[],
  sizes: ReadonlyMap<string, number>,
): T {
  const contraction = new Contraction(al, sizes);
  const terms = operands.map((t, i) => contraction.arranged({ t, labels: inputs[i]! }));
  const joined = terms.reduce((a, b, i) => {
    const later = new Set([...output, ...terms.slice(i + 1).flatMap((x) => x.labels)]);
    return contraction.product(a, b, later);
  });
  return contraction.result(joined, output);
}
