// A party: supplies what it owns, computes on shares with the others, and learns the outputs that are its own.
//
//   await using party = await Party.open({ party: 0, deployment: 'digits', ... });
//   const { outputs } = await party.run({ image });
//
// It stays connected and serves any number of runs. Whatever goes wrong between the roles is dealt with underneath:
// connections are made again, and runs that were waiting go on.

import { CryptorchError } from '../errors';
import type { Role } from '../keys/role';
import { checkPartyConfig, type PartyConfig } from './config';
import type { Deployment } from './deployment';
import type { PartyResult } from './jobs';
import type { Tensors } from './numbers';
import { PartyCore } from './party-core';

/** What `Party.open` takes besides the configuration. */
export interface PartyOptions {
  /**
   * Called after every run of which this party learns an output, also where others supply the inputs. An error that it
   * throws is not caught.
   */
  readonly onResult?: (result: PartyResult) => void;
}

/** What `run` takes besides the inputs. */
export interface PartyRunOptions {
  /** Cancels the run, at every party. */
  readonly signal?: AbortSignal;
  /** Seconds until there must be a result, waiting included. Default: timeouts.run of the configuration. */
  readonly timeout?: number;
  /** Index of the program; the one that fits the shapes of the inputs by default. */
  readonly program?: number;
}

/** What a party is at. */
export interface PartyStats {
  /** Epoch of the weights that are in use, 0 while there is none. */
  readonly epoch: number;
  /** Whether all roles are connected and the state is in place. */
  readonly ready: boolean;
  /** Runs that were asked for here and have no result yet. */
  readonly queued: number;
  /** Runs whose material lies ready here. */
  readonly prepared: number;
  /** Runs that were asked for here and have a result. */
  readonly finished: number;
  /** Runs that were asked for here and failed. */
  readonly failed: number;
  /** Highest run number that was used. */
  readonly highestRun: number;
  /** Bytes sent to other roles by all phases, frame headers included. */
  readonly bytesSent: number;
  /** Roles that are not connected. */
  readonly missing: readonly Role[];
}

/** A party of a deployment: stays connected, and serves any number of runs in turn. */
export class Party {
  private constructor(private readonly core: PartyCore) {}

  /**
   * Resolves once this side is ready to be connected; `ready()` waits for the others.
   * @throws CryptorchError CONFIG, FILE, INVALID_PROGRAM, INVALID_WEIGHTS, LEAKAGE, CERTIFICATE, TLS_UNAVAILABLE,
   * BUSY, LEDGER, OUT_OF_MEMORY, CONNECTION where it cannot listen
   */
  static async open(config: PartyConfig, options: PartyOptions = {}): Promise<Party> {
    const core = new PartyCore(checkPartyConfig(config), options.onResult);
    await core.open();
    return new Party(core);
  }

  /** The deployment that it takes part in. */
  get deployment(): Deployment {
    return this.core.deployment;
  }

  /** The port it listens on, if others connect to it. */
  get port(): number | undefined {
    return this.core.port;
  }

  /** How far it is just now. */
  get stats(): PartyStats {
    return this.core.stats;
  }

  /**
   * Resolves once all roles are connected and the state is in place.
   * @throws CryptorchError where that cannot be without a change: HANDSHAKE, CERTIFICATE, STALE_STATE, LEDGER, ...
   */
  ready(): Promise<void> {
    return this.core.ready();
  }

  /**
   * Computes on one batch of this party's inputs, in turn with other runs. Where several parties own inputs, the n-th
   * runs that they ask for belong together.
   * @throws CryptorchError MISSING_INPUT, UNKNOWN_INPUT, INVALID_INPUT, VALUE_RANGE before anything is sent; BUSY;
   * CANCELLED; TIMEOUT or CONNECTION where others are missing or slow; what another role reports
   */
  async run(inputs: Tensors, options: PartyRunOptions = {}): Promise<PartyResult> {
    const { timeout } = options;
    if (timeout !== undefined && !(timeout > 0 && timeout <= 1e6)) {
      throw new CryptorchError(
        'INVALID_OPTION',
        `timeout is ${timeout}; give seconds, more than 0 and at most 1e6.`,
      );
    }
    return this.core.run(inputs, options);
  }

  /** Ends what goes on and leaves; the state stays on disk. */
  close(): Promise<void> {
    return this.core.close();
  }

  /** As `close`, for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
