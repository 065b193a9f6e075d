// The native core as the rest of the package sees it: the only file that loads the addon, and together with
// native-endpoint.ts the only one that calls it.
//
// The addon is loaded when it is first needed, so that compiling a model works without it. Everything it throws becomes
// a CryptorchError with the same code and details.

import { resolve } from 'node:path';
import { findBinary, unusableBinary } from './binary';
import { CryptorchError, type ErrorDetails, type ErrorName, errorTable } from './errors';
import type { EndpointBinding, EndpointConfig, EndpointEvent } from './native-endpoint';

/** Instruction sets that kernels are compiled for; `avx512core` is AVX-512 without VAES. */
export type Isa = 'baseline' | 'avx2' | 'avx512core' | 'avx512';
export type PhaseName = 'setup' | 'offline' | 'online';

/** Typed arrays that hold the numbers of an input. */
export type InputArray = Float32Array | Float64Array | Int32Array | BigInt64Array;

/** One computation with all its roles. The arrays `plans`, `keys`, `inputs` and `integers` correspond by position. */
export interface LocalConfig {
  /** The plan of every role: 64-bit words, or their little-endian bytes. */
  readonly plans: readonly (BigInt64Array | Uint8Array)[];
  /** The seeds of every role, 16 bytes each, in the order of its plan. */
  readonly keys: readonly (readonly Uint8Array[])[];
  /** The inputs of every role by their position in its plan's table of inputs and outputs; copied. */
  readonly inputs: readonly (readonly (InputArray | null | undefined)[])[];
  /** Outputs of every role, by position, that are wanted as integers (value = integer * 2^-scale). */
  readonly integers?: readonly (readonly number[] | undefined)[];
  /** Expands the shares of inputs that arrive as shares; drawn from the system where it is missing. */
  readonly shareSeed?: Uint8Array;
  /** Below 2^24; 0 if missing. */
  readonly epoch?: number;
  /** From 1 to 2^32 - 1; 1 if missing. */
  readonly run?: number;
  /** Threads that compute at the same time; as many as there are cores if 0 or missing. */
  readonly threads?: number;
  /** Bytes of memory for all roles together; the memory of the machine if 0 or missing. */
  readonly memoryLimit?: number;
  /** Milliseconds for the whole run; unlimited if 0 or missing. */
  readonly timeoutMs?: number;
  /** Instruction set of the kernels; the best of this machine (or CRYPTORCH_ISA) if missing. */
  readonly isa?: Isa;
  /** What every link behaves like, each direction for itself; unlimited if missing. */
  readonly network?: { readonly bitsPerSecond: number; readonly roundTrip: number };
}

export interface NodeCounters {
  /** Index of the node in the plan. */
  readonly node: number;
  /** Payload bytes that this role sent for the node. */
  readonly bytes: number;
  /** Time spent in the node's steps, waiting for its frames included. */
  readonly seconds: number;
  /** Exchanges with other parties that had a part for this node; at the dealer, frames that it sent for the node. */
  readonly exchanges: number;
}

/** What one role counted in a phase. */
export interface PhaseCounters {
  /** Rounds: the longest chain of frames that ends at this role. */
  readonly clock: number;
  /** Bytes sent per peer, frame headers included: parties first, then the dealer. */
  readonly bytesSent: readonly number[];
  /** Nodes that took time or communication, by increasing index. */
  readonly nodes: readonly NodeCounters[];
}

export interface RoleResult {
  /** 0 to n - 1 a party, n the dealer, n + 1 the cleartext computation. */
  readonly role: number;
  readonly peakBytes: number;
  /** By position in the plan's table of inputs and outputs; null for inputs and for what the role does not learn. */
  readonly outputs: readonly (Float64Array | BigInt64Array | null)[];
  readonly counters: Readonly<Record<PhaseName, PhaseCounters>>;
}

export interface LocalResult {
  readonly isa: Isa;
  readonly seconds: Readonly<Record<PhaseName, number>>;
  readonly roles: readonly RoleResult[];
}

export interface LocalProgress {
  readonly phase: PhaseName;
  /** Steps done, of `of` in total, over all roles and phases. */
  readonly steps: number;
  readonly of: number;
}

export interface LocalOptions {
  readonly signal?: AbortSignal;
  /** Called a few times a second. */
  readonly onProgress?: (progress: LocalProgress) => void;
}

export interface NativeInfo {
  readonly isa: Isa;
  /** Instruction sets that this machine can run, the best one first. */
  readonly available: readonly Isa[];
  readonly kernels: Readonly<Record<string, number>>;
  /** Node-API version of this Node. */
  readonly napi: number;
  /** Version of the OpenSSL in this Node, empty where it exports none. */
  readonly openssl: string;
  /** Memory of runs and sessions in this process, those of worker threads included; zero when there are none. */
  readonly memory: { readonly regions: number; readonly bytes: number };
}

