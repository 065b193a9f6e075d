// The one error class of the package, and the table of its codes.
//
// A code is stable: programs branch on it, messages may change. Every message says what was wrong, where (model node,
// input, file), and what to do about it; the table below holds the general remedy, from which the documentation of
// the codes is made. Anything that is not a CryptorchError is a bug in this package.

export interface ErrorEntry {
  /** What went wrong, in one line. */
  readonly meaning: string;
  /** What the caller can do, in one line. */
  readonly remedy: string;
}

/** The codes, without the prefix that all of them have. */
export type ErrorName =
  | 'UNSUPPORTED_OPERATOR'
  | 'UNSUPPORTED_ATTRIBUTE'
  | 'UNSUPPORTED_OPSET'
  | 'UNSUPPORTED_DATA'
  | 'INVALID_MODEL'
  | 'INVALID_SHAPE'
  | 'INVALID_WEIGHTS'
  | 'INVALID_NPY'
  | 'MISSING_INPUT'
  | 'UNKNOWN_INPUT'
  | 'INVALID_INPUT'
  | 'VALUE_RANGE'
  | 'OUT_OF_MEMORY'
  | 'BAD_PLAN'
  | 'TIMEOUT'
  | 'CANCELLED'
  | 'INVALID_OPTION'
  | 'LEAKAGE'
  | 'MISSING_BINARY'
  | 'FILE'
  | 'INVALID_PROGRAM'
  | 'CONFIG'
  | 'CERTIFICATE'
  | 'TLS_UNAVAILABLE'
  | 'CONNECTION'
  | 'PROTOCOL'
  | 'HANDSHAKE'
  | 'STALE_STATE'
  | 'BAD_STATE'
  | 'LEDGER'
  | 'BUSY'
  | 'INTERNAL';

/** `ERR_CRYPTORCH_` and a name; docs/errors.md lists them all. */
export type ErrorCode = `ERR_CRYPTORCH_${ErrorName}`;

