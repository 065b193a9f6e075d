// The public API of cryptorch-native.

export {
  type ApproximationDefinition,
  type Domain,
  defineApproximation,
  type FunctionBuilder,
  type KnobsOf,
  type KnobValue,
  type KnobValues,
  type Selection,
} from './compiler/approximations';
export { type CheckedModel, check, type ModelProblem } from './compiler/check';
export {
  type Calibration,
  CompiledModel,
  type CompileOptions,
  compile,
  type LayerCost,
  type ModelInput,
  type ModelOutput,
  type OwnerName,
  type Weights,
} from './compiler/compile';
export type { FourierSeries } from './compiler/ops/fourier';
export type { Phase } from './compiler/program';
export type { Communication, NodeCommunication, PhaseCommunication } from './cost/communication';
export type { PlannedMemory } from './cost/memory';
export { CryptorchError, type ErrorCode, type ErrorDetails, type ErrorName } from './errors';
export type { Role } from './keys/role';
export { readNpy, writeNpy } from './model/npy';
export { readNpz, writeNpz } from './model/npz';
export type { InputArray, Isa, PhaseCounters } from './native';
export type { PhaseReport } from './native-endpoint';
export { type Conv2dShape, type NativeRing, ring } from './ring';
export type { BoundKind, ExceededBound } from './runtime/bounds';
export { type CalibrateOptions, calibrate } from './runtime/calibrate';
export type { DealerConfig, PartyConfig, RoleConfig, Timeouts } from './runtime/config';
export type { CountedNode } from './runtime/counters';
export { Dealer, type DealerStats } from './runtime/dealer';
export { Deployment } from './runtime/deployment';
export type { ErrorEvent, PeerEvent, PhaseEvent, ProgressEvent, RunEvent } from './runtime/events';
export type { PartyResult } from './runtime/jobs';
export { type Layer, type RunOptions, type RunResult, runLocal } from './runtime/local';
export {
  type ApproximationFigures,
  type ApproximationsOptions,
  approximations,
  type FunctionError,
  type MeasuredApproximation,
} from './runtime/measure';
export type { Tensors } from './runtime/numbers';
export { Party, type PartyOptions, type PartyRunOptions, type PartyStats } from './runtime/party';
export {
  type Difference,
  type LayerPrecision,
  type Precision,
  type PrecisionOptions,
  precision,
} from './runtime/precision';
export { type Tensor, type TensorData, type TensorDtype, tensor } from './tensor';
