// The library: every function and every approximation, registered by being imported. Approximations come in the order of
// their cost.

import './exp';
import './power';
import './sigmoid';
import './tanh';
import './polynomial';
import './spline';

export { choose, describe, operandDomain, resultRange } from './choose';
export {
  type ApproximationKnobs,
  allFunctions,
  checkApproximation,
  DEFAULT_APPROXIMATION,
  type Domain,
  findFunction,
  type Proposal,
} from './registry';