/** Shapes of a two-dimensional convolution; padding is with zeros. */
export interface Conv2dShape {
  /** N, C, H, W */
  readonly input: readonly [number, number, number, number];
  /** O, C / groups, kh, kw */
  readonly weight: readonly [number, number, number, number];
  /** Default 1, 1. */
  readonly strides?: readonly [number, number];
  /** Default 1, 1. */
  readonly dilations?: readonly [number, number];
  /** top, left, bottom, right */
  readonly pads?: readonly [number, number, number, number];
  /** Default 1. */
  readonly groups?: number;
}

/** Arithmetic mod 2^64, element by element, on the JavaScript thread. */
export interface NativeRing {
  /** a + b, of equal lengths. */
  add(a: BigUint64Array, b: BigUint64Array): BigUint64Array;
  /** a - b, of equal lengths. */
  sub(a: BigUint64Array, b: BigUint64Array): BigUint64Array;
  /** a * b, of equal lengths. */
  mul(a: BigUint64Array, b: BigUint64Array): BigUint64Array;
  /** -a. */
  neg(a: BigUint64Array): BigUint64Array;
  /** `a` is m x k and `b` is k x n, row-major. */
  matmul(a: BigUint64Array, b: BigUint64Array, m: number, k: number, n: number): BigUint64Array;
  /** The convolution of `x` with `w`, both row-major in the shapes that `shape` gives; N, O, H', W'. */
  conv2d(x: BigUint64Array, w: BigUint64Array, shape: Conv2dShape): BigUint64Array;
  /** Arithmetic shift right: floor(signed value / 2^bits). */
  truncate(a: BigUint64Array, bits: number): BigUint64Array;
  /** round-half-even(x * 2^scale). @throws VALUE_RANGE where a magnitude reaches 2^63, or for NaN. */
  encode(x: Float32Array | Float64Array, scale: number): BigUint64Array;
  /** Signed values / 2^scale. */
  decode(a: BigUint64Array, scale: number): Float64Array;
}

/** How elements lie in memory, see native/core/kernel.hpp. */
export const LAYOUT = { ring: 0, packed: 1, planes: 2 } as const;

export interface KernelSource {
  readonly data?: ArrayBufferView;
  readonly layout: number;
  readonly bits: number;
  readonly planes?: number;
  readonly elements: number;
  readonly inner?: number;
  readonly mid?: number;
  readonly streams?: readonly {
    readonly key: Uint8Array;
    readonly value: number;
    readonly run: number;
    readonly epoch: number;
    readonly sign: number;
  }[];
  readonly correction?: ArrayBufferView;
}

export interface KernelSink {
  readonly layout: number;
  readonly bits: number;
  readonly planes?: number;
  readonly elements: number;
}

export interface Native {
  /** What it was loaded from. */
  readonly file: string;
  /** Version of the package that it was built from. */
  readonly version: string;
  info(): NativeInfo;
  /**
   * Looked at when the addon is loaded, which succeeds all the same, because not everything needs TLS.
   * @throws CryptorchError TLS_UNAVAILABLE where this runtime has not the OpenSSL that the addon is built for
   */
  requireTls(): void;
  /**
   * Frees the memory of arrays at once, not when garbage is collected, and gives what is free back to the system. The arrays
   * are empty afterwards, but those that are small or share their memory with others are left alone.
   */
  release(arrays: Iterable<ArrayBufferView>): void;
  /** What an Endpoint is made of. */
  endpoint(config: Omit<EndpointConfig, 'onEvent'>, onEvent: (event: EndpointEvent) => void): EndpointBinding;
  /**
   * Runs all roles as threads of this process, off the JavaScript thread.
   * @throws CryptorchError VALUE_RANGE (details: role, io, index, reason), OUT_OF_MEMORY (needed), BAD_PLAN, TIMEOUT,
   * CANCELLED, INVALID_INPUT, INVALID_OPTION
   */
  runLocal(config: LocalConfig, options?: LocalOptions): Promise<LocalResult>;
  readonly ring: NativeRing;
  /** One kernel of one instruction set (undefined: the best), for tests. Returns the memory of every sink. */
  invoke(
    isa: Isa | undefined,
    kernel: string,
    sources: readonly KernelSource[],
    sinks: readonly KernelSink[],
    attributes: BigInt64Array,
    lead: 0 | 1,
  ): BigUint64Array[];
}

type ConvParameters = readonly number[];

