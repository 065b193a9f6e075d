// The compiler for those who extend it or look inside: graphs, passes, protocols, joint programs, plans, costs.
// Nothing here loads the native core.

export {
  type Communication,
  type NodeCommunication,
  type PhaseCommunication,
  type Profile,
  profile,
} from '../cost/communication';
export {
  type ImportedModel,
  type ImportOptions,
  type InitializerInfo,
  importOnnx,
} from '../model/onnx/import';
export type { ApproximationOptions } from './approximations';
export { CompiledModel, type CompileOptions, compile } from './compile';
export {
  type Attribute,
  type Attributes,
  type Constant,
  type ConstantData,
  type Dtype,
  type Graph,
  GraphBuilder,
  type Node,
  type Owner,
  type Range,
  type Type,
  type Value,
} from './ir/graph';
export { printGraph } from './ir/print';
export { type VerifyOptions, verifyGraph } from './ir/verify';
export {
  type Both,
  type Broadcast,
  type Form,
  Joint,
  type JointOptions,
  type Opened,
  type Use,
} from './joint';
export { KERNELS, type KernelName } from './kernels';
export { checkLeakage } from './leakage';
export {
  type Optimized,
  type OptimizeOptions,
  optimize,
  type Pass,
  passes,
  type SeenRange,
  type SeenRanges,
} from './passes/pipeline';
export { printProgram } from './print-program';
export { materialHash, type Program, programHash } from './program';
export { PROTOCOLS, protocolFor } from './protocols';
export type { ComparisonKnobs, Knobs, Protocol, Twin } from './protocols/protocol';
export { encodePlan, type Plan } from './schedule/plan';
export { project } from './schedule/project';
export { type SecureOptions, secure } from './secure';
