// Seeded damage to files, for tests of decoders.

/** xorshift32: numbers in [0, n), the same for the same seed. */
export function randomIntegers(seed: number): (n: number) => number {
  let state = seed | 1;
  return (n) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % n;
  };
}

/** A copy with one to four changes: bits flipped, bytes replaced, pieces cut out, doubled or moved, the end cut off. */
export function mutate(bytes: Uint8Array, random: (n: number) => number): Uint8Array {
  let out = Uint8Array.from(bytes);
  for (let changes = 1 + random(4); changes > 0 && out.length > 0; changes--) {
    const at = random(out.length);
    const to = Math.min(out.length, at + 1 + random(16));
    switch (random(6)) {
      case 0:
        out[at]! ^= 1 << random(8);
        break;
      case 1:
        out[at] = random(256);
        break;
      case 2:
        out.fill([0, 0x7f, 0x80, 0xff][random(4)]!, at, to);
        break;
      case 3:
        out = Uint8Array.from([...out.subarray(0, at), ...out.subarray(to)]);
        break;
      case 4:
        out = Uint8Array.from([...out.subarray(0, to), ...out.subarray(at)]);
        break;
      default:
        out = out.slice(0, at);
    }
  }
  return out;
}
