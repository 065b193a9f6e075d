// The library: every function and every approximation, registered by being imported. Fitted approximations come
// first, in the order of their cost.

import './sin';
import './polynomial';
import './exponential';
import './fourier';
import './spline';
import './elu';
import './erf';
import './exp';
import './gelu';
import './gelu-tanh';
import './log';
import './mish';
import './power';
import './reciprocal';
import './rsqrt';
import './sigmoid';
import './silu';
import './softplus';
import './swish';
import './tanh';

export { FunctionBuilder } from './builder';
export { choose, describe } from './choose';
export { functionOf, interval, namesOf, operandDomain, resultRange } from './operand-domain';
export { type ApproximationOptions, checkApproximation, DEFAULT_APPROXIMATION } from './options';
export { defineApproximation } from './outside';
export {
  type ApproximationDefinition,
  allFunctions,
  approximable,
  approximationsOf,
  type Domain,
  findFunction,
  type KnobsOf,
  type KnobValue,
  type KnobValues,
  type Selection,
} from './registry';
