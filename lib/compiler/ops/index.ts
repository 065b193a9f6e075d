// Every operator family, registered by being imported. A new family is one more line here.

import './activation';
import './assembly';
import './conv';
import './conv-transpose';
import './cumulative';
import './einsum';
import './elementwise';
import './index-map';
import './instance-normalization';
import './known';
import './linear';
import './lrn';
import './movement';
import './norm';
import './normalization';
import './pool';
import './power';
import './reduce';
import './reshape';
import './resize';
import './shape';
import './smooth';
import './softmax';
import './take';

export { allOps, defineOp, findOp, type OpDefinition, type Shaped } from './registry';
