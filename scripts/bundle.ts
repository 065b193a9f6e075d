// Writes a local run as a bundle (native/core/bundle.hpp), which the driver runs without Node. It holds seeds and inputs in
// the clear: for tests, sanitizers and profilers only.

import type { InputArray, LocalConfig } from '../lib/native';

const MAGIC: bigint = 0x31444e5542544343n; // "CCTBUND1"

export function encodeBundle(config: LocalConfig): Uint8Array {
  const parts: Uint8Array[] = [];
  const words = (...values: (number | bigint)[]): void => {
    parts.push(bytesOf(BigInt64Array.from(values, (v) => BigInt.asIntN(64, BigInt(v)))));
  };
  const raw = (bytes: Uint8Array): void => {
    parts.push(bytes, new Uint8Array(-bytes.length & 7));
  };

  words(MAGIC, config.epoch ?? 0, config.run ?? 1, config.shareSeed ? 1 : 0);
  raw(config.shareSeed ?? new Uint8Array(16));
  words(config.plans.length);
  config.plans.forEach((plan, role) => {
    const bytes = bytesOf(plan);
    words(bytes.length / 8);
    raw(bytes);
    const keys = config.keys[role] ?? [];
    words(keys.length);
    keys.forEach(raw);
    const inputs = config.inputs[role] ?? [];
    words(inputs.length);
    for (const input of inputs) {
      words(typeOf(input), input?.length ?? 0);
      if (input) raw(bytesOf(input));
    }
    const integers = config.integers?.[role] ?? [];
    words(integers.length, ...integers);
  });
  return Buffer.concat(parts);
}

function typeOf(input: InputArray | null | undefined): number {
  if (!input) return 0;
  return (
    1 + [Float32Array, Float64Array, Int32Array, BigInt64Array].findIndex((type) => input instanceof type)
  );
}

function bytesOf(view: ArrayBufferView): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
}