/** What every code means and what to do. */
export const errorTable: Readonly<Record<ErrorName, ErrorEntry>> = {
  UNSUPPORTED_OPERATOR: {
    meaning: 'The model uses an operator that has no private computation here.',
    remedy: 'Replace the named node in the model, or move it before or after the private part.',
  },
  UNSUPPORTED_ATTRIBUTE: {
    meaning: 'The operator is known, but not with this attribute, element type or form of input.',
    remedy: 'Export the model with the setting that the message names.',
  },
  UNSUPPORTED_OPSET: {
    meaning: 'The model is written for an operator set version that the importer does not read.',
    remedy: 'Export the model again with an opset in the range that the message names.',
  },
  UNSUPPORTED_DATA: {
    meaning: 'The model stores data in a way that the importer does not read.',
    remedy: 'Save the model with its tensors inside the file, in a type that the message names.',
  },
  INVALID_MODEL: {
    meaning: 'The file is not a well-formed ONNX model.',
    remedy: 'Check the file with onnx.checker and export it again.',
  },
  INVALID_SHAPE: {
    meaning: 'Shapes in the model contradict each other, or one is not known when the model is compiled.',
    remedy: 'Give the shape of the named input, or correct the named node.',
  },
  INVALID_WEIGHTS: {
    meaning: 'A weight is NaN or infinite.',
    remedy: 'Correct the named weight; training has probably diverged.',
  },
  INVALID_NPY: {
    meaning: 'A .npy or .npz file is damaged or holds something that is not a plain numeric array.',
    remedy: 'Save it again with numpy.save as a little-endian numeric array in C order.',
  },
  MISSING_INPUT: {
    meaning: 'An input of the model was not given.',
    remedy: 'Give a tensor for every input that the message lists.',
  },
  UNKNOWN_INPUT: {
    meaning: 'A tensor was given for a name that is not an input of the model.',
    remedy: 'Use the names that the message lists.',
  },
  INVALID_INPUT: {
    meaning: 'A tensor has the wrong element type, shape or length.',
    remedy: 'Convert it to the shape and type that the message names.',
  },
  VALUE_RANGE: {
    meaning: 'A value does not fit the fixed-point format it must be written in.',
    remedy: 'Scale the data to the range that the message names, or compile with fewer fractional bits.',
  },
  OUT_OF_MEMORY: {
    meaning: 'A run needs more memory than could be had.',
    remedy: 'Use a smaller batch, or a machine with the amount of memory that the message names.',
  },
  BAD_PLAN: {
    meaning: 'A plan handed to the native core is damaged, or was made by another version.',
    remedy: 'Compile the model again with this version of the package.',
  },
  TIMEOUT: {
    meaning: 'A peer did not answer in time.',
    remedy: 'Check that every party and the dealer are running and can reach each other.',
  },
  CANCELLED: {
    meaning: 'The run was cancelled by its AbortSignal, or its session was closed.',
    remedy: 'Start a new run; the number and the material of a cancelled run are not used again.',
  },
  INVALID_OPTION: {
    meaning: 'An option or argument has a value that is not allowed.',
    remedy: 'Use one of the values that the message names.',
  },
  LEAKAGE: {
    meaning: 'A program would reveal more than its outputs, and was refused.',
    remedy: 'This is a bug in a protocol or a pass: do not run the program, and report it.',
  },
  MISSING_BINARY: {
    meaning: 'The native part of the package is not there for this platform.',
    remedy: 'Build it from source with the command that the message names.',
  },
  FILE: {
    meaning: 'A file could not be read or written.',
    remedy: 'Check the path and the permissions that the message names.',
  },
  INVALID_PROGRAM: {
    meaning: 'A program or weights file is damaged, was changed by hand, or was made by another version.',
    remedy: 'Compile the model again, and give every role the same program file.',
  },
  CONFIG: {
    meaning: 'A configuration file has an entry that is missing, unknown or not allowed.',
    remedy: 'Correct the entry that the message names.',
  },
  CERTIFICATE: {
    meaning:
      'A certificate, request or key cannot be read, is expired, or is not for this role and deployment.',
    remedy: 'Make it again with `cryptorch keygen`, for the deployment and the role that the message names.',
  },
  TLS_UNAVAILABLE: {
    meaning: 'This Node does not export the version of OpenSSL that the transport is built for.',
    remedy: 'Use Node itself in a version that the message names, not a program that embeds it.',
  },
  CONNECTION: {
    meaning: 'A peer cannot be reached, or a connection to it broke.',
    remedy: 'Check that the role that the message names is running at that address; connecting goes on.',
  },
  PROTOCOL: {
    meaning: 'A peer sent something that does not belong there; the connection to it was closed.',
    remedy: 'Check that all roles run the same version of the package; then look at what sits between them.',
  },
  HANDSHAKE: {
    meaning: 'A peer takes part in something else: another program, deployment, number of parties or role.',
    remedy: 'Give all roles the same program file, and each its own certificate.',
  },
  STALE_STATE: {
    meaning: 'Stored state belongs to another epoch, or an epoch was about to be used a second time.',
    remedy: 'Let the owner of the weights start with its weights file, so that a new epoch is set up.',
  },
  BAD_STATE: {
    meaning: 'A file of stored state is damaged or belongs to another role or deployment.',
    remedy: 'Remove the whole state folder of that role; then a new epoch is set up.',
  },
  LEDGER: {
    meaning: 'A run number was to be used again, or the record of used numbers cannot be trusted.',
    remedy:
      'Never copy or restore the state folder; to start afresh, remove the whole folder that the message names.',
  },
  BUSY: {
    meaning: 'There is no room: too many runs are queued, or another process uses the same folder.',
    remedy: 'Wait for runs to finish, or end the other process.',
  },
  INTERNAL: {
    meaning: 'The package contradicted itself.',
    remedy: 'Report it with the message; it names the pass and the node.',
  },
};

/** What a message names, for programs. */
export interface ErrorDetails {
  /** Node of the model, operator, input, file and so on: whatever the message names, for programs. */
  readonly [key: string]: unknown;
}

/** Every error that this package throws on purpose. */
export class CryptorchError extends Error {
  /** Always `CryptorchError`. */
  override readonly name: string = 'CryptorchError';
  /** Stable: programs branch on it. */
  readonly code: ErrorCode;
  /** What the message names: node, operator, input, file, role. */
  readonly details: ErrorDetails;

  /** `name` is the code without its prefix. */
  constructor(name: ErrorName, message: string, details: ErrorDetails = {}, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = `ERR_CRYPTORCH_${name}`;
    this.details = details;
  }

  /** Whether `error` is one of this package, and with `name` (the code without its prefix) whether it is that one. */
  static is(error: unknown, name?: ErrorName): error is CryptorchError {
    return error instanceof CryptorchError && (name === undefined || error.code === `ERR_CRYPTORCH_${name}`);
  }
}
