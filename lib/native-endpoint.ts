// One role's place in the network, and its computations over it (native/core/net): endpoints and sessions of the native
// core as the rest of the package sees them.

import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { CryptorchError, type ErrorCode } from './errors';
import {
  type InputArray,
  type Isa,
  native,
  type PhaseCounters,
  type PhaseName,
  settled,
  translated,
} from './native';

export interface EndpointConfig {
  /** 0 to parties - 1 a party, `parties` the dealer. */
  readonly role: number;
  readonly parties: number;
  /** 1 to 64 of a-z, 0-9 and '-'; part of the role that a certificate names. */
  readonly deployment: string;
  /** PEM texts of this role's certificate (and intermediate ones), its key, and the authorities; null: plain TCP on loopback. */
  readonly tls: { readonly cert: string; readonly key: string; readonly ca: string } | null;
  /** Payload of the largest frame of any plan. */
  readonly maxFrameBytes: number;
  /** Of a control message. */
  readonly maxControlBytes: number;
  /** Bytes per peer that are read ahead of the computation; 16 MiB if missing. */
  readonly queueBytes?: number;
  /** Called on the JavaScript thread, in order; not any more once close() was called. */
  readonly onEvent: (event: EndpointEvent) => void;
}

export type EndpointEvent =
  | { readonly type: 'up'; readonly peer: number; readonly address: string }
  | {
      readonly type: 'down';
      readonly peer: number;
      readonly address: string;
      readonly code: ErrorCode;
      readonly message: string;
    }
  | { readonly type: 'message'; readonly peer: number; readonly data: Uint8Array }
  /** Somebody who is no peer knocked. At most 50 a second are reported. */
  | {
      readonly type: 'refused';
      readonly address: string;
      readonly code: ErrorCode;
      readonly message: string;
    };

export interface NativeSessionConfig {
  /** The plans of this role, one per program, over one state. */
  readonly plans: readonly (BigInt64Array | Uint8Array)[];
  /** 16-byte seeds in the order of the plans; those that are missing are set later. */
  readonly keys?: readonly Uint8Array[];
  /** Threads that compute at the same time; as many as there are cores if 0 or missing. */
  readonly threads?: number;
  /** Bytes of memory; the memory of the machine if 0 or missing. */
  readonly memoryLimit?: number;
  readonly isa?: Isa;
}

export interface SetupCall {
  readonly epoch: number;
  /** By position in the plan's table of inputs and outputs; copied. */
  readonly inputs: readonly (InputArray | null | undefined)[];
  /** From the start of the phase; what was asked before does not count. */
  readonly timeoutMs: number;
}

export interface OfflineCall extends SetupCall {
  readonly program: number;
  readonly run: number;
}

export interface OnlineCall extends OfflineCall {
  /** What offline() of this run gave; it is gone afterwards, however the phase ends. */
  readonly material: number;
  /** Positions of outputs that are wanted as integers (value = integer * 2^-scale). */
  readonly integers: readonly number[];
}

/** How a phase went at one role. */
export interface PhaseReport extends PhaseCounters {
  /** From its start to its end at this role. */
  readonly seconds: number;
}

export interface PhaseProgress {
  readonly phase: PhaseName;
  /** 0 in setup. */
  readonly run: number;
  /** Steps done, of `of` in total. */
  readonly steps: number;
  readonly of: number;
}

/**
 * The computations of one role. What it is asked to do is done in order, off the JavaScript thread. A phase that fails
 * leaves its links in the middle of something: disconnect them before the next one.
 * Phases reject with CONNECTION, TIMEOUT, PROTOCOL (details: peer), CANCELLED, VALUE_RANGE, INVALID_INPUT, INVALID_OPTION.
 */
export interface NativeSession {
  setKey(index: number, seed: Uint8Array): void;
  setup(call: SetupCall): Promise<PhaseReport>;
  /** `material` is a handle; -1 at the dealer, who keeps none. */
  offline(call: OfflineCall): Promise<{ readonly material: number; readonly report: PhaseReport }>;
  /** `outputs` by position in the plan's table; null where an input is. */
  online(call: OnlineCall): Promise<{
    readonly outputs: readonly (Float64Array | BigInt64Array | null)[];
    readonly report: PhaseReport;
  }>;
  /** Wipes material that will not be used. */
  dropMaterial(material: number): void;
  /** What runs and what waits rejects with CANCELLED. */
  cancel(): void;
  /** How far the phase is that runs now; null where none does. */
  progress(): PhaseProgress | null;
  /** Replaces the file as a whole, readable by its owner only. @throws FILE */
  saveState(path: string, header: Uint8Array): Promise<void>;
  /** The header. Nothing changes unless the whole file is sound. @throws FILE, BAD_STATE */
  loadState(path: string): Promise<Uint8Array>;
  /** Cancels, and wipes state, keys and material once nothing runs any more. */
  close(): void;
}