/** What the addon exports. */
interface Addon {
  readonly version: string;
  info(): NativeInfo;
  release(...arrays: ArrayBufferView[]): void;
  runLocal(
    config: LocalConfig,
    progress: ((progress: LocalProgress) => void) | undefined,
  ): { promise: Promise<LocalResult>; cancel(): void };
  ring: Omit<NativeRing, 'conv2d'> & {
    conv2d(x: BigUint64Array, w: BigUint64Array, parameters: ConvParameters): BigUint64Array;
  };
  invoke: Native['invoke'];
  requireTls: Native['requireTls'];
  endpoint: Native['endpoint'];
}

/** An error of the addon as a CryptorchError; anything else as it is. */
function translate(error: unknown, cause?: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const { code, details } = error as Error & { code?: unknown; details?: ErrorDetails };
  if (typeof code !== 'string' || !code.startsWith('ERR_CRYPTORCH_')) return error;
  const name = code.slice('ERR_CRYPTORCH_'.length);
  const known = Object.hasOwn(errorTable, name);
  return new CryptorchError(
    known ? (name as ErrorName) : 'INTERNAL',
    error.message,
    known ? details : { ...details, native: name },
    cause,
  );
}

/** A function of the addon whose errors are CryptorchErrors. */
export function translated<A extends readonly unknown[], R>(call: (...args: A) => R): (...args: A) => R {
  return (...args) => {
    try {
      return call(...args);
    } catch (error) {
      throw translate(error);
    }
  };
}

/** Like translated, for what may fail later. */
export function settled<A extends readonly unknown[], R>(
  call: (...args: A) => Promise<R>,
): (...args: A) => Promise<R> {
  return async (...args) => {
    try {
      return await call(...args);
    } catch (error) {
      throw translate(error);
    }
  };
}

function convParameters(shape: Conv2dShape): ConvParameters {
  const [n, c, h, w] = shape.input;
  const [o, , kh, kw] = shape.weight;
  const [sh, sw] = shape.strides ?? [1, 1];
  const [dh, dw] = shape.dilations ?? [1, 1];
  const [top, left, bottom, right] = shape.pads ?? [0, 0, 0, 0];
  const size = (length: number, kernel: number, stride: number, dilation: number): number =>
    Math.max(0, Math.floor((length - dilation * (kernel - 1) - 1) / stride) + 1);
  const oh = size(h + top + bottom, kh, sh, dh);
  const ow = size(w + left + right, kw, sw, dw);
  return [n, c, h, w, o, kh, kw, sh, sw, dh, dw, top, left, oh, ow, shape.groups ?? 1];
}

async function runLocal(addon: Addon, config: LocalConfig, options: LocalOptions): Promise<LocalResult> {
  const { signal, onProgress } = options;
  if (signal?.aborted) throw new CryptorchError('CANCELLED', 'the run was cancelled', {}, signal.reason);
  let cancel: (() => void) | undefined;
  try {
    const run = addon.runLocal(config, onProgress);
    cancel = () => run.cancel();
    signal?.addEventListener('abort', cancel, { once: true });
    return await run.promise;
  } catch (error) {
    throw translate(error, signal?.aborted ? signal.reason : undefined);
  } finally {
    if (cancel) signal?.removeEventListener('abort', cancel);
  }
}

/** Below this, waiting for the garbage collector costs nothing; such arrays may also belong to a pool. */
const RELEASED_BYTES: number = 64 * 1024;

function wrap(addon: Addon, file: string): Native {
  const { ring } = addon;
  return {
    file,
    version: addon.version,
    info: translated(() => addon.info()),
    release: (arrays) => {
      const own = [...arrays].filter(
        (a) => a.byteLength >= RELEASED_BYTES && a.byteLength === a.buffer.byteLength,
      );
      addon.release(...own);
    },
    runLocal: (config, options = {}) => runLocal(addon, config, options),
    ring: {
      add: translated(ring.add),
      sub: translated(ring.sub),
      mul: translated(ring.mul),
      neg: translated(ring.neg),
      matmul: translated(ring.matmul),
      conv2d: translated((x, w, shape) => ring.conv2d(x, w, convParameters(shape))),
      truncate: translated(ring.truncate),
      encode: translated(ring.encode),
      decode: translated(ring.decode),
    },
    invoke: translated(addon.invoke),
    requireTls: translated(addon.requireTls),
    endpoint: translated(addon.endpoint),
  };
}

/**
 * Loads the addon of the package at `root`: a build in build/Release, or a prebuilt one.
 * @throws CryptorchError MISSING_BINARY
 */
export function loadNative(root: string): Native {
  const file = findBinary(root);
  try {
    return wrap(require(file) as Addon, file);
  } catch (cause) {
    throw unusableBinary(root, file, cause);
  }
}

let loaded: Native | undefined;

/**
 * The native core.
 * @throws CryptorchError MISSING_BINARY
 */
export function native(): Native {
  loaded ??= loadNative(resolve(__dirname, '..'));
  return loaded;
}
