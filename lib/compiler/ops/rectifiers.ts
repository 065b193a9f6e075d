// Erf, Softplus, Mish, Gelu, Swish, Elu, Celu, Selu: each is one function of the library of approximations, a line or a constant
// beyond some interval, so that operands may be of any size.

import { findFunction } from '../approximations';
import type { Value } from '../ir/graph';
import { map } from './array';
import type { OpContext } from './context';
import { scaled } from './operands';
import { defineOp } from './registry';

/** factor f(x), where f is a function of the library. */
interface Form {
  readonly fn: string;
  readonly params: readonly number[];
  readonly factor: number;
}

function form(fn: string, params: readonly number[] = [], factor: number = 1): Form {
  return { fn, params, factor };
}

function gelu(c: OpContext): Form {
  const approximate = c.string('approximate', 'none');
  if (approximate === 'none') return form('gelu');
  if (approximate === 'tanh') return form('gelu-tanh');
  throw c.error('INVALID_MODEL', `has approximate = "${approximate}"`, 'It is "none" or "tanh".');
}

/** x / (1 + exp(-alpha x)) */
function swish(c: OpContext): Form {
  const alpha = c.number('alpha', 1);
  if (alpha > 0) return alpha === 1 ? form('silu') : form('swish', [alpha]);
  throw c.unsupported(`has alpha = ${alpha}`, 'Use a positive one.');
}

function celu(c: OpContext): Form {
  const alpha = c.number('alpha', 1);
  if (alpha > 0) return form('elu', [alpha, alpha]);
  throw c.unsupported(`has alpha = ${alpha}`, 'Use a positive one.');
}

function selu(c: OpContext): Form {
  const alpha = c.number('alpha', 1.6732631921768188);
  return form('elu', [alpha, 1], c.number('gamma', 1.0507010221481323));
}

for (const [op, first, formOf, restrictions] of [
  ['Erf', 11, () => form('erf'), ''],
  ['Softplus', 11, () => form('softplus'), ''],
  ['Mish', 18, () => form('mish'), ''],
  ['Gelu', 20, gelu, ''],
  // No model that can be read has it; two operators that compute it become one (../passes/raise-activations.ts).
  ['Swish', 24, swish, ''],
  ['Elu', 11, (c: OpContext) => form('elu', [c.number('alpha', 1), 1]), ''],
  ['Celu', 12, celu, 'alpha > 0'],
  ['Selu', 11, selu, ''],
] as const) {
  defineOp({
    op,
    opset: [first, Math.max(first, 23)],
    restrictions,
    infer(c) {
      formOf(c);
      return [c.type(0)];
    },
    reference(c, [x]) {
      const { fn, params, factor } = formOf(c);
      const f = findFunction(fn).of(params);
      return [map(x!, (v) => factor * f(v))];
    },
    lower(c): Value[] {
      const { fn, params, factor } = formOf(c);
      return [scaled(c, c.core.approximate(c.value(0), fn, params), factor)];
    },
  });
}
