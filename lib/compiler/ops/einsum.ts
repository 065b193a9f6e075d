// Einsum: an equation of any number of operands, with repeated labels (diagonals) and ellipses.

import type { Owner, Value } from '../ir/graph';
import { type FloatTensor, matmul, reduce, view, zip } from './array';
import { type LowerContext, type OpContext, show } from './context';
import { type Algebra, contract, type Equation, labelSizes } from './contraction';
import { joinOwners } from './emit';
import { scaled } from './operands';
import { defineOp } from './registry';

/** Labels of a term's dimensions; those of an ellipsis are numbered from the last, so that they align. */
function labelsOf(term: string, rank: number | undefined): string[] | undefined {
  const parts = term.split('...');
  if (parts.length > 2 || !/^[a-zA-Z]*$/.test(parts.join(''))) return undefined;
  if (parts.length === 1) return [...term];
  const count = (rank ?? Number.NaN) - parts.join('').length;
  if (!(count >= 0)) return undefined;
  return [...parts[0]!, ...Array.from({ length: count }, (_, i) => `.${count - 1 - i}`), ...parts[1]!];
}

/** Without an arrow: the ellipsis, then what is there once, in alphabetical order. */
function implicitOutput(inputs: readonly (readonly string[])[]): string[] {
  const all = inputs.flat();
  const ellipsis = [...new Set(all.filter((l) => l.startsWith('.')))];
  ellipsis.sort((a, b) => Number(b.slice(1)) - Number(a.slice(1)));
  const once = all.filter((l) => !l.startsWith('.') && all.indexOf(l) === all.lastIndexOf(l));
  return [...ellipsis, ...once.sort()];
}

interface Form {
  readonly equation: Equation;
  readonly sizes: ReadonlyMap<string, number>;
}

function formOf(c: OpContext): Form {
  const text = c.string('equation', '').replaceAll(' ', '');
  const shapes = c.node.inputs.map((_, i) => c.shape(i));
  const wrong = (why: string) => c.invalidShape(`has the equation "${text}": ${why}`, ...shapes);
  const [left, right, ...more] = text.split('->');
  const terms = left!.split(',');
  if (more.length > 0 || terms.length !== shapes.length)
    throw wrong(`it does not have ${shapes.length} operands and one result`);
  const inputs = terms.map((term, i) => {
    const labels = labelsOf(term, shapes[i]!.length);
    if (labels?.length === shapes[i]!.length) return labels;
    throw wrong(`"${term}" does not fit an input of shape ${show(shapes[i]!)}`);
  });
  const dots = Math.max(0, ...inputs.map((labels) => labels.filter((l) => l.startsWith('.')).length));
  const output =
    right === undefined ? implicitOutput(inputs) : labelsOf(right, right.replace('...', '').length + dots);
  const known = new Set(inputs.flat());
  if (!output || new Set(output).size !== output.length || output.some((l) => !known.has(l)))
    throw wrong('its result does not consist of labels of the operands');
  const sizes = labelSizes({ inputs, output }, shapes);
  if (!sizes) throw wrong(`a label has different sizes in ${shapes.map(show).join(', ')}`);
  return { equation: { inputs, output }, sizes };
}

const reference: Algebra<FloatTensor> = {
  shape: (t) => t.shape,
  view: (t, shape, strides) => view(t.data, shape, strides),
  reshape: (t, shape) => ({ shape, data: t.data }),
  sum: (t, axes) => reduce(t, axes, false, 0, (acc, v) => acc + v),
  mul: (a, b) => zip(a, b, (x, y) => x * y),
  matmul,
};

/** A constant is worked on while compiling, until it meets a computed value. */
interface Known {
  readonly known: FloatTensor;
  readonly owner: Owner;
}
type Operand = Value | Known;

function algebraOf(c: LowerContext): Algebra<Operand> {
  const isKnown = (x: Operand): x is Known => 'known' in x;
  const each = (x: Operand, known: (t: FloatTensor) => FloatTensor, value: (v: Value) => Value): Operand =>
    isKnown(x) ? { known: known(x.known), owner: x.owner } : value(x);
  const asValue = (x: Operand): Value =>
    isKnown(x) ? c.core.constant(`${c.node.name}:factor`, x.known, x.owner) : x;
  const both = (
    a: Operand,
    b: Operand,
    known: (a: FloatTensor, b: FloatTensor) => FloatTensor,
    value: (a: Value, b: Value) => Value,
  ): Operand =>
    isKnown(a) && isKnown(b)
      ? { known: known(a.known, b.known), owner: joinOwners(a.owner, b.owner) }
      : value(asValue(a), asValue(b));
  const isPublic = (x: Operand): x is Known => isKnown(x) && x.owner === 'public';
  return {
    shape: (x) => (isKnown(x) ? x.known.shape : x.type.shape),
    view: (x, shape, strides) =>
      each(
        x,
        (t) => reference.view(t, shape, strides),
        (v) => c.core.gather(v, shape, strides),
      ),
    reshape: (x, shape) =>
      each(
        x,
        (t) => reference.reshape(t, shape),
        (v) => c.core.reshape(v, shape),
      ),
    sum: (x, axes) =>
      each(
        x,
        (t) => reference.sum(t, axes),
        (v) => c.core.sum(v, axes, false),
      ),
    mul(a, b) {
      if (isPublic(a) && !isKnown(b)) return scaled(c, b, a.known);
      if (isPublic(b) && !isKnown(a)) return scaled(c, a, b.known);
      return both(a, b, reference.mul, (x, y) => c.core.mul(x, y));
    },
    matmul: (a, b, transA, transB) =>
      both(
        a,
        b,
        (x, y) => matmul(x, y, transA, transB),
        (x, y) => c.core.matmul(x, y, transA, transB),
      ),
  };
}

defineOp({
  op: 'Einsum',
  opset: [12, 23],
  restrictions: '',
  infer(c) {
    const { equation, sizes } = formOf(c);
    return [{ shape: equation.output.map((l) => sizes.get(l)!), dtype: 'fixed' }];
  },
  reference(c, inputs) {
    const { equation, sizes } = formOf(c);
    return [
      contract(
        reference,
        equation,
        inputs.map((t) => t!),
        sizes,
      ),
    ];
  },
  lower(c) {
    const { equation, sizes } = formOf(c);
    const operands = c.inputs.map((k, i): Operand => {
      return c.isConstant(i) ? { known: c.floats(i), owner: k!.type.owner } : c.value(i);
    });
    return [contract(algebraOf(c), equation, operands, sizes) as Value];
  },
});
