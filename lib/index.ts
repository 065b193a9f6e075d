// The public API of cryptorch-native.

export {
  CompiledModel,
  type CompileOptions,
  compile,
  type LayerCost,
  type ModelInput,
  type ModelOutput,
  type OwnerName,
} from './compiler/compile';
export type { Phase } from './compiler/program';
export type { Communication, NodeCommunication, PhaseCommunication } from './cost/communication';
export { CryptorchError, type ErrorCode } from './errors';
export { ring } from './ring';
export { type CountedNode, type Layer, type RunOptions, type RunResult, runLocal } from './runtime/local';
export { type Tensor, type TensorData, type TensorDtype, tensor } from './tensor';
