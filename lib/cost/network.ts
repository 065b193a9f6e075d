// Networks by name or by figures: `lan`, `wan`, `400Mbit,4ms`.

import { CryptorchError } from '../errors';

export interface Network {
  /** Of every direction of every link. */
  readonly bitsPerSecond: number;
  /** Seconds. */
  readonly roundTrip: number;
}

const NAMED: Readonly<Record<string, Network>> = {
  lan: { bitsPerSecond: 1e9, roundTrip: 0.2e-3 },
  wan: { bitsPerSecond: 100e6, roundTrip: 40e-3 },
};

const BITS = { kbit: 1e3, mbit: 1e6, gbit: 1e9 } as const;
const SECONDS = { us: 1e-6, ms: 1e-3, s: 1 } as const;

/** @throws CryptorchError INVALID_OPTION */
export function parseNetwork(text: string): Network {
  const named = Object.hasOwn(NAMED, text) ? NAMED[text] : undefined;
  if (named !== undefined) return named;
  const match = /^(\d+(?:\.\d+)?)([kmg]bit),(\d+(?:\.\d+)?)(us|ms|s)$/i.exec(text.trim());
  const [, rate, unit, time, scale] = match ?? [];
  const bitsPerSecond = Number(rate) * BITS[unit?.toLowerCase() as keyof typeof BITS];
  const roundTrip = Number(time) * SECONDS[scale?.toLowerCase() as keyof typeof SECONDS];
  if (bitsPerSecond > 0 && roundTrip >= 0) return { bitsPerSecond, roundTrip };
  const message = `The network "${text}" is not known; give ${Object.keys(NAMED).join(', ')}, or bandwidth and round-trip time such as 400Mbit,4ms.`;
  throw new CryptorchError('INVALID_OPTION', message, { network: text });
}
