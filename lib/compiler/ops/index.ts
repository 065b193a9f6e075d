// Every operator family, registered by being imported. A new family is one more line here.

import './activation';
import './assembly';
import './comparison';
import './conv';
import './conv-transpose';
import './cumulative';
import './einsum';
import './elementwise';
import './extremum';
import './index-map';
import './instance-normalization';
import './known';
import './linear';
import './logarithm';
import './logic';
import './lrn';
import './movement';
import './norm';
import './normalization';
import './piecewise';
import './pool';
import './power';
import './rectifiers';
import './reduce';
import './reshape';
import './resize';
import './select';
import './rms-normalization';
import './shape';
import './smooth';
import './softmax';
import './take';
import './topk';

export { allOps, defineOp, findOp, type OpDefinition, type Shaped } from './registry';