/** What the addon gives for an endpoint: numeric addresses only. */
export interface EndpointBinding {
  listen(address: string, port: number): number;
  connect(peer: number, address: string, port: number, timeoutMs: number): Promise<void>;
  send(peer: number, data: Uint8Array): void;
  disconnect(peer: number, code?: string): void;
  session(config: NativeSessionConfig): NativeSession;
  close(): Promise<void>;
}

const RESOLVE_MS = 10_000;

function wrapSession(session: NativeSession): NativeSession {
  return {
    setKey: translated(session.setKey),
    setup: settled(session.setup),
    offline: settled(session.offline),
    online: settled(session.online),
    dropMaterial: translated(session.dropMaterial),
    cancel: translated(session.cancel),
    progress: translated(session.progress),
    saveState: settled(session.saveState),
    loadState: settled(session.loadState),
    close: translated(session.close),
  };
}

/**
 * One role's place in the network: it listens, connects, authenticates peers by their certificates, and keeps one
 * connection to each. It keeps the process alive until close().
 * @throws CryptorchError CERTIFICATE, TLS_UNAVAILABLE, INVALID_OPTION
 */
export class Endpoint {
  readonly #binding: EndpointBinding;

  constructor(config: EndpointConfig) {
    const { onEvent, ...rest } = config;
    this.#binding = native().endpoint(rest, onEvent);
  }

  /** Listens on an address or name; gives the port, which is chosen by the system if 0. @throws CONNECTION (system) */
  async listen(host: string, port: number): Promise<number> {
    const [address] = await addresses(host);
    return translated(this.#binding.listen)(address ?? host, port);
  }

  /**
   * One attempt, at every address that the name has; resolves once both sides have accepted each other.
   * @throws CONNECTION (system), TIMEOUT, CERTIFICATE, HANDSHAKE (reason), PROTOCOL
   */
  async connect(peer: number, host: string, port: number, timeoutMs: number): Promise<void> {
    const deadline = Date.now() + timeoutMs;
    let failure: unknown;
    for (const address of await addresses(host, timeoutMs)) {
      const left = Math.max(1, deadline - Date.now());
      try {
        return await settled(this.#binding.connect)(peer, address, port, left);
      } catch (error) {
        failure = error;
        if (!CryptorchError.is(error, 'CONNECTION')) break;
      }
    }
    throw failure;
  }

  /** Sends a control message. @throws CONNECTION where the peer is not connected */
  send(peer: number, data: Uint8Array): void {
    translated(this.#binding.send)(peer, data);
  }

  /** Closes a link and wakes whoever waits on it; what was sent before still goes out. */
  disconnect(peer: number, code?: ErrorCode): void {
    translated(this.#binding.disconnect)(peer, code);
  }

  /** @throws BAD_PLAN, INVALID_OPTION, OUT_OF_MEMORY */
  session(config: NativeSessionConfig): NativeSession {
    return wrapSession(translated(this.#binding.session)(config));
  }

  /** Ends all connections and the endpoint's thread. Close sessions first: phases that run fail. */
  async close(): Promise<void> {
    await settled(this.#binding.close)();
  }
}

/** The numeric addresses of a host, as its resolver orders them. */
async function addresses(host: string, timeoutMs: number = RESOLVE_MS): Promise<string[]> {
  if (isIP(host)) return [host];
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const error = new CryptorchError('TIMEOUT', `${host} was not resolved in time`, { host });
    timer = setTimeout(reject, timeoutMs, error);
  });
  try {
    const found = await Promise.race([lookup(host, { all: true }), late]);
    return found.map(({ address }) => address);
  } catch (cause) {
    if (CryptorchError.is(cause)) throw cause;
    const system = cause instanceof Error && 'code' in cause ? String(cause.code) : 'other';
    throw new CryptorchError('CONNECTION', `cannot resolve ${host}`, { host, system }, cause);
  } finally {
    clearTimeout(timer);
  }
}
